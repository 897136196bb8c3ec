//! What is told to the person in front of the browser, because there is no client to tell it to.

use axum::response::{IntoResponse as _, Response};
use credo_auth_domain::Denial;

use super::visit::Visit;
use crate::{app::App, pages::ErrorKind, refusal::Refusal};

/// A page about a refusal, on the URL where it happened. A fault is logged here, once.
pub(in crate::http) fn page(app: &App, visit: &Visit, refusal: &Refusal) -> Response {
    let kind = match refusal {
        Refusal::Denied(denial) => {
            app.metrics.denied(*denial);
            tracing::info!(reason = denial.reason(), "refused");
            kind_of(*denial)
        }
        Refusal::Unavailable(text) => {
            tracing::error!(fault = text, "a request could not be answered");
            ErrorKind::Unavailable
        }
        Refusal::Internal(text) => {
            tracing::error!(fault = text, "a request met a defect");
            ErrorKind::Internal
        }
    };
    visit.error(kind).into_response()
}

fn kind_of(denial: Denial) -> ErrorKind {
    match denial {
        Denial::UnknownClient
        | Denial::ClientAuthenticationFailed
        | Denial::ClientDisabled
        | Denial::TenantSuspended => ErrorKind::UnknownClient,
        Denial::RedirectUriNotRegistered => ErrorKind::BadRedirectUri,
        Denial::RequestUnreadable => ErrorKind::Expired,
        Denial::TooManyAttempts { retry_after_seconds } => ErrorKind::TooMany { retry_after_seconds },
        Denial::NotNow => ErrorKind::Unavailable,
        _ => ErrorKind::BadRequest,
    }
}
