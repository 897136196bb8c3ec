//! The wish to stop, and the moment when the work is done.
//!
//! Two instants: *requested* (take no new work, finish what you have) and *drained* (all work is finished). Nearly
//! everything waits for the first; the management port lives until the second, so that `/readyz` can say "draining".

use std::{io, sync::Arc};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

/// Says when the process must stop. Clones are handles of the same thing.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    requested: CancellationToken,
    drained: CancellationToken,
    pub(crate) counts: Arc<watch::Sender<Counts>>,
}

/// How many tasks run, and how many of them outlive the work.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) running: usize,
    pub(crate) companions: usize,
}

impl Shutdown {
    /// One that only [`Shutdown::request`] sets off.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that SIGTERM and SIGINT set off.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    #[expect(clippy::disallowed_methods, reason = "it cannot fail, and it ends with the process")]
    pub fn on_signals() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = Self::new();
        let handle = shutdown.clone();
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!(signal = name, "shutdown requested");
            handle.request();
        });
        Ok(shutdown)
    }

    /// Asks everything to stop. Asking twice changes nothing.
    pub fn request(&self) {
        self.requested.cancel();
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.requested.is_cancelled()
    }

    /// Returns when somebody has asked.
    pub async fn requested(&self) {
        self.requested.cancelled().await;
    }

    /// Declares the calling task a companion of the work: [`crate::Tasks::wait`] does not count it as work and tells it
    /// when the work is drained.
    #[must_use]
    pub fn companion(&self) -> Companion {
        self.counts.send_modify(|counts| counts.companions += 1);
        Companion { shutdown: self.clone() }
    }

    pub(crate) fn mark_drained(&self) {
        self.drained.cancel();
    }
}

/// The right of a task to live until the work is drained.
#[derive(Debug)]
pub struct Companion {
    shutdown: Shutdown,
}

impl Companion {
    /// Returns when the work is drained.
    pub async fn drained(&self) {
        self.shutdown.drained.cancelled().await;
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.shutdown
            .counts
            .send_modify(|counts| counts.companions = counts.companions.saturating_sub(1));
    }
}
