//! The check of one access token: RFC 9068 section 4, RFC 8725.
//!
//! Everything that costs nothing is checked before a key is looked for, so that nobody can make us fetch keys with a
//! token that would be refused anyway. `unverified` names what the signature has not vouched for yet.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_ids::{ClientId, SessionId, TenantId, UserId};
use serde::{Deserialize, de::DeserializeOwned};
use time::OffsetDateTime;

use crate::{AUDIENCE, AdminPrincipal, SYSTEM_SLUG, VerificationKey, VerificationKeys, issuer, refusal::Refusal};

/// The longest token that is looked at.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// How far clocks may be apart.
const LEEWAY_SECONDS: i64 = 10;
/// How long an admin token lives. One that says that it lives longer is not ours, whoever signed it.
const LIFETIME_SECONDS: i64 = 300;

/// The header, RFC 7515. Unknown members are ignored, as the RFC says, but for what `crit` would name.
#[derive(Debug, Deserialize)]
struct Header {
    typ: String,
    alg: String,
    kid: String,
    crit: Option<serde_json::Value>,
}

/// What we read of the claims. A claim that comes twice is an error of the derived decoder.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    sub: String,
    client_id: ClientId,
    scope: String,
    tid: TenantId,
    /// There where a person stands behind the token.
    sid: Option<SessionId>,
}

impl Claims {
    /// The person, or nobody if the client acts by itself. A token must say clearly which it is.
    fn user(&self) -> Result<Option<UserId>, Refusal> {
        match self.sid {
            Some(_) => self.sub.parse().map(Some).map_err(|_| Refusal::Malformed),
            None if self.sub == self.client_id.to_string() => Ok(None),
            None => Err(Refusal::Malformed),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn contains(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one == audience),
        }
    }
}

/// The caller that `token` proves.
pub(crate) async fn verify(
    token: &str,
    keys: &dyn VerificationKeys,
    now: OffsetDateTime,
) -> Result<AdminPrincipal, Refusal> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Refusal::TooLong);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
    let (header, claims) = message.split_once('.').ok_or(Refusal::Malformed)?;
    let unverified_header: Header = decode(header)?;
    let unverified_claims: Claims = decode(claims)?;
    check_header(&unverified_header)?;
    check_claims(&unverified_claims, now)?;
    let user_id = unverified_claims.user()?;
    let slug = issuer::slug_of(&unverified_claims.iss).ok_or(Refusal::UnknownKey)?;
    let key = keys
        .find(&unverified_claims.iss, &unverified_header.kid)
        .await?
        .ok_or(Refusal::UnknownKey)?;
    if !key.verifies(message.as_bytes(), signature) {
        return Err(Refusal::WrongSignature);
    }
    let claims = &unverified_claims;
    Ok(AdminPrincipal::new(
        (claims.client_id, user_id),
        (claims.tid, slug == SYSTEM_SLUG),
        &claims.scope,
        OffsetDateTime::from_unix_timestamp(claims.exp).map_err(|_| Refusal::Malformed)?,
    ))
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, Refusal> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)
}

fn check_header(header: &Header) -> Result<(), Refusal> {
    let typ = header.typ.to_ascii_lowercase();
    if typ.strip_prefix("application/").unwrap_or(&typ) != "at+jwt" {
        return Err(Refusal::WrongType);
    }
    if header.alg != VerificationKey::ALGORITHM {
        return Err(Refusal::WrongAlgorithm);
    }
    if header.crit.is_some() {
        return Err(Refusal::CriticalExtension);
    }
    Ok(())
}

fn check_claims(claims: &Claims, now: OffsetDateTime) -> Result<(), Refusal> {
    let now = now.unix_timestamp();
    if !claims.aud.contains(AUDIENCE) {
        return Err(Refusal::WrongAudience);
    }
    if claims.exp.saturating_sub(claims.iat) > LIFETIME_SECONDS {
        return Err(Refusal::TooLongLived);
    }
    if claims.exp.saturating_add(LEEWAY_SECONDS) <= now {
        return Err(Refusal::Expired);
    }
    let valid_from = claims.nbf.unwrap_or(claims.iat).max(claims.iat);
    if valid_from > now.saturating_add(LEEWAY_SECONDS) {
        return Err(Refusal::NotYetValid);
    }
    Ok(())
}
