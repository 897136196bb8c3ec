//! Who bears an access token (RFC 6750, RFC 9068 section 4), and whether the token is still honoured.
//!
//! Owns [`Bearer`], which only this file can make. A signature is not enough: the revocation feed must say that nothing
//! ended the token, or, where the feed is too old, the rows themselves.

use credo_auth_domain::{
    access_token::{ADMIN_AUDIENCE, AccessTokenClaims},
    session::Epochs,
};
use credo_auth_store::{AccessTokenCheck, AccessTokenStanding};
use credo_ids::{ClientId, SessionId, SigningKeyId, TenantId, UserId};
use tracing::instrument;

use crate::{
    app::App,
    feed::Verdict,
    keys::{TokenType, UnverifiedJws},
    refusal::Refusal,
};

/// How far clocks of this server's replicas may be apart, in seconds.
const LEEWAY_SECONDS: i64 = 5;

/// An access token of this server whose signature is good.
#[derive(Clone, Debug)]
pub struct SignedToken {
    /// Its claims.
    pub claims: AccessTokenClaims,
    /// The claims that name rows, parsed.
    pub check: AccessTokenCheck,
}

/// Whom a token must be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The tenant that issued it.
    Tenant,
    /// The admin APIs. Such a token opens nothing else: it is worth too much to be shown around.
    Admin,
    /// Either: its client asks what it is.
    Any,
}

/// The bearer of a token that is good now.
#[derive(Clone, Debug)]
pub struct Bearer {
    token: SignedToken,
}

impl Bearer {
    /// The token's claims.
    #[must_use]
    pub const fn claims(&self) -> &AccessTokenClaims {
        &self.token.claims
    }

    /// Its tenant.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.token.check.tenant_id
    }

    /// Its client.
    #[must_use]
    pub const fn client(&self) -> ClientId {
        self.token.check.client_id
    }

    /// The person and the session behind it; a client by itself has none.
    #[must_use]
    pub fn person(&self) -> Option<(UserId, SessionId)> {
        self.token.check.user_id.zip(self.token.check.session_id)
    }

    /// Whether the token holds a scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.token.claims.scope.split(' ').any(|token| token == scope)
    }
}

/// The bearer of `text`; nothing if it is no access token of ours for `audience`, or not honoured any more.
///
/// # Errors
/// If that cannot be known now.
#[instrument(skip_all)]
pub async fn authenticate(app: &App, text: &str, audience: Audience) -> Result<Option<Bearer>, Refusal> {
    let Some(token) = verify_signature(app, text).await? else {
        return Ok(None);
    };
    let is_for_audience = match audience {
        Audience::Tenant => token.claims.aud == token.claims.iss,
        Audience::Admin => token.claims.aud == ADMIN_AUDIENCE,
        Audience::Any => true,
    };
    if !is_for_audience || !is_timely(&token.claims, app.feed.database_now().unix_timestamp()) {
        return Ok(None);
    }
    let standing = match app.feed.verdict(&token.check) {
        Verdict::Good => AccessTokenStanding::Good,
        Verdict::Revoked => AccessTokenStanding::Revoked,
        Verdict::Unknown => app.store.check_access_token(&token.check).await?,
    };
    Ok((standing == AccessTokenStanding::Good).then_some(Bearer { token }))
}

/// A token that this server signed, whatever its age and its standing.
///
/// # Errors
/// If the keys cannot be read now.
pub async fn verify_signature(app: &App, text: &str) -> Result<Option<SignedToken>, Refusal> {
    let Some(unverified) = UnverifiedJws::<AccessTokenClaims>::parse(text, TokenType::AccessToken) else {
        return Ok(None);
    };
    let issuer = unverified.unverified_claims.iss.clone();
    let slug = issuer
        .strip_prefix(app.settings.public_base_url.as_str())
        .and_then(|rest| rest.strip_prefix("/t/"));
    let Some(slug) = slug.filter(|slug| credo_auth_domain::tenant::is_slug(slug)) else {
        return Ok(None);
    };
    let Some(tenant) = app.directory.resolve_slug(slug).await? else {
        return Ok(None);
    };
    let Some(key) = app.keyring.find(tenant, &unverified.unverified_kid).await? else {
        return Ok(None);
    };
    Ok(unverified.verify(&key.key).and_then(|claims| {
        let check = parse(&claims, key.id)?;
        (check.tenant_id == tenant).then_some(SignedToken { claims, check })
    }))
}

/// Neither expired nor from the future.
fn is_timely(claims: &AccessTokenClaims, now: i64) -> bool {
    claims.exp > now && claims.iat <= now.saturating_add(LEEWAY_SECONDS)
}

/// The claims that name rows.
fn parse(claims: &AccessTokenClaims, key_id: SigningKeyId) -> Option<AccessTokenCheck> {
    let (user_id, session_id, user_epoch) = match (&claims.sid, claims.ep.get(2)) {
        (Some(session), Some(epoch)) => (
            Some(claims.sub.parse().ok()?),
            Some(session.parse().ok()?),
            Some(*epoch),
        ),
        (None, None) => (None, None, None),
        _ => return None,
    };
    Some(AccessTokenCheck {
        tenant_id: claims.tid.parse().ok()?,
        token_id: claims.jti.parse().ok()?,
        key_id,
        epochs: Epochs {
            tenant: *claims.ep.first()?,
            client: *claims.ep.get(1)?,
            user: user_epoch,
        },
        client_id: claims.client_id.parse().ok()?,
        user_id,
        session_id,
    })
}
