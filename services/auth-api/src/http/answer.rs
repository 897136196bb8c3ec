//! The one place where refusals become HTTP answers; its twin for gRPC is `grpc/status.rs`.
//!
//! OAuth endpoints answer JSON of RFC 6749 section 5.2, bearer endpoints challenge as RFC 6750 section 3 says, the rest
//! is problem details (RFC 9457). No answer tells of our insides; a fault is logged here, once.

use std::any::Any;

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use credo_auth_domain::{Denial, denial::OauthError};
use serde_json::json;

use super::quota;
use crate::{app::App, audit::RequestContext, refusal::Refusal};

/// What a client waits after a fault, in seconds.
const RETRY_AFTER_SECONDS: u32 = 1;

/// How a request is answered.
pub(super) struct Answer<'a> {
    app: &'a App,
    basic: bool,
}

impl<'a> Answer<'a> {
    pub(super) const fn new(app: &'a App) -> Self {
        Self { app, basic: false }
    }

    /// The client used HTTP Basic: a 401 must challenge it to do so (RFC 6749 section 5.2).
    pub(super) const fn with_basic(mut self, basic: bool) -> Self {
        self.basic = basic;
        self
    }

    /// A refusal as an OAuth endpoint tells it.
    pub(super) fn refusal(&self, refusal: &Refusal) -> Response {
        match refusal {
            Refusal::Denied(denial) => self.denial(*denial),
            Refusal::Unavailable(text) => {
                tracing::error!(fault = text, "a request could not be answered");
                unavailable()
            }
            Refusal::Internal(text) => {
                tracing::error!(fault = text, "a request met a defect");
                oauth(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "server_error",
                    "the server met an unexpected condition",
                )
            }
        }
    }

    /// A refusal as a bearer endpoint tells it: RFC 6750 has no word for one request too many.
    pub(super) fn bearer_refusal(&self, context: &RequestContext, refusal: &Refusal) -> Response {
        match refusal {
            Refusal::Denied(denial @ Denial::RateLimited { retry_after_seconds }) => {
                self.app.metrics.denied(*denial);
                tracing::info!(reason = denial.reason(), "refused");
                quota::exceeded(context.quota(), *retry_after_seconds)
            }
            other => self.refusal(other),
        }
    }

    fn denial(&self, denial: Denial) -> Response {
        self.app.metrics.denied(denial);
        tracing::info!(reason = denial.reason(), "refused");
        let error = denial.oauth_error();
        let status = match denial {
            Denial::TooManyAttempts { .. } | Denial::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            _ if error == OauthError::InvalidClient => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut response = oauth(status, error.as_str(), &denial.to_string());
        if let Denial::TooManyAttempts { retry_after_seconds } | Denial::RateLimited { retry_after_seconds } = denial {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, retry_after_seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED && self.basic {
            let challenge = HeaderValue::from_static("Basic realm=\"credo\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Why a bearer endpoint refuses (RFC 6750 section 3.1).
#[derive(Clone, Copy, Debug)]
pub(super) enum Challenge {
    /// No token came.
    Missing,
    /// More than one token came, or one in the wrong place.
    InvalidRequest,
    /// The token is not good.
    InvalidToken,
    /// The token is good and not enough.
    InsufficientScope(&'static str),
}

impl IntoResponse for Challenge {
    fn into_response(self) -> Response {
        let (status, error, parameters) = match self {
            Self::Missing => (StatusCode::UNAUTHORIZED, None, String::new()),
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, Some("invalid_request"), String::new()),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, Some("invalid_token"), String::new()),
            Self::InsufficientScope(scope) => (
                StatusCode::FORBIDDEN,
                Some("insufficient_scope"),
                format!(", scope=\"{scope}\""),
            ),
        };
        let challenge = match error {
            Some(error) => format!("Bearer realm=\"credo\", error=\"{error}\"{parameters}"),
            None => "Bearer realm=\"credo\"".to_owned(),
        };
        let body = error.map_or_else(|| json!({}), |error| json!({ "error": error }));
        let mut response = (status, Json(body)).into_response();
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A request that lost its context: a defect of the route table.
#[derive(Debug)]
pub(super) struct Internal;

impl IntoResponse for Internal {
    fn into_response(self) -> Response {
        tracing::error!("a request has no context");
        problem(StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
    }
}

/// 503 as an OAuth endpoint tells it.
fn unavailable() -> Response {
    let text = "the server cannot answer now, try again";
    let mut response = oauth(
        StatusCode::SERVICE_UNAVAILABLE,
        OauthError::TemporarilyUnavailable.as_str(),
        text,
    );
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
    response
}

fn oauth(status: StatusCode, error: &str, description: &str) -> Response {
    (
        status,
        Json(json!({ "error": error, "error_description": description })),
    )
        .into_response()
}

/// Problem details.
pub(super) fn problem(status: StatusCode, title: &str) -> Response {
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16() });
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response
}

/// 404, the same for everything that is not there.
pub(super) async fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "Not found")
}

/// 405; the router adds `Allow`.
pub(super) async fn method_not_allowed() -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
}

/// 500 after a panic.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
    tracing::error!("a request panicked");
    problem(StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
}
