//! `POST /auth/introspect` (RFC 7662).

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};

use super::{
    answer::Answer,
    client_credentials::{self, is_basic},
    context::Context,
    form::Form,
    openapi::{
        answers::OauthRefusals,
        schemas::{ClientTokenForm, Introspection},
    },
};
use crate::{app::App, flows::introspect::introspect as flow};

/// Whether a token is active (RFC 7662)
#[utoipa::path(
    post, path = "/auth/introspect", tag = "OAuth", security(("client" = []), ()),
    request_body(content = ClientTokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "What is known of it", body = Introspection), OauthRefusals)
)]
pub(super) async fn introspect(
    State(app): State<Arc<App>>,
    Context(context): Context,
    headers: HeaderMap,
    Form(form): Form,
) -> Response {
    let answer = Answer::new(&app).with_basic(is_basic(&headers));
    let parsed = form.and_then(|mut form| {
        let credentials = client_credentials::read(&headers, &mut form)?;
        Ok((credentials, form.require("token", "token is missing")?))
    });
    let (credentials, token) = match parsed {
        Ok(parsed) => parsed,
        Err(denial) => return answer.refusal(&denial.into()),
    };
    match flow(Arc::clone(&app), context, credentials, token.into()).await {
        Ok(introspection) => Json(introspection).into_response(),
        Err(refusal) => answer.refusal(&refusal),
    }
}
