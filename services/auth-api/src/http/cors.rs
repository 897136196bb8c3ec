//! Which pages may read our answers (the CORS protocol of the Fetch standard): those whose origin the client in play has
//! registered, compared as raw strings.
//!
//! Never with credentials: no cookie opens these endpoints, and no other endpoint takes part. What comes with the metadata
//! and the keys is the same for everybody, so every page may read it. A preflight, and an answer to a call that names no
//! client, concern no client: they are for the origins that some active client has registered.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::origin::is_origin;
use credo_ids::ClientId;

use crate::{app::App, refusal::Refusal};

/// How long a browser may keep the answer to a preflight, in seconds.
const MAX_AGE_SECONDS: u32 = 600;
/// What a page may send beside what every page may.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type");
/// What a page may read beside what every page may.
const RESPONSE_HEADERS: HeaderValue =
    HeaderValue::from_static("www-authenticate, retry-after, ratelimit, ratelimit-policy, x-request-id");
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");

/// An endpoint that pages may call.
#[derive(Clone, Copy)]
struct Endpoint {
    methods: &'static str,
    /// Whether its answers are the same for everybody.
    public: bool,
}

/// The client that a call names, whoever made it; handlers leave it with their answer.
#[derive(Clone, Debug)]
pub(super) struct NamedClient(pub Option<ClientId>);

impl NamedClient {
    /// The client of that text, which may be none.
    pub(super) fn parse(text: &str) -> Self {
        Self(text.parse().ok())
    }

    /// Leaves the client with an answer.
    pub(super) fn leave(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self);
        response
    }
}

fn endpoint(request: &Request) -> Option<Endpoint> {
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    let (methods, public) = match path {
        "/auth/token" | "/auth/revoke" => ("POST", false),
        "/auth/userinfo" => ("GET, POST", false),
        "/t/{slug}/.well-known/openid-configuration"
        | "/.well-known/oauth-authorization-server/t/{slug}"
        | "/t/{slug}/jwks.json" => ("GET", true),
        _ => return None,
    };
    Some(Endpoint { methods, public })
}

/// Answers preflights, and marks answers that the calling page may read.
pub(super) async fn cors(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(endpoint) = endpoint(&request) else {
        return next.run(request).await;
    };
    let origin = origin(request.headers());
    let asked = asked_method(&request);
    if let (Some(origin), Some(method)) = (&origin, asked)
        && endpoint.methods.split(", ").any(|known| known == method)
        && (endpoint.public || is_registered(&app, origin).await)
    {
        return preflight(endpoint, origin);
    }
    let is_options = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if is_options {
        return response; // a preflight that was not allowed: 405
    }
    if endpoint.public {
        allow(response.headers_mut(), ANY_ORIGIN);
        return response;
    }
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("origin"));
    let named = response.extensions_mut().remove::<NamedClient>();
    if let Some(origin) = origin
        && may_read(&app, named, &origin).await
    {
        allow(response.headers_mut(), origin);
    }
    response
}

/// The one origin of a request, if it is one that could be registered. `null` is none.
fn origin(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut values = headers.get_all(header::ORIGIN).iter();
    let origin = values.next().filter(|_| values.next().is_none())?;
    origin.to_str().is_ok_and(is_origin).then(|| origin.clone())
}

/// The method that a preflight asks for; nothing if the request is none.
fn asked_method(request: &Request) -> Option<&str> {
    let method = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    method.to_str().ok().filter(|_| request.method() == Method::OPTIONS)
}

fn preflight(endpoint: Endpoint, origin: &HeaderValue) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let allowed = if endpoint.public { ANY_ORIGIN } else { origin.clone() };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    let methods = HeaderValue::from_static(endpoint.methods);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS.into());
    if !endpoint.public {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    response
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
}

/// Whether a page of that origin may read an answer: by the client that the call named, if it named one.
async fn may_read(app: &App, named: Option<NamedClient>, origin: &HeaderValue) -> bool {
    let Some(NamedClient(named)) = named else {
        return is_registered(app, origin).await;
    };
    let Some(id) = named else { return false };
    let client = known(app.directory.resolve_client(id).await).flatten();
    client.is_some_and(|client| client.allowed_origins.iter().any(|allowed| allowed.as_str() == origin))
}

async fn is_registered(app: &App, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    known(app.directory.resolve_origin(origin).await).unwrap_or(false)
}

/// What cannot be known now is refused: the call itself has been answered.
fn known<T>(answer: Result<T, Refusal>) -> Option<T> {
    answer
        .inspect_err(|error| tracing::warn!(%error, "an origin could not be looked up"))
        .ok()
}
