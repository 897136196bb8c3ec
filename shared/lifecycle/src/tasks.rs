//! The tasks of a process. Every long-lived task is spawned here, so that none dies unnoticed and none is forgotten at
//! the end.

use std::{
    collections::BTreeMap,
    fmt::Display,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::Shutdown;

/// How long companions have to end after the work is drained.
const COMPANION_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the process did not end well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// A task ended although nobody had asked for shutdown.
    #[error("task {0} ended by itself")]
    EndedEarly(&'static str),
    /// A task returned an error.
    #[error("task {name} failed: {reason}")]
    Failed {
        /// The task.
        name: &'static str,
        /// What it said.
        reason: String,
    },
    /// A task panicked.
    #[error("task {0} panicked")]
    Panicked(&'static str),
    /// Work was not finished when the deadline passed.
    #[error("still running at the end of the drain deadline: {0}")]
    NotDrained(String),
}

/// Returns when the work is drained.
pub type Drained = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a task returns: nothing, or a `Result`.
pub trait TaskOutcome: Send + 'static {
    /// The failure, if there was one.
    fn failure(self) -> Option<String>;
}

impl TaskOutcome for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<E: Display + Send + 'static> TaskOutcome for Result<(), E> {
    fn failure(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// Spawns the tasks of a process and waits for them. Clones are handles of the same thing.
#[derive(Debug, Clone)]
pub struct Tasks {
    shutdown: Shutdown,
    tracker: TaskTracker,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    first_error: Option<TaskError>,
    running: BTreeMap<&'static str, usize>,
}

impl Tasks {
    /// Tasks that end with `shutdown`.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            tracker: TaskTracker::new(),
            shared: Arc::default(),
        }
    }

    /// Runs `task` until it ends, which it must not do by itself before shutdown is requested.
    #[expect(clippy::disallowed_methods, reason = "the task around it watches its end")]
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output: TaskOutcome> + Send + 'static,
    {
        let tasks = self.clone();
        self.started(name);
        self.tracker.spawn(async move {
            let outcome = tokio::spawn(task).await;
            let error = match outcome.map(TaskOutcome::failure) {
                Err(_) => Some(TaskError::Panicked(name)),
                Ok(Some(reason)) => Some(TaskError::Failed { name, reason }),
                Ok(None) if !tasks.shutdown.is_requested() => Some(TaskError::EndedEarly(name)),
                Ok(None) => None,
            };
            tasks.ended(name, error.as_ref());
        });
    }

    /// Runs what outlives the work, to tell of it: `task` is given the moment when the work is drained, and then has what
    /// companions have to end.
    pub fn spawn_companion<F>(&self, name: &'static str, task: impl FnOnce(Drained) -> F)
    where
        F: Future<Output: TaskOutcome> + Send + 'static,
    {
        let companion = Arc::new(self.shutdown.companion());
        let handle = Arc::clone(&companion);
        let task = task(Box::pin(async move { handle.drained().await }));
        self.spawn(name, async move {
            let outcome = task.await;
            drop(companion);
            outcome
        });
    }

    /// Waits for shutdown and then until all work is finished, at most `deadline` long.
    ///
    /// # Errors
    /// The first failure of a task, or what still runs when the deadline has passed.
    pub async fn wait(&self, deadline: Duration) -> Result<(), TaskError> {
        self.shutdown.requested().await;
        let mut counts = self.shutdown.counts.subscribe();
        let drained = counts.wait_for(|counts| counts.running <= counts.companions);
        let in_time = timeout(deadline, drained).await.is_ok();
        let left_over = (!in_time).then(|| self.running_names());
        self.shutdown.mark_drained();
        self.tracker.close();
        if timeout(COMPANION_TIMEOUT, self.tracker.wait()).await.is_err() {
            tracing::warn!(running = self.running_names(), "ended with tasks still running");
        }
        let first_error = self.with_shared(|shared| shared.first_error.clone());
        match (first_error, left_over) {
            (Some(error), _) => Err(error),
            (None, Some(names)) => Err(TaskError::NotDrained(names)),
            (None, None) => Ok(()),
        }
    }

    fn started(&self, name: &'static str) {
        self.with_shared(|shared| *shared.running.entry(name).or_default() += 1);
        self.shutdown.counts.send_modify(|counts| counts.running += 1);
    }

    fn ended(&self, name: &'static str, error: Option<&TaskError>) {
        if let Some(error) = error {
            tracing::error!(task = name, %error, "task ended wrongly");
        }
        self.with_shared(|shared| {
            shared.running.entry(name).and_modify(|count| *count -= 1);
            shared.running.retain(|_, count| *count > 0);
            shared.first_error = shared.first_error.take().or_else(|| error.cloned());
        });
        if error.is_some() {
            self.shutdown.request();
        }
        self.shutdown.counts.send_modify(|counts| counts.running -= 1);
    }

    fn running_names(&self) -> String {
        self.with_shared(|shared| shared.running.keys().copied().collect::<Vec<_>>().join(", "))
    }

    fn with_shared<T>(&self, act: impl FnOnce(&mut Shared) -> T) -> T {
        act(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
