//! A step as an HTTP answer: each page has its URL, and the request travels in it.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use credo_auth_domain::Denial;

use super::{
    error,
    redirect::{respond, see_other},
};
use crate::{
    app::App,
    flows::authorize::{SealedRequest, Step, Unreadable, next_step},
    http::form::pairs,
    refusal::Refusal,
};

/// Where somebody signs in.
pub(in crate::http) const SIGN_IN: &str = "/auth/sign-in";
/// Where a person is asked what a client may have.
pub(in crate::http) const CONSENT: &str = "/auth/consent";
/// Where a request goes on, wherever it stands.
pub(in crate::http) const CONTINUE: &str = "/auth/continue";

/// Sends the browser to where the next step is.
pub(in crate::http) fn go(app: &App, request: &SealedRequest, step: &Step) -> Response {
    match step {
        Step::SignIn(_) => see_other(&address(SIGN_IN, request)),
        Step::Consent(_) => see_other(&address(CONSENT, request)),
        Step::Answer(response) => respond(app, response),
    }
}

/// `GET /auth/continue`: a request goes on, wherever it stands.
pub(in crate::http) async fn resume(State(app): State<Arc<App>>, uri: Uri) -> Response {
    match open(&app, &uri) {
        Ok(request) => proceed(&app, &request).await,
        Err(refusal) => error::page(&app, &refusal),
    }
}

/// Looks what the next step is for this browser, and sends it there.
pub(super) async fn proceed(app: &Arc<App>, request: &SealedRequest) -> Response {
    match next_step(app, request, None).await {
        Ok(step) => go(app, request, &step),
        Err(refusal) => error::page(app, &refusal),
    }
}

/// The request in the query of a URL of ours.
pub(in crate::http) fn open(app: &App, uri: &Uri) -> Result<SealedRequest, Refusal> {
    let query = uri.query().unwrap_or_default().as_bytes();
    let mut texts = pairs(query).filter(|(name, _)| name == "request");
    let text = texts.next().and_then(|(_, text)| text).unwrap_or_default();
    read(app, &text)
}

/// The request that came back in a URL or in a form.
pub(in crate::http) fn read(app: &App, text: &str) -> Result<SealedRequest, Refusal> {
    let opened = SealedRequest::open(app.keyring.masters(), text, app.feed.database_now());
    opened.map_err(|Unreadable| Denial::RequestUnreadable.into())
}

/// The URL of a page of ours for a request.
pub(in crate::http) fn address(path: &str, request: &SealedRequest) -> String {
    format!("{path}?request={}", request.as_str())
}
