//! The traces of the requests that events come from, a step further. Refuses to know what an event says: one field of it,
//! by a definition of its own.

use std::time::Duration;

use credo_proto::events::v1::TraceCarrier;
use credo_telemetry::TraceContext;
use prost::Message as _;
use time::OffsetDateTime;
use tracing::Span;

use crate::publisher::Outgoing;

/// The trace context in a core, as the header of the record says it.
pub(crate) fn of(core: &[u8]) -> Option<String> {
    let carrier = TraceCarrier::decode(core).ok()?;
    TraceContext::parse(&carrier.traceparent).map(|trace| trace.to_string())
}

/// A span for each traced record, from its turn until it is dropped.
pub(crate) fn spans(records: &[Outgoing], now: OffsetDateTime) -> Vec<Span> {
    let of_record = |record: &Outgoing| {
        let trace = TraceContext::parse(record.headers.traceparent.as_deref()?)?;
        let age = age(record, now);
        trace.go_on(age, || {
            tracing::info_span!(
                parent: None,
                "publish",
                otel.name = "publish credo.audit.events",
                otel.kind = "producer",
                messaging.system = "kafka",
                messaging.operation.name = "publish",
                credo.outbox.wait_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
            )
        })
    };
    records.iter().filter_map(of_record).collect()
}

/// Since the event's id was made.
fn age(record: &Outgoing, now: OffsetDateTime) -> Duration {
    let made_at = record.headers.event_id.as_uuid().get_timestamp();
    let made_at = made_at.map_or((0, 0), |made_at| made_at.to_unix());
    let now_nanos = u64::try_from(now.unix_timestamp_nanos()).unwrap_or_default();
    Duration::from_nanos(now_nanos).saturating_sub(Duration::new(made_at.0, made_at.1))
}

#[cfg(test)]
mod tests {
    use credo_proto::events::v1::Core;

    use super::*;

    #[test]
    fn a_core_is_asked_for_nothing_but_its_trace() {
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let core = |traceparent: &str| Core {
            event_id: vec![7; 16],
            r#type: "token_issued".to_owned(),
            traceparent: traceparent.to_owned(),
            commitment: vec![1; 32],
            ..Core::default()
        };
        assert_eq!(of(&core(traceparent).encode_to_vec()).as_deref(), Some(traceparent));
        assert_eq!(of(&core("").encode_to_vec()), None);
        assert_eq!(of(&core("password").encode_to_vec()), None);
        assert_eq!(of(b"\xff\xff"), None);
    }
}
