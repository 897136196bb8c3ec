//! Breaking parts of the stack and mending them, by the program that owns it.
//!
//! Invariant: what a scenario broke is whole again before the next one begins, whatever came of the scenario.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use credo_proto::admin::v1::{ResumeOutboxRequest, outbox_service_client::OutboxServiceClient};
use tokio::process::Command;

use crate::{admin::Admin, answer::Answer, hold::Hold, oauth::Api, patience::eventually, stack::Stack};

/// A part that was broken is ready again within this.
const MENDING_TIME: Duration = Duration::from_mins(1);

/// How a part is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    Down,
    Paused,
}

/// What a scenario broke and did not mend yet.
#[derive(Debug, Default)]
pub struct Faults {
    open: Vec<(String, Damage)>,
    /// Wires of the second replica that are not clear.
    wires: BTreeSet<String>,
    /// Whether the second replica's clock is not the machine's.
    clock_stepped: bool,
    /// What a session of the test keeps from the services.
    pub held: Option<Hold>,
    /// Whether publishing was paused.
    pub paused_outbox: bool,
}

impl Faults {
    /// SIGKILL.
    ///
    /// # Errors
    /// If the stack program refuses.
    pub async fn kill(&mut self, stack: &Stack, part: &str) -> Result<()> {
        self.open.push((part.to_owned(), Damage::Down));
        control(stack, "kill", part).await
    }

    /// A stop in good order.
    ///
    /// # Errors
    /// If the stack program refuses.
    pub async fn stop(&mut self, stack: &Stack, part: &str) -> Result<()> {
        self.open.push((part.to_owned(), Damage::Down));
        control(stack, "stop", part).await
    }

    /// SIGSTOP.
    ///
    /// # Errors
    /// If the stack program refuses.
    pub async fn pause(&mut self, stack: &Stack, part: &str) -> Result<()> {
        self.open.push((part.to_owned(), Damage::Paused));
        control(stack, "pause", part).await
    }

    /// What the wire of the second replica to a server does from now on, in words of the stack program.
    ///
    /// # Errors
    /// If the stack program refuses, or losses that were planned have not come.
    pub async fn wire(&mut self, stack: &Stack, far: &str, weather: &str) -> Result<()> {
        if weather == "clear" {
            self.wires.remove(far);
        } else {
            self.wires.insert(far.to_owned());
        }
        let arguments: Vec<_> = ["wire", far].into_iter().chain(weather.split(' ')).collect();
        tell(stack, &arguments).await
    }

    /// Steps the clock of the second replica: so many seconds before the machine's.
    ///
    /// # Errors
    /// If the stack program refuses.
    pub async fn step_clock(&mut self, stack: &Stack, seconds: i64) -> Result<()> {
        self.clock_stepped = seconds != 0;
        tell(stack, &["clock", &seconds.to_string()]).await
    }

    /// Starts a part again, or lets it go on.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn bring_back(&mut self, stack: &Stack, part: &str) -> Result<()> {
        let position = self.open.iter().position(|(broken, _)| broken == part);
        let (part, damage) = self
            .open
            .remove(position.with_context(|| format!("{part} is not broken"))?);
        let verb = match damage {
            Damage::Down => "start",
            Damage::Paused => "resume",
        };
        control(stack, verb, &part).await
    }

    /// Starts a part again, or lets it go on, and waits until it is ready.
    ///
    /// # Errors
    /// If it does not become so.
    pub async fn mend(&mut self, stack: &Stack, api: &Api, part: &str) -> Result<()> {
        self.bring_back(stack, part).await?;
        await_ready(stack, api).await
    }

    /// Mends whatever is still broken.
    ///
    /// # Errors
    /// If something cannot be mended.
    pub async fn mend_all(&mut self, stack: &Stack, api: &Api, admin: &Admin) -> Result<()> {
        self.held = None;
        if self.clock_stepped {
            self.step_clock(stack, 0).await?;
        }
        let was_cut = !self.wires.is_empty();
        while let Some(far) = self.wires.first().cloned() {
            drop(self.wire(stack, &far, "clear").await); // losses that did not come are another step's complaint
        }
        if was_cut {
            await_ready(stack, api).await?;
        }
        while let Some((part, _)) = self.open.last().cloned() {
            self.mend(stack, api, &part).await?;
        }
        if std::mem::take(&mut self.paused_outbox) {
            let mut outbox = OutboxServiceClient::new(admin.wire("OutboxService"));
            outbox.resume_outbox(ResumeOutboxRequest::default()).await?;
        }
        Ok(())
    }
}

/// Waits until every service says that it is ready.
///
/// # Errors
/// If one does not.
pub async fn await_ready(stack: &Stack, api: &Api) -> Result<()> {
    for (name, _) in stack.services() {
        eventually(MENDING_TIME, async || ensure_ready(stack, api, name).await).await?;
    }
    Ok(())
}

/// Whether a service says that it is ready.
///
/// # Errors
/// If it does not.
pub async fn ensure_ready(stack: &Stack, api: &Api, service: &str) -> Result<()> {
    let url = format!("{}/readyz?verbose", stack.service(service)?.management);
    let answer: Answer = api.get(&url).await?;
    ensure!(answer.status == 200, "{service} is not ready: {answer}");
    Ok(())
}

async fn control(stack: &Stack, verb: &str, part: &str) -> Result<()> {
    tell(stack, &[verb, part]).await
}

async fn tell(stack: &Stack, arguments: &[&str]) -> Result<()> {
    let output = Command::new(&stack.local_program)
        .args(["--stack", &stack.name])
        .args(arguments)
        .output()
        .await
        .with_context(|| format!("{} cannot be run", stack.local_program.display()))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{}: {}", arguments.join(" "), complaint.trim());
    }
    Ok(())
}
