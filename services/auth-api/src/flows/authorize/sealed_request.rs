//! A validated authorization request on its way through our own pages.
//!
//! base64url(key id ‖ JSON ‖ MAC), in our own URLs and forms: whoever changes a letter of it has no request any more, and
//! what the browser does between the steps cannot change what was asked (CVE-2026-7571 and its kind). It is no secret and
//! proves nothing about who holds it. Refuses one that is older than an hour, and keys that are demoted.

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_auth_domain::authorization_request::AuthorizationRequest;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::{
    keys::{MasterKey, MasterKeys},
    refusal::Refusal,
};

/// How long a person may take.
const TTL: Duration = Duration::HOUR;
/// Bytes of the MAC that are kept.
const MAC_LENGTH: usize = 16;
/// The longest text that is looked at, in bytes.
const MAX_BYTES: usize = 32 * 1_024;

/// A request that was validated when it came.
#[derive(Clone, Debug)]
pub struct SealedRequest {
    /// What was asked.
    pub request: AuthorizationRequest,
    /// When, by the database's clock.
    pub asked_at: OffsetDateTime,
    text: String,
}

/// A text that is no request of this server, or not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a request of this server, or too old")]
pub struct Unreadable;

#[derive(Serialize, Deserialize)]
struct Content<R> {
    asked_at_micros: i64,
    request: R,
}

impl SealedRequest {
    /// Seals a request that was validated just now.
    ///
    /// # Errors
    /// If it cannot be written: a defect.
    pub fn seal(
        masters: &MasterKeys,
        request: AuthorizationRequest,
        asked_at: OffsetDateTime,
    ) -> Result<Self, Refusal> {
        let asked_at_micros = i64::try_from(asked_at.unix_timestamp_nanos() / 1_000).unwrap_or_default();
        let content = Content {
            asked_at_micros,
            request: &request,
        };
        let key = masters.active();
        let mut bytes = vec![key.id];
        serde_json::to_writer(&mut bytes, &content).map_err(|error| Refusal::internal(&error.to_string()))?;
        let mac = mac(key, &bytes);
        bytes.extend(&mac.as_ref()[..MAC_LENGTH]);
        Ok(Self {
            request,
            asked_at: instant(asked_at_micros),
            text: URL_SAFE_NO_PAD.encode(bytes),
        })
    }

    /// Opens what [`Self::as_str`] gave, as it came back at `now`.
    ///
    /// # Errors
    /// If it is not just that, or too old.
    pub fn open(masters: &MasterKeys, text: &str, now: OffsetDateTime) -> Result<Self, Unreadable> {
        if text.len() > MAX_BYTES {
            return Err(Unreadable);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Unreadable)?;
        let length = bytes.len().checked_sub(MAC_LENGTH).ok_or(Unreadable)?;
        let (sealed, claimed) = bytes.split_at(length);
        let (id, json) = sealed.split_first().ok_or(Unreadable)?;
        let key = masters.find(*id).filter(|key| !key.demoted).ok_or(Unreadable)?;
        verify_slices_are_equal(&mac(key, sealed).as_ref()[..MAC_LENGTH], claimed).map_err(|_| Unreadable)?;
        let content: Content<AuthorizationRequest> = serde_json::from_slice(json).map_err(|_| Unreadable)?;
        let asked_at = instant(content.asked_at_micros);
        if now - asked_at > TTL {
            return Err(Unreadable);
        }
        Ok(Self {
            request: content.request,
            asked_at,
            text: text.to_owned(),
        })
    }

    /// The text that travels: `request` in our own URLs and forms.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn mac(key: &MasterKey, sealed: &[u8]) -> hmac::Tag {
    hmac::sign(&key.request, sealed)
}

fn instant(micros: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::microseconds(micros)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use credo_ids::ClientId;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00:00.123456 UTC);

    fn masters(text: &str) -> MasterKeys {
        let key = |id: u8| format!("{id} {}", URL_SAFE_NO_PAD.encode([id; 32]));
        MasterKeys::parse(&text.replace("ONE", &key(1)).replace("TWO", &key(2))).unwrap()
    }

    fn request() -> AuthorizationRequest {
        let json = serde_json::json!({
            "client_id": ClientId::now_v7(),
            "redirect_uri": "https://app.example/cb?x=\u{fc}",
            "response_mode": "form_post",
            "state": "a \u{fc}&#% state",
            "scope": "openid",
            "claims": { "userinfo": { "email": {} } },
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "prompt": { "none": false, "login": true, "consent": false, "select_account": false },
            "subjects": [],
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn az_09_a_request_comes_back_as_it_was_or_not_at_all() {
        let masters = masters("ONE");
        let sealed = SealedRequest::seal(&masters, request(), NOW).unwrap();
        let opened = SealedRequest::open(&masters, sealed.as_str(), NOW).unwrap();
        assert_eq!((&opened.request, opened.asked_at), (&sealed.request, NOW));
        assert_eq!(opened.as_str(), sealed.as_str());
        let text = sealed.as_str();
        for position in 0..text.len() {
            let letter = if text[position..].starts_with('A') { "B" } else { "A" };
            let mut changed = text.to_owned();
            changed.replace_range(position..=position, letter);
            assert!(SealedRequest::open(&masters, &changed, NOW).is_err(), "{position}");
        }
        for bad in [
            "",
            "A",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}="),
            &"A".repeat(40_000),
        ] {
            assert!(SealedRequest::open(&masters, bad, NOW).is_err());
        }
    }

    #[test]
    fn a_request_lives_for_an_hour() {
        let masters = masters("ONE");
        let sealed = SealedRequest::seal(&masters, request(), NOW).unwrap();
        let open = |later| SealedRequest::open(&masters, sealed.as_str(), NOW + later);
        assert!(open(Duration::HOUR).is_ok());
        assert!(open(Duration::HOUR + Duration::SECOND).is_err());
    }

    #[test]
    fn a_request_outlives_the_change_of_keys_but_not_their_demotion() {
        let sealed = SealedRequest::seal(&masters("ONE"), request(), NOW).unwrap();
        assert!(SealedRequest::open(&masters("TWO\nONE"), sealed.as_str(), NOW).is_ok());
        assert!(SealedRequest::open(&masters("TWO\nONE demoted"), sealed.as_str(), NOW).is_err());
        assert!(SealedRequest::open(&masters("TWO"), sealed.as_str(), NOW).is_err());
    }
}
