//! What a page needs to know of the request that it answers: which language it is to speak, where it is, its reference id.
//!
//! A choice of language travels in the query of our own URLs (`language=de`), is kept in a cookie, and is handed on to the
//! page that follows; so no step of a sign-in is lost by it, and no script is needed.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, Uri, header, request::Parts},
    middleware::Next,
    response::Response,
};
use credo_auth_domain::tenant::Tenant;

use super::page::Page;
use crate::{
    http::context::Context,
    pages::{ErrorKind, LANGUAGE_PARAMETER, Language, Look, Theme},
};

/// Remembers a choice of language. It tells nothing of anybody, but is kept from scripts all the same.
const COOKIE: &str = "credo_language";
/// How long: a year.
const COOKIE_ATTRIBUTES: &str = "; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax";

/// A visit of one of our pages.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Visit {
    here: String,
    reference: String,
    chosen: Option<Language>,
    remembered: Option<Language>,
    accepted: Option<Language>,
}

impl Visit {
    /// How the page looks: the tenant's, if it is known, in the language that is asked for.
    pub(in crate::http) fn look(&self, tenant: Option<&Tenant>, ui_locales: Option<&str>) -> Look {
        Look {
            language: self.language(ui_locales),
            theme: tenant.map_or_else(Theme::default, Theme::of),
            here: self.here.clone(),
        }
    }

    /// An error page of no tenant and no client.
    pub(in crate::http) fn error(&self, kind: ErrorKind) -> Page {
        Page::plain_error(kind, &self.reference, &self.look(None, None))
    }

    fn language(&self, ui_locales: Option<&str>) -> Language {
        self.chosen
            .or_else(|| ui_locales.and_then(Language::from_locales))
            .or(self.remembered)
            .or(self.accepted)
            .unwrap_or_default()
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let context = parts.extensions.get::<Context>();
        Ok(Self {
            here: here(&parts.uri),
            reference: context.map_or_else(String::new, |context| context.0.id.to_string()),
            chosen: chosen(&parts.uri),
            remembered: remembered(&parts.headers),
            accepted: accepted(&parts.headers),
        })
    }
}

/// The page's own address, for its links. `//host` would be another site's.
fn here(uri: &Uri) -> String {
    let here = uri.path_and_query().map_or("/", |here| here.as_str());
    let is_ours = here.starts_with('/') && !here[1..].starts_with(['/', '\\']);
    if is_ours { here.to_owned() } else { "/".to_owned() }
}

/// Keeps a choice of language: in a cookie, and in the URL of the page that the answer leads to.
pub(in crate::http) async fn with_language(request: Request, next: Next) -> Response {
    let Some(language) = chosen(request.uri()) else {
        return next.run(request).await;
    };
    let new = remembered(request.headers()) != Some(language);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if !is_page(headers) {
        return response;
    }
    if new && let Ok(cookie) = HeaderValue::try_from(format!("{COOKIE}={}{COOKIE_ATTRIBUTES}", language.tag())) {
        headers.append(header::SET_COOKIE, cookie);
    }
    if let Some(location) = headers
        .get(header::LOCATION)
        .and_then(|location| handed_on(location, language))
    {
        headers.insert(header::LOCATION, location);
    }
    response
}

/// Whether the answer is a page or leads to one.
fn is_page(headers: &HeaderMap) -> bool {
    let is_html = |value: &HeaderValue| value.as_bytes().starts_with(b"text/html");
    headers.contains_key(header::LOCATION) || headers.get(header::CONTENT_TYPE).is_some_and(is_html)
}

/// The location with the language, if it is one of our own pages.
fn handed_on(location: &HeaderValue, language: Language) -> Option<HeaderValue> {
    let location = location.to_str().ok()?;
    let own = location.starts_with("/auth/") || location.starts_with("/t/");
    let uri: Uri = location.parse().ok().filter(|_| own && !location.contains('#'))?;
    if chosen(&uri).is_some() {
        return None;
    }
    let separator = if uri.query().is_some() { '&' } else { '?' };
    HeaderValue::try_from(format!("{location}{separator}{LANGUAGE_PARAMETER}={}", language.tag())).ok()
}

fn chosen(uri: &Uri) -> Option<Language> {
    let mut values = uri
        .query()?
        .split('&')
        .filter_map(|one| one.strip_prefix(LANGUAGE_PARAMETER));
    values.find_map(|value| Language::from_tag(value.strip_prefix('=')?))
}

fn remembered(headers: &HeaderMap) -> Option<Language> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut values = cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='));
    values.find_map(Language::from_tag)
}

fn accepted(headers: &HeaderMap) -> Option<Language> {
    Language::from_accept_language(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_goes_before_the_clients_wish_and_that_before_memory() {
        let visit = |chosen, remembered| Visit {
            chosen,
            remembered,
            accepted: Some(Language::English),
            ..Visit::default()
        };
        let german = Some(Language::German);
        assert_eq!(visit(german, None).language(Some("en")), Language::German);
        assert_eq!(visit(None, german).language(Some("en")), Language::English);
        assert_eq!(visit(None, german).language(Some("fr")), Language::German);
        assert_eq!(visit(None, None).language(None), Language::English);
    }

    #[test]
    fn a_choice_is_handed_on_to_our_own_pages_alone() {
        let handed = |location| {
            let location = HeaderValue::from_static(location);
            handed_on(&location, Language::German).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(
            handed("/auth/consent?request=x").as_deref(),
            Some("/auth/consent?request=x&language=de")
        );
        assert_eq!(
            handed("/t/demo/account").as_deref(),
            Some("/t/demo/account?language=de")
        );
        for other in [
            "https://photos.example/cb?code=x",
            "//evil.example/auth/",
            "com.example:/cb",
            "/auth/consent?language=en",
        ] {
            assert_eq!(handed(other), None, "{other}");
        }
    }
}
