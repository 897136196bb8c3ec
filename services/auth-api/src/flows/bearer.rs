//! Who bears an access token (RFC 6750, RFC 9068 section 4), and whether the token is still honoured.
//!
//! Owns [`Bearer`], which only this file can make. A signature is not enough: the revocation feed must say that nothing
//! ended the token, or, where the feed is too old, the rows themselves.

use std::sync::Arc;

use credo_auth_domain::{
    access_token::{ADMIN_AUDIENCE, AccessTokenClaims},
    rate_limit::RateClass,
    session::Epochs,
};
use credo_auth_store::{AccessTokenCheck, AccessTokenStanding};
use credo_ids::{ClientId, SessionId, SigningKeyId, TenantId, UserId};
use tracing::instrument;

use super::limits::{self, Counted};
use crate::{
    app::App,
    audit::RequestContext,
    feed::Verdict,
    keys::{TokenType, UnverifiedJws},
    refusal::Refusal,
    verified_tokens::TokenKey,
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
    token: Arc<SignedToken>,
}

impl Bearer {
    /// The token's claims.
    #[must_use]
    pub fn claims(&self) -> &AccessTokenClaims {
        &self.token.claims
    }

    /// Its tenant.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.token.check.tenant_id
    }

    /// Its client.
    #[must_use]
    pub fn client(&self) -> ClientId {
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
    let Some(token) = verify_lately(app, text).await? else {
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
        Verdict::Unknown => standing_without_feed(app, &token.check).await?,
    };
    Ok((standing == AccessTokenStanding::Good).then_some(Bearer { token }))
}

/// [`verify_signature`], unless the same token was verified a moment ago.
async fn verify_lately(app: &App, text: &str) -> Result<Option<Arc<SignedToken>>, Refusal> {
    let Some(key) = TokenKey::of(text) else {
        return Ok(None);
    };
    if let Some(token) = app.verified_tokens.find(&key).await {
        return Ok(Some(token));
    }
    let Some(token) = verify_signature(app, text).await?.map(Arc::new) else {
        return Ok(None);
    };
    let now = app.feed.database_now().unix_timestamp();
    app.verified_tokens.keep(key, Arc::clone(&token), now).await;
    Ok(Some(token))
}

/// Lets a request of the bearer through, if the limit of its session does.
///
/// # Errors
/// If it has to wait, or the client has to be read and the database gives no answer.
pub async fn admit(app: &App, context: &RequestContext, bearer: &Bearer, class: RateClass) -> Result<(), Refusal> {
    let limits = app.directory.resolve_limits(bearer.client()).await?;
    let counted = Counted {
        tenant: bearer.tenant(),
        client: Some(bearer.client()),
        session: bearer.person().map(|(_, session)| session),
        claimed: None,
    };
    limits::admit(app, context, (class, counted), &limits).await
}

/// What the rows say. Where they say nothing, that another replica saw the token end is enough to refuse it; that none did
/// proves nothing.
async fn standing_without_feed(app: &App, token: &AccessTokenCheck) -> Result<AccessTokenStanding, Refusal> {
    match app.store.check_access_token(token).await {
        Err(_) if app.second_level.knows_revoked(token).await => Ok(AccessTokenStanding::Revoked),
        standing => Ok(standing?),
    }
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
