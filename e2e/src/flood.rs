//! Askers without manners: many, without a pause, whatever they are told.
//!
//! Every answer is looked at: a flood may be refused, and it may not be served what is not its own, nor break anything.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use crate::{answer::Answer, patience::eventually};

/// Within this a flood makes the progress that a step waits for.
const PROGRESS_TIME: Duration = Duration::from_mins(2);

/// How often which status was the answer; 0: there was none.
pub type Statuses = BTreeMap<u16, usize>;

/// One that runs.
#[derive(Debug)]
pub struct Flood {
    askers: JoinSet<(Statuses, Option<String>)>,
    answered: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl Flood {
    /// Starts so many askers, who send one request after the other.
    pub fn start<A, F>(askers: usize, ask: A, is_right: fn(&Answer) -> bool) -> Self
    where
        A: Fn() -> F + Clone + Send + 'static,
        F: Future<Output = Result<Answer>> + Send,
    {
        let (answered, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut tasks = JoinSet::new();
        for _ in 0..askers {
            let (ask, answered, ended) = (ask.clone(), Arc::clone(&answered), Arc::clone(&ended));
            tasks.spawn(async move {
                let (mut statuses, mut wrong) = (Statuses::new(), None);
                while !ended.load(Ordering::Relaxed) {
                    let answer = ask().await.ok();
                    *statuses
                        .entry(answer.as_ref().map_or(0, |answer| answer.status))
                        .or_default() += 1;
                    answered.fetch_add(1, Ordering::Relaxed);
                    wrong = wrong.or(answer
                        .filter(|answer| !is_right(answer))
                        .map(|answer| answer.to_string()));
                }
                (statuses, wrong)
            });
        }
        Self {
            askers: tasks,
            answered,
            ended,
        }
    }

    /// Waits until so many more requests were answered, however.
    ///
    /// # Errors
    /// If the flood makes no progress.
    pub async fn progress(&self, requests: usize) -> Result<()> {
        let goal = self.answered.load(Ordering::Relaxed) + requests;
        eventually(PROGRESS_TIME, async || {
            let answered = self.answered.load(Ordering::Relaxed);
            ensure!(answered >= goal, "{answered} requests were answered, {goal} should be");
            Ok(())
        })
        .await
    }

    /// Ends it and returns what it was told.
    ///
    /// # Errors
    /// An answer that was not right.
    pub async fn end(self) -> Result<Statuses> {
        self.ended.store(true, Ordering::Relaxed);
        let mut all = Statuses::new();
        for (statuses, wrong) in self.askers.join_all().await {
            ensure!(wrong.is_none(), "the flood was answered: {}", wrong.unwrap_or_default());
            for (status, count) in statuses {
                *all.entry(status).or_default() += count;
            }
        }
        Ok(all)
    }
}

/// Whether an answer says when to come again, as refusals for the server's sake must.
pub fn says_when(answer: &Answer) -> bool {
    let seconds = answer.header("retry-after").parse::<u64>();
    matches!(answer.status, 429 | 503) && seconds.is_ok_and(|seconds| (1..=60).contains(&seconds))
}
