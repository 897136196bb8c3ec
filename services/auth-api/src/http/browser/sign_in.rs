//! The sign-in page: `GET|POST /t/{slug}/sign-in` for the tenant's own pages.
//!
//! A page answers a wrong password with itself, the address kept; a right one with a 303 and fresh cookies. What the
//! browser brought along is never adopted.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use credo_auth_domain::{Denial, email_address::EmailAddress, password::Password, tenant::Tenant};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    cookies::{self, Cookies},
    csrf::{self, Purpose},
};
use crate::{
    app::App,
    audit::RequestContext,
    flows::browser::session::{self, SignedIn, Visit},
    http::{
        answer::{Answer, not_found},
        context::Context,
        form::Form,
    },
    refusal::Refusal,
};

/// What somebody typed.
struct Typed {
    email: String,
    password: SecretString,
}

/// `GET /t/{slug}/sign-in`.
pub(in crate::http) async fn tenant_page(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    cookies: Cookies,
) -> Response {
    match app.directory.resolve_tenant(&slug).await {
        Ok(Some(tenant)) => page(&app, &tenant, &cookies, ("", None)),
        Ok(None) => not_found().await,
        Err(refusal) => Answer::new(&app).refusal(&refusal),
    }
}

/// `POST /t/{slug}/sign-in`.
pub(in crate::http) async fn tenant_form(
    State(app): State<Arc<App>>,
    Context(context): Context,
    Path(slug): Path<String>,
    headers: HeaderMap,
    Form(form): Form,
) -> Response {
    let tenant = match app.directory.resolve_tenant(&slug).await {
        Ok(Some(tenant)) => tenant,
        Ok(None) => return not_found().await,
        Err(refusal) => return Answer::new(&app).refusal(&refusal),
    };
    let mut form = match form {
        Ok(form) => form,
        Err(denial) => return Answer::new(&app).refusal(&denial.into()),
    };
    if let Err(forged) = csrf::check(
        &app,
        &headers,
        (Purpose::SignIn, None),
        form.take(csrf::FIELD).as_deref(),
    ) {
        return forged.into_response();
    }
    let typed = Typed {
        email: form.take("email").unwrap_or_default(),
        password: form.take_secret("password").unwrap_or_default(),
    };
    let cookies = Cookies::of(&headers);
    let (email, brought) = (typed.email.clone(), cookies.clone());
    let work = {
        let (app, tenant) = (Arc::clone(&app), Arc::clone(&tenant));
        async move { sign_in(&app, &context, (&tenant, &brought), &typed).await }
    };
    match app.finish(work).await {
        Ok(signed_in) => welcome(&app, &tenant, &signed_in),
        Err(Refusal::Denied(denial)) => {
            app.metrics.denied(denial);
            page(&app, &tenant, &cookies, (&email, Some(denial)))
        }
        Err(refusal) => Answer::new(&app).refusal(&refusal),
    }
}

async fn sign_in(
    app: &App,
    context: &RequestContext,
    (tenant, cookies): (&Tenant, &Cookies),
    typed: &Typed,
) -> Result<SignedIn, Refusal> {
    let previous = session::find(app, tenant, cookies.signed_in(&tenant.slug)).await?;
    let email = EmailAddress::parse(&typed.email).map_err(|_| Denial::WrongProof)?;
    let password = Password::typed(typed.password.expose_secret()).map_err(|_| Denial::WrongProof)?;
    let visit = Visit {
        tenant,
        client: None,
        device: cookies.device(),
        previous: previous.as_ref(),
    };
    session::sign_in(app, context, &visit, (&email, &password)).await
}

/// 303 to where the person wanted to go.
fn welcome(app: &App, tenant: &Tenant, signed_in: &SignedIn) -> Response {
    let kept = cookies::sign_in(&tenant.slug, signed_in.cookie.expose_secret());
    let device = cookies::remember_device(signed_in.session.device);
    let cookies = match (kept, device) {
        (Ok(kept), Ok(device)) => [kept, device],
        (Err(refusal), _) | (_, Err(refusal)) => return Answer::new(app).refusal(&refusal),
    };
    let Ok(location) = HeaderValue::try_from(format!("/t/{}/account", tenant.slug)) else {
        return Answer::new(app).refusal(&Refusal::internal("a slug that no header can hold"));
    };
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    cookies::add(&mut response, cookies);
    response
}

fn page(app: &App, tenant: &Tenant, cookies: &Cookies, (email, denial): (&str, Option<Denial>)) -> Response {
    let token = match csrf::issue(app, cookies, Purpose::SignIn, None) {
        Ok(token) => token,
        Err(refusal) => return Answer::new(app).refusal(&refusal),
    };
    let status = match denial {
        None => StatusCode::OK,
        Some(Denial::TooManyAttempts { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(_) => StatusCode::BAD_REQUEST,
    };
    let html = format!(
        "<!doctype html><title>Sign in</title><form method=post action=\"/t/{slug}/sign-in\">{error}\
         <input type=hidden name=csrf value=\"{csrf}\"><input name=email value=\"{email}\">\
         <input name=password type=password><button id=sign-in>Sign in</button></form>",
        slug = tenant.slug,
        csrf = token.field,
        email = escape(email),
        error = denial.map(|denial| format!("<p>{denial}")).unwrap_or_default(),
    );
    let mut response = (status, Html(html)).into_response();
    if let Some(Denial::TooManyAttempts { retry_after_seconds }) = denial {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, retry_after_seconds.into());
    }
    cookies::add(&mut response, token.set_cookie);
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}
