//! The writer of refusals that no statement records: bounded, batched, and waited for (DESIGN section 7).
//!
//! The first refusal of a bucket in a window is a row, and its answer waits for the commit. Later ones of the window are
//! counted, and the count is committed each second: it is the one thing that a kill can lose, a second of it. Refuses to
//! lose more: where a row cannot be written the request gets 503, and where a count cannot be, it is kept and no further
//! refusal is counted.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use credo_auth_store::{EventRow, SecurityEvent, Store};
use credo_clock::SharedClock;
use credo_events::{Details, EventDraft, PersonalPart};
use credo_ids::{EventId, TenantId};
use credo_lifecycle::Shutdown;
use credo_proto::events::v1::CountDetails;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::refusal::Refusal;

/// Refusals that may wait for their commit.
const QUEUE_LENGTH: usize = 10_000;
/// Refusals in one statement.
const MAX_BATCH: usize = 256;
/// Times that a batch is written before its requests get 503.
const MAX_TRIES: u32 = 3;
/// How long later refusals of a bucket are counted and not written.
const WINDOW: Duration = Duration::from_mins(1);
/// How often counts are committed.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
/// Buckets that are told apart; above it every refusal is a row.
const MAX_BUCKETS: usize = 100_000;

/// Like refusals: the same kind, from the same place, against the same target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// The tenant that it concerns.
    pub tenant: TenantId,
    /// The client or the account.
    pub target: Vec<u8>,
    /// Where it comes from.
    pub address: Option<IpAddr>,
    /// Why it is refused.
    pub reason: &'static str,
}

struct Window {
    opened_at: Duration,
    /// Whether refusals are counted. Not any more once a count could not be written.
    open: bool,
    count: u64,
    aggregate: Uuid,
    draft: EventDraft,
    personal: PersonalPart,
}

struct Waiting {
    event: SecurityEvent,
    answer: oneshot::Sender<bool>,
}

/// The handle that refused requests write through.
#[derive(Clone)]
pub struct Refusals {
    queue: mpsc::Sender<Waiting>,
    windows: Arc<Mutex<HashMap<Bucket, Window>>>,
    clock: SharedClock,
}

/// The task behind [`Refusals`].
pub struct RefusalWriter {
    queue: mpsc::Receiver<Waiting>,
    refusals: Refusals,
    store: Arc<Store>,
    /// Counts that the database did not take; they are tried again under the same ids.
    backlog: Vec<SecurityEvent>,
}

impl Refusals {
    /// A handle and the task that must run for it.
    #[must_use]
    pub fn new(store: Arc<Store>, clock: SharedClock) -> (Self, RefusalWriter) {
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        let refusals = Self {
            queue: sender,
            windows: Arc::default(),
            clock,
        };
        (
            refusals.clone(),
            RefusalWriter {
                queue: receiver,
                refusals,
                store,
                backlog: Vec::new(),
            },
        )
    }

    /// Records a refusal and waits until it is committed or counted.
    ///
    /// # Errors
    /// If the queue is full or the database takes nothing: the request must then get 503.
    pub async fn record(
        &self,
        bucket: Bucket,
        aggregate: Uuid,
        draft: EventDraft,
        personal: PersonalPart,
    ) -> Result<(), Refusal> {
        if self.is_counted(&bucket) {
            return Ok(());
        }
        let (answer, committed) = oneshot::channel();
        let event = security_event(bucket.tenant, aggregate, draft.clone(), personal.clone());
        self.queue
            .try_send(Waiting { event, answer })
            .map_err(|_| Refusal::overloaded("the queue of refusals is full"))?;
        if !committed.await.unwrap_or(false) {
            return Err(Refusal::overloaded("a refusal could not be recorded"));
        }
        // Only now: until the first one is committed nothing may be answered from memory.
        self.open_window(bucket, aggregate, draft, personal);
        Ok(())
    }

    /// Counts a refusal, if its window is open.
    fn is_counted(&self, bucket: &Bucket) -> bool {
        let now = self.clock.monotonic();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.get_mut(bucket).filter(|window| window.counts_at(now));
        window.map(|window| window.count += 1).is_some()
    }

    fn open_window(&self, bucket: Bucket, aggregate: Uuid, draft: EventDraft, personal: PersonalPart) {
        let opened_at = self.clock.monotonic();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let known = windows.get(&bucket);
        if known.is_some_and(|window| window.counts_at(opened_at)) || (known.is_none() && windows.len() >= MAX_BUCKETS)
        {
            return;
        }
        // What the last window counted and did not tell yet.
        let count = known.map_or(0, |window| window.count);
        let window = Window {
            opened_at,
            open: true,
            count,
            aggregate,
            draft,
            personal,
        };
        windows.insert(bucket, window);
    }

    /// Counts nothing any more until a row was written again.
    fn close_windows(&self) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for window in windows.values_mut() {
            window.open = false;
        }
    }

    /// The counts of all windows, as events; windows that ran out are closed.
    fn take_counts(&self) -> Vec<SecurityEvent> {
        let now = self.clock.monotonic();
        let mut events = Vec::new();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.retain(|bucket, window| {
            if window.count > 0 {
                let details = Details::Count(CountDetails {
                    count: std::mem::take(&mut window.count),
                });
                let draft = window.draft.clone().again(EventId::now_v7()).details(details);
                events.push(security_event(
                    bucket.tenant,
                    window.aggregate,
                    draft,
                    window.personal.clone(),
                ));
            }
            window.counts_at(now)
        });
        events
    }
}

impl Window {
    fn counts_at(&self, now: Duration) -> bool {
        self.open && now < self.opened_at + WINDOW
    }
}

impl std::fmt::Debug for Refusals {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Refusals")
    }
}

impl RefusalWriter {
    /// Writes until shutdown and the last waiting refusal.
    pub async fn run(mut self, shutdown: Shutdown) {
        let companion = shutdown.companion();
        let mut flush = tokio::time::interval(FLUSH_INTERVAL);
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                biased; // the counts first: a flood of rows must not keep them back
                _ = flush.tick() => self.flush().await,
                count = self.queue.recv_many(&mut batch, MAX_BATCH) => if count > 0 { self.write(batch).await },
                () = companion.drained() => break,
            }
        }
        self.flush().await;
    }

    async fn write(&self, batch: Vec<Waiting>) {
        let (events, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|item| (item.event, item.answer)).unzip();
        let committed = self.insert(&events).await;
        for answer in answers {
            // Who does not wait any more needs no answer.
            let _ = answer.send(committed);
        }
    }

    async fn flush(&mut self) {
        let mut events = std::mem::take(&mut self.backlog);
        events.extend(self.refusals.take_counts());
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(MAX_BATCH));
            if !self.insert(&events).await {
                events.extend(rest);
                self.backlog = events;
                self.refusals.close_windows();
                return;
            }
            events = rest;
        }
    }

    async fn insert(&self, events: &[SecurityEvent]) -> bool {
        for run in 1..=MAX_TRIES {
            match self.store.insert_security_events(events).await {
                Ok(()) => return true,
                Err(error) => tracing::error!(%error, run, count = events.len(), "refusals could not be recorded"),
            }
        }
        false
    }
}

fn security_event(tenant_id: TenantId, aggregate: Uuid, draft: EventDraft, personal: PersonalPart) -> SecurityEvent {
    let encoded = draft.encode(&personal);
    let event = EventRow {
        core: encoded.core,
        personal,
    };
    SecurityEvent {
        tenant_id,
        aggregate,
        event_id: encoded.event_id,
        event,
    }
}
