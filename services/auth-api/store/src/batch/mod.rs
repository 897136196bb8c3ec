//! Requests that share a statement: whoever arrives while one of their kind runs leaves with the next (DESIGN section 5).
//!
//! Knows nothing of databases: a [`Kind`] says what a worker does with items. Workers belong to all kinds; a free one goes to
//! the kind that has been due the longest. Refuses to queue without bound, to begin what has waited too long, and to have two
//! items of one key under way at once. An item that was taken is run to its end, whether or not anybody waits for it still.

mod crew;
mod flight;
mod lane;
mod queue;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

pub(crate) use self::{crew::Crew, lane::Lane};

/// Items in one batch. Larger ones cost a row hardly less.
const MAX_BATCH: usize = 64;
/// So many waiting items send a further worker out while others of their kind are under way.
const FURTHER_WORKER_WAITING: usize = 16;
/// So does one that has waited so long.
const FURTHER_WORKER_AFTER: Duration = Duration::from_millis(2);
/// Items of one kind that may wait.
const MAX_WAITING: usize = 2_048;
/// Items that may wait behind one of their key: nobody fills the queue with one token.
const MAX_BEHIND: usize = 256;
/// No run of an item begins after it.
const MAX_AGE: Duration = Duration::from_secs(2);
/// How often an item is run whose outcome stays open.
const MAX_RUNS: u32 = 3;
/// Time before it is run again.
const PAUSE: Duration = Duration::from_millis(20);

/// What is done with items of one kind.
pub(crate) trait Kind: Send + Sync + 'static {
    /// What a batch is run with, such as a connection.
    type Worker: Send + 'static;
    /// What is asked.
    type Item: Send + Sync + 'static;
    /// What is answered.
    type Answer: Send + 'static;
    /// Why there is no answer.
    type Error: std::fmt::Display + Send + 'static;

    /// As metrics and logs call it.
    const NAME: &'static str;

    /// Items of one key are never under way together. `None`: it gets on with all.
    fn key(item: &Self::Item) -> Option<Uuid>;

    /// Runs a batch: one answer for each item, in their order; nothing for an item that was passed over.
    fn run(
        &self,
        worker: &mut Self::Worker,
        items: &[Arc<Self::Item>],
    ) -> impl Future<Output = Result<Vec<Option<Self::Answer>>, Self::Error>> + Send;

    /// Whether the same item may be answered when it is run again.
    fn may_run_again(error: &Self::Error) -> bool;
}

/// Why an item was not answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused<E> {
    /// Too many wait: it was not run.
    Full,
    /// It waited too long: it was not run, or not again.
    Late,
    /// Whoever ran it panicked.
    Lost,
    /// It was run and failed.
    Failed(E),
}

/// Is told of each batch: its kind, and how long each item of it has waited.
pub(crate) type BatchObserver = Arc<dyn Fn(&'static str, &[Duration]) + Send + Sync>;

/// What became of an item.
type Reply<K> = Result<Option<<K as Kind>::Answer>, Refused<<K as Kind>::Error>>;
