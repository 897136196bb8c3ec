//! Answers that many operations share. `answer.rs` gives them; here they are described.
#![expect(dead_code, reason = "a description is never made")]

use utoipa::IntoResponses;

use super::schemas::{BearerError, OauthError, Problem};

/// What any operation may come to.
#[derive(IntoResponses)]
pub(in crate::http) enum Always {
    /// Something broke; no detail is told.
    #[response(status = 500, content_type = "application/problem+json")]
    Defect(Problem),
    /// Busy, or a part is missing: try again after `Retry-After` seconds. Nothing was half done.
    #[response(status = 503, content_type = "application/json")]
    Unavailable(OauthError),
}

/// Refusals of an OAuth endpoint (RFC 6749 section 5.2).
#[derive(IntoResponses)]
pub(in crate::http) enum OauthRefusals {
    /// The request, the grant or the scope is not good.
    #[response(status = 400, content_type = "application/json")]
    Bad(OauthError),
    /// The client is unknown, disabled, or authenticates in another way than it is registered for.
    #[response(status = 401, content_type = "application/json")]
    Client(OauthError),
    /// The body is larger than 64 KiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// Too many attempts: wait `Retry-After` seconds.
    #[response(status = 429, content_type = "application/json")]
    TooMany(OauthError),
    /// Something broke; no detail is told.
    #[response(status = 500, content_type = "application/json")]
    Defect(OauthError),
    /// Busy, or a part is missing: try again after `Retry-After` seconds. Nothing was half done.
    #[response(status = 503, content_type = "application/json")]
    Unavailable(OauthError),
}

/// Refusals of a bearer endpoint (RFC 6750 section 3.1).
#[derive(IntoResponses)]
pub(in crate::http) enum BearerRefusals {
    /// More than one token, or one in the wrong place.
    #[response(status = 400, content_type = "application/json")]
    Bad(BearerError),
    /// No token, or one that is not good (any more).
    #[response(status = 401, content_type = "application/json")]
    Token(BearerError),
    /// The token is not good for this.
    #[response(status = 403, content_type = "application/json")]
    Scope(BearerError),
    /// One request too many of this session: wait `Retry-After` seconds.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(Problem),
    /// Something broke; no detail is told.
    #[response(status = 500, content_type = "application/json")]
    Defect(OauthError),
    /// Busy, or a part is missing: try again after `Retry-After` seconds. Nothing was half done.
    #[response(status = 503, content_type = "application/json")]
    Unavailable(OauthError),
}

/// The same, but for 400.
#[derive(IntoResponses)]
pub(in crate::http) enum EndAllRefusals {
    /// No token, or one that is not good (any more).
    #[response(status = 401, content_type = "application/json")]
    Token(BearerError),
    /// The token is not good for this.
    #[response(status = 403, content_type = "application/json")]
    Scope(BearerError),
    /// One request too many of this session: wait `Retry-After` seconds.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(Problem),
    /// Something broke; no detail is told.
    #[response(status = 500, content_type = "application/json")]
    Defect(OauthError),
    /// Busy, or a part is missing: try again after `Retry-After` seconds. Nothing was half done.
    #[response(status = 503, content_type = "application/json")]
    Unavailable(OauthError),
}

/// Refusals of `POST /auth/authorize`, but for 400.
#[derive(IntoResponses)]
pub(in crate::http) enum AuthorizeRefusals {
    /// The client is unknown, disabled, or authenticates in another way than it is registered for.
    #[response(status = 401, content_type = "application/json")]
    Client(OauthError),
    /// The body is larger than 64 KiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// Too many attempts: wait `Retry-After` seconds.
    #[response(status = 429, content_type = "application/json")]
    TooMany(OauthError),
    /// Something broke; no detail is told.
    #[response(status = 500, content_type = "application/json")]
    Defect(OauthError),
    /// Busy, or a part is missing: try again after `Retry-After` seconds. Nothing was half done.
    #[response(status = 503, content_type = "application/json")]
    Unavailable(OauthError),
}

/// A body that is too large.
#[derive(IntoResponses)]
pub(in crate::http) enum TooLarge {
    /// The body is larger than 64 KiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
}

/// What is not there.
#[derive(IntoResponses)]
pub(in crate::http) enum NotThere {
    /// Not there, or not for the caller: the two look alike.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
}

/// What a page comes to.
#[derive(IntoResponses)]
pub(in crate::http) enum Pages {
    /// A page.
    #[response(status = 200, content_type = "text/html; charset=utf-8")]
    Page(String),
    /// The way goes on, `Location` says where.
    #[response(status = 303)]
    Onward,
    /// A page that says what was wrong.
    #[response(status = 400, content_type = "text/html; charset=utf-8")]
    Bad(String),
    /// A page: the form was not one of this browser's.
    #[response(status = 403, content_type = "text/html; charset=utf-8")]
    Forged(String),
    /// A page: there is nothing here.
    #[response(status = 404, content_type = "text/html; charset=utf-8")]
    NotFound(String),
    /// The body is larger than 64 KiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// A page: too many attempts.
    #[response(status = 429, content_type = "text/html; charset=utf-8")]
    TooMany(String),
    /// A page: something broke.
    #[response(status = 500, content_type = "text/html; charset=utf-8")]
    Defect(String),
    /// A page: try again.
    #[response(status = 503, content_type = "text/html; charset=utf-8")]
    Unavailable(String),
}
