//! A load of sign-ins, exchanges, refreshes and revocations by honest clients who live with faults: they try again.
//!
//! Keeps what each answered request was told, so that the trail can be held against it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use credo_proto::admin::v1::AuditEvent;
use tokio::task::JoinSet;

use crate::{
    answer::Answer,
    oauth::{Api, Client, SignIn, User},
    patience::{eventually, pass},
};

/// Refreshes of a session before the next one begins.
const REFRESHES: u32 = 4;
/// What a client waits before it tries again.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// Tries of one refresh until its outcome must be known.
const MAX_TRIES: u32 = 600;
/// Within this a load makes the progress that a step waits for.
const PROGRESS_TIME: Duration = Duration::from_mins(1);

/// A request that was answered, and the event that must tell of it.
#[derive(Debug)]
struct Told {
    request_id: String,
    event_type: &'static str,
}

/// What one worker saw.
#[derive(Debug, Default)]
pub struct Seen {
    told: Vec<Told>,
    wrong: Vec<String>,
    /// Refusals of what was tried again: what a client without grace must live with.
    left_behind: Vec<String>,
}

/// A load that runs.
#[derive(Debug)]
pub struct Load {
    workers: JoinSet<Seen>,
    answered: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

struct Worker {
    api: Api,
    client: Client,
    user: User,
    answered: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
    seen: Seen,
}

/// What a request came to.
enum Reply {
    Done(Answer),
    Refused,
    /// No answer, or 429 or 503: it may or may not have been done.
    Unknown,
}

impl Load {
    /// Starts a worker for each user.
    pub fn start(api: &Api, client: &Client, users: Vec<User>) -> Self {
        let (answered, ended) = (Arc::default(), Arc::default());
        let mut workers = JoinSet::new();
        for user in users {
            let worker = Worker {
                api: api.clone(),
                client: client.clone(),
                user,
                answered: Arc::clone(&answered),
                ended: Arc::clone(&ended),
                seen: Seen::default(),
            };
            workers.spawn(worker.run());
        }
        Self {
            workers,
            answered,
            ended,
        }
    }

    /// Waits until so many more requests were answered as they should be.
    ///
    /// # Errors
    /// If the load makes no progress.
    pub async fn progress(&self, requests: usize) -> Result<()> {
        self.progress_within(PROGRESS_TIME, requests).await
    }

    /// The same, before a deadline.
    ///
    /// # Errors
    /// If it takes longer.
    pub async fn progress_within(&self, within: Duration, requests: usize) -> Result<()> {
        let goal = self.answered.load(Ordering::Relaxed) + requests;
        eventually(within, async || {
            let answered = self.answered.load(Ordering::Relaxed);
            ensure!(answered >= goal, "{answered} requests were answered, {goal} should be");
            Ok(())
        })
        .await
    }

    /// Ends the load and returns what its workers saw.
    pub async fn end(self) -> Vec<Seen> {
        self.ended.store(true, Ordering::Relaxed);
        self.workers.join_all().await
    }
}

impl Worker {
    async fn run(mut self) -> Seen {
        while !self.has_ended() {
            if self.live_a_session().await.is_none() {
                pass(RETRY_AFTER).await;
            }
        }
        self.seen
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// A sign-in and what follows; nothing if it broke off on the way.
    async fn live_a_session(&mut self) -> Option<()> {
        let wanted = SignIn::new("openid offline_access");
        let answer = self.api.authorize(&self.client, &self.user, &wanted).await;
        let code = self.done("session_created", answer, false)?.code(&wanted).ok()?;
        let answer = self.api.exchange(&self.client, &code).await;
        let mut tokens = self.done("token_issued", answer, false)?.tokens().ok()?;
        for _ in 0..REFRESHES {
            let answer = self.refresh(tokens.refresh_token().ok()?).await?;
            tokens = answer.tokens().ok()?;
        }
        let answer = self.api.revoke(&self.client, tokens.refresh_token().ok()?).await;
        self.done("token_revoked", answer, false).map(|_| ())
    }

    /// Refreshes, again and again with the same token until the outcome is known.
    async fn refresh(&mut self, refresh_token: &str) -> Option<Answer> {
        for tries in 0..MAX_TRIES {
            let answer = self.api.refresh(&self.client, refresh_token).await;
            match self.judge("token_refreshed", answer, tries > 0) {
                Reply::Done(answer) => return Some(answer),
                Reply::Refused => return None,
                Reply::Unknown => pass(RETRY_AFTER).await,
            }
        }
        self.seen
            .wrong
            .push(format!("a refresh had no outcome after {MAX_TRIES} tries"));
        None
    }

    fn done(&mut self, event_type: &'static str, answer: Result<Answer>, again: bool) -> Option<Answer> {
        match self.judge(event_type, answer, again) {
            Reply::Done(answer) => Some(answer),
            Reply::Refused | Reply::Unknown => None,
        }
    }

    /// Takes an answer in. A token that is tried `again` may have been redeemed by the try before.
    fn judge(&mut self, event_type: &'static str, answer: Result<Answer>, again: bool) -> Reply {
        let Ok(answer) = answer else {
            return Reply::Unknown;
        };
        match answer.status {
            200 => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                let request_id = answer.header("x-request-id").to_owned();
                self.seen.told.push(Told { request_id, event_type });
                Reply::Done(answer)
            }
            429 | 503 => Reply::Unknown,
            400 if again && answer.error() == "invalid_grant" => {
                self.seen.left_behind.push(answer.to_string());
                Reply::Refused
            }
            _ => {
                self.seen.wrong.push(answer.to_string());
                Reply::Refused
            }
        }
    }
}

/// Whether no request was answered as none may be: a 500, or a refusal without a reason.
///
/// # Errors
/// Those that were.
pub fn check_answers(seen: &[Seen]) -> Result<()> {
    let wrong: Vec<_> = seen.iter().flat_map(|seen| &seen.wrong).collect();
    ensure!(
        wrong.is_empty(),
        "{} wrong answers, such as {:?}",
        wrong.len(),
        wrong[0]
    );
    Ok(())
}

/// Whether whoever did not know what had become of a refresh could go on.
///
/// # Errors
/// Those that could not.
pub fn check_nobody_left_behind(seen: &[Seen]) -> Result<()> {
    let left: Vec<_> = seen.iter().flat_map(|seen| &seen.left_behind).collect();
    ensure!(left.is_empty(), "{} were left behind, as: {}", left.len(), left[0]);
    Ok(())
}

/// Whether each answered request has its event, and one only.
///
/// # Errors
/// The first that has not.
pub fn check_events(seen: &[Seen], trail: &[AuditEvent]) -> Result<()> {
    let mut events: HashMap<(&str, &str), u32> = HashMap::new();
    for event in trail {
        *events.entry((&event.request_id, &event.r#type)).or_default() += 1;
    }
    for told in seen.iter().flat_map(|seen| &seen.told) {
        let count = events
            .get(&(told.request_id.as_str(), told.event_type))
            .copied()
            .unwrap_or_default();
        ensure!(
            count == 1,
            "the request {} was answered and has {count} events {}",
            told.request_id,
            told.event_type
        );
    }
    Ok(())
}
