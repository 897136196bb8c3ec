//! The parts as a whole: starting, watching and ending them. The one place that knows which part runs and which was
//! meant to end.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::{
    ledger::Ledger,
    part::{Part, STOP_TIMEOUT},
    probe::Probe,
    process::{Launch, Process, Watchers},
    terminal::elapsed,
};

/// How often a part that starts is asked.
const ASK_INTERVAL: Duration = Duration::from_millis(50);
/// After a kill -9 the server's orphans hold its memory for a few seconds and a new one refuses to start.
const POSTGRES_PATIENCE: Duration = Duration::from_secs(15);

/// What a part is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It runs.
    Running,
    /// It was told to stand still.
    Paused,
    /// It was told to end.
    Stopped,
    /// It ended by itself.
    Dead,
}

/// A part that ended by itself.
#[derive(Debug)]
pub struct Death {
    /// Which one.
    pub part: Part,
    /// How, and the last that it wrote.
    pub report: String,
}

#[derive(Debug)]
struct Held {
    launch: Launch,
    probe: Probe,
    process: Option<Process>,
    condition: Condition,
}

/// All parts that this program owns.
#[derive(Debug)]
pub struct Supervisor {
    parts: BTreeMap<Part, Held>,
    watchers: Watchers,
    ledger: Ledger,
}

impl Supervisor {
    /// Owns nothing yet.
    pub fn new(ledger: Ledger) -> Self {
        Self {
            parts: BTreeMap::new(),
            watchers: Watchers::new(),
            ledger,
        }
    }

    /// Begins to own a part, which is not started yet.
    pub fn own(&mut self, launch: Launch, probe: Probe) {
        let held = Held {
            probe,
            process: None,
            condition: Condition::Stopped,
            launch,
        };
        self.parts.insert(held.launch.part, held);
    }

    /// Each part with what it does and its process id.
    pub fn conditions(&self) -> impl Iterator<Item = (Part, Condition, Option<i32>)> + '_ {
        self.parts
            .iter()
            .map(|(part, held)| (*part, held.condition, held.process.as_ref().map(Process::pid)))
    }

    /// The process id of a part that runs.
    pub fn pid(&self, part: Part) -> Option<i32> {
        self.parts
            .get(&part)
            .and_then(|held| held.process.as_ref())
            .map(Process::pid)
    }

    /// Starts a part without waiting for it.
    ///
    /// # Errors
    /// If it runs already or cannot be started.
    pub fn launch(&mut self, part: Part) -> Result<()> {
        let held = find(&mut self.parts, part)?;
        if held.process.is_some() {
            bail!("{part} runs already");
        }
        let process = Process::start(&held.launch, &mut self.watchers)?;
        self.ledger.note_started(part, process.pid())?;
        held.process = Some(process);
        held.condition = Condition::Running;
        Ok(())
    }

    /// Waits until a part that was launched answers.
    ///
    /// # Errors
    /// If it ends or does not answer in time; with the last that it wrote.
    pub async fn wait_ready(&mut self, part: Part) -> Result<()> {
        let begun = Instant::now();
        loop {
            let held = find(&mut self.parts, part)?;
            let process = held.process.as_ref().with_context(|| format!("{part} does not run"))?;
            let Some(ended) = wait_answer(process, &held.probe, part.start_timeout()).await? else {
                return Ok(());
            };
            held.process = None;
            held.condition = Condition::Dead;
            self.ledger.note_ended(part)?;
            if part != Part::Postgres || begun.elapsed() > POSTGRES_PATIENCE {
                bail!("{part} ended while it started: {ended}");
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
            self.launch(part)?;
        }
    }

    /// Ends a part in good order, or by force if it takes too long. Returns whether it went in good order.
    ///
    /// # Errors
    /// If it does not run.
    pub async fn stop(&mut self, part: Part) -> Result<bool> {
        let held = find(&mut self.parts, part)?;
        let process = held.process.take().with_context(|| format!("{part} does not run"))?;
        held.condition = Condition::Stopped;
        process.signal(part.stop_signal());
        process.signal_family(Signal::CONT); // one that stands still would not hear the signal
        let in_order = tokio::time::timeout(STOP_TIMEOUT, process.ended()).await.is_ok();
        if !in_order {
            process.signal_family(Signal::KILL);
            process.ended().await;
        }
        self.ledger.note_ended(part)?;
        Ok(in_order)
    }

    /// Ends a part at once, with all its processes.
    ///
    /// # Errors
    /// If it does not run.
    pub async fn kill(&mut self, part: Part) -> Result<()> {
        let held = find(&mut self.parts, part)?;
        let process = held.process.take().with_context(|| format!("{part} does not run"))?;
        held.condition = Condition::Stopped;
        process.signal_family(Signal::KILL);
        process.ended().await;
        self.ledger.note_ended(part)
    }

    /// Lets a part stand still, with all its processes.
    ///
    /// # Errors
    /// If it does not run.
    pub fn pause(&mut self, part: Part) -> Result<()> {
        self.turn(part, Signal::STOP, Condition::Paused)
    }

    /// Lets a part go on.
    ///
    /// # Errors
    /// If it does not run.
    pub fn resume(&mut self, part: Part) -> Result<()> {
        self.turn(part, Signal::CONT, Condition::Running)
    }

    /// Waits until a part ends that was not told to. Waits for ever while none does.
    pub async fn next_death(&mut self) -> Death {
        loop {
            let Some(Ok((part, pid))) = self.watchers.join_next().await else {
                std::future::pending::<()>().await;
                continue;
            };
            let Some(held) = self.parts.get_mut(&part) else {
                continue;
            };
            let Some(process) = held.process.take_if(|process| process.pid() == pid) else {
                continue;
            };
            held.condition = Condition::Dead;
            let how = process.how_it_ended().unwrap_or_default();
            let noted = self
                .ledger
                .note_ended(part)
                .err()
                .map(|error| format!("{error:#}\n"))
                .unwrap_or_default();
            return Death {
                part,
                report: format!("{noted}{how}\n{}", process.tail()),
            };
        }
    }

    /// Ends everything, the last started first. Tells of each part how it went.
    pub async fn stop_all(&mut self, tell: impl Fn(String)) {
        for part in Part::ALL
            .into_iter()
            .rev()
            .filter(|part| self.pid(*part).is_some())
            .collect::<Vec<_>>()
        {
            let begun = Instant::now();
            let how = match self.stop(part).await {
                Ok(true) => "stopped".to_owned(),
                Ok(false) => format!("killed: it did not stop within {} s", STOP_TIMEOUT.as_secs()),
                Err(error) => format!("{error:#}"),
            };
            tell(format!("  {part:<14} {how} ({})", elapsed(begun.elapsed())));
        }
    }

    /// Ends everything at once.
    pub async fn kill_all(&mut self) {
        for part in Part::ALL.into_iter().rev() {
            drop(self.kill(part).await); // one that does not run needs no end
        }
    }

    fn turn(&mut self, part: Part, signal: Signal, condition: Condition) -> Result<()> {
        let held = find(&mut self.parts, part)?;
        let process = held.process.as_ref().with_context(|| format!("{part} does not run"))?;
        process.signal_family(signal);
        held.condition = condition;
        Ok(())
    }
}

fn find(parts: &mut BTreeMap<Part, Held>, part: Part) -> Result<&mut Held> {
    parts
        .get_mut(&part)
        .with_context(|| format!("{part} is not a part of this stack"))
}

/// `None` when it answers; how it ended when it did.
async fn wait_answer(process: &Process, probe: &Probe, patience: Duration) -> Result<Option<String>> {
    let begun = Instant::now();
    loop {
        let answer = tokio::select! {
            how = process.ended() => return Ok(Some(format!("{how}\n{}", process.tail()))),
            answer = probe.ask() => answer,
        };
        match answer {
            Ok(()) => return Ok(None),
            Err(error) if begun.elapsed() > patience => {
                bail!("no answer within {}: {error:#}\n{}", elapsed(patience), process.tail());
            }
            Err(_not_yet) => tokio::time::sleep(ASK_INTERVAL).await,
        }
    }
}
