//! Spans: which are made, which are sampled, and the context that travels with a request into its events.
//!
//! Without an endpoint there is no layer and nothing is asked for: a span then costs what it costs the logs.

mod context;
mod export;

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use tracing::{Level, Metadata, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{
    Layer as _,
    filter::{FilterFn, Filtered, filter_fn},
    registry::LookupSpan,
};

pub use self::{
    context::{TraceContext, on_wire},
    export::Exporter,
};
use crate::{TelemetryError, TelemetrySettings, VERSION, is_ours};

static IS_TRACING: AtomicBool = AtomicBool::new(false);

type Spans<S> = Filtered<OpenTelemetryLayer<S, SdkTracer>, FilterFn, S>;

/// The layer that makes spans of ours into those of OpenTelemetry, and what sends them away.
pub(crate) fn layer<S>(
    service: &'static str,
    settings: &TelemetrySettings,
) -> Result<Option<(Spans<S>, Exporter)>, TelemetryError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if !(0.0..=1.0).contains(&settings.trace_sample_ratio) {
        return Err(TelemetryError::Ratio);
    }
    let Some(endpoint) = &settings.otlp_endpoint else {
        return Ok(None);
    };
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", service),
            KeyValue::new("service.version", VERSION),
        ])
        .build();
    let (queue, exporter) = export::pair(endpoint, &resource)?;
    let ratio = Sampler::TraceIdRatioBased(settings.trace_sample_ratio);
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(ratio)))
        .with_resource(resource)
        .with_span_processor(queue)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("credo"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(is_traced as fn(&Metadata<'_>) -> bool));
    IS_TRACING.store(true, Ordering::Relaxed);
    Ok(Some((layer, exporter)))
}

/// The target of a span that only the logs see: another, inside it, is the one that is traced.
pub const UNTRACED: &str = "credo::untraced";

/// Spans alone, and ours: the text of an event is for logs.
fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.is_span()
        && metadata.target() != UNTRACED
        && *metadata.level() <= Level::INFO
        && is_ours(metadata.target())
}

fn is_tracing() -> bool {
    IS_TRACING.load(Ordering::Relaxed)
}
