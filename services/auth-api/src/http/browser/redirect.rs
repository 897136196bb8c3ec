//! The one form in which an authorization response leaves: a 303 to the client, or a page that posts to it.
//!
//! Nothing goes anywhere but to the redirect URI of an [`AuthorizationResponse`], as it was written.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::response_mode::ResponseMode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    page::{FormAction, Page},
    visit::Visit,
};
use crate::{app::App, flows::authorize::AuthorizationResponse, http::answer::Internal, pages::FormPostPage};

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Sends the browser back to the client.
pub(in crate::http) fn respond(app: &App, visit: &Visit, response: &AuthorizationResponse) -> Response {
    if let Err(denial) = response.outcome {
        app.metrics.denied(denial);
        tracing::info!(reason = denial.reason(), "refused");
    }
    match response.response_mode {
        ResponseMode::Query => see_other(&location(&response.redirect_uri, &response.parameters())),
        ResponseMode::FormPost => form_post(visit, response),
    }
}

/// The page that posts to the client, and may lead nowhere else.
fn form_post(visit: &Visit, response: &AuthorizationResponse) -> Response {
    let look = visit.look(Some(&response.client.tenant), response.ui_locales.as_deref());
    let fields = response.parameters();
    let page = FormPostPage {
        redirect_uri: response.redirect_uri.clone(),
        client_name: response.client.display_name.clone(),
        fields: (fields.into_iter().map(|(name, value)| (name.to_owned(), value))).collect(),
    };
    Page::new(page.render(&look), &look)
        .with_form_action(FormAction::Redirect(response.redirect_uri.clone()))
        .with_script()
        .into_response()
}

/// A 303: whatever the method was, the next one is GET.
pub(in crate::http) fn see_other(location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => Internal.into_response(),
    }
}

/// A redirect URI with parameters behind what its query holds already.
fn location(redirect_uri: &str, parameters: &[(&str, String)]) -> String {
    let mut location = redirect_uri.to_owned();
    for (name, value) in parameters {
        append(&mut location, name, value);
    }
    location
}

/// Adds a parameter to a registered URI, behind what its query holds already.
pub(in crate::http) fn append(location: &mut String, name: &str, value: &str) {
    let separator = match location.find('?') {
        None => "?",
        Some(_) if location.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    location.push_str(separator);
    location.push_str(name);
    location.push('=');
    location.extend(utf8_percent_encode(value, RESERVED));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn az_14_parameters_follow_the_query_that_was_registered_and_are_encoded_byte_for_byte() {
        let parameters = [
            ("state", "a &#+%=\u{fc}\"".to_owned()),
            ("iss", "https://id.example/t/demo".to_owned()),
        ];
        for (redirect_uri, start) in [
            ("https://app.example/cb", "https://app.example/cb?"),
            ("https://app.example/cb?", "https://app.example/cb?"),
            ("https://app.example/cb?a=%2f", "https://app.example/cb?a=%2f&"),
            ("https://app.example/cb?a=b&", "https://app.example/cb?a=b&"),
            ("com.example.app:/cb", "com.example.app:/cb?"),
        ] {
            assert_eq!(
                location(redirect_uri, &parameters),
                format!("{start}state=a%20%26%23%2B%25%3D%C3%BC%22&iss=https%3A%2F%2Fid.example%2Ft%2Fdemo")
            );
        }
    }
}
