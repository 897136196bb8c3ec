//! The layer in front of every gRPC service: no token, no call.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use credo_clock::SharedClock;
use credo_telemetry::TraceContext;
use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use tower::{Layer, Service};
use tracing::{Instrument as _, Span, field::Empty};

use crate::{AdminPrincipal, CallContext, Permissions, VerificationKeys, refusal::Refusal, token};

/// What a probe or a developer's tool may call without a token. Neither tells anything about a tenant.
const OPEN_SERVICES: [&str; 3] = [
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// Whether a path may be called without a token.
pub(crate) fn is_open(path: &str) -> bool {
    OPEN_SERVICES.iter().any(|service| path.starts_with(service))
}

/// Guards all services of a tonic server: `Server::builder().layer(AdminLayer::new(…))`.
#[derive(Clone)]
pub struct AdminLayer {
    guard: Arc<Guard>,
}

struct Guard {
    keys: Arc<dyn VerificationKeys>,
    permissions: Permissions,
    clock: SharedClock,
}

/// A guarded service.
#[derive(Clone)]
pub struct AdminService<S> {
    inner: S,
    guard: Arc<Guard>,
}

impl AdminLayer {
    /// A layer that finds keys in `keys` and the scope of a method in `permissions`.
    #[must_use]
    pub fn new(keys: Arc<dyn VerificationKeys>, permissions: Permissions, clock: SharedClock) -> Self {
        Self {
            guard: Arc::new(Guard {
                keys,
                permissions,
                clock,
            }),
        }
    }
}

impl<S> Layer<S> for AdminLayer {
    type Service = AdminService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AdminService {
            inner,
            guard: Arc::clone(&self.guard),
        }
    }
}

impl<S, B, R> Service<Request<B>> for AdminService<S>
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
        let guard = Arc::clone(&self.guard);
        Box::pin(async move {
            let path = request.uri().path();
            if is_open(path) {
                return inner.call(request).await;
            }
            match guard.admit(path, request.headers()).await {
                Ok(principal) => {
                    let span = span_of(&request);
                    if let Some(call) = request.extensions().get::<CallContext>() {
                        let _ = call.caller.set(principal.clone());
                    }
                    request.extensions_mut().insert(principal);
                    inner.call(request).instrument(span).await
                }
                Err(refusal) => {
                    tracing::info!(%refusal, "admin call refused");
                    Ok(refusal.to_status().into_http())
                }
            }
        })
    }
}

/// The traced span of an admitted call. Whoever proved who they are may say what it is a part of.
fn span_of<B>(request: &Request<B>) -> Span {
    let span = tracing::info_span!("call", otel.name = Empty, otel.kind = "server", rpc.system = "grpc");
    // Admitted: the path is that of a method. Before anything starts the span, which fixes its name.
    span.record("otel.name", request.uri().path().trim_start_matches('/'));
    let told = request.headers().get(credo_telemetry::on_wire());
    if let Some(parent) = told.and_then(|value| value.to_str().ok()).and_then(TraceContext::parse) {
        parent.adopt(&span);
    }
    if let Some(trace) = TraceContext::of(&span) {
        Span::current().record("trace_id", trace.trace_id());
    }
    span
}

impl Guard {
    async fn admit(&self, path: &str, headers: &HeaderMap) -> Result<AdminPrincipal, Refusal> {
        let token = bearer(headers)?;
        let principal = token::verify(token, self.keys.as_ref(), self.clock.now()).await?;
        let scope = self.permissions.of(path).ok_or(Refusal::NoPermission)?;
        if principal.has(scope) {
            Ok(principal)
        } else {
            Err(Refusal::MissingScope(scope.to_owned()))
        }
    }
}

/// The token of the one `authorization` field (RFC 6750 section 2.1); the scheme's case does not matter.
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return Err(Refusal::NoToken);
    };
    let text = field.to_str().map_err(|_| Refusal::WrongScheme)?;
    let (scheme, token) = text.split_once(' ').ok_or(Refusal::WrongScheme)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token)
    } else {
        Err(Refusal::WrongScheme)
    }
}
