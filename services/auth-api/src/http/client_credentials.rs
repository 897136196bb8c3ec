//! How a request says who its client is (RFC 6749 section 2.3.1): by HTTP Basic or in the body, never by both.

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use credo_auth_domain::{Denial, client::AuthMethod};

use super::form::{Parameters, decode};
use crate::flows::client_auth::ClientCredentials;

/// Whether the request uses HTTP Basic.
pub(super) fn is_basic(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION)
}

/// The client's credentials as the request has them.
pub(super) fn read(headers: &HeaderMap, form: &mut Parameters) -> Result<ClientCredentials, Denial> {
    let (client_id, secret) = (form.take("client_id"), form.take_secret("client_secret"));
    if let Some(credentials) = read_basic(headers)? {
        if secret.is_some() {
            return Err(Denial::InvalidRequest("the client authenticates in two ways"));
        }
        if client_id.is_some_and(|id| id != credentials.unverified_client_id) {
            return Err(Denial::InvalidRequest(
                "client_id is not that of the Authorization header",
            ));
        }
        return Ok(credentials);
    }
    let unverified_client_id = client_id.ok_or(Denial::ClientAuthenticationFailed)?;
    let method = if secret.is_some() {
        AuthMethod::ClientSecretPost
    } else {
        AuthMethod::None
    };
    Ok(ClientCredentials {
        unverified_client_id,
        method,
        unverified_secret: secret,
    })
}

/// HTTP Basic, whose two halves are form-encoded (RFC 6749 section 2.3.1); nothing if there is no such header.
pub(super) fn read_basic(headers: &HeaderMap) -> Result<Option<ClientCredentials>, Denial> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Denial::InvalidRequest("there is more than one Authorization header"));
    }
    let malformed = Denial::ClientAuthenticationFailed;
    let (scheme, encoded) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed);
    }
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| malformed)?;
    let colon = bytes.iter().position(|byte| *byte == b':').ok_or(malformed)?;
    let half = |bytes| decode(bytes).map_err(|_| malformed);
    Ok(Some(ClientCredentials {
        unverified_client_id: half(&bytes[..colon])?,
        method: AuthMethod::ClientSecretBasic,
        unverified_secret: Some(half(&bytes[colon + 1..])?.into()),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use axum::http::HeaderValue;
    use secrecy::ExposeSecret as _;

    use super::*;

    fn headers(credentials: &[u8]) -> HeaderMap {
        let value = format!("bAsIc {}", STANDARD.encode(credentials));
        HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::try_from(value).unwrap())])
    }

    #[test]
    fn tk_07_halves_of_basic_are_form_encoded() {
        let read = read_basic(&headers(b"a%3Ab:p%25+%2B%C3%BC:x")).unwrap().unwrap();
        assert_eq!(read.unverified_client_id, "a:b");
        assert_eq!(read.unverified_secret.unwrap().expose_secret(), "p% +ü:x");
    }

    #[test]
    fn tk_04_two_ways_at_once_are_refused() {
        let form = |text: &str| Parameters::parse(text.as_bytes()).unwrap();
        assert!(matches!(
            read(&headers(b"a:b"), &mut form("client_secret=b")),
            Err(Denial::InvalidRequest(_))
        ));
        assert!(matches!(
            read(&headers(b"a:b"), &mut form("client_id=c")),
            Err(Denial::InvalidRequest(_))
        ));
        assert!(read(&headers(b"a:b"), &mut form("client_id=a")).is_ok());
    }
}
