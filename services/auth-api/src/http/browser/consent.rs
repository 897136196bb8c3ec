//! `GET` and `POST /auth/consent`: a person is asked what a client may have, and answers.
//!
//! Only a form of this page, shown to the person who is signed in now, is an answer; everything else changes nothing.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::{Denial, scope::Scope};

use super::{
    cookies::{self, Cookies},
    csrf::{self, Purpose},
    error,
    page::{FormAction, Page},
    redirect, step,
    visit::Visit,
};
use crate::{
    app::App,
    audit::RequestContext,
    flows::{
        authorize::{ConsentQuestion, SealedRequest, Step, allow, deny},
        browser::session::BrowserSession,
    },
    http::{
        context::Context,
        form::{Form, Parameters},
        openapi::{answers::Pages, schemas::ConsentForm},
    },
    pages::{ConsentPage, ConsentScope},
    refusal::Refusal,
};

/// `GET /auth/consent`.
#[utoipa::path(
    get, path = "/auth/consent", tag = "Pages", operation_id = "consent_page",
    params(("request" = String, Query, description = "From an earlier answer")), responses(Pages)
)]
pub(in crate::http) async fn page(
    State(app): State<Arc<App>>,
    Context(context): Context,
    visit: Visit,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let shown = async {
        let request = step::open(&app, &uri)?;
        let (step, browser) = step::look(&app, &context, &request, &headers).await?;
        match (step, browser) {
            (Step::Consent(question), Some(browser)) => show(&app, (&visit, &headers), (&request, &question), &browser),
            (step, _) => Ok(step::go(&app, &visit, &request, &step)),
        }
    };
    shown
        .await
        .unwrap_or_else(|refusal: Refusal| error::page(&app, &visit, &refusal))
}

/// `POST /auth/consent`.
#[utoipa::path(
    post, path = "/auth/consent", tag = "Pages", operation_id = "consent",
    request_body(content = ConsentForm, content_type = "application/x-www-form-urlencoded"), responses(Pages)
)]
pub(in crate::http) async fn form(
    State(app): State<Arc<App>>,
    Context(context): Context,
    visit: Visit,
    headers: HeaderMap,
    Form(form): Form,
) -> Response {
    let answered = async { answer(&app, context, (&visit, &headers), form?).await };
    answered
        .await
        .unwrap_or_else(|refusal: Refusal| error::page(&app, &visit, &refusal))
}

async fn answer(
    app: &Arc<App>,
    context: RequestContext,
    (visit, headers): (&Visit, &HeaderMap),
    mut form: Parameters,
) -> Result<Response, Refusal> {
    let request = step::read(app, &form.take("request").unwrap_or_default())?;
    let Some(browser) = step::browser_of(app, &request, headers).await? else {
        // Signed out meanwhile. Going on asks the person to sign in, and then again for consent.
        return Ok(redirect::see_other(&step::address(step::CONTINUE, &request)));
    };
    let purpose = (Purpose::Consent, Some(browser.id));
    if let Err(kind) = csrf::check(app, headers, purpose, form.take(csrf::FIELD).as_deref()) {
        return Ok(csrf::forged(visit, kind));
    }
    let allowed = match form.take("decision").as_deref() {
        Some("allow") => true,
        Some("deny") => false,
        _ => return Err(Denial::InvalidRequest("decision must be allow or deny").into()),
    };
    let work = {
        let (app, request) = (Arc::clone(app), request.clone());
        async move {
            if allowed {
                allow(&app, &context, &request, &browser).await
            } else {
                deny(&app, &request).await
            }
        }
    };
    let step = app.finish(work).await?;
    Ok(step::go(app, visit, &request, &step))
}

fn show(
    app: &App,
    (visit, headers): (&Visit, &HeaderMap),
    (request, question): (&SealedRequest, &ConsentQuestion),
    browser: &BrowserSession,
) -> Result<Response, Refusal> {
    let token = csrf::issue(app, &Cookies::of(headers), Purpose::Consent, Some(browser.id))?;
    let tenant = &question.client.tenant;
    let look = visit.look(Some(tenant), request.request.ui_locales.as_deref());
    let page = ConsentPage {
        action: step::CONSENT.to_owned(),
        client_name: question.client.display_name.clone(),
        redirect_uri: request.request.redirect_uri.clone(),
        name: browser.display_name.clone(),
        email: browser.email.clone(),
        scopes: asked(&question.new, false)
            .chain(asked(&question.granted, true))
            .collect(),
        account_url: format!("/t/{}/account", tenant.slug),
        switch_account_url: Some(switch_account(app, request, browser)?),
        csrf: token.field,
        request: request.as_str().to_owned(),
    };
    let mut response = Page::new(page.render(&look), &look)
        .with_form_action(FormAction::Redirect(request.request.redirect_uri.clone()))
        .into_response();
    cookies::add(&mut response, token.set_cookie);
    Ok(response)
}

/// Where the same request begins with the choice of who signs in.
fn switch_account(app: &App, request: &SealedRequest, browser: &BrowserSession) -> Result<String, Refusal> {
    let mut choosing = request.request.clone();
    choosing.prompt.select_account = true;
    let choosing = SealedRequest::seal(app.keyring.masters(), choosing, browser.at)?;
    Ok(step::address(step::SIGN_IN, &choosing))
}

fn asked(scope: &Scope, already_granted: bool) -> impl Iterator<Item = ConsentScope> + '_ {
    scope.iter().map(move |token| ConsentScope {
        scope: token.to_owned(),
        already_granted,
    })
}
