//! Origins that may call with CORS: exactly as a browser sends them (RFC 6454 section 6.2), because they are compared as
//! raw strings.

use url::{Host, Url};

/// Longest origin, in bytes: a host name has at most 253.
const MAX_ORIGIN_BYTES: usize = 300;

/// Whether a text is an origin exactly as a browser sends it (RFC 6454 section 6.2).
#[must_use]
pub fn is_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    // A star is no wildcard in an origin, and whoever writes one believes that it is.
    text.len() <= MAX_ORIGIN_BYTES
        && !text.contains('*')
        && url.origin().ascii_serialization() == text
        && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_write_them() {
        for good in [
            "https://app.example",
            "https://app.example:8443",
            "http://localhost:3000",
            "http://[::1]",
        ] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "*",
            "null",
            "",
            "https://*.example",
            "https://app.example/",
            "https://App.example",
            "https://app.example:443",
            "http://app.example",
            "https://u@app.example",
            "https://app.example?x",
            "https://app.example#x",
            "ftp://app.example",
            "https://ä.example",
            "data:text/html,x",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
