//! Page tokens: where the next page begins, and what it is a page of.
//!
//! Opaque to callers and signed, so that what they say is our own: a made-up place in a list, or a token of another list, of
//! another filter or of another caller's making is refused. Refuses to hold a right: the tenant of a list is the request's.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_ids::{ClientId, SessionId, SigningKeyId, TenantId, UserId};
use tonic::Status;

use super::status::refused;
use crate::{
    flows::admin::{AdminRefusal, PageRequest},
    keys::{MasterKey, MasterKeys},
};

/// Items of a page if the request does not say.
const DEFAULT_SIZE: u16 = 100;
/// Most items of a page.
const MAX_SIZE: u16 = 1_000;
/// Bytes of the MAC.
const MAC_BYTES: usize = 16;
/// Longest token that is looked at.
const MAX_TOKEN_BYTES: usize = 512;

/// What is listed: a token of one list is none of another.
pub(super) struct List<'a> {
    masters: &'a MasterKeys,
    hash: Vec<u8>,
}

/// A place in a list: the last item of a page.
pub(super) trait Place: Sized {
    /// As it stands in a token.
    fn write(&self) -> Vec<u8>;

    /// From what stands in a token; it is our own.
    fn read(bytes: &[u8]) -> Option<Self>;
}

macro_rules! places {
    ($($id:ident)*) => {$(
        impl Place for $id {
            fn write(&self) -> Vec<u8> {
                self.as_bytes().to_vec()
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                <[u8; 16]>::try_from(bytes).ok().map(Self::from)
            }
        }
    )*};
}

places! { TenantId ClientId UserId SessionId SigningKeyId }

impl<'a> List<'a> {
    /// The list of `kind` that `filter` bounds: its tenant first, and everything else that the request says but for the page.
    pub(super) fn new(masters: &'a MasterKeys, kind: &str, filter: &[&[u8]]) -> Self {
        let mut bytes = kind.as_bytes().to_vec();
        for part in filter {
            bytes.push(0);
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Self {
            masters,
            hash: digest(&SHA256, &bytes).as_ref().to_vec(),
        }
    }

    /// The page that a request asks for.
    pub(super) fn page<P: Place>(&self, size: i32, token: &str) -> Result<PageRequest<P>, Status> {
        let size = match size {
            0 => DEFAULT_SIZE,
            1.. => u16::try_from(size).unwrap_or(MAX_SIZE).min(MAX_SIZE),
            _ => return Err(refused(AdminRefusal::invalid("page_size", "must not be negative"))),
        };
        let after = match token {
            "" => None,
            token => Some(
                self.read(token)
                    .ok_or_else(|| refused(AdminRefusal::InvalidPageToken))?,
            ),
        };
        Ok(PageRequest { after, size })
    }

    /// The token of the page after the one that ends with `last`; empty on the last page.
    pub(super) fn next_page_token<P: Place>(&self, last: Option<P>, has_more: bool) -> String {
        let Some(place) = last.filter(|_| has_more).map(|last| last.write()) else {
            return String::new();
        };
        let key = self.masters.active();
        URL_SAFE_NO_PAD.encode([&[key.id], &self.mac(key, &place)[..], &place].concat())
    }

    fn read<P: Place>(&self, token: &str) -> Option<P> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (key, rest) = bytes.split_first()?;
        let (mac, place) = rest.split_first_chunk::<MAC_BYTES>()?;
        let expected = self.mac(self.masters.find(*key)?, place);
        verify_slices_are_equal(mac, &expected).ok()?;
        P::read(place)
    }

    fn mac(&self, key: &MasterKey, place: &[u8]) -> [u8; MAC_BYTES] {
        let tag = hmac::sign(&key.page_token, &[&self.hash, place].concat());
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(&tag.as_ref()[..MAC_BYTES]);
        mac
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn masters(ids: &[u8]) -> MasterKeys {
        let line = |id: &u8| format!("{id} {}\n", URL_SAFE_NO_PAD.encode([*id; 32]));
        MasterKeys::parse(&ids.iter().map(line).collect::<String>()).unwrap()
    }

    #[test]
    fn token_is_good_for_its_list_and_filter_alone() {
        let (keys, end) = (masters(&[1]), ClientId::now_v7());
        let list = List::new(&keys, "clients", &[&[1; 16], b"a"]);
        let token = list.next_page_token(Some(end), true);
        assert_eq!(list.page::<ClientId>(0, &token).unwrap().after, Some(end));
        assert_eq!(list.next_page_token(Some(end), false), "");
        let others: [(&str, &[&[u8]]); 4] = [
            ("clients", &[&[2; 16], b"a"]),
            ("clients", &[&[1; 16], b"b"]),
            ("clients", &[&[1; 16], b"a", b""]),
            ("tenants", &[&[1; 16], b"a"]),
        ];
        for (kind, filter) in others {
            assert!(List::new(&keys, kind, filter).page::<ClientId>(0, &token).is_err());
        }
    }

    #[test]
    fn made_up_tokens_are_refused_and_those_of_older_keys_are_not() {
        let (keys, end) = (masters(&[1]), ClientId::now_v7());
        let list = List::new(&keys, "clients", &[]);
        let token = list.next_page_token(Some(end), true);
        let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        let elsewhere = URL_SAFE_NO_PAD.encode(bytes);
        let long = "A".repeat(513);
        for malformed in ["x", "AAAA", "!", &token[1..], &format!("{token}AA"), &elsewhere, &long] {
            assert!(list.page::<ClientId>(0, malformed).is_err(), "{malformed}");
        }
        let rotated = masters(&[2, 1]);
        let read = |keys| List::new(keys, "clients", &[]).page::<ClientId>(0, &token);
        assert_eq!(read(&rotated).unwrap().after, Some(end));
        assert!(read(&masters(&[2])).is_err());
    }

    #[test]
    fn page_size_is_bounded() {
        let keys = masters(&[1]);
        let size = |asked| {
            let page = List::new(&keys, "clients", &[]).page::<ClientId>(asked, "");
            page.map(|page| page.size).ok()
        };
        assert_eq!(
            [0, 1, 1_000, 1_001, i32::MAX].map(size),
            [Some(100), Some(1), Some(1_000), Some(1_000), Some(1_000)]
        );
        assert_eq!([-1, i32::MIN].map(size), [None, None]);
    }
}
