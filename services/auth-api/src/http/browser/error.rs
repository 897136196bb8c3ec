//! What is told to the person in front of the browser, because there is no client to tell it to.

use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};

use crate::{app::App, refusal::Refusal};

/// A page about a refusal, on the URL where it happened. A fault is logged here, once.
pub(in crate::http) fn page(app: &App, refusal: &Refusal) -> Response {
    let (status, text) = match refusal {
        Refusal::Denied(denial) => {
            app.metrics.denied(*denial);
            tracing::info!(reason = denial.reason(), "refused");
            (StatusCode::BAD_REQUEST, denial.to_string())
        }
        Refusal::Unavailable(text) => {
            tracing::error!(fault = text, "a request could not be answered");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the server cannot answer now".to_owned(),
            )
        }
        Refusal::Internal(text) => {
            tracing::error!(fault = text, "a request met a defect");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "the server met an unexpected condition".to_owned(),
            )
        }
    };
    let html = format!("<!DOCTYPE html>\n<html lang=\"en\"><title>Error</title><h1>Error</h1><p>{text}</p></html>\n");
    let mut response = (status, Html(html)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, 1.into());
    }
    response
}
