//! Waiting for something that another task or process does.

use std::{
    panic::Location,
    time::{Duration, Instant},
};

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// What a probe answers: not yet, or the thing that was waited for.
pub trait Probe {
    /// The thing.
    type Found;

    /// The thing, if it is there.
    fn found(self) -> Option<Self::Found>;
}

impl Probe for bool {
    type Found = ();

    fn found(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Probe for Option<T> {
    type Found = T;

    fn found(self) -> Self {
        self
    }
}

/// Asks `probe` until it answers `true` or `Some`. Panics, naming the caller's line, if `deadline` passes first.
#[track_caller]
pub fn eventually<P: Probe, F: Future<Output = P>>(
    deadline: Duration,
    mut probe: impl FnMut() -> F,
) -> impl Future<Output = P::Found> {
    let caller = Location::caller();
    async move {
        let start = Instant::now();
        loop {
            if let Some(found) = probe().await.found() {
                return found;
            }
            assert!(start.elapsed() < deadline, "{caller}: not within {deadline:?}");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}
