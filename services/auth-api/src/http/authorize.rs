//! `POST /auth/authorize`: with a form it is a browser's, see `browser/authorize.rs`; with JSON it is a sign-in by a
//! first-party client without a browser (DESIGN section 3.1).
//!
//! With JSON, refuses requests with an `Origin`, so that no web page can use a visitor's browser for it. Sets no cookie.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Uri, header},
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::{
    Denial,
    authorization_request::{MAX_NONCE_BYTES, MAX_STATE_BYTES},
    client::AuthMethod,
    email_address::EmailAddress,
    password::Password,
    pkce::CodeChallenge,
    scope::Scope,
};
use credo_ids::DeviceId;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;

use super::{
    answer::Answer,
    browser::{self, visit::Visit},
    client_credentials::{is_basic, read_basic},
    context::Context,
    form::{QUERY_REFUSED, has_query, says_form},
    openapi::{
        answers::AuthorizeRefusals,
        schemas::{AuthorizationRequest, Authorized, HeadlessSignIn, OauthError},
    },
};
use crate::{
    app::App,
    flows::{
        authorize::headless::{SignIn, authorize as flow},
        client_auth::ClientCredentials,
    },
};

/// Longest redirect URI, in bytes.
const MAX_URI_BYTES: usize = 2_048;

#[derive(Deserialize)]
struct Body {
    email: String,
    client_id: String,
    #[serde(default)]
    scopes: Vec<String>,
    redirect_uri: String,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    code_challenge: Option<String>,
    #[serde(default)]
    code_challenge_method: Option<String>,
    #[serde(default)]
    device_id: Option<String>,
    #[serde(default)]
    proof: Option<Proof>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Proof {
    Password { password: secrecy::SecretString },
}

/// A sign-in: by a browser with a form, by a first-party client with JSON
#[utoipa::path(
    post, path = "/auth/authorize", tag = "OAuth", operation_id = "authorize_post", security(("client" = []), ()),
    request_body(content(
        (HeadlessSignIn = "application/json"), (AuthorizationRequest = "application/x-www-form-urlencoded")
    )),
    responses(
        (status = 200, description = "A code", content((Authorized = "application/json"), (String = "text/html; charset=utf-8"))),
        (status = 303, description = "A browser goes on, `Location` says where"),
        (status = 400, description = "Refused", content((OauthError = "application/json"), (String = "text/html; charset=utf-8"))),
        AuthorizeRefusals
    )
)]
pub(super) async fn authorize(
    State(app): State<Arc<App>>,
    Context(context): Context,
    visit: Visit,
    (headers, uri): (HeaderMap, Uri),
    body: Bytes,
) -> Response {
    if says_form(&headers) {
        return browser::authorize::post(&app, &visit, &uri, &body).await;
    }
    let answer = Answer::new(&app).with_basic(is_basic(&headers));
    let parsed = read_body(&headers, &uri, &body).and_then(|body| {
        let (state, redirect_uri) = (body.state.clone(), body.redirect_uri.clone());
        Ok((
            read_credentials(&headers, &body.client_id)?,
            parse(body)?,
            state,
            redirect_uri,
        ))
    });
    let (credentials, request, state, redirect_uri) = match parsed {
        Ok(parsed) => parsed,
        Err(denial) => return answer.refusal(&denial.into()),
    };
    match app.finish(flow(Arc::clone(&app), context, credentials, request)).await {
        Ok(authorized) => Json(json!({
            "code": authorized.code.expose_secret(),
            "redirect_uri": redirect_uri,
            "state": state,
            "iss": authorized.issuer,
            "device_id": authorized.device_id,
        }))
        .into_response(),
        Err(refusal) => answer.refusal(&refusal),
    }
}

fn read_body(headers: &HeaderMap, uri: &Uri, body: &[u8]) -> Result<Body, Denial> {
    if has_query(uri) {
        return Err(QUERY_REFUSED);
    }
    if headers.contains_key(header::ORIGIN) {
        return Err(Denial::InvalidRequest("a browser signs in by the sign-in page"));
    }
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Denial::InvalidRequest("the body must be application/json"));
    }
    serde_json::from_slice(body).map_err(|_| Denial::InvalidRequest("the body is not the JSON of a sign-in"))
}

fn read_credentials(headers: &HeaderMap, client_id: &str) -> Result<ClientCredentials, Denial> {
    match read_basic(headers)? {
        Some(credentials) if credentials.unverified_client_id != client_id => Err(Denial::InvalidRequest(
            "client_id is not that of the Authorization header",
        )),
        Some(credentials) => Ok(credentials),
        None if client_id.chars().any(char::is_control) => {
            Err(Denial::InvalidRequest("client_id holds a control character"))
        }
        None => Ok(ClientCredentials {
            unverified_client_id: client_id.to_owned(),
            method: AuthMethod::None,
            unverified_secret: None,
        }),
    }
}

fn parse(body: Body) -> Result<SignIn, Denial> {
    let invalid = Denial::InvalidRequest;
    let clean = |text: &str, longest: usize| text.len() <= longest && !text.chars().any(char::is_control);
    if body.state.is_some_and(|state| !clean(&state, MAX_STATE_BYTES)) {
        return Err(invalid("state is longer than 4096 bytes or holds a control character"));
    }
    if body.nonce.as_ref().is_some_and(|nonce| !clean(nonce, MAX_NONCE_BYTES)) {
        return Err(invalid("nonce is longer than 512 bytes or holds a control character"));
    }
    if !clean(&body.redirect_uri, MAX_URI_BYTES) {
        return Err(invalid("redirect_uri is not registered for the client"));
    }
    let code_challenge = match (&body.code_challenge, &body.code_challenge_method) {
        (None, None) => None,
        (Some(challenge), method) => Some(
            CodeChallenge::parse(challenge, method.as_deref())
                .map_err(|_| invalid("code_challenge must be that of a verifier by the method S256"))?,
        ),
        (None, Some(_)) => return Err(invalid("code_challenge is missing")),
    };
    Ok(SignIn {
        email: EmailAddress::parse(&body.email).map_err(|_| invalid("email is not an e-mail address"))?,
        password: (body
            .proof
            .map(|Proof::Password { password }| Password::typed(password.expose_secret())))
        .transpose()
        .map_err(|_| Denial::WrongProof)?,
        scope: Scope::try_from(body.scopes).map_err(|_| Denial::InvalidScope)?,
        redirect_uri: body.redirect_uri,
        nonce: body.nonce.filter(|nonce| !nonce.is_empty()),
        code_challenge,
        device_id: (body.device_id.map(|id| id.parse::<DeviceId>()))
            .transpose()
            .map_err(|_| invalid("device_id is none that this server made"))?,
    })
}
