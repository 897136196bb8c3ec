//! Page tokens: where the next page begins, and a fingerprint of the query that it belongs to.
//!
//! A token grants nothing: the tenant is checked again on each call, and a made-up one only begins at another place of what
//! its holder may read anyway. So it needs no MAC, and any replica reads any replica's tokens.

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use time::OffsetDateTime;

use super::request::Filters;

const VERSION: u8 = 1;
/// Of a tail.
const RESUME_VERSION: u8 = 2;
const FINGERPRINT_BYTES: usize = 16;
const TOKEN_BYTES: usize = 1 + 8 + FINGERPRINT_BYTES;

/// A token that is not of the query that it came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidToken;

/// The token of the page after `last_tenant_seq`.
pub(super) fn encode(filters: &Filters, last_tenant_seq: i64) -> String {
    encode_as(VERSION, filters, last_tenant_seq)
}

/// The token by which a tail goes on after `tenant_seq`.
pub(super) fn encode_resume(filters: &Filters, tenant_seq: i64) -> String {
    encode_as(RESUME_VERSION, filters, tenant_seq)
}

fn encode_as(version: u8, filters: &Filters, last_tenant_seq: i64) -> String {
    let mut token = Vec::with_capacity(TOKEN_BYTES);
    token.push(version);
    token.extend_from_slice(&last_tenant_seq.to_be_bytes());
    token.extend_from_slice(&fingerprint(filters));
    URL_SAFE_NO_PAD.encode(token)
}

/// The `tenant_seq` that the page begins after.
pub(super) fn decode(filters: &Filters, token: &str) -> Result<i64, InvalidToken> {
    if token.is_empty() {
        return Ok(0);
    }
    match decode_as(VERSION, filters, token)? {
        last @ 1.. => Ok(last),
        _ => Err(InvalidToken),
    }
}

/// The `tenant_seq` that the tail goes on after; 0 where the trail was empty.
pub(super) fn decode_resume(filters: &Filters, token: &str) -> Result<i64, InvalidToken> {
    match decode_as(RESUME_VERSION, filters, token)? {
        reached @ 0.. => Ok(reached),
        _ => Err(InvalidToken),
    }
}

fn decode_as(version: u8, filters: &Filters, token: &str) -> Result<i64, InvalidToken> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidToken)?;
    let (found, rest) = bytes.split_first().ok_or(InvalidToken)?;
    let (last, fingerprint_shown) = rest.split_first_chunk::<8>().ok_or(InvalidToken)?;
    if *found != version || fingerprint_shown != fingerprint(filters) {
        return Err(InvalidToken);
    }
    Ok(i64::from_be_bytes(*last))
}

fn fingerprint(filters: &Filters) -> [u8; FINGERPRINT_BYTES] {
    let mut context = Context::new(&SHA256);
    context.update(filters.tenant.as_bytes());
    for id in [filters.actor_id, filters.subject_id, filters.session_id] {
        context.update(&[u8::from(id.is_some())]);
        context.update(id.unwrap_or_default().as_bytes());
    }
    for at in [filters.start_at, filters.end_at] {
        context.update(&[u8::from(at.is_some())]);
        context.update(&at.map_or(0, OffsetDateTime::unix_timestamp_nanos).to_be_bytes());
    }
    // Last, because its length varies.
    context.update(filters.event_type.as_deref().unwrap_or_default().as_bytes());
    let mut fingerprint = [0; FINGERPRINT_BYTES];
    fingerprint.copy_from_slice(&context.finish().as_ref()[..FINGERPRINT_BYTES]);
    fingerprint
}

#[cfg(test)]
mod tests {
    use credo_ids::TenantId;
    use uuid::Uuid;

    use super::*;

    fn filters() -> Filters {
        Filters {
            tenant: TenantId::now_v7(),
            event_type: None,
            actor_id: None,
            subject_id: None,
            session_id: None,
            start_at: None,
            end_at: None,
        }
    }

    #[test]
    fn a_token_belongs_to_one_query() {
        let query = filters();
        let token = encode(&query, 42);
        assert_eq!(decode(&query, &token), Ok(42));
        assert_eq!(decode(&query, ""), Ok(0));
        let id = Some(Uuid::now_v7());
        let at = Some(OffsetDateTime::UNIX_EPOCH);
        let others = [
            Filters {
                tenant: TenantId::now_v7(),
                ..query.clone()
            },
            Filters {
                event_type: Some("x".to_owned()),
                ..query.clone()
            },
            Filters {
                actor_id: id,
                ..query.clone()
            },
            Filters {
                subject_id: id,
                ..query.clone()
            },
            Filters {
                session_id: id,
                ..query.clone()
            },
            Filters {
                start_at: at,
                ..query.clone()
            },
            Filters {
                end_at: at,
                ..query.clone()
            },
        ];
        for (place, other) in others.iter().enumerate() {
            assert_eq!(decode(other, &token), Err(InvalidToken), "{place}");
            for (place_of_another, another) in others.iter().enumerate().filter(|(another, _)| *another != place) {
                assert_eq!(
                    decode(another, &encode(other, 1)),
                    Err(InvalidToken),
                    "{place} {place_of_another}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let query = filters();
        let token = encode(&query, 42);
        let mut other_version = URL_SAFE_NO_PAD.decode(&token).unwrap();
        other_version[0] = 3;
        for bad in [
            "x".to_owned(),
            "!".to_owned(),
            format!("{token}AA"),
            token[..token.len() - 2].to_owned(),
            URL_SAFE_NO_PAD.encode(other_version),
            encode_resume(&query, 42),
            encode(&query, 0),
            encode(&query, -1),
        ] {
            assert_eq!(decode(&query, &bad), Err(InvalidToken), "{bad}");
        }
        assert_eq!(decode_resume(&query, &encode_resume(&query, 0)), Ok(0));
        for bad in [
            String::new(),
            token,
            encode_resume(&query, -1),
            encode_resume(&filters(), 1),
        ] {
            assert_eq!(decode_resume(&query, &bad), Err(InvalidToken), "{bad}");
        }
    }
}
