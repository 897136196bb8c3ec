//! A step as an HTTP answer: each page has its URL, and the request travels in it.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use credo_auth_domain::Denial;

use super::{
    cookies::Cookies,
    error,
    redirect::{respond, see_other},
    visit::Visit,
};
use crate::{
    app::App,
    audit::RequestContext,
    flows::{
        authorize::{SealedRequest, Step, Unreadable, find_client, next_step},
        browser::session::{self, BrowserSession},
    },
    http::{context::Context, form::pairs, openapi::answers::Pages},
    refusal::Refusal,
};

/// Where somebody signs in.
pub(in crate::http) const SIGN_IN: &str = "/auth/sign-in";
/// Where a person is asked what a client may have.
pub(in crate::http) const CONSENT: &str = "/auth/consent";
/// Where a request goes on, wherever it stands.
pub(in crate::http) const CONTINUE: &str = "/auth/continue";

/// `GET /auth/continue`: a request goes on, wherever it stands.
#[utoipa::path(
    get, path = "/auth/continue", tag = "Pages", operation_id = "continue",
    params(("request" = String, Query, description = "From an earlier answer")), responses(Pages)
)]
pub(in crate::http) async fn resume(
    State(app): State<Arc<App>>,
    Context(context): Context,
    visit: Visit,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match open(&app, &uri) {
        Ok(request) => proceed(&app, (&context, &visit), &request, &headers).await,
        Err(refusal) => error::page(&app, &visit, &refusal),
    }
}

/// Looks what the next step is for this browser, and sends it there.
pub(super) async fn proceed(
    app: &Arc<App>,
    (context, visit): (&RequestContext, &Visit),
    request: &SealedRequest,
    headers: &HeaderMap,
) -> Response {
    match look(app, context, request, headers).await {
        Ok((step, _)) => go(app, visit, request, &step),
        Err(refusal) => error::page(app, visit, &refusal),
    }
}

/// The next step for this browser, and who is signed in with it.
pub(super) async fn look(
    app: &Arc<App>,
    context: &RequestContext,
    request: &SealedRequest,
    headers: &HeaderMap,
) -> Result<(Step, Option<BrowserSession>), Refusal> {
    let work = {
        let (app, context, request, headers) = (Arc::clone(app), context.clone(), request.clone(), headers.clone());
        async move {
            let browser = browser_of(&app, &request, &headers).await?;
            let step = next_step(&app, &context, &request, browser.as_ref()).await?;
            Ok((step, browser))
        }
    };
    app.finish(work).await
}

/// Who is signed in to the tenant of the request's client with the browser that sent `headers`.
pub(super) async fn browser_of(
    app: &App,
    request: &SealedRequest,
    headers: &HeaderMap,
) -> Result<Option<BrowserSession>, Refusal> {
    let client = find_client(app, request).await?;
    let cookies = Cookies::of(headers);
    session::find(app, &client.tenant, cookies.signed_in(&client.tenant.slug)).await
}

/// Sends the browser to where the next step is.
pub(in crate::http) fn go(app: &App, visit: &Visit, request: &SealedRequest, step: &Step) -> Response {
    match step {
        Step::SignIn(_) => see_other(&address(SIGN_IN, request)),
        Step::Consent(_) => see_other(&address(CONSENT, request)),
        Step::Answer(response) => respond(app, visit, response),
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
