//! Page tokens: where the next page begins, and what it is a page of.
//!
//! Opaque to callers. A token holds no right: the tenant of a list is the request's, and a token of another list is
//! refused so that a mistake shows.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tonic::Status;

use super::status;
use crate::flows::admin::{AdminRefusal, PageRequest};

/// Items of a page if the request does not say.
const DEFAULT_SIZE: u16 = 100;
/// Most items of a page.
const MAX_SIZE: u16 = 1_000;
/// Bytes of an id.
const ID_BYTES: usize = 16;
/// Bytes of the hash of what is listed.
const LIST_BYTES: usize = 16;

/// What is listed: a token of one list is none of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct List([u8; LIST_BYTES]);

impl List {
    /// The list of `kind` under `parent`.
    pub(super) fn new(kind: &str, parent: &[u8]) -> Self {
        let mut hash = [0; LIST_BYTES];
        hash.copy_from_slice(&digest(&SHA256, &[kind.as_bytes(), b"\0", parent].concat()).as_ref()[..LIST_BYTES]);
        Self(hash)
    }

    /// The page that a request asks for.
    pub(super) fn page<Id: From<[u8; ID_BYTES]>>(self, size: i32, token: &str) -> Result<PageRequest<Id>, Status> {
        let invalid = |field, rule: &str| status::refused(AdminRefusal::invalid(field, rule));
        let size = match size {
            0 => DEFAULT_SIZE,
            1.. => u16::try_from(size).unwrap_or(MAX_SIZE).min(MAX_SIZE),
            _ => return Err(invalid("page_size", "must not be negative")),
        };
        let after = match token {
            "" => None,
            token => {
                let rule = "must be the next_page_token of an answer to the same request";
                Some(self.read(token).ok_or_else(|| invalid("page_token", rule))?.into())
            }
        };
        Ok(PageRequest { after, size })
    }

    /// The token of the page after the one that ends with `last`; empty on the last page.
    pub(super) fn next_page_token(self, last: Option<&[u8; ID_BYTES]>, has_more: bool) -> String {
        let last = last.filter(|_| has_more);
        last.map_or_else(String::new, |last| {
            URL_SAFE_NO_PAD.encode([&last[..], &self.0[..]].concat())
        })
    }

    fn read(self, token: &str) -> Option<[u8; ID_BYTES]> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (id, list) = bytes.split_first_chunk::<ID_BYTES>()?;
        (list == self.0).then_some(*id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use credo_ids::ClientId;

    use super::*;

    #[test]
    fn token_is_good_for_its_list_alone() {
        let (list, end) = (List::new("clients", &[1; 16]), ClientId::now_v7());
        let token = list.next_page_token(Some(end.as_bytes()), true);
        assert_eq!(list.page::<ClientId>(0, &token).unwrap().after, Some(end));
        assert_eq!(list.next_page_token(Some(end.as_bytes()), false), "");
        for other in [List::new("clients", &[2; 16]), List::new("tenants", &[1; 16])] {
            assert!(other.page::<ClientId>(0, &token).is_err());
        }
        for malformed in ["x", "AAAA", "!", &token[1..], &format!("{token}AA")] {
            assert!(list.page::<ClientId>(0, malformed).is_err(), "{malformed}");
        }
    }

    #[test]
    fn page_size_is_bounded() {
        let size = |asked| {
            List::new("clients", &[])
                .page::<ClientId>(asked, "")
                .map(|page| page.size)
                .ok()
        };
        assert_eq!(
            [0, 1, 1_000, 1_001, i32::MAX].map(size),
            [Some(100), Some(1), Some(1_000), Some(1_000), Some(1_000)]
        );
        assert_eq!([-1, i32::MIN].map(size), [None, None]);
    }
}
