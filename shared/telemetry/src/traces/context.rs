//! The W3C trace context of a sampled span: `00-<trace>-<span>-01`.

use std::{fmt, time::Duration};

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::is_tracing;

/// The name of the header, in HTTP, in gRPC metadata and in Kafka.
const HEADER: &str = "traceparent";
/// Length of the only version that there is.
const LENGTH: usize = 55;
/// A trace is read as one story; what is replayed a day later is another one.
const FOLLOWED_FOR: Duration = Duration::from_mins(10);

/// Names a span that is sampled, here or elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext(SpanContext);

/// The header that carries it.
#[must_use]
pub const fn on_wire() -> &'static str {
    HEADER
}

impl TraceContext {
    /// That of `span`, if it is sampled.
    #[must_use]
    pub fn of(span: &Span) -> Option<Self> {
        if !is_tracing() {
            return None;
        }
        let context = span.context().span().span_context().clone();
        context.is_sampled().then_some(Self(context))
    }

    /// Reads version 00, in the one form that it may have. `None` too where it says that nothing was sampled: then nothing
    /// hangs on it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != LENGTH
            || text
                .bytes()
                .any(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        {
            return None;
        }
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version != "00" || trace.len() != 32 || span.len() != 16 || flags.len() != 2 || parts.next().is_some() {
            return None;
        }
        let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
        let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
        let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
        (context.is_valid() && context.is_sampled()).then_some(Self(context))
    }

    /// The trace's id, in hexadecimal.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.0.trace_id().to_string()
    }

    /// A span that goes on with what was begun there `age` ago, made by `make` without a parent: its child, or, where that
    /// is long ago, a beginning of its own that names it. `None` where nothing is traced.
    #[must_use]
    pub fn go_on(&self, age: Duration, make: impl FnOnce() -> Span) -> Option<Span> {
        let span = is_tracing().then(make)?;
        if age <= FOLLOWED_FOR {
            self.adopt(&span);
        } else {
            self.link(&span);
        }
        let _ = span.context(); // nobody enters it: it starts here
        Some(span)
    }

    /// Makes `span`, which nobody has entered yet, a child.
    pub fn adopt(&self, span: &Span) {
        if is_tracing() {
            // Refused where the span is not traced: then there is nothing to adopt.
            let _ = span.set_parent(Context::new().with_remote_span_context(self.0.clone()));
        }
    }

    /// Notes on `span` that this one has to do with it.
    pub fn link(&self, span: &Span) {
        if is_tracing() {
            span.add_link(self.0.clone());
        }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "00-{}-{}-01", self.0.trace_id(), self.0.span_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let context = TraceContext::parse(GOOD).unwrap();
        assert_eq!(context.to_string(), GOOD);
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        let zero_trace = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
        let unsampled = GOOD.replace("-01", "-00");
        for bad in [
            "",
            &GOOD[..54],
            &GOOD.to_uppercase(),
            &GOOD.replace("00-0", "01-0"),
            &zero_trace,
            &unsampled,
            &"-".repeat(55),
            &format!("{GOOD}-00"),
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn without_an_endpoint_no_span_has_a_context() {
        let span = tracing::info_span!("request");
        assert_eq!(TraceContext::of(&span), None);
    }
}
