//! Spans on their way out: a bounded queue that nobody waits for, and a task that empties it.
//!
//! A collector that is slow or gone costs spans, which are counted, and never a request.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::{SpanExporter as Otlp, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter as _, SpanProcessor},
};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::timeout,
};

use crate::{
    TelemetryError,
    metrics::{Spans, count},
};

/// Spans that wait; a quarter of a megabyte or so.
const QUEUE: usize = 2_048;
/// Spans in one message.
const BATCH: usize = 512;
/// How long a batch waits for company.
const LINGER: Duration = Duration::from_millis(250);
/// Longest time of an export.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest time of what is left when the process ends; its companions have a second.
const LAST_EXPORT_TIMEOUT: Duration = Duration::from_millis(800);

/// The queue's end that spans go into.
#[derive(Debug)]
pub(super) struct Queue(Sender<SpanData>);

/// Sends spans to the collector while it is run.
#[derive(Debug)]
pub struct Exporter {
    spans: Receiver<SpanData>,
    otlp: Otlp,
}

/// Both ends, for the collector at `endpoint`. It need not answer yet.
pub(super) fn pair(endpoint: &str, resource: &Resource) -> Result<(Queue, Exporter), TelemetryError> {
    if !endpoint.starts_with("http://") {
        return Err(TelemetryError::Endpoint(
            "must be an http URL such as http://localhost:4317: traces go to a collector on this machine or in this pod"
                .to_owned(),
        ));
    }
    let mut otlp = Otlp::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|error| TelemetryError::Endpoint(error.to_string()))?;
    opentelemetry_sdk::trace::SpanExporter::set_resource(&mut otlp, resource);
    let (sender, spans) = channel(QUEUE);
    Ok((Queue(sender), Exporter { spans, otlp }))
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.0.try_send(span).is_err() {
            count(Spans::Dropped, 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl Exporter {
    /// Exports until `stop` returns, then what is left.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                () = &mut stop => break,
                taken = self.spans.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        return;
                    }
                }
            }
            self.fill(&mut batch).await;
            self.export(&mut batch, EXPORT_TIMEOUT).await;
        }
        self.spans.close();
        let rest = async {
            while self.spans.recv_many(&mut batch, BATCH).await > 0 {
                self.export(&mut batch, LAST_EXPORT_TIMEOUT).await;
            }
        };
        if timeout(LAST_EXPORT_TIMEOUT, rest).await.is_err() {
            tracing::info!("spans are left that the collector did not take");
        }
    }

    async fn fill(&mut self, batch: &mut Vec<SpanData>) {
        let more = async {
            while batch.len() < BATCH {
                let room = BATCH - batch.len();
                if self.spans.recv_many(batch, room).await == 0 {
                    break;
                }
            }
        };
        let _ = timeout(LINGER, more).await;
    }

    async fn export(&self, batch: &mut Vec<SpanData>, longest: Duration) {
        let spans = std::mem::take(batch);
        let number = spans.len();
        match timeout(longest, self.otlp.export(spans)).await {
            Ok(Ok(())) => count(Spans::Exported, number),
            Ok(Err(error)) => {
                count(Spans::Failed, number);
                tracing::debug!(%error, "the collector did not take spans");
            }
            Err(_) => count(Spans::Failed, number),
        }
    }
}
