//! What this process tells about its work.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use credo_clock::SharedClock;
use credo_ids::EventId;
use time::OffsetDateTime;

use crate::metrics::Metrics;

/// Shared by the relay, which writes, and the gRPC service, which reads. Clones are handles of the same thing.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    clock: SharedClock,
    metrics: Metrics,
    report: Arc<Mutex<Report>>,
}

/// A copy of what is known at one time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    pub(crate) is_leader: bool,
    pub(crate) published_events: i64,
    pub(crate) last_publish_at: Option<OffsetDateTime>,
    pub(crate) last_error: Option<String>,
}

impl Status {
    pub(crate) fn new(clock: SharedClock, metrics: Metrics) -> Self {
        Self {
            clock,
            metrics,
            report: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// How long ago the event was made, by its id.
    pub(crate) fn age_of(&self, event: EventId) -> Duration {
        let made_at = event
            .as_uuid()
            .get_timestamp()
            .map_or((0, 0), |made_at| made_at.to_unix());
        let now = u64::try_from(self.now().unix_timestamp_nanos()).unwrap_or_default();
        Duration::from_nanos(now).saturating_sub(Duration::new(made_at.0, made_at.1))
    }

    pub(crate) fn report(&self) -> Report {
        self.with(|report| report.clone())
    }

    pub(crate) fn leads(&self, is_leader: bool) {
        self.metrics.leader.set(is_leader.into());
        self.with(|report| report.is_leader = is_leader);
    }

    /// Events are published: acknowledged and recorded.
    pub(crate) fn published(&self, events: usize) {
        let now = self.clock.now();
        self.metrics.published.inc_by(u64::try_from(events).unwrap_or(u64::MAX));
        self.with(|report| {
            report.published_events += i64::try_from(events).unwrap_or(i64::MAX);
            report.last_publish_at = Some(now);
            report.last_error = None;
        });
    }

    /// Publishing stands still.
    pub(crate) fn failed(&self, reason: String) {
        self.with(|report| report.last_error = Some(reason));
    }

    /// Publishing goes on.
    pub(crate) fn recovered(&self) {
        self.with(|report| report.last_error = None);
    }

    /// The time since an event's id was made was spent on the way to Kafka.
    pub(crate) fn acknowledged(&self, event_id: uuid::Uuid) {
        let Some(made_at) = event_id.get_timestamp() else {
            return;
        };
        let (seconds, nanos) = made_at.to_unix();
        let now = self.clock.now().unix_timestamp_nanos();
        let made_at = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        let elapsed_ms = u32::try_from((now - made_at) / 1_000_000).unwrap_or_default();
        self.metrics
            .commit_to_ack_seconds
            .observe(f64::from(elapsed_ms) / 1_000.0);
    }

    fn with<T>(&self, act: impl FnOnce(&mut Report) -> T) -> T {
        act(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
