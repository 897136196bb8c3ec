//! Tails: a tenant's events as they are stored, in order, without end.
//!
//! Invariant: the numbers of a tenant are committed in order (decision 45), so whoever has read up to one has missed none
//! below it; a resume token is that number. Bounded: how many tails there are, in all and for one tenant's callers; how many
//! of them read the store at a time; what waits for a reader, and how long; the life of the token that opened it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use credo_admin::{AdminPrincipal, ErrorReason, Problem, TenantScope};
use credo_clock::SharedClock;
use credo_ids::TenantId;
use credo_lifecycle::Shutdown;
use credo_proto::admin::v1::{AuditEvent, TailEventsResponse};
use futures::stream::{self, BoxStream, StreamExt as _};
use prometheus::IntCounter;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use tonic::Status;

use super::{
    event, page_token,
    reader::{Reader, Tailing},
    request::Filters,
    service::fault,
};

/// Tails at one time, in all and for the callers of one tenant.
const MAX_TAILS: usize = 64;
const MAX_TAILS_OF_TENANT: usize = 16;
/// Tails that read the store at one time: queries have the other connections.
const MAX_READS: usize = 3;
/// Events read at one time.
const BATCH: i64 = 100;
/// Answers that wait for the reader. None is larger than [`event::MAX_ANSWER_BYTES`] by more than one event.
const WAITING_ANSWERS: usize = 2;
/// A reader that takes nothing for so long is cut off.
const SLOW_READER_TIMEOUT: Duration = Duration::from_secs(10);
const HEARTBEAT: Duration = Duration::from_secs(5);
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// What all tails of the process share.
pub(crate) struct Tails {
    pub(crate) reader: Reader,
    pub(crate) clock: SharedClock,
    pub(crate) shutdown: Shutdown,
    pub(crate) places: Arc<Places>,
    pub(crate) slow_readers: IntCounter,
}

/// Who tails.
#[derive(Debug)]
pub(crate) struct Places {
    of_tenants: Mutex<HashMap<TenantId, usize>>,
    reads: Semaphore,
}

/// The right to tail, given back when it is dropped.
struct Place {
    places: Arc<Places>,
    tenant: TenantId,
}

/// What a tail is asked for.
pub(super) struct Wanted {
    pub(super) tenant: TenantScope,
    pub(super) filters: Filters,
    pub(super) with_personal: bool,
    /// The number to begin after; absent: the newest that is stored.
    pub(super) after: Option<i64>,
}

/// One tail.
struct Tail {
    reader: Reader,
    places: Arc<Places>,
    slow_readers: IntCounter,
    wanted: Wanted,
    /// Everything up to it is queued.
    reached: i64,
    sender: mpsc::Sender<TailEventsResponse>,
    queued_at: Instant,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            of_tenants: Mutex::default(),
            reads: Semaphore::new(MAX_READS),
        }
    }
}

impl Places {
    fn take(self: &Arc<Self>, tenant: TenantId) -> Result<Place, Status> {
        let mut of_tenants = self.of_tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = of_tenants.values().sum();
        let own = of_tenants.entry(tenant).or_default();
        if all >= MAX_TAILS || *own >= MAX_TAILS_OF_TENANT {
            return Err(Problem::too_many_calls().into_status());
        }
        *own += 1;
        Ok(Place {
            places: Arc::clone(self),
            tenant,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of_tenants = self.places.of_tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = of_tenants.get_mut(&self.tenant) {
            *own -= 1;
        }
        of_tenants.retain(|_, own| *own > 0);
    }
}

impl Tails {
    /// Begins a tail. Its first answer comes at once: from then on the reader can resume.
    pub(super) async fn open(
        &self,
        principal: &AdminPrincipal,
        wanted: Wanted,
    ) -> Result<BoxStream<'static, Result<TailEventsResponse, Status>>, Status> {
        let place = self.places.take(principal.tenant_id())?;
        let newest = self.reader.newest(wanted.tenant).await.map_err(|error| fault(&error))?;
        let reached = wanted.after.unwrap_or(newest);
        if reached > newest {
            let text = "resume_token: lies behind the end of the trail";
            return Err(Problem::new(ErrorReason::InvalidPageToken, text).into_status());
        }
        let (sender, receiver) = mpsc::channel(WAITING_ANSWERS);
        let tail = Tail {
            reader: self.reader.clone(),
            places: Arc::clone(&self.places),
            slow_readers: self.slow_readers.clone(),
            wanted,
            reached,
            sender,
            queued_at: Instant::now(),
        };
        let lifetime = principal.expires_at() - self.clock.now();
        let expiry = Instant::now() + Duration::try_from(lifetime).unwrap_or_default();
        // Dropped with the stream: a reader who goes away ends its task.
        let mut task = JoinSet::new();
        task.spawn(tail.run(expiry, self.shutdown.clone()));
        let state = (receiver, task, place);
        let answers = stream::unfold(Some(state), async |state| {
            let (mut receiver, mut task, place) = state?;
            if let Some(answer) = receiver.recv().await {
                return Some((Ok(answer), Some((receiver, task, place))));
            }
            let end = task.join_next().await.and_then(Result::ok);
            let end = end.unwrap_or_else(|| Problem::internal().into_status());
            Some((Err(end), None))
        });
        Ok(answers.boxed())
    }
}

impl Tail {
    /// Follows the trail, and says why it ended.
    async fn run(mut self, expiry: Instant, shutdown: Shutdown) -> Status {
        tokio::select! {
            end = self.follow() => end,
            () = shutdown.requested() => self.end(Problem::unavailable("the server is shutting down, resume elsewhere")),
            () = sleep_until(expiry) => self.end(Problem::unauthenticated("the access token has expired, resume with another")),
        }
    }

    async fn follow(&mut self) -> Status {
        let mut pause = SHORTEST_PAUSE;
        if let Err(end) = self.queue(vec![], self.reached).await {
            return end;
        }
        loop {
            let read = match self.read().await {
                Ok(read) => read,
                Err(error) => return fault(&error),
            };
            pause = if read.rows.is_empty() {
                (pause * 2).min(LONGEST_PAUSE)
            } else {
                SHORTEST_PAUSE
            };
            if let Err(end) = self.queue_all(read).await {
                return end;
            }
            sleep(pause).await;
        }
    }

    async fn read(&self) -> sqlx::Result<Tailing> {
        let _turn = self.places.reads.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let Wanted {
            tenant,
            filters,
            with_personal,
            ..
        } = &self.wanted;
        self.reader
            .tail(*tenant, filters, (self.reached, BATCH), *with_personal)
            .await
    }

    async fn queue_all(&mut self, read: Tailing) -> Result<(), Status> {
        let mut rows = read.rows.into_iter().peekable();
        loop {
            let events = event::answer_of(&mut rows, usize::MAX);
            let Some(upto) = events.last().map(|event| event.tenant_seq) else {
                break;
            };
            self.queue(events, upto).await?;
        }
        // Beyond the last event that passed the filters lie others, which are done with too.
        self.reached = self.reached.max(read.reached);
        if self.queued_at.elapsed() >= HEARTBEAT {
            self.queue(vec![], self.reached).await?;
        }
        Ok(())
    }

    async fn queue(&mut self, events: Vec<AuditEvent>, upto: i64) -> Result<(), Status> {
        match timeout(SLOW_READER_TIMEOUT, self.sender.reserve()).await {
            Ok(Ok(slot)) => slot.send(TailEventsResponse {
                events,
                resume_token: page_token::encode_resume(&self.wanted.filters, upto),
            }),
            Ok(Err(_)) => return Err(self.end(Problem::internal())), // nobody listens any more
            Err(_) => {
                tracing::info!("a slow reader was cut off");
                self.slow_readers.inc();
                let text = "the reader did not keep up, go on from resume_token";
                return Err(self.end(Problem::new(ErrorReason::SlowReader, text)));
            }
        }
        self.reached = upto;
        self.queued_at = Instant::now();
        Ok(())
    }

    /// The end, with the token that goes on.
    fn end(&self, problem: Problem) -> Status {
        let token = page_token::encode_resume(&self.wanted.filters, self.reached);
        problem.with("resume_token", token).into_status()
    }
}
