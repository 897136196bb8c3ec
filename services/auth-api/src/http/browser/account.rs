//! A person's own page, `GET /t/{slug}/account`, and what its forms do.
//!
//! What is another person's is not found.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::{
    Denial, connected_app,
    password::{MIN_CHARACTERS, UnusablePassword},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    cookies::{self, Cookies},
    csrf::{self, Purpose},
    error,
    page::Page,
    person::{Person, PersonForm},
    redirect,
    sign_in::signed_in_cookies,
    visit::Visit,
};
use crate::{
    app::App,
    flows::browser::{
        account::{self, Account, EndedBrowser},
        password::{Changed, change_password},
    },
    http::{
        form::Parameters,
        openapi::{answers::Pages, schemas::AccountForm},
    },
    pages::{AccountNotice, AccountPage, AccountSession, ConnectedApp, ErrorKind, PasswordProblem, SessionKind},
    refusal::Refusal,
};

/// Names a browser or a session in the form that ends it.
const BROWSER: &str = "browser-";
const SESSION: &str = "session-";
/// In the query of the page: what was just done.
const NOTICE: &str = "done";

/// `GET /t/{slug}/account`.
#[utoipa::path(
    get, path = "/t/{slug}/account", tag = "Pages", operation_id = "account_page", params(("slug" = String, Path, description = "The tenant")), responses(Pages)
)]
pub(in crate::http) async fn page(person: Person, uri: Uri) -> Response {
    let query = Parameters::parse(uri.query().unwrap_or_default().as_bytes());
    let notice = query.ok().and_then(|mut query| query.take(NOTICE));
    person
        .show(notice.and_then(|name| AccountNotice::from_name(&name)), None)
        .await
}

/// `POST /t/{slug}/account/sign-out`.
#[utoipa::path(
    post, path = "/t/{slug}/account/sign-out", tag = "Pages", operation_id = "account_sign_out", params(("slug" = String, Path, description = "The tenant")),
    request_body(content = AccountForm, content_type = "application/x-www-form-urlencoded"), responses(Pages)
)]
pub(in crate::http) async fn sign_out(PersonForm { person, .. }: PersonForm) -> Response {
    let work = {
        let person = Arc::clone(&person);
        async move { account::sign_out(&person.app, &person.context, &person.session).await }
    };
    match person.app.finish(work).await {
        Ok(()) => person.signed_out(),
        Err(refusal) => error::page(&person.app, &person.visit, &refusal),
    }
}

/// `POST /t/{slug}/account/sessions/revoke`.
#[utoipa::path(
    post, path = "/t/{slug}/account/sessions/revoke", tag = "Pages", operation_id = "account_end_session", params(("slug" = String, Path, description = "The tenant")),
    request_body(content = AccountForm, content_type = "application/x-www-form-urlencoded"), responses(Pages)
)]
pub(in crate::http) async fn end_session(PersonForm { person, mut form }: PersonForm) -> Response {
    let named = form.take("session").unwrap_or_default();
    let work = {
        let person = Arc::clone(&person);
        async move { person.end(&named).await }
    };
    match person.app.finish(work).await {
        Ok(EndedBrowser::Another) => person.done(AccountNotice::SessionEnded),
        Ok(EndedBrowser::This) => person.signed_out(),
        Ok(EndedBrowser::Unknown) => person.visit.error(ErrorKind::NotFound).into_response(),
        Err(refusal) => error::page(&person.app, &person.visit, &refusal),
    }
}

/// `POST /t/{slug}/account/apps/revoke`.
#[utoipa::path(
    post, path = "/t/{slug}/account/apps/revoke", tag = "Pages", operation_id = "account_revoke_app", params(("slug" = String, Path, description = "The tenant")),
    request_body(content = AccountForm, content_type = "application/x-www-form-urlencoded"), responses(Pages)
)]
pub(in crate::http) async fn revoke_app(form: PersonForm) -> Response {
    change_app(form, AccountNotice::AppRevoked).await
}

/// `POST /t/{slug}/account/apps/forget`.
#[utoipa::path(
    post, path = "/t/{slug}/account/apps/forget", tag = "Pages", operation_id = "account_forget_app", params(("slug" = String, Path, description = "The tenant")),
    request_body(content = AccountForm, content_type = "application/x-www-form-urlencoded"), responses(Pages)
)]
pub(in crate::http) async fn forget_app(form: PersonForm) -> Response {
    change_app(form, AccountNotice::AppForgotten).await
}

async fn change_app(PersonForm { person, mut form }: PersonForm, done: AccountNotice) -> Response {
    let Some(client) = form.take("client").and_then(|client| client.parse().ok()) else {
        return person.visit.error(ErrorKind::NotFound).into_response();
    };
    let work = {
        let person = Arc::clone(&person);
        async move {
            let (app, context, session) = (&person.app, &person.context, &person.session);
            match done {
                AccountNotice::AppForgotten => account::forget_app(app, context, session, client).await,
                _ => account::revoke_app(app, context, session, client).await,
            }
        }
    };
    match person.app.finish(work).await {
        Ok(true) => person.done(done),
        Ok(false) => person.visit.error(ErrorKind::NotFound).into_response(),
        Err(refusal) => error::page(&person.app, &person.visit, &refusal),
    }
}

/// `POST /t/{slug}/account/password`.
#[utoipa::path(
    post, path = "/t/{slug}/account/password", tag = "Pages", operation_id = "account_change_password", params(("slug" = String, Path, description = "The tenant")),
    request_body(content = AccountForm, content_type = "application/x-www-form-urlencoded"), responses(Pages)
)]
pub(in crate::http) async fn password(PersonForm { person, mut form }: PersonForm) -> Response {
    let current = form.take_secret("current_password").unwrap_or_default();
    let new = form.take_secret("new_password").unwrap_or_default();
    for (text, problem) in [(&current, PasswordProblem::NoCurrent), (&new, PasswordProblem::NoNew)] {
        if text.expose_secret().is_empty() {
            return person.show(None, Some(problem)).await;
        }
    }
    let work = {
        let person = Arc::clone(&person);
        async move { person.change(&current, &new).await }
    };
    match person.app.finish(work).await {
        Ok(Changed::Done(signed_in)) => match signed_in_cookies(&person.tenant.slug, &signed_in) {
            Ok(kept) => {
                let mut response = person.done(AccountNotice::PasswordChanged);
                cookies::add(&mut response, kept);
                response
            }
            Err(refusal) => error::page(&person.app, &person.visit, &refusal),
        },
        Ok(Changed::Unusable(unusable)) => person.show(None, Some(explain(unusable))).await,
        Ok(Changed::SignedOut) => redirect::see_other(&person.base()),
        Err(Refusal::Denied(denial)) => {
            person.app.metrics.denied(denial);
            tracing::info!(reason = denial.reason(), "refused");
            let problem = match denial {
                Denial::TooManyAttempts { retry_after_seconds } => {
                    PasswordProblem::TooManyAttempts { retry_after_seconds }
                }
                _ => PasswordProblem::WrongCurrent,
            };
            person.show(None, Some(problem)).await
        }
        Err(refusal) => error::page(&person.app, &person.visit, &refusal),
    }
}

fn explain(unusable: UnusablePassword) -> PasswordProblem {
    match unusable {
        UnusablePassword::TooShort => PasswordProblem::TooShort {
            minimum: u32::try_from(MIN_CHARACTERS).unwrap_or(u32::MAX),
        },
        UnusablePassword::TooLong => PasswordProblem::TooLong,
        UnusablePassword::Common => PasswordProblem::Common,
        UnusablePassword::Guessable => PasswordProblem::Guessable,
    }
}

/// `GET /.well-known/change-password` (W3C Well-Known URL for Changing Passwords): where one can, if that can be told.
#[utoipa::path(
    get, path = "/.well-known/change-password", tag = "Pages", operation_id = "change_password",
    responses((status = 302, description = "`Location` is the account page"), Pages)
)]
pub(in crate::http) async fn change_password_url(cookies: Cookies, visit: Visit, _: State<Arc<App>>) -> Response {
    let slugs: Vec<&str> = cookies.slugs().take(2).collect();
    let location = match slugs[..] {
        [slug] => HeaderValue::try_from(format!("/t/{slug}/account")).ok(),
        _ => None,
    };
    match location {
        Some(location) => (StatusCode::FOUND, [(header::LOCATION, location)]).into_response(),
        None => visit.error(ErrorKind::WhichAccount).into_response(),
    }
}

impl Person {
    /// Path of the page.
    fn base(&self) -> String {
        format!("/t/{}/account", self.tenant.slug)
    }

    /// 303 to the page, which says what was done.
    fn done(&self, notice: AccountNotice) -> Response {
        redirect::see_other(&format!("{}?{NOTICE}={}", self.base(), notice.name()))
    }

    /// 303 to the page that says so, without the cookie.
    fn signed_out(&self) -> Response {
        let slug = &self.tenant.slug;
        match cookies::sign_out(slug) {
            Ok(cleared) => {
                let mut response = redirect::see_other(&format!("/auth/signed-out?tenant={slug}"));
                cookies::add(&mut response, [cleared]);
                response
            }
            Err(refusal) => error::page(&self.app, &self.visit, &refusal),
        }
    }

    async fn end(&self, named: &str) -> Result<EndedBrowser, Refusal> {
        if let Some(Ok(id)) = named.strip_prefix(BROWSER).map(str::parse) {
            return account::end_browser(&self.app, &self.context, &self.session, id).await;
        }
        if let Some(Ok(id)) = named.strip_prefix(SESSION).map(str::parse)
            && account::end_session(&self.app, &self.context, &self.session, id).await?
        {
            return Ok(EndedBrowser::Another);
        }
        Ok(EndedBrowser::Unknown)
    }

    async fn change(&self, current: &SecretString, new: &SecretString) -> Result<Changed, Refusal> {
        change_password(&self.app, &self.context, (&self.tenant, &self.session), (current, new)).await
    }

    async fn show(&self, notice: Option<AccountNotice>, problem: Option<PasswordProblem>) -> Response {
        let looked = async {
            let account = account::look(&self.app, &self.session).await?;
            let form = (Purpose::Account, Some(self.session.id));
            Ok::<_, Refusal>((account, csrf::issue(&self.app, &self.cookies, form.0, form.1)?))
        };
        let (account, token) = match looked.await {
            Ok(looked) => looked,
            Err(refusal) => return error::page(&self.app, &self.visit, &refusal),
        };
        let (status, retry_after_seconds) = match problem {
            None => (StatusCode::OK, None),
            Some(PasswordProblem::TooManyAttempts { retry_after_seconds }) => {
                (StatusCode::TOO_MANY_REQUESTS, Some(retry_after_seconds))
            }
            Some(_) => (StatusCode::BAD_REQUEST, None),
        };
        let view = AccountPage {
            base: self.base(),
            name: self.session.display_name.clone(),
            email: self.session.email.clone(),
            sessions: self.sessions(&account),
            apps: account.apps.into_iter().map(connected).collect(),
            has_password: self.session.amr.split(' ').any(|method| method == "pwd"),
            notice,
            problem,
            csrf: token.field,
        };
        let look = self.visit.look(Some(&self.tenant), None).at(&self.base());
        let page = Page::new(view.render(&look), &look)
            .with_status(status)
            .retry_after(retry_after_seconds);
        let mut response = page.into_response();
        cookies::add(&mut response, token.set_cookie);
        response
    }

    fn sessions(&self, account: &Account) -> Vec<AccountSession> {
        let browsers = account.browsers.iter().map(|browser| AccountSession {
            id: format!("{BROWSER}{}", browser.id),
            kind: SessionKind::Browser,
            user_agent: browser.user_agent.clone(),
            signed_in_at: browser.auth_time,
            seen_at: Some(browser.seen_at),
            current: browser.id == self.session.id,
        });
        let apps = account.sessions.iter().map(|session| AccountSession {
            id: format!("{SESSION}{}", session.id),
            kind: SessionKind::App(session.client_name.clone()),
            user_agent: session.user_agent.clone(),
            signed_in_at: session.created_at,
            seen_at: Some(session.last_used_at),
            current: false,
        });
        browsers.chain(apps).collect()
    }
}

fn connected(app: connected_app::ConnectedApp) -> ConnectedApp {
    ConnectedApp {
        id: app.client_id.to_string(),
        name: app.client_name,
        scopes: app.scope.to_string().split(' ').map(ToOwned::to_owned).collect(),
        at: app.revoked_at.unwrap_or(app.granted_at),
        revoked: app.revoked_at.is_some(),
    }
}
