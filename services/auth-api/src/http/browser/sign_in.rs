//! The sign-in page: `GET|POST /auth/sign-in` on the way of an authorization request, `GET|POST /t/{slug}/sign-in` on the way
//! to the tenant's own pages.
//!
//! A wrong password is answered with the page, the address kept; a right one with a 303 and fresh cookies. What the browser
//! brought along is never adopted. An unknown person, a wrong password and a disabled person get one answer.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::{Denial, authorization_request::WhySignIn, email_address::EmailAddress, password::Password};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    cookies::{self, Cookies},
    csrf::{self, Purpose},
    entrance::Entrance,
    error,
    page::Page,
    redirect,
    visit::Visit,
};
use crate::{
    app::App,
    audit::RequestContext,
    flows::browser::session::{self, BrowserSession, SignedIn},
    http::{
        context::Context,
        form::{Form, Parameters},
        openapi::{answers::Pages, schemas::SignInForm},
    },
    pages::{ContinueAs, ErrorKind, SignInError, SignInPage, SignInReason},
    refusal::Refusal,
};

/// What somebody typed.
#[derive(Default)]
struct Typed {
    email: String,
    password: SecretString,
}

/// What the page says beside its form.
#[derive(Default)]
struct Remarks {
    email: String,
    error: Option<SignInError>,
    reason: Option<SignInReason>,
    continue_as: Option<ContinueAs>,
}

/// `GET /t/{slug}/sign-in`.
#[utoipa::path(
    get, path = "/t/{slug}/sign-in", tag = "Pages", operation_id = "tenant_sign_in_page",
    params(("slug" = String, Path, description = "The tenant")), responses(Pages)
)]
pub(in crate::http) async fn tenant_page(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    cookies: Cookies,
    visit: Visit,
) -> Response {
    match Entrance::of_tenant(&app, &slug).await {
        Ok(Some(entrance)) => page(&app, &visit, (&entrance, &cookies), Remarks::default()),
        Ok(None) => visit.error(ErrorKind::NotFound).into_response(),
        Err(refusal) => error::page(&app, &visit, &refusal),
    }
}

/// `GET /auth/sign-in`. Whoever need not sign in any more goes on: another tab, or the back button.
#[utoipa::path(
    get, path = "/auth/sign-in", tag = "Pages", operation_id = "sign_in_page",
    params(("request" = String, Query, description = "From an earlier answer")), responses(Pages)
)]
pub(in crate::http) async fn request_page(
    State(app): State<Arc<App>>,
    cookies: Cookies,
    visit: Visit,
    uri: Uri,
) -> Response {
    let looked = async {
        let entrance = Entrance::of_query(&app, &uri).await?;
        let signed_in = find(&app, &entrance, &cookies).await?;
        Ok::<_, Refusal>((entrance, signed_in))
    };
    let (entrance, signed_in) = match looked.await {
        Ok(looked) => looked,
        Err(refusal) => return error::page(&app, &visit, &refusal),
    };
    let Some(why) = entrance.why_sign_in(signed_in.as_ref()) else {
        return redirect::see_other(&entrance.destination());
    };
    let was_signed_in = cookies.signed_in(&entrance.tenant.slug).is_some();
    let continue_as = signed_in.filter(|_| why == WhySignIn::SelectAccount);
    let remarks = Remarks {
        email: entrance.hint(),
        error: None,
        reason: reason(why, was_signed_in),
        continue_as: continue_as.map(|person| ContinueAs {
            name: person.display_name.clone(),
            email: person.email.clone(),
        }),
    };
    page(&app, &visit, (&entrance, &cookies), remarks)
}

const fn reason(why: WhySignIn, was_signed_in: bool) -> Option<SignInReason> {
    match why {
        WhySignIn::Nobody if was_signed_in => Some(SignInReason::Ended),
        WhySignIn::Nobody | WhySignIn::SomebodyElse => None,
        WhySignIn::Asked | WhySignIn::TooLongAgo => Some(SignInReason::Again),
        WhySignIn::SelectAccount => Some(SignInReason::Choose),
    }
}

/// `POST /t/{slug}/sign-in`.
#[utoipa::path(
    post, path = "/t/{slug}/sign-in", tag = "Pages", operation_id = "tenant_sign_in",
    params(("slug" = String, Path, description = "The tenant")),
    request_body(content = SignInForm, content_type = "application/x-www-form-urlencoded"), responses(Pages)
)]
pub(in crate::http) async fn tenant_form(
    State(app): State<Arc<App>>,
    Context(context): Context,
    Path(slug): Path<String>,
    (headers, visit): (HeaderMap, Visit),
    Form(form): Form,
) -> Response {
    match (Entrance::of_tenant(&app, &slug).await, form) {
        (Ok(Some(entrance)), Ok(form)) => submitted(&app, &context, &visit, entrance, (&headers, form)).await,
        (Ok(None), _) => visit.error(ErrorKind::NotFound).into_response(),
        (Ok(Some(_)), Err(denial)) => error::page(&app, &visit, &denial.into()),
        (Err(refusal), _) => error::page(&app, &visit, &refusal),
    }
}

/// `POST /auth/sign-in`.
#[utoipa::path(
    post, path = "/auth/sign-in", tag = "Pages", operation_id = "sign_in",
    request_body(content = SignInForm, content_type = "application/x-www-form-urlencoded"), responses(Pages)
)]
pub(in crate::http) async fn request_form(
    State(app): State<Arc<App>>,
    Context(context): Context,
    (headers, visit): (HeaderMap, Visit),
    Form(form): Form,
) -> Response {
    let mut form = match form {
        Ok(form) => form,
        Err(denial) => return error::page(&app, &visit, &denial.into()),
    };
    let request = form.take("request").unwrap_or_default();
    match Entrance::of_request(&app, &request).await {
        Ok(entrance) => submitted(&app, &context, &visit, entrance, (&headers, form)).await,
        Err(refusal) => error::page(&app, &visit, &refusal),
    }
}

async fn submitted(
    app: &Arc<App>,
    context: &RequestContext,
    visit: &Visit,
    entrance: Entrance,
    (headers, mut form): (&HeaderMap, Parameters),
) -> Response {
    let token = form.take(csrf::FIELD);
    if let Err(kind) = csrf::check(app, headers, (Purpose::SignIn, None), token.as_deref()) {
        return csrf::forged(visit, kind);
    }
    let cookies = Cookies::of(headers);
    if form.take("continue").is_some() {
        return go_on(app, visit, &entrance, &cookies).await;
    }
    let typed = Typed {
        email: form.take("email").unwrap_or_default(),
        password: form.take_secret("password").unwrap_or_default(),
    };
    let mut remarks = Remarks {
        email: typed.email.clone(),
        error: typed.what_is_missing(),
        ..Remarks::default()
    };
    if remarks.error.is_some() {
        return page(app, visit, (&entrance, &cookies), remarks);
    }
    let entrance = Arc::new(entrance);
    let work = {
        let (app, context, entrance, cookies) =
            (Arc::clone(app), context.clone(), Arc::clone(&entrance), cookies.clone());
        async move { sign_in(&app, &context, (&entrance, &cookies), &typed).await }
    };
    match app.finish(work).await {
        Ok(signed_in) => welcome(app, visit, &entrance, &signed_in),
        Err(Refusal::Denied(denial)) => {
            app.metrics.denied(denial);
            tracing::info!(reason = denial.reason(), "refused");
            remarks.error = Some(explain(denial));
            page(app, visit, (&entrance, &cookies), remarks)
        }
        Err(refusal) => error::page(app, visit, &refusal),
    }
}

impl Typed {
    fn what_is_missing(&self) -> Option<SignInError> {
        match (self.email.is_empty(), self.password.expose_secret().is_empty()) {
            (true, true) => Some(SignInError::NoEmailAndPassword),
            (true, false) => Some(SignInError::NoEmail),
            (false, true) => Some(SignInError::NoPassword),
            (false, false) => None,
        }
    }
}

/// What the page says of a refusal. One answer for every proof that is not good.
const fn explain(denial: Denial) -> SignInError {
    match denial {
        Denial::TooManyAttempts { retry_after_seconds } => SignInError::TooManyAttempts { retry_after_seconds },
        _ => SignInError::Wrong,
    }
}

/// The person stays who they are: the choice that the client asked for is made.
async fn go_on(app: &App, visit: &Visit, entrance: &Entrance, cookies: &Cookies) -> Response {
    let location = match find(app, entrance, cookies).await {
        Ok(Some(_)) => entrance.chosen(app),
        Ok(None) => Ok(entrance.here()),
        Err(refusal) => Err(refusal),
    };
    match location {
        Ok(location) => redirect::see_other(&location),
        Err(refusal) => error::page(app, visit, &refusal),
    }
}

async fn find(app: &App, entrance: &Entrance, cookies: &Cookies) -> Result<Option<BrowserSession>, Refusal> {
    session::find(app, &entrance.tenant, cookies.signed_in(&entrance.tenant.slug)).await
}

async fn sign_in(
    app: &App,
    context: &RequestContext,
    (entrance, cookies): (&Entrance, &Cookies),
    typed: &Typed,
) -> Result<SignedIn, Refusal> {
    let email = EmailAddress::parse(&typed.email).map_err(|_| Denial::WrongProof)?;
    let password = Password::typed(typed.password.expose_secret()).map_err(|_| Denial::WrongProof)?;
    let previous = find(app, entrance, cookies).await?;
    let visit = session::Visit {
        tenant: &entrance.tenant,
        client: entrance.client_id(),
        device: cookies.device(),
        previous: previous.as_ref(),
    };
    session::sign_in(app, context, &visit, (&email, &password)).await
}

/// 303 to where the person wanted to go.
fn welcome(app: &App, visit: &Visit, entrance: &Entrance, signed_in: &SignedIn) -> Response {
    match signed_in_cookies(&entrance.tenant.slug, signed_in) {
        Ok(cookies) => {
            let mut response = redirect::see_other(&entrance.destination());
            cookies::add(&mut response, cookies);
            response
        }
        Err(refusal) => error::page(app, visit, &refusal),
    }
}

/// What keeps a browser signed in.
pub(super) fn signed_in_cookies(slug: &str, signed_in: &SignedIn) -> Result<[HeaderValue; 2], Refusal> {
    Ok([
        cookies::sign_in(slug, signed_in.cookie.expose_secret())?,
        cookies::remember_device(signed_in.session.device)?,
    ])
}

fn page(app: &App, visit: &Visit, (entrance, cookies): (&Entrance, &Cookies), remarks: Remarks) -> Response {
    let token = match csrf::issue(app, cookies, Purpose::SignIn, None) {
        Ok(token) => token,
        Err(refusal) => return error::page(app, visit, &refusal),
    };
    let (status, retry_after_seconds) = match remarks.error {
        None => (StatusCode::OK, None),
        Some(SignInError::TooManyAttempts { retry_after_seconds }) => {
            (StatusCode::TOO_MANY_REQUESTS, Some(retry_after_seconds))
        }
        Some(_) => (StatusCode::BAD_REQUEST, None),
    };
    let view = SignInPage {
        action: entrance.action(),
        client_name: entrance.client.as_ref().map(|client| client.display_name.clone()),
        email: remarks.email,
        error: remarks.error,
        reason: remarks.reason,
        continue_as: remarks.continue_as,
        csrf: token.field,
        request: entrance.request.as_ref().map(|request| request.as_str().to_owned()),
    };
    let look = visit
        .look(Some(&entrance.tenant), entrance.ui_locales())
        .at(&entrance.here());
    let page = Page::new(view.render(&look), &look)
        .with_status(status)
        .retry_after(retry_after_seconds)
        .with_form_action(entrance.form_action());
    let mut response = page.into_response();
    cookies::add(&mut response, token.set_cookie);
    response
}
