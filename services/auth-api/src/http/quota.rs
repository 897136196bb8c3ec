//! What is left of a limit, in the fields of draft-ietf-httpapi-ratelimit-headers-11, and the answer when nothing is.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::rate_limit::{Quota, WINDOW};
use serde_json::json;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The problem type that the draft registers.
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// Tells the quota with an answer. No partition key: it would tell what is counted.
pub(super) fn tell(response: &mut Response, quota: Quota) {
    let name = quota.class.as_str();
    let policy = format!("\"{name}\";q={};w={}", quota.per_minute, WINDOW.whole_seconds());
    let limit = format!("\"{name}\";r={};t={}", quota.remaining, quota.resets_in_seconds);
    for (field, text) in [(POLICY, policy), (LIMIT, limit)] {
        if let Ok(value) = HeaderValue::try_from(text) {
            response.headers_mut().insert(field, value);
        }
    }
}

/// 429 where OAuth has no word for it.
pub(super) fn exceeded(quota: Option<Quota>, retry_after_seconds: u32) -> Response {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let violated: Vec<_> = quota.iter().map(|quota| quota.class.as_str()).collect();
    let body = json!({
        "type": QUOTA_EXCEEDED,
        "title": "Too many requests",
        "status": status.as_u16(),
        "violated-policies": violated,
    });
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    let problem = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, problem);
    headers.insert(header::RETRY_AFTER, retry_after_seconds.into());
    response
}
