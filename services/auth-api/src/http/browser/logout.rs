//! `GET|POST /auth/logout` (OpenID Connect RP-Initiated Logout 1.0) and `GET /auth/signed-out`.
//!
//! A client's POST comes from another site, so that the browser sends no cookie with it: it is answered by a 303 to our own
//! GET, and changes nothing. The POST that changes something is that of our own page, and has its token.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::tenant::Tenant;

use super::{
    cookies::{self, Cookies},
    csrf::{self, Purpose},
    error,
    page::{FormAction, Page},
    redirect,
    visit::Visit,
};
use crate::{
    app::App,
    audit::RequestContext,
    flows::{
        browser::session::{self, BrowserSession},
        logout::{self, LogoutParameters, LogoutRequest},
    },
    http::{
        context::Context,
        form::{Form, Parameters},
        openapi::{answers::Pages, schemas::LogoutForm},
    },
    pages::{LogoutPage, SignedOutPage},
    refusal::Refusal,
};

const LOGOUT: &str = "/auth/logout";
const SIGNED_OUT: &str = "/auth/signed-out";
/// Most tenants that a browser is signed out of at once.
const MAX_TENANTS: usize = 20;

/// A tenant whose cookie the browser has, and who is signed in there.
struct SignedIn {
    tenant: Arc<Tenant>,
    session: Option<BrowserSession>,
}

/// Where a logout stands.
enum Stand {
    /// The person must be asked.
    Ask(Vec<SignedIn>),
    /// Nobody is signed in any more; the cookies of those tenants are worth nothing.
    Done(Vec<SignedIn>),
}

/// What the request says, and the languages that it asks for.
struct Asked {
    parameters: LogoutParameters,
    ui_locales: Option<String>,
}

/// A client sends a browser here to sign out (OpenID Connect RP-Initiated Logout)
#[utoipa::path(
    get,
    path = "/auth/logout",
    tag = "OpenID Connect",
    operation_id = "logout",
    params(LogoutForm),
    responses(Pages)
)]
pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    Context(context): Context,
    (cookies, visit): (Cookies, Visit),
    uri: Uri,
) -> Response {
    match Parameters::parse(uri.query().unwrap_or_default().as_bytes()) {
        Ok(parameters) => begin(&app, context, (&cookies, &visit), Asked::from(parameters)).await,
        Err(denial) => error::page(&app, &visit, &denial.into()),
    }
}

/// The same with a form, of a client or of the page that asks
#[utoipa::path(
    post, path = "/auth/logout", tag = "OpenID Connect", operation_id = "logout_post",
    request_body(content = LogoutForm, content_type = "application/x-www-form-urlencoded"), responses(Pages)
)]
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    Context(context): Context,
    (headers, visit): (HeaderMap, Visit),
    Form(form): Form,
) -> Response {
    let mut form = match form {
        Ok(form) => form,
        Err(denial) => return error::page(&app, &visit, &denial.into()),
    };
    let token = form.take(csrf::FIELD);
    let asked = Asked::from(form);
    match token {
        Some(token) => match csrf::check(&app, &headers, (Purpose::Logout, None), Some(&token)) {
            Ok(()) => confirmed(&app, context, (&Cookies::of(&headers), &visit), asked).await,
            Err(kind) => csrf::forged(&visit, kind),
        },
        None => redirect::see_other(&asked.address()),
    }
}

/// `GET /auth/signed-out`.
#[utoipa::path(
    get, path = "/auth/signed-out", tag = "Pages", operation_id = "signed_out_page",
    params(("tenant" = Option<String>, Query, description = "From an earlier answer")), responses(Pages)
)]
pub(in crate::http) async fn signed_out(State(app): State<Arc<App>>, visit: Visit, uri: Uri) -> Response {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes());
    let slug = parameters.ok().and_then(|mut parameters| parameters.take("tenant"));
    let tenant = match slug {
        Some(slug) => app.directory.resolve_tenant(&slug).await,
        None => Ok(None),
    };
    match tenant {
        Ok(tenant) => {
            let look = visit.look(tenant.as_deref(), None);
            let view = SignedOutPage {
                back: None,
                sign_in_url: tenant.map(|tenant| account(&tenant)),
            };
            Page::new(view.render(&look), &look).into_response()
        }
        Err(refusal) => error::page(&app, &visit, &refusal),
    }
}

async fn begin(
    app: &Arc<App>,
    context: RequestContext,
    (cookies, visit): (&Cookies, &Visit),
    asked: Asked,
) -> Response {
    let work = {
        let (app, cookies, parameters) = (Arc::clone(app), cookies.clone(), asked.parameters.clone());
        async move { look(&app, &context, &cookies, &parameters).await }
    };
    match app.finish(work).await {
        Ok((request, Stand::Ask(signed_in))) => ask(app, (cookies, visit), asked, (&request, &signed_in)),
        Ok((request, Stand::Done(gone))) => leave(app, visit, &request, &gone),
        Err(refusal) => error::page(app, visit, &refusal),
    }
}

/// Signs out who need not be asked, and says who must be.
async fn look(
    app: &App,
    context: &RequestContext,
    cookies: &Cookies,
    parameters: &LogoutParameters,
) -> Result<(LogoutRequest, Stand), Refusal> {
    let request = logout::read(app, parameters).await?;
    let concerned = concerned(app, cookies, &request).await?;
    let one = concerned.first().filter(|_| request.tenant.is_some());
    let session = one.and_then(|one| one.session.as_ref());
    if let Some(browser) = request.proven(session, cookies.device()) {
        let client = request.client.as_ref().map(|client| client.id);
        logout::sign_out(app, context, (browser, session), client).await?;
        return Ok((request, Stand::Done(concerned)));
    }
    let stand = if concerned.iter().any(|one| one.session.is_some()) {
        Stand::Ask(concerned)
    } else {
        Stand::Done(concerned)
    };
    Ok((request, stand))
}

/// The tenant of the request, or every tenant that the browser has been signed in to.
async fn concerned(app: &App, cookies: &Cookies, request: &LogoutRequest) -> Result<Vec<SignedIn>, Refusal> {
    let slugs: Vec<&str> = match &request.tenant {
        Some(tenant) => vec![&tenant.slug],
        None => cookies.slugs().take(MAX_TENANTS).collect(),
    };
    let mut concerned = Vec::new();
    for slug in slugs {
        if let Some(tenant) = app.directory.resolve_tenant(slug).await? {
            let session = session::find(app, &tenant, cookies.signed_in(slug)).await?;
            concerned.push(SignedIn { tenant, session });
        }
    }
    Ok(concerned)
}

/// The person said yes.
async fn confirmed(
    app: &Arc<App>,
    context: RequestContext,
    (cookies, visit): (&Cookies, &Visit),
    asked: Asked,
) -> Response {
    let work = {
        let (app, cookies) = (Arc::clone(app), cookies.clone());
        async move {
            let request = logout::read(&app, &asked.parameters).await?;
            let concerned = concerned(&app, &cookies, &request).await?;
            let client = request.client.as_ref().map(|client| client.id);
            for session in concerned.iter().filter_map(|one| one.session.as_ref()) {
                logout::sign_out(&app, &context, (session.browser(), Some(session)), client).await?;
            }
            Ok((request, concerned))
        }
    };
    match app.finish(work).await {
        Ok((request, gone)) => leave(app, visit, &request, &gone),
        Err(refusal) => error::page(app, visit, &refusal),
    }
}

/// Sends the browser on, without its cookies.
fn leave(app: &App, visit: &Visit, request: &LogoutRequest, gone: &[SignedIn]) -> Response {
    let location = match (&request.redirect_uri, gone) {
        (Some(uri), _) => {
            let mut location = uri.clone();
            if let Some(state) = &request.state {
                redirect::append(&mut location, "state", state);
            }
            location
        }
        (None, [one]) => format!("{SIGNED_OUT}?tenant={}", one.tenant.slug),
        (None, _) => SIGNED_OUT.to_owned(),
    };
    let cleared: Result<Vec<_>, _> = gone.iter().map(|one| cookies::sign_out(&one.tenant.slug)).collect();
    match cleared {
        Ok(cleared) => {
            let mut response = redirect::see_other(&location);
            cookies::add(&mut response, cleared);
            response
        }
        Err(refusal) => error::page(app, visit, &refusal),
    }
}

fn ask(
    app: &App,
    (cookies, visit): (&Cookies, &Visit),
    asked: Asked,
    (request, signed_in): (&LogoutRequest, &[SignedIn]),
) -> Response {
    let token = match csrf::issue(app, cookies, Purpose::Logout, None) {
        Ok(token) => token,
        Err(refusal) => return error::page(app, visit, &refusal),
    };
    let sessions: Vec<_> = signed_in.iter().filter_map(|one| one.session.as_ref()).collect();
    let mut addresses: Vec<&str> = sessions.iter().map(|session| session.email.as_str()).collect();
    addresses.dedup();
    let one = signed_in.first().filter(|_| signed_in.len() == 1);
    let here = asked.address();
    let look = visit
        .look(one.map(|one| &*one.tenant), asked.ui_locales.as_deref())
        .at(&here);
    let view = LogoutPage {
        action: LOGOUT.to_owned(),
        client_name: request.client.as_ref().map(|client| client.display_name.clone()),
        name: sessions
            .first()
            .filter(|_| one.is_some())
            .and_then(|session| session.display_name.clone()),
        email: addresses.join(", "),
        stay_url: one.map(|one| account(&one.tenant)),
        csrf: token.field,
        fields: asked.fields(),
    };
    let redirect = request
        .redirect_uri
        .clone()
        .map_or(FormAction::SelfOnly, FormAction::Redirect);
    let page = Page::new(view.render(&look), &look).with_form_action(redirect);
    let mut response = page.into_response();
    cookies::add(&mut response, token.set_cookie);
    response
}

fn account(tenant: &Tenant) -> String {
    format!("/t/{}/account", tenant.slug)
}

impl Asked {
    fn from(mut parameters: Parameters) -> Self {
        Self {
            parameters: LogoutParameters {
                id_token_hint: parameters.take("id_token_hint"),
                client_id: parameters.take("client_id"),
                post_logout_redirect_uri: parameters.take("post_logout_redirect_uri"),
                state: parameters.take("state"),
            },
            ui_locales: parameters.take("ui_locales"),
        }
    }

    /// What the request said, to be said again.
    fn fields(self) -> Vec<(String, String)> {
        let fields = [
            ("id_token_hint", self.parameters.id_token_hint),
            ("client_id", self.parameters.client_id),
            ("post_logout_redirect_uri", self.parameters.post_logout_redirect_uri),
            ("state", self.parameters.state),
            ("ui_locales", self.ui_locales),
        ];
        let given = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.collect()
    }

    /// The URL that says the same.
    fn address(&self) -> String {
        let again = Self {
            parameters: self.parameters.clone(),
            ui_locales: self.ui_locales.clone(),
        };
        let mut address = LOGOUT.to_owned();
        for (name, value) in again.fields() {
            redirect::append(&mut address, &name, &value);
        }
        address
    }
}
