//! Where the browser goes after a page, as people and as a content security policy name it.
//!
//! Only what [`Url`] makes of a registered redirect URI is used; what does not look like a plain host is named by its scheme.

use url::{Host, Url};

/// Where a redirect URI leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A site, by its host.
    Site(String),
    /// An app or a program on the person's own device: a loopback address or a scheme of its own.
    Device,
}

impl Destination {
    /// Where `redirect_uri` leads.
    #[must_use]
    pub fn of(redirect_uri: &str) -> Self {
        let Ok(url) = Url::parse(redirect_uri) else {
            return Self::Device;
        };
        match (url.scheme(), url.host()) {
            ("http" | "https", Some(host)) if !is_loopback(&host) => Self::Site(host.to_string()),
            _ => Self::Device,
        }
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// What `form-action` must allow so that a form may lead to `redirect_uri`: its origin, or its scheme if it has none that a
/// source list can say (Content Security Policy Level 3, section 2.3.1: no IPv6 address). None if it is no URL.
#[must_use]
pub fn source_expression(redirect_uri: &str) -> Option<String> {
    let url = Url::parse(redirect_uri).ok()?;
    let scheme = url.scheme();
    // The scheme's grammar (RFC 3986 section 3.1) leaves no room for another directive; a host's does.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    match url.host_str() {
        Some(host) if matches!(scheme, "http" | "https") && !host.is_empty() && host.bytes().all(plain) => {
            let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
            Some(format!("{scheme}://{host}{port}"))
        }
        _ => Some(format!("{scheme}:")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_named_as_people_know_them() {
        let site = |host: &str| Destination::Site(host.to_owned());
        for (uri, expected) in [
            ("https://photos.example/cb", site("photos.example")),
            ("https://photos.example:8443/cb", site("photos.example")),
            ("https://b\u{fc}cher.example/", site("xn--bcher-kva.example")),
            ("http://127.0.0.1:4711/cb", Destination::Device),
            ("http://[::1]:4711/cb", Destination::Device),
            ("http://localhost/cb", Destination::Device),
            ("com.example.photos:/cb", Destination::Device),
            ("no uri", Destination::Device),
        ] {
            assert_eq!(Destination::of(uri), expected, "{uri}");
        }
    }

    #[test]
    fn policies_name_an_origin_or_a_scheme_and_nothing_else() {
        for (uri, expected) in [
            ("https://photos.example/cb?x=1", "https://photos.example"),
            ("https://photos.example:8443/cb", "https://photos.example:8443"),
            ("http://127.0.0.1:4711/cb", "http://127.0.0.1:4711"),
            ("http://[::1]:4711/cb", "http:"),
            ("com.example.photos:/cb", "com.example.photos:"),
            ("com.example.photos://host/cb", "com.example.photos:"),
            ("https://a;sandbox/", "https:"),
            ("https://a,b/", "https:"),
            ("https://a'b/", "https:"),
        ] {
            assert_eq!(source_expression(uri).as_deref(), Some(expected), "{uri}");
        }
        assert_eq!(source_expression("no uri"), None);
    }
}
