//! The form of an issuer: `{public base}/t/{slug}`.

/// What stands between the public base and a tenant's slug.
pub(crate) const TENANT_PATH: &str = "/t/";

/// The slug of a well-formed issuer, whatever its base.
pub(crate) fn slug_of(issuer: &str) -> Option<&str> {
    let (_, slug) = issuer.rsplit_once(TENANT_PATH)?;
    is_slug(slug).then_some(slug)
}

/// Lower-case letters, digits and inner hyphens, 2 to 63, beginning with a letter: as the tenant table checks it.
pub(crate) fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    (2..=63).contains(&bytes.len())
        && bytes.iter().all(is_inner)
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.last().is_some_and(|byte| *byte != b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slugs_that_a_tenant_can_have() {
        let longest = format!("a{}z", "-".repeat(61));
        let too_long = format!("a{}z", "-".repeat(62));
        let cases = [
            ("http://credo.example/t/system", Some("system")),
            ("https://credo.example/base/t/a-1", Some("a-1")),
            ("http://credo.example/t/", None),
            ("http://credo.example/t/a", None),
            ("http://credo.example/t/1a", None),
            ("http://credo.example/t/a-", None),
            ("http://credo.example/t/Acme", None),
            ("http://credo.example/t/../jwks", None),
            ("http://credo.example/t/acme/x", None),
            ("http://credo.example/t/acme?x", None),
            ("system", None),
            ("", None),
        ];
        for (issuer, expected) in cases {
            assert_eq!(slug_of(issuer), expected, "{issuer}");
        }
        assert!(is_slug(&longest) && !is_slug(&too_long));
    }
}
