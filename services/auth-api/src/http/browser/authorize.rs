//! `GET` and `POST /auth/authorize`: a client sends a browser here (RFC 6749 section 4.1.1, OpenID Connect Core section
//! 3.1.2.1).
//!
//! A POST comes from another site, so that the browser sends no cookie with it: it is answered by a 303 to our own GET,
//! and changes nothing.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use credo_auth_domain::{Denial, authorization_request::RequestParameters};

use super::{
    error, redirect,
    step::{self, CONTINUE},
    visit::Visit,
};
use crate::{
    app::App,
    flows::authorize::{Begun, SealedRequest, begin},
    http::{
        context::Context,
        form::pairs,
        openapi::{answers::Pages, schemas::AuthorizationRequest},
    },
    refusal::Refusal,
};

/// Most parameters of a request.
const MAX_PARAMETERS: usize = 64;

/// A client sends a browser here
#[utoipa::path(
    get,
    path = "/auth/authorize",
    tag = "OAuth",
    operation_id = "authorize",
    params(AuthorizationRequest),
    responses(Pages)
)]
pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    Context(context): Context,
    visit: Visit,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match validate(&app, &visit, &uri, &[]).await {
        Ok(request) => step::proceed(&app, (&context, &visit), &request, &headers).await,
        Err(response) => response,
    }
}

/// With the body of a form.
pub(in crate::http) async fn post(app: &App, visit: &Visit, uri: &Uri, body: &[u8]) -> Response {
    match validate(app, visit, uri, body).await {
        Ok(request) => redirect::see_other(&step::address(CONTINUE, &request)),
        Err(response) => response,
    }
}

/// The request, or what is to be said instead of going on.
async fn validate(app: &App, visit: &Visit, uri: &Uri, body: &[u8]) -> Result<SealedRequest, Response> {
    let refused = |refusal: &Refusal| error::page(app, visit, refusal);
    let query = uri.query().unwrap_or_default().as_bytes();
    let parameters: Vec<_> = pairs(query).chain(pairs(body)).take(MAX_PARAMETERS + 1).collect();
    if parameters.len() > MAX_PARAMETERS {
        return Err(refused(&Denial::InvalidRequest("there are too many parameters").into()));
    }
    match begin(app, &RequestParameters::new(parameters)).await {
        Ok(Begun::Request(request)) => Ok(*request),
        Ok(Begun::Refused(response)) => Err(redirect::respond(app, visit, &response)),
        Err(refusal) => Err(refused(&refusal)),
    }
}
