//! The way of one kind: callers at one end, workers at the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};
use tokio_util::task::TaskTracker;

use super::{
    BatchObserver, Crew, Kind, Refused, Reply,
    flight::Flight,
    queue::{Next, Queue},
};

/// One kind's queue, and who serves it.
pub(crate) struct Lane<K: Kind>(Arc<Shared<K>>);

pub(super) struct Shared<K: Kind> {
    pub(super) kind: K,
    pub(super) crew: Arc<Crew<K::Worker>>,
    pub(super) observer: BatchObserver,
    queue: Mutex<Queue<Passenger<K>>>,
    tasks: TaskTracker,
}

/// An item and who waits for its answer.
pub(super) struct Passenger<K: Kind> {
    pub(super) item: Arc<K::Item>,
    pub(super) answer: oneshot::Sender<Reply<K>>,
}

impl<K: Kind> Lane<K> {
    /// A lane that `crew` serves.
    pub(crate) fn new(kind: K, crew: &Arc<Crew<K::Worker>>, observer: &BatchObserver) -> Self {
        Self(Arc::new(Shared {
            kind,
            crew: Arc::clone(crew),
            observer: Arc::clone(observer),
            queue: Mutex::new(Queue::new()),
            tasks: TaskTracker::new(),
        }))
    }

    /// Runs an item together with others. Nothing if the batch passed it over.
    pub(crate) async fn submit(&self, item: Arc<K::Item>) -> Reply<K> {
        let (sender, receiver) = oneshot::channel();
        let (key, now) = (K::key(&item), Instant::now());
        let passenger = Passenger { item, answer: sender };
        let next = {
            let mut queue = self.0.queue();
            if !queue.push(passenger, key, now) {
                return Err(Refused::Full);
            }
            queue.next(now)
        };
        self.0.follow(next);
        receiver.await.unwrap_or(Err(Refused::Lost))
    }
}

impl<K: Kind> Shared<K> {
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue<Passenger<K>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what the queue asks for.
    pub(super) fn follow(self: &Arc<Self>, next: Next) {
        let lane = Arc::clone(self);
        match next {
            Next::Board => drop(self.tasks.spawn(Flight::fly(lane))),
            Next::Watch(at) => drop(self.tasks.spawn(lane.watch(at))),
            Next::Nothing => {}
        }
    }

    async fn watch(self: Arc<Self>, at: Instant) {
        sleep_until(at).await;
        let next = self.queue().look(Instant::now());
        self.follow(next);
    }
}
