//! One batch from the queue to its answers.
//!
//! Invariant: whatever happens to it, its keys are released and the queue is asked what comes next.

use std::{ops::RangeInclusive, slice, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    Kind, MAX_RUNS, PAUSE, Refused, Reply,
    lane::{Passenger, Shared},
    queue::Entry,
};

/// What is under way.
pub(super) struct Flight<K: Kind> {
    lane: Arc<Shared<K>>,
    keys: Vec<Option<Uuid>>,
}

type Passengers<K> = Vec<Entry<Passenger<K>>>;

impl<K: Kind> Flight<K> {
    /// Waits for a worker, takes what waits, runs it and answers.
    pub(super) async fn fly(lane: Arc<Shared<K>>) {
        let Some(mut on_duty) = lane.crew.take().await else {
            return;
        };
        let (flight, passengers) = Self::board(lane);
        if passengers.is_empty() {
            return on_duty.rest();
        }
        let replies = run(&flight.lane.kind, &mut on_duty.worker, &passengers).await;
        on_duty.rest();
        drop(flight); // the next one leaves before these are answered
        for (passenger, reply) in passengers.into_iter().zip(replies) {
            // Who does not wait any more needs no answer.
            let _ = passenger.work.answer.send(reply);
        }
    }

    fn board(lane: Arc<Shared<K>>) -> (Self, Passengers<K>) {
        let now = Instant::now();
        let (boarded, next) = {
            let mut queue = lane.queue();
            (queue.board(now), queue.next(now))
        };
        lane.follow(next);
        for entry in boarded.late {
            let _ = entry.work.answer.send(Err(Refused::Late));
        }
        let waits: Vec<Duration> = boarded.batch.iter().map(|entry| entry.waited(now)).collect();
        if !waits.is_empty() {
            (lane.observer)(K::NAME, &waits);
        }
        let keys = boarded.batch.iter().map(|entry| entry.key).collect();
        (Self { lane, keys }, boarded.batch)
    }
}

impl<K: Kind> Drop for Flight<K> {
    fn drop(&mut self) {
        let now = Instant::now();
        let next = {
            let mut queue = self.lane.queue();
            queue.land(&self.keys, now);
            queue.next(now)
        };
        self.lane.follow(next);
    }
}

/// Runs all at once; if that fails, each alone, so that only what fails again fails.
async fn run<K: Kind>(kind: &K, worker: &mut K::Worker, passengers: &Passengers<K>) -> Vec<Reply<K>> {
    if let [passenger] = &passengers[..] {
        return vec![run_alone(kind, worker, passenger, 1..=MAX_RUNS).await];
    }
    let items: Vec<_> = passengers.iter().map(|entry| Arc::clone(&entry.work.item)).collect();
    match kind.run(worker, &items).await {
        Ok(answers) => return answers.into_iter().map(Ok).collect(),
        Err(error) => {
            tracing::warn!(kind = K::NAME, items = items.len(), %error, "a batch failed, each item is run alone");
        }
    }
    sleep(PAUSE).await;
    let mut replies = Vec::with_capacity(passengers.len());
    for passenger in passengers {
        replies.push(if Instant::now() < passenger.late_at() {
            run_alone(kind, worker, passenger, 2..=MAX_RUNS).await
        } else {
            Err(Refused::Late)
        });
    }
    replies
}

/// Runs one item until it is answered, has failed for good, or is out of runs or time.
async fn run_alone<K: Kind>(
    kind: &K,
    worker: &mut K::Worker,
    passenger: &Entry<Passenger<K>>,
    runs: RangeInclusive<u32>,
) -> Reply<K> {
    for run in runs {
        match kind.run(worker, slice::from_ref(&passenger.work.item)).await {
            Ok(mut answers) => return Ok(answers.pop().flatten()),
            Err(error) if run == MAX_RUNS || !K::may_run_again(&error) || Instant::now() >= passenger.late_at() => {
                return Err(Refused::Failed(error));
            }
            Err(error) => {
                tracing::warn!(kind = K::NAME, %error, run, "a statement's outcome is unknown, it is run again");
            }
        }
        sleep(PAUSE * run).await;
    }
    Err(Refused::Late)
}
