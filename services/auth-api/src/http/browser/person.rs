//! Who a page of a person is for: whoever is signed in to the tenant of its path, and what their forms say.
//!
//! Owns [`Person`] and [`PersonForm`]: nobody signed in is sent to the sign-in page, and a form that was not made for just
//! this signed-in browser is refused.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use credo_auth_domain::tenant::Tenant;

use super::{
    cookies::Cookies,
    csrf::{self, Purpose},
    error, redirect,
    visit::Visit,
};
use crate::{
    app::App,
    audit::RequestContext,
    flows::browser::session::{self, BrowserSession},
    http::{
        context::Context,
        form::{Form, Parameters},
    },
    pages::ErrorKind,
    refusal::Refusal,
};

/// Whoever is signed in to the tenant of the path with the browser that asks.
pub(in crate::http) struct Person {
    pub app: Arc<App>,
    pub context: RequestContext,
    pub tenant: Arc<Tenant>,
    pub session: BrowserSession,
    pub cookies: Cookies,
    pub visit: Visit,
}

impl FromRequestParts<Arc<App>> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let Context(context) = Context::from_request_parts(parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        let Ok(visit) = Visit::from_request_parts(parts, app).await;
        let cookies = Cookies::of(&parts.headers);
        let slug = Path::<String>::from_request_parts(parts, app).await;
        let failed = |refusal: Refusal| error::page(app, &visit, &refusal);
        let tenant = match slug {
            Ok(Path(slug)) => app.directory.resolve_tenant(&slug).await.map_err(failed)?,
            Err(_) => None,
        };
        let Some(tenant) = tenant else {
            return Err(visit.error(ErrorKind::NotFound).into_response());
        };
        let session = session::find(app, &tenant, cookies.signed_in(&tenant.slug))
            .await
            .map_err(failed)?;
        let Some(session) = session else {
            return Err(redirect::see_other(&format!("/t/{}/sign-in", tenant.slug)));
        };
        Ok(Self {
            app: Arc::clone(app),
            context,
            tenant,
            session,
            cookies,
            visit,
        })
    }
}

/// A form of the page, from whom it was made for.
pub(in crate::http) struct PersonForm {
    pub person: Arc<Person>,
    pub form: Parameters,
}

impl FromRequest<Arc<App>> for PersonForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let person = Person::from_request_parts(&mut parts, app).await?;
        let headers = parts.headers.clone();
        let Form(form) = Form::from_request(Request::from_parts(parts, body), app).await?;
        let mut form = form.map_err(|denial| error::page(app, &person.visit, &denial.into()))?;
        let token = form.take(csrf::FIELD);
        let made_for = (Purpose::Account, Some(person.session.id));
        csrf::check(app, &headers, made_for, token.as_deref()).map_err(|kind| csrf::forged(&person.visit, kind))?;
        Ok(Self {
            person: Arc::new(person),
            form,
        })
    }
}
