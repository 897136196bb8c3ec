//! The last step of a request's trace: its event is stored.

use std::time::Duration;

use credo_telemetry::TraceContext;
use time::OffsetDateTime;
use tracing::Span;

use crate::decode::Placed;

/// A span for each traced record, from its turn until it is dropped.
pub(crate) fn spans(records: &[&Placed], now: OffsetDateTime) -> Vec<Span> {
    let of_record = |record: &&Placed| {
        let trace = TraceContext::parse(record.headers.traceparent.as_deref()?)?;
        trace.go_on(age(record, now), || {
            tracing::info_span!(
                parent: None,
                "process",
                otel.name = "process credo.audit.events",
                otel.kind = "consumer",
                messaging.system = "kafka",
                messaging.operation.name = "process",
                messaging.kafka.offset = record.offset,
            )
        })
    };
    records.iter().filter_map(of_record).collect()
}

/// Since the event's id was made.
pub(crate) fn age(record: &Placed, now: OffsetDateTime) -> Duration {
    let made_at = record.headers.event_id.as_uuid().get_timestamp();
    let made_at = made_at.map_or((0, 0), |made_at| made_at.to_unix());
    let now_nanos = u64::try_from(now.unix_timestamp_nanos()).unwrap_or_default();
    Duration::from_nanos(now_nanos).saturating_sub(Duration::new(made_at.0, made_at.1))
}
