//! Breaking parts of the stack and mending them, by the program that owns it.
//!
//! Invariant: what a scenario broke is whole again before the next one begins, whatever came of the scenario.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use credo_proto::admin::v1::{ResumeOutboxRequest, outbox_service_client::OutboxServiceClient};
use tokio::process::Command;

use crate::{admin::Admin, answer::Answer, oauth::Api, patience::eventually, stack::Stack};

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

    /// Starts a part again, or lets it go on, and waits until it is ready.
    ///
    /// # Errors
    /// If it does not become so.
    pub async fn mend(&mut self, stack: &Stack, api: &Api, part: &str) -> Result<()> {
        let position = self.open.iter().position(|(broken, _)| broken == part);
        let (part, damage) = self
            .open
            .remove(position.with_context(|| format!("{part} is not broken"))?);
        let verb = match damage {
            Damage::Down => "start",
            Damage::Paused => "resume",
        };
        control(stack, verb, &part).await?;
        await_ready(stack, api).await
    }

    /// Mends whatever is still broken.
    ///
    /// # Errors
    /// If something cannot be mended.
    pub async fn mend_all(&mut self, stack: &Stack, api: &Api, admin: &Admin) -> Result<()> {
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
    let output = Command::new(&stack.local_program)
        .args(["--stack", &stack.name, verb, part])
        .output()
        .await
        .with_context(|| format!("{} cannot be run", stack.local_program.display()))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{verb} {part}: {}", complaint.trim());
    }
    Ok(())
}
