//! The numbers of telemetry itself. Exporting never holds up a request: what is lost is counted here.

use std::sync::LazyLock;

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::VERSION;

/// What became of spans that were sampled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spans {
    /// The collector has taken them.
    Exported,
    /// The queue was full.
    Dropped,
    /// The collector did not answer, or refused.
    Failed,
}

struct Numbers {
    spans: IntCounterVec,
    log_override: IntGauge,
    build: IntGaugeVec,
}

static NUMBERS: LazyLock<Result<Numbers, prometheus::Error>> = LazyLock::new(|| {
    let numbers = Numbers {
        spans: IntCounterVec::new(
            Opts::new("credo_trace_spans_total", "Sampled spans, by what became of them."),
            &["outcome"],
        )?,
        log_override: IntGauge::new(
            "credo_log_filter_override",
            "1 while logs follow a filter that was set at run time.",
        )?,
        build: IntGaugeVec::new(
            Opts::new("credo_build_info", "1; what runs here is in the labels."),
            &["service", "version"],
        )?,
    };
    for spans in [Spans::Exported, Spans::Dropped, Spans::Failed] {
        numbers.spans.with_label_values(&[name(spans)]);
    }
    Ok(numbers)
});

const fn name(spans: Spans) -> &'static str {
    match spans {
        Spans::Exported => "exported",
        Spans::Dropped => "dropped",
        Spans::Failed => "failed",
    }
}

/// Shows them in `registry`, as those of `service`.
///
/// # Errors
/// If one is there already.
pub fn register(service: &str, registry: &Registry) -> Result<(), prometheus::Error> {
    let numbers = NUMBERS
        .as_ref()
        .map_err(|error| prometheus::Error::Msg(error.to_string()))?;
    numbers.build.with_label_values(&[service, VERSION]).set(1);
    registry.register(Box::new(numbers.spans.clone()))?;
    registry.register(Box::new(numbers.log_override.clone()))?;
    registry.register(Box::new(numbers.build.clone()))
}

pub(crate) fn count(spans: Spans, number: usize) {
    if let Ok(numbers) = NUMBERS.as_ref() {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        numbers.spans.with_label_values(&[name(spans)]).inc_by(number);
    }
}

pub(crate) fn set_override(is_active: bool) {
    if let Ok(numbers) = NUMBERS.as_ref() {
        numbers.log_override.set(is_active.into());
    }
}
