//! `POST /auth/revoke` (RFC 7009).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};

use super::{
    answer::Answer,
    client_credentials::{self, is_basic},
    context::Context,
    cors::NamedClient,
    form::Form,
    openapi::{answers::OauthRefusals, schemas::ClientTokenForm},
};
use crate::{app::App, flows::revoke::revoke as flow};

/// Ends a token and its session (RFC 7009)
#[utoipa::path(
    post, path = "/auth/revoke", tag = "OAuth", security(("client" = []), ()),
    request_body(content = ClientTokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "It is no token of the client (any more)"), OauthRefusals)
)]
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Context(context): Context,
    headers: HeaderMap,
    Form(form): Form,
) -> Response {
    let answer = Answer::new(&app).with_basic(is_basic(&headers));
    // `token_type_hint` is only a hint, and our tokens say themselves what they are.
    let parsed = form.and_then(|mut form| {
        let credentials = client_credentials::read(&headers, &mut form)?;
        Ok((credentials, form.require("token", "token is missing")?))
    });
    let (credentials, token) = match parsed {
        Ok(parsed) => parsed,
        Err(denial) => return answer.refusal(&denial.into()),
    };
    let client = NamedClient::parse(&credentials.unverified_client_id);
    let revoked = app.finish(flow(Arc::clone(&app), context, credentials, token.into()));
    client.leave(match revoked.await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => answer.refusal(&refusal),
    })
}
