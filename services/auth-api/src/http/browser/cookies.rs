//! The cookies of a browser (RFC 6265): read within bounds, written with every flag that there is.
//!
//! Refuses a name that comes twice: which of the two is ours cannot be told. `__Host-` makes browsers refuse a cookie that
//! another host or an insecure page set. Names of tenants begin behind `_`, our own behind `-`: no slug meets them.

use std::{convert::Infallible, fmt::Write as _, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::Response,
};
use credo_auth_domain::tenant::is_slug;
use credo_ids::DeviceId;

use crate::refusal::Refusal;

/// Longest header that is read, in bytes: what browsers send for one host is less.
const MAX_HEADER_BYTES: usize = 16 * 1_024;
/// The browser itself, whoever uses it.
const DEVICE: &str = "__Host-credo-device";
/// How long a browser is known.
const DEVICE_TTL: Duration = Duration::from_hours(365 * 24);
/// In front of a tenant's slug: who is signed in there.
const SIGNED_IN: &str = "__Host-credo_";

/// What the browser sent.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Cookies(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Cookies {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl Cookies {
    /// The cookies of a request. Too many of them are none; one that is not ASCII is none of ours and hides no other.
    pub(in crate::http) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::COOKIE);
        let bytes: usize = values.iter().map(HeaderValue::len).sum();
        if bytes > MAX_HEADER_BYTES {
            return Self::default();
        }
        let pairs = values
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        let pairs = pairs.filter_map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.is_ascii())?;
            let (name, value) = pair.trim_matches([' ', '\t']).split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        Self(pairs.collect())
    }

    /// The value of a name that stands there once.
    pub(in crate::http) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// Who says to be signed in to the tenant of that slug.
    pub(in crate::http) fn signed_in(&self, slug: &str) -> Option<&str> {
        self.get(&format!("{SIGNED_IN}{slug}"))
    }

    /// The tenants that the browser has been signed in to.
    pub(in crate::http) fn slugs(&self) -> impl Iterator<Item = &str> {
        let slugs = self.0.iter().filter_map(|(name, _)| name.strip_prefix(SIGNED_IN));
        slugs.filter(|slug| is_slug(slug) && self.signed_in(slug).is_some())
    }

    /// The browser, if it was here before.
    pub(in crate::http) fn device(&self) -> Option<DeviceId> {
        self.get(DEVICE)?.parse().ok()
    }
}

/// Keeps somebody signed in to the tenant of that slug until the browser is closed.
pub(in crate::http) fn sign_in(slug: &str, value: &str) -> Result<HeaderValue, Refusal> {
    set(&format!("{SIGNED_IN}{slug}"), value, None)
}

/// Forgets who was signed in to the tenant of that slug.
pub(in crate::http) fn sign_out(slug: &str) -> Result<HeaderValue, Refusal> {
    set(&format!("{SIGNED_IN}{slug}"), "", Some(Duration::ZERO))
}

/// Knows the browser again.
pub(in crate::http) fn remember_device(device: DeviceId) -> Result<HeaderValue, Refusal> {
    set(DEVICE, &device.to_string(), Some(DEVICE_TTL))
}

/// A cookie, for the browser's session or for `max_age`.
pub(in crate::http) fn set(name: &str, value: &str, max_age: Option<Duration>) -> Result<HeaderValue, Refusal> {
    let mut text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax");
    if let Some(max_age) = max_age {
        let _ = write!(text, "; Max-Age={}", max_age.as_secs());
    }
    let mut header = HeaderValue::try_from(text).map_err(|_| Refusal::internal("a cookie that no header can hold"))?;
    header.set_sensitive(true);
    Ok(header)
}

/// Adds cookies to an answer.
pub(in crate::http) fn add(response: &mut Response, cookies: impl IntoIterator<Item = HeaderValue>) {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn cookies(lines: &[&str]) -> Cookies {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
        }
        Cookies::of(&headers)
    }

    #[test]
    fn se_01_a_name_that_comes_twice_is_none() {
        let read = cookies(&["a=1; __Host-credo_demo=x; b=2", "__Host-credo_other=y; a=3"]);
        assert_eq!((read.get("a"), read.get("b")), (None, Some("2")));
        assert_eq!(read.signed_in("demo"), Some("x"));
        assert_eq!(read.slugs().collect::<Vec<_>>(), ["demo", "other"]);
        let twice = cookies(&["__Host-credo_demo=x; __Host-credo_demo=x"]);
        assert_eq!((twice.signed_in("demo"), twice.slugs().count()), (None, 0));
    }

    #[test]
    fn headers_are_read_within_bounds() {
        let long = format!("a=1; b={}", "x".repeat(MAX_HEADER_BYTES));
        assert_eq!(cookies(&[&long]).get("a"), None);
        let device = DeviceId::random_v4();
        let line = format!("__Host-credo-device={device}; __Host-credo_{}=x", "x".repeat(100));
        assert_eq!(cookies(&[&line]).device(), Some(device));
        assert_eq!(cookies(&[&line, "__Host-credo_-device=1"]).slugs().count(), 0);
        assert_eq!(cookies(&["__Host-credo-device=somebody"]).device(), None);
    }

    #[test]
    fn se_01_cookies_of_others_hide_none_of_ours() {
        let mut headers = HeaderMap::new();
        let line = "x=\u{e9}; __Host-credo_demo=x; \u{2000}__Host-credo_other=y".as_bytes();
        headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        let read = Cookies::of(&headers);
        assert_eq!((read.signed_in("demo"), read.signed_in("other")), (Some("x"), None));
    }

    #[test]
    fn se_02_cookies_have_every_flag() {
        let kept = sign_in("demo", "opaque").unwrap();
        assert_eq!(
            kept.to_str().unwrap(),
            "__Host-credo_demo=opaque; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
    }
}
