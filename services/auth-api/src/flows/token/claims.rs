//! What tokens say (RFC 9068 section 2.2, OpenID Connect Core section 2), and the single claims that a client asked for by
//! name (section 5.5).
//!
//! Invariant: a claim of the person is given only to a client that may be granted the scope which governs it.

use credo_auth_domain::{
    access_token::{AccessTokenClaims, IdTokenClaims},
    acr::Acr,
    claims_request::{ClaimsRequest, governing_scope},
    client::Client,
    lifetime::ID_TOKEN_TTL,
};
use credo_ids::TokenId;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::issue::{Grant, Person};
use crate::{app::App, refusal::Refusal};

/// The claims request of a session, as its row keeps it.
pub(super) fn claims_request(text: Option<&str>) -> Result<ClaimsRequest, Refusal> {
    text.map_or_else(|| Ok(ClaimsRequest::default()), ClaimsRequest::parse)
        .map_err(|_| Refusal::internal("session.claims"))
}

pub(super) fn access_token_claims(
    grant: &Grant<'_>,
    issuer: &str,
    audience: &str,
    ttl_seconds: u64,
) -> AccessTokenClaims {
    let issued_at = grant.at.unix_timestamp();
    let person = grant.person.as_ref();
    let client_id = grant.client.id.to_string();
    AccessTokenClaims {
        iss: issuer.to_owned(),
        sub: person.map_or_else(|| client_id.clone(), |person| person.user_id.to_string()),
        aud: audience.to_owned(),
        exp: issued_at.saturating_add_unsigned(ttl_seconds),
        iat: issued_at,
        jti: TokenId::now_v7().to_string(),
        client_id,
        scope: grant.scope.to_string(),
        sid: person.map(|person| person.session_id.to_string()),
        auth_time: person.map(|person| person.auth_time.unix_timestamp()),
        tid: grant.client.tenant.id.to_string(),
        ep: [grant.epochs.tenant, grant.epochs.client]
            .into_iter()
            .chain(grant.epochs.user)
            .collect(),
        userinfo_claims: person.map_or_else(Vec::new, |person| userinfo_claims(grant, person)),
    }
}

/// The claims that userinfo is to answer beyond those of the scope. They travel in the token, so that userinfo needs nobody
/// to tell it.
fn userinfo_claims(grant: &Grant<'_>, person: &Person<'_>) -> Vec<String> {
    let asked = person.claims.userinfo.keys();
    asked
        .filter(|claim| {
            grant.scope.contains("openid")
                && may_have(grant.client, claim)
                && governing_scope(claim).is_some_and(|scope| !grant.scope.contains(scope))
        })
        .cloned()
        .collect()
}

/// The claims of the person that the client asked for in the ID token. A request for a claim is a wish, an essential one
/// too (OpenID Connect Core section 5.5.1): what cannot be read now is left out, for what was committed must be answered.
pub(super) async fn requested_claims(app: &App, client: &Client, person: &Person<'_>) -> Map<String, Value> {
    let wanted = |claim: &str| person.claims.id_token.contains_key(claim) && may_have(client, claim);
    if !person.claims.id_token.keys().any(|claim| wanted(claim)) {
        return Map::new();
    }
    match app.directory.resolve_user(client.tenant.id, person.user_id).await {
        Ok(user) => user.map(|user| user.claims(wanted)).unwrap_or_default(),
        Err(error) => {
            tracing::warn!(%error, "claims that were asked for are left out of an ID token");
            Map::new()
        }
    }
}

/// Whether a client may be granted the scope that governs a claim.
fn may_have(client: &Client, claim: &str) -> bool {
    governing_scope(claim).is_some_and(|scope| client.scope.contains(scope))
}

pub(super) fn id_token_claims(
    person: &Person<'_>,
    client: &Client,
    issuer: String,
    at: OffsetDateTime,
    at_hash: String,
) -> IdTokenClaims {
    IdTokenClaims {
        iss: issuer,
        sub: person.user_id.to_string(),
        aud: client.id.to_string(),
        exp: at.unix_timestamp().saturating_add_unsigned(ID_TOKEN_TTL.as_secs()),
        iat: at.unix_timestamp(),
        auth_time: person.auth_time.unix_timestamp(),
        acr: Acr::of(person.amr).as_str(),
        amr: person.amr.split_whitespace().map(ToOwned::to_owned).collect(),
        sid: person.session_id.to_string(),
        nonce: person.nonce.clone(),
        at_hash,
        person: Map::new(),
    }
}
