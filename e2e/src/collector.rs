//! A collector of traces: it takes whatever the services send, and keeps it.

use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, Result};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value,
    trace::v1::ResourceSpans,
};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use crate::{digest::hex, stack::Stack};

static RECEIVED: OnceLock<Mutex<Received>> = OnceLock::new();

#[derive(Debug, Default)]
struct Received {
    spans: Vec<Span>,
    bytes: Vec<u8>,
}

/// What a test needs of a span; ids in hexadecimal.
#[derive(Clone, Debug)]
pub struct Span {
    pub service: String,
    pub name: String,
    pub trace_id: String,
    pub id: String,
    pub parent_id: String,
}

/// Listens for the services of the stack.
#[derive(Debug)]
pub struct Collector;

impl Collector {
    /// Begins to listen.
    ///
    /// # Errors
    /// If somebody else does.
    #[expect(clippy::disallowed_methods, reason = "it ends with the run")]
    pub async fn start(stack: &Stack) -> Result<()> {
        let listener = TcpListener::bind(&stack.collector)
            .await
            .context("the collector's port")?;
        RECEIVED.set(Mutex::default()).ok().context("one collector is enough")?;
        let service = TraceServiceServer::new(Self).max_decoding_message_size(64 << 20);
        tokio::spawn(
            Server::builder()
                .add_service(service)
                .serve_with_incoming(TcpListenerStream::new(listener)),
        );
        Ok(())
    }

    /// The spans of a trace so far.
    pub fn trace(trace_id: &str) -> Vec<Span> {
        Self::with(|received| {
            let of_trace = received.spans.iter().filter(|span| span.trace_id == trace_id);
            of_trace.cloned().collect()
        })
    }

    /// All that ever came, as it came.
    pub fn bytes() -> Vec<u8> {
        Self::with(|received| received.bytes.clone())
    }

    fn with<T: Default>(act: impl FnOnce(&mut Received) -> T) -> T {
        RECEIVED.get().map_or_else(T::default, |received| {
            act(&mut received.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let request = request.into_inner();
        Self::with(|received| {
            received.bytes.extend(request.encode_to_vec());
            received.spans.extend(request.resource_spans.iter().flat_map(spans));
        });
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn spans(of_resource: &ResourceSpans) -> Vec<Span> {
    let attributes = of_resource.resource.iter().flat_map(|resource| &resource.attributes);
    let name = attributes
        .filter(|attribute| attribute.key == "service.name")
        .find_map(|attribute| match attribute.value.as_ref()?.value.as_ref()? {
            any_value::Value::StringValue(name) => Some(name.clone()),
            _ => None,
        });
    let spans = of_resource.scope_spans.iter().flat_map(|scope| &scope.spans);
    spans
        .map(|span| Span {
            service: name.clone().unwrap_or_default(),
            name: span.name.clone(),
            trace_id: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent_id: hex(&span.parent_span_id),
        })
        .collect()
}
