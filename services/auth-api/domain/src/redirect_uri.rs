//! Redirect URIs: registered as absolute URIs, compared as raw strings (RFC 9700 section 2.1).
//!
//! Refuses to compare a parsed or decoded form. The one exception is RFC 8252 section 7.3: for a native client's registered
//! loopback address literal over http, the port may vary.

use url::{Host, Url};

use crate::client::ApplicationType;

/// Longest redirect URI that is registered or read, in bytes.
const MAX_BYTES: usize = 2_048;
/// Schemes that run or show something in the browser itself.
const FORBIDDEN_SCHEMES: [&str; 7] = ["javascript", "data", "vbscript", "file", "blob", "about", "view-source"];

/// A URI that cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "redirect_uri must be an absolute https URI without fragment, an http URI of a loopback address, or a private-use scheme"
)]
pub struct InvalidRedirectUri;

/// Checks a URI that is to be registered.
///
/// # Errors
/// If it is relative, carries a fragment, user information or characters that a browser would change, or is plain http
/// to a host that is not loopback.
pub fn validate(uri: &str) -> Result<(), InvalidRedirectUri> {
    let clean = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte);
    if uri.len() > MAX_BYTES || !uri.bytes().all(clean) || uri.contains('#') {
        return Err(InvalidRedirectUri);
    }
    let url = Url::parse(uri).map_err(|_| InvalidRedirectUri)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidRedirectUri);
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" | "https" => Err(InvalidRedirectUri),
        scheme if FORBIDDEN_SCHEMES.contains(&scheme) => Err(InvalidRedirectUri),
        scheme if scheme.contains('.') => Ok(()), // RFC 8252 section 7.1: a reversed domain name
        _ => Err(InvalidRedirectUri),
    }
}

/// Whether a requested URI is one of those that a client of that type registered.
#[must_use]
pub fn is_registered(requested: &str, registered: &[String], client: ApplicationType) -> bool {
    let is_native = client == ApplicationType::Native;
    requested.len() <= MAX_BYTES
        && registered
            .iter()
            .any(|uri| uri == requested || is_native && differs_in_loopback_port_only(requested, uri))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// RFC 8252 section 7.3, for address literals alone: `localhost` could resolve to elsewhere.
fn differs_in_loopback_port_only(requested: &str, registered: &str) -> bool {
    match (split_loopback(requested), split_loopback(registered)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Splits `http://127.0.0.1:PORT/rest` into the host and the rest.
fn split_loopback(uri: &str) -> Option<(&'static str, &str)> {
    ["http://127.0.0.1", "http://[::1]"].into_iter().find_map(|origin| {
        let rest = uri.strip_prefix(origin)?;
        let Some(port_and_path) = rest.strip_prefix(':') else {
            return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((origin, rest));
        };
        let end = port_and_path
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(port_and_path.len());
        let (port, path) = port_and_path.split_at(end);
        let valid = port.parse::<u16>().is_ok_and(|number| number > 0) && !port.starts_with('0');
        (valid && (path.is_empty() || path.starts_with(['/', '?']))).then_some((origin, path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn az_02_only_the_registered_string_matches() {
        let registered = ["https://app.example/cb".to_owned()];
        assert!(is_registered(
            "https://app.example/cb",
            &registered,
            ApplicationType::Web
        ));
        for other in [
            "https://app.example/cb/",
            "https://app.example/cb/x",
            "https://app.example/CB",
            "https://app.example/cb?x=1",
            "https://app.example:443/cb",
            "https://app.example:8443/cb",
            "http://app.example/cb",
            "https://app.example/%63b",
            "https://app.example/./cb",
            "https://app.example%2Fcb",
            "https://APP.example/cb",
            "https://app.example@evil.example/cb",
            "https://evil.example\\@app.example/cb",
            "https://app.example/cb\n",
            "",
        ] {
            assert!(!is_registered(other, &registered, ApplicationType::Native), "{other:?}");
        }
    }

    #[test]
    fn az_06_only_the_port_of_a_native_clients_loopback_address_varies() {
        let registered = ["http://127.0.0.1/cb".to_owned(), "http://[::1]:1/cb".to_owned()];
        for good in ["http://127.0.0.1:49152/cb", "http://127.0.0.1/cb", "http://[::1]:5/cb"] {
            assert!(is_registered(good, &registered, ApplicationType::Native), "{good}");
        }
        for bad in [
            "http://localhost:49152/cb",
            "http://127.0.0.1:49152/cb2",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.2:1/cb",
            "https://127.0.0.1:1/cb",
        ] {
            assert!(!is_registered(bad, &registered, ApplicationType::Native), "{bad}");
        }
        let other_port = "http://127.0.0.1:49152/cb";
        assert!(!is_registered(other_port, &registered, ApplicationType::Web));
    }

    #[test]
    fn az_04_az_07_dangerous_uris_cannot_be_registered() {
        for good in [
            "https://a.example/cb?x=1",
            "http://127.0.0.1/cb",
            "http://localhost:3000/",
            "com.example.app:/cb",
        ] {
            assert!(validate(good).is_ok(), "{good}");
        }
        for bad in [
            "https://a.example/cb#f",
            "https://a.example/cb#",
            "javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "http://a.example/cb",
            "https://user@a.example/",
            "/cb",
            "https://",
            "https://a.example/\u{9}",
            "https://ä.example/",
            "app:/cb",
            "",
        ] {
            assert!(validate(bad).is_err(), "{bad:?}");
        }
    }
}
