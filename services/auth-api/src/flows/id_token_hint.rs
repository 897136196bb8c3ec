//! An `id_token_hint` (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2): an ID token of ours that a client
//! shows again.
//!
//! It proves who signed in where, not who is asking: a hint grants nothing. An expired one is accepted, as the
//! specifications ask. Refuses what this server did not sign as an ID token of just this tenant, with a key that is still
//! published: not a revoked one's, not a retired one's.

use std::sync::Arc;

use credo_auth_domain::tenant::{Tenant, is_slug};
use credo_ids::{ClientId, SessionId, UserId};
use serde::Deserialize;
use tracing::instrument;

use crate::{
    app::App,
    keys::{TokenType, UnverifiedJws},
    refusal::Refusal,
};

/// What a hint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdTokenHint {
    /// Who signed in.
    pub user: UserId,
    /// The session of that sign-in.
    pub session: SessionId,
    /// The client that the ID token was for.
    pub client: ClientId,
}

/// The claims that a hint is read for.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    sid: String,
}

/// What a hint says, and the tenant that this server signed it for.
///
/// # Errors
/// If tenant or keys cannot be read now.
pub async fn find_id_token_hint(app: &App, hint: &str) -> Result<Option<(Arc<Tenant>, IdTokenHint)>, Refusal> {
    let Some(unverified) = UnverifiedJws::<Claims>::parse(hint, TokenType::IdToken) else {
        return Ok(None);
    };
    let issuer = unverified.unverified_claims.iss.as_str();
    let slug = issuer
        .strip_prefix(app.settings.public_base_url.as_str())
        .and_then(|rest| rest.strip_prefix("/t/"));
    let Some(slug) = slug.filter(|slug| is_slug(slug)) else {
        return Ok(None);
    };
    let Some(tenant) = app.directory.resolve_tenant(slug).await? else {
        return Ok(None);
    };
    let verified = verify_id_token_hint(app, &tenant, hint).await?;
    Ok(verified.map(|verified| (tenant, verified)))
}

/// What a hint says, if this server signed it for `tenant`.
///
/// # Errors
/// If the keys cannot be read now.
#[instrument(skip_all)]
pub async fn verify_id_token_hint(app: &App, tenant: &Tenant, hint: &str) -> Result<Option<IdTokenHint>, Refusal> {
    let Some(unverified) = UnverifiedJws::<Claims>::parse(hint, TokenType::IdToken) else {
        return Ok(None);
    };
    if unverified.unverified_claims.iss != tenant.issuer(&app.settings.public_base_url) {
        return Ok(None);
    }
    let keys = app.keyring.published(tenant.id).await?;
    let key = keys.find(&unverified.unverified_kid);
    let claims = key.and_then(|named| unverified.verify(&named.key));
    Ok(claims.and_then(|claims| {
        Some(IdTokenHint {
            user: claims.sub.parse().ok()?,
            session: claims.sid.parse().ok()?,
            client: claims.aud.parse().ok()?,
        })
    }))
}
