//! `POST /auth/token` (RFC 6749 section 3.2).

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::{Denial, grant_type::GrantType, pkce::CodeVerifier, scope::Scope};

use super::{
    answer::Answer,
    client_credentials::{self, is_basic},
    context::Context,
    cors::NamedClient,
    form::{Form, Parameters},
    openapi::{
        answers::OauthRefusals,
        schemas::{TokenForm, Tokens},
    },
};
use crate::{
    app::App,
    flows::{
        client_auth::ClientCredentials,
        token::{TokenRequest, token as flow},
    },
};

/// Tokens for a grant
#[utoipa::path(
    post, path = "/auth/token", tag = "OAuth", security(("client" = []), ()),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "RFC 6749 section 5.1", body = Tokens), OauthRefusals)
)]
pub(super) async fn token(
    State(app): State<Arc<App>>,
    Context(context): Context,
    headers: HeaderMap,
    Form(form): Form,
) -> Response {
    let answer = Answer::new(&app).with_basic(is_basic(&headers));
    let (credentials, request) = match form.and_then(|form| parse(&headers, form)) {
        Ok(parsed) => parsed,
        Err(denial) => return answer.refusal(&denial.into()),
    };
    let client = NamedClient::parse(&credentials.unverified_client_id);
    client.leave(
        match app.finish(flow(Arc::clone(&app), context, credentials, request)).await {
            Ok(response) => Json(response).into_response(),
            Err(refusal) => answer.refusal(&refusal),
        },
    )
}

fn parse(headers: &HeaderMap, mut form: Parameters) -> Result<(ClientCredentials, TokenRequest), Denial> {
    let grant_type = form.require("grant_type", "grant_type is missing")?;
    let grant_type = GrantType::find(&grant_type).ok_or(Denial::UnsupportedGrantType)?;
    let credentials = client_credentials::read(headers, &mut form)?;
    let scope = form.take("scope").map(|scope| scope.parse::<Scope>()).transpose();
    let scope = scope.map_err(|_| Denial::InvalidScope)?;
    let request = match grant_type {
        GrantType::AuthorizationCode => TokenRequest::AuthorizationCode {
            code: form.require("code", "code is missing")?.into(),
            redirect_uri: form.take("redirect_uri"),
            code_verifier: (form
                .take("code_verifier")
                .map(|verifier| CodeVerifier::parse(&verifier)))
            .transpose()
            .map_err(|_| Denial::InvalidRequest("code_verifier must be 43 to 128 unreserved characters"))?,
        },
        GrantType::RefreshToken => TokenRequest::RefreshToken {
            refresh_token: form.require("refresh_token", "refresh_token is missing")?.into(),
            scope,
        },
        GrantType::ClientCredentials => TokenRequest::ClientCredentials { scope },
    };
    Ok((credentials, request))
}
