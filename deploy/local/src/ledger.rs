//! Which processes a stack has started, so that a next start finds what an end without farewell has left behind.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;

use crate::{file, layout::Layout, part::Part, proc};

/// How long an orphan may take to end in good order.
const PATIENCE: Duration = Duration::from_secs(15);

/// The living processes of a stack, kept in `processes.json`.
#[derive(Debug)]
pub struct Ledger {
    layout: Layout,
    entries: BTreeMap<Part, proc::Identity>,
}

impl Ledger {
    /// Ends what an earlier stack program left behind and begins an empty ledger. Returns what it ended.
    ///
    /// # Errors
    /// If a process does not end or the file system refuses.
    pub async fn open(layout: &Layout) -> Result<(Self, Vec<Part>)> {
        let text = file::read(&layout.file("processes.json"))?.unwrap_or_default();
        let left: BTreeMap<Part, proc::Identity> = serde_json::from_str(&text).unwrap_or_default();
        let mut ended = Vec::new();
        for (part, identity) in left.into_iter().rev().filter(|(_, identity)| identity.is_alive()) {
            end(part, &identity).await?;
            ended.push(part);
        }
        let ledger = Self {
            layout: layout.clone(),
            entries: BTreeMap::new(),
        };
        ledger.save()?;
        Ok((ledger, ended))
    }

    /// Notes that a part runs as `pid`.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn note_started(&mut self, part: Part, pid: i32) -> Result<()> {
        if let Some(identity) = proc::Identity::of(pid) {
            self.entries.insert(part, identity);
        }
        self.save()
    }

    /// Notes that a part has ended.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn note_ended(&mut self, part: Part) -> Result<()> {
        self.entries.remove(&part);
        self.save()
    }

    fn save(&self) -> Result<()> {
        let text = serde_json::to_vec(&self.entries).context("the ledger cannot be written as JSON")?;
        file::write_private(&self.layout.file("processes.json"), &text)
    }
}

async fn end(part: Part, identity: &proc::Identity) -> Result<()> {
    let family = proc::family(identity.pid);
    proc::signal(&[identity.pid], part.stop_signal());
    proc::signal(&family, Signal::CONT);
    let begun = Instant::now();
    while identity.is_alive() {
        if begun.elapsed() > PATIENCE * 2 {
            bail!("{part} of an earlier run (process {}) does not end", identity.pid);
        }
        if begun.elapsed() > PATIENCE {
            proc::signal(&family, Signal::KILL);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
