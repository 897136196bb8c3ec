//! Form bodies (RFC 6749 appendix B): read once, strictly.
//!
//! Refuses other media types, repeated parameters, bytes that are no UTF-8, control characters, and parameters in the
//! query of endpoints that take secrets. Parameters without a value count as absent (RFC 6749 section 3.1).

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::Denial;
use percent_encoding::percent_decode;
use secrecy::SecretString;

use super::answer::problem;

/// Most parameters of a form.
const MAX_PARAMETERS: usize = 64;
/// The media type that is read.
const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// What a request is told whose parameters are in its query.
pub(super) const QUERY_REFUSED: Denial = Denial::InvalidRequest("parameters belong in the body, not in the query");

/// The parameters of a form, or why it is refused: the client must be answered in the endpoint's own words.
pub(super) struct Form(pub Result<Parameters, Denial>);

/// Parameters, each at most once.
#[derive(Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        if has_query(request.uri()) {
            return Ok(Self(Err(QUERY_REFUSED)));
        }
        if !is_form(&request) {
            return Ok(Self(Err(Denial::InvalidRequest(
                "the body must be application/x-www-form-urlencoded",
            ))));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            let status = rejection.status();
            if status == StatusCode::PAYLOAD_TOO_LARGE {
                problem(status, "Body too large")
            } else {
                rejection.into_response()
            }
        })?;
        Ok(Self(Parameters::parse(&body)))
    }
}

/// Whether a request has parameters in its query, where logs and histories would keep them.
pub(super) fn has_query(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| !query.is_empty())
}

/// Whether a request says that its body is a form.
pub(super) fn is_form(request: &Request) -> bool {
    says_form(request.headers())
}

/// Whether headers say that the body is a form.
pub(super) fn says_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| {
        let (media_type, parameters) = text.split_once(';').unwrap_or((text, ""));
        let charset = parameters.trim();
        media_type.trim().eq_ignore_ascii_case(MEDIA_TYPE)
            && (charset.is_empty() || charset.eq_ignore_ascii_case("charset=utf-8"))
    })
}

/// Names and values of a query or a form, for an endpoint that judges them one by one: no value where the bytes are no
/// UTF-8. Names that are none are nobody's parameters.
pub(super) fn pairs(text: &[u8]) -> impl Iterator<Item = (String, Option<String>)> {
    split(text).filter_map(|(name, value)| Some((decode_any(name)?, decode_any(value))))
}

/// Takes a query or a form apart.
fn split(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let position = pair.iter().position(|byte| *byte == b'=');
        position.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]))
    })
}

impl Parameters {
    /// Reads a form.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Denial> {
        let mut parameters = Self::default();
        for (name, value) in split(body) {
            let (name, value) = (decode(name)?, decode(value)?);
            if parameters.0.iter().any(|(known, _)| *known == name) {
                return Err(Denial::InvalidRequest("a parameter is repeated"));
            }
            if parameters.0.len() >= MAX_PARAMETERS {
                return Err(Denial::InvalidRequest("there are too many parameters"));
            }
            parameters.0.push((name, value));
        }
        Ok(parameters)
    }

    /// A parameter that has a value.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let position = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(position).1).filter(|value| !value.is_empty())
    }

    /// A secret parameter that has a value.
    pub(super) fn take_secret(&mut self, name: &str) -> Option<SecretString> {
        self.take(name).map(Into::into)
    }

    /// A parameter that must be there.
    pub(super) fn require(&mut self, name: &str, missing: &'static str) -> Result<String, Denial> {
        self.take(name).ok_or(Denial::InvalidRequest(missing))
    }
}

/// One name or value, which holds no control character.
pub(super) fn decode(bytes: &[u8]) -> Result<String, Denial> {
    let text = decode_any(bytes).ok_or(Denial::InvalidRequest("a parameter is not UTF-8"))?;
    if text.chars().any(char::is_control) {
        return Err(Denial::InvalidRequest("a parameter holds a control character"));
    }
    Ok(text)
}

/// One name or value: `+` is a space, the rest is percent-encoded UTF-8.
fn decode_any(bytes: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    Some(percent_decode(&spaced).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn form_is_read_strictly() {
        let mut form = Parameters::parse(b"a=1&b=x+y%2B%C3%BC&c=&d").unwrap();
        assert_eq!(form.take("b").unwrap(), "x y+ü");
        assert_eq!((form.take("c"), form.take("d"), form.take("e")), (None, None, None));
        for bad in [&b"a=1&a=2"[..], b"a=%ff", b"a=%00", b"a=x%0d%0ay", b"a=&a="] {
            assert!(Parameters::parse(bad).is_err(), "{bad:?}");
        }
        let many = (0..100)
            .map(|number| format!("p{number}=1"))
            .collect::<Vec<_>>()
            .join("&");
        assert!(Parameters::parse(many.as_bytes()).is_err());
    }
}
