//! What surrounds a call: its bounds, its id, who sent it, and its log lines.
//!
//! Every call has a deadline, and there are only so many at one time (DESIGN section 2.10). A stream is a call until its
//! answer begins; what bounds it then is its own service's.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, LazyLock, OnceLock},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use credo_ids::RequestId;
use credo_proto::DESCRIPTOR_SET;
use credo_telemetry::UNTRACED;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header::USER_AGENT};
use prost_reflect::{DescriptorPool, MethodDescriptor, ServiceDescriptor};
use tokio::{sync::Semaphore, time::timeout};
use tonic::{
    Code, Status,
    transport::server::{TcpConnectInfo, TlsConnectInfo},
};
use tower::{Layer, Service};
use tracing::{Instrument as _, field::Empty};

use super::metrics::CallMetrics;
use crate::{AdminPrincipal, Problem, layer::is_open};

/// Longest time that a call may ask for with `grpc-timeout`.
pub const MAX_DEADLINE: Duration = Duration::from_secs(30);
/// The time of a call that does not say.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
/// Calls at one time; more get `RESOURCE_EXHAUSTED` at once. A few for each connection that serves administration.
const MAX_CONCURRENT_CALLS: usize = 64;
/// The same of what needs no token: a stranger who holds them all holds up nobody who has one.
const MAX_CONCURRENT_OPEN_CALLS: usize = 16;
/// The id of the call, in the answer: what the logs and the event of a change have too.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const GRPC_TIMEOUT: &str = "grpc-timeout";

/// A call as its logs and events see it, among the extensions of the request.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// Its id.
    pub id: RequestId,
    /// The other end of the connection.
    pub peer: Option<SocketAddr>,
    /// As the caller names itself.
    pub user_agent: Option<String>,
    /// Who calls, once that is proved.
    pub(crate) caller: Arc<OnceLock<AdminPrincipal>>,
    cost: Arc<OnceLock<(u32, Duration)>>,
}

/// Told of each call that was refused or cut off because there was too much to do.
pub(super) type Overloaded = Arc<dyn Fn() + Send + Sync>;

/// The layer around all calls of a server.
#[derive(Clone)]
pub(super) struct Envelope {
    permits: Arc<Semaphore>,
    open_permits: Arc<Semaphore>,
    overloaded: Overloaded,
    metrics: Option<CallMetrics>,
}

/// A service in its envelope.
#[derive(Clone)]
pub(super) struct Enveloped<S> {
    inner: S,
    envelope: Envelope,
}

impl Envelope {
    pub(super) fn new(overloaded: Overloaded, metrics: Option<CallMetrics>) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT_CALLS)),
            open_permits: Arc::new(Semaphore::new(MAX_CONCURRENT_OPEN_CALLS)),
            overloaded,
            metrics,
        }
    }

    /// Counts an answer and writes its line.
    fn tell(&self, method: &str, headers: &HeaderMap, (took, context): (Duration, &CallContext)) {
        // An answer that is an error says so in its head.
        let code = headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()));
        let code = code.unwrap_or(Code::Ok);
        let (caller, cost) = (context.caller.get(), context.cost.get());
        if let Some(metrics) = &self.metrics {
            metrics.answered(method, code, took);
        }
        tracing::info!(
            ?code,
            seconds = took.as_secs_f64(),
            tenant = caller.map(|caller| display(caller.tenant_id())),
            client_id = caller.map(|caller| display(caller.client_id())),
            statements = cost.map(|(statements, _)| *statements),
            database_seconds = cost.map(|(_, time)| time.as_secs_f64()),
            "answered"
        );
    }

    async fn surround<R, E>(
        &self,
        (deadline, is_open): (Duration, bool),
        call: impl Future<Output = Result<Response<R>, E>>,
    ) -> Result<Response<R>, E>
    where
        R: Default,
    {
        let permits = if is_open { &self.open_permits } else { &self.permits };
        let Ok(_permit) = permits.try_acquire() else {
            (self.overloaded)();
            return Ok(Problem::too_many_calls().into_status().into_http());
        };
        timeout(deadline, call).await.unwrap_or_else(|_| {
            (self.overloaded)();
            tracing::error!("an admin call was not answered before its deadline");
            Ok(Problem::unavailable("the call was not answered in time")
                .into_status()
                .into_http())
        })
    }
}

impl<S> Layer<S> for Envelope {
    type Service = Enveloped<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Enveloped {
            inner,
            envelope: self.clone(),
        }
    }
}

impl<S, B, R> Service<Request<B>> for Enveloped<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send> + Clone + Send + 'static,
    B: Send + 'static,
    R: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that was polled ready must be the one that is called.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let envelope = self.envelope.clone();
        let context = CallContext::read(&request);
        let id = context.id.to_string();
        let method = method(request.uri().path());
        let span = tracing::info_span!(
            target: UNTRACED,
            "admin call",
            request_id = id,
            trace_id = Empty,
            method,
        );
        let told = context.clone();
        let terms = (deadline(request.headers()), is_open(request.uri().path()));
        request.extensions_mut().insert(context);
        let call = async move {
            let started = Instant::now();
            let mut response = envelope.surround(terms, async { inner.call(request).await }).await?;
            envelope.tell(method, response.headers(), (started.elapsed(), &told));
            if let Ok(id) = HeaderValue::try_from(id) {
                response.headers_mut().insert(REQUEST_ID, id);
            }
            Ok(response)
        };
        Box::pin(call.instrument(span))
    }
}

impl CallContext {
    /// The context of a call that came through the server.
    ///
    /// # Errors
    /// `INTERNAL` if it did not.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<&Self, Status> {
        let missing = || Problem::internal().into_status();
        request.extensions().get().ok_or_else(missing)
    }

    fn read<B>(request: &Request<B>) -> Self {
        let extensions = request.extensions();
        let of_tls = || {
            let info = extensions.get::<TlsConnectInfo<TcpConnectInfo>>()?;
            info.get_ref().remote_addr()
        };
        let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            id: RequestId::now_v7(),
            peer: extensions
                .get::<TcpConnectInfo>()
                .and_then(TcpConnectInfo::remote_addr)
                .or_else(of_tls),
            user_agent: user_agent.map(ToOwned::to_owned),
            caller: Arc::default(),
            cost: Arc::default(),
        }
    }

    /// Notes how many statements the call took, and how long they took. The first stands.
    pub fn cost(&self, statements: u32, database_time: Duration) {
        let _ = self.cost.set((statements, database_time));
    }
}

/// The path of a method that there is. Every other path is anybody's words, and not for logs.
fn method(path: &str) -> &'static str {
    static METHODS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let pool = DescriptorPool::decode(DESCRIPTOR_SET).unwrap_or_default();
        let of = |service: ServiceDescriptor| {
            let path = |method: MethodDescriptor| format!("/{}/{}", service.full_name(), method.name());
            service.methods().map(path).collect::<Vec<_>>()
        };
        pool.services().flat_map(of).collect()
    });
    METHODS
        .iter()
        .find(|known| *known == path)
        .map_or("other", String::as_str)
}

/// What the caller asks for, within bounds.
fn deadline(headers: &HeaderMap) -> Duration {
    let asked = headers.get(GRPC_TIMEOUT).and_then(|value| value.to_str().ok());
    asked
        .and_then(parse_timeout)
        .unwrap_or(DEFAULT_DEADLINE)
        .min(MAX_DEADLINE)
}

/// `TimeoutValue TimeoutUnit` of the gRPC protocol: at most eight digits and a letter.
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<u64>().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(value * 3_600),
        "M" => Duration::from_secs(value * 60),
        "S" => Duration::from_secs(value),
        "m" => Duration::from_millis(value),
        "u" => Duration::from_micros(value),
        "n" => Duration::from_nanos(value),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_may_ask_for_less_time_and_for_some_more() {
        let cases = [
            (None, 10_000),
            (Some("3S"), 3_000),
            (Some("250m"), 250),
            (Some("20S"), 20_000),
            (Some("31S"), 30_000),
            (Some("99999999H"), 30_000),
            (Some("1000000u"), 1_000),
            (Some("1M"), 30_000),
            (Some("999999999S"), 10_000),
            (Some("-1S"), 10_000),
            (Some("S"), 10_000),
            (Some(""), 10_000),
            (Some("5"), 10_000),
            (Some("5x"), 10_000),
        ];
        for (header, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                headers.insert(GRPC_TIMEOUT, HeaderValue::from_static(header));
            }
            assert_eq!(deadline(&headers), Duration::from_millis(expected), "{header:?}");
        }
    }
}
