//! Token introspection (RFC 7662): for the token's client and its audience; for everybody else every token is inactive.

use std::sync::Arc;

use credo_auth_domain::{
    grant_type::GrantType,
    opaque_token::{Kind, UnverifiedToken},
};
use credo_auth_store::RefreshTokenKey;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use tracing::instrument;

use super::{
    bearer::{self, Audience},
    client_auth::{self, AuthenticatedClient, ClientCredentials},
};
use crate::{app::App, audit::RequestContext, refusal::Refusal};

/// What introspection answers.
#[derive(Debug, Default, Serialize)]
pub struct Introspection {
    active: bool,
    #[serde(flatten)]
    claims: Option<ActiveClaims>,
}

/// What is told of an active token.
#[derive(Debug, Serialize)]
struct ActiveClaims {
    scope: String,
    client_id: String,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    iss: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

/// Looks at a token on behalf of a confidential client.
///
/// # Errors
/// Denials of the client.
#[instrument(skip_all)]
pub async fn introspect(
    app: Arc<App>,
    context: RequestContext,
    credentials: ClientCredentials,
    token: SecretString,
) -> Result<Introspection, Refusal> {
    let client = client_auth::authenticate_confidential(&app, &context, &credentials).await?;
    let claims = match UnverifiedToken::parse(Kind::RefreshToken, token.expose_secret()) {
        Ok(unverified) => refresh_token(&app, &client, unverified).await?,
        Err(_) => access_token(&app, &client, token.expose_secret()).await?,
    };
    Ok(Introspection {
        active: claims.is_some(),
        claims,
    })
}

async fn access_token(app: &App, client: &AuthenticatedClient, text: &str) -> Result<Option<ActiveClaims>, Refusal> {
    let Some(bearer) = bearer::authenticate(app, text, Audience::Any).await? else {
        return Ok(None);
    };
    let may_know = bearer.client() == client.id || bearer.claims().aud == client.id.to_string();
    if bearer.tenant() != client.tenant.id || !may_know {
        return Ok(None);
    }
    let claims = bearer.claims().clone();
    Ok(Some(ActiveClaims {
        scope: claims.scope,
        client_id: claims.client_id,
        token_type: "Bearer",
        exp: claims.exp,
        iat: claims.iat,
        sub: claims.sub,
        aud: Some(claims.aud),
        iss: claims.iss,
        jti: Some(claims.jti),
        sid: claims.sid,
    }))
}

async fn refresh_token(
    app: &App,
    client: &AuthenticatedClient,
    unverified: UnverifiedToken,
) -> Result<Option<ActiveClaims>, Refusal> {
    let master = app.keyring.masters().find(unverified.key_id());
    let Some(token) = master.and_then(|master| unverified.verify(&master.token_mac, client.tenant.id).ok()) else {
        return Ok(None);
    };
    let key = RefreshTokenKey {
        session_id: token.session_id,
        tenant_id: client.tenant.id,
        generation: token.generation,
        secret_hash: token.secret.hash(),
    };
    let found = app
        .store
        .introspect_refresh_token(&key)
        .await?
        .filter(|found| found.client_id == client.id && client.may_use(GrantType::RefreshToken));
    Ok(found.map(|found| ActiveClaims {
        scope: found.scope,
        client_id: found.client_id.to_string(),
        token_type: "refresh_token",
        exp: found.expires_at.unix_timestamp(),
        iat: found.issued_at.unix_timestamp(),
        sub: found.user_id.to_string(),
        aud: None,
        iss: client.tenant.issuer(&app.settings.public_base_url),
        jti: None,
        sid: Some(token.session_id.to_string()),
    }))
}
