//! The few workers that all kinds share. Who asks first gets the first that is free.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A fixed number of workers, each made when it is first needed.
pub(crate) struct Crew<W> {
    permits: Arc<Semaphore>,
    resting: Mutex<Vec<W>>,
    hire: Box<dyn Fn() -> W + Send + Sync>,
}

/// A worker at work. One that is dropped without [`Self::rest`], by a panic, is replaced.
pub(super) struct OnDuty<W> {
    pub(super) worker: W,
    crew: Arc<Crew<W>>,
    permit: OwnedSemaphorePermit,
}

impl<W> Crew<W> {
    /// At most `size` workers, made by `hire`.
    pub(crate) fn new(size: usize, hire: impl Fn() -> W + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(size)),
            resting: Mutex::default(),
            hire: Box::new(hire),
        })
    }

    /// Waits for a worker; in the order of asking.
    pub(super) async fn take(self: &Arc<Self>) -> Option<OnDuty<W>> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        let rested = self.resting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Some(OnDuty {
            worker: rested.unwrap_or_else(|| (self.hire)()),
            crew: Arc::clone(self),
            permit,
        })
    }
}

impl<W> OnDuty<W> {
    /// Gives the worker back.
    pub(super) fn rest(self) {
        let mut resting = self.crew.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.push(self.worker);
        drop(self.permit);
    }
}
