//! `GET` and `POST /auth/userinfo` (OpenID Connect Core section 5.3).

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequest as _, Request, State},
    response::{IntoResponse as _, Response},
};

use credo_auth_domain::rate_limit::RateClass;

use super::{
    answer::{Answer, Challenge},
    bearer::{HeaderBearer, admit, authenticate, header_token},
    context::Context,
    cors::NamedClient,
    form::{Form, is_form},
    openapi::{
        answers::{BearerRefusals, TooLarge},
        schemas::{BearerForm, Userinfo},
    },
};
use crate::{
    app::App,
    audit::RequestContext,
    flows::{bearer::Bearer, userinfo::userinfo as flow},
};

/// Who the person is
#[utoipa::path(
    get, path = "/auth/userinfo", tag = "OpenID Connect", security(("bearer" = [])),
    responses((status = 200, description = "Claims by scope", body = Userinfo), BearerRefusals)
)]
pub(super) async fn userinfo(
    State(app): State<Arc<App>>,
    Context(context): Context,
    HeaderBearer(bearer): HeaderBearer,
) -> Response {
    answer(&app, &context, &bearer).await
}

/// The token may be in the header or in a form, and must not be in both (RFC 6750 section 2).
#[utoipa::path(
    post, path = "/auth/userinfo", tag = "OpenID Connect", security(("bearer" = []), ()),
    request_body(content = Option<BearerForm>, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Claims by scope", body = Userinfo), BearerRefusals, TooLarge)
)]
pub(super) async fn userinfo_post(
    State(app): State<Arc<App>>,
    Context(context): Context,
    request: Request,
) -> Response {
    let in_header = match header_token(request.headers(), request.uri()) {
        Ok(token) => token,
        Err(challenge) => return challenge.into_response(),
    };
    let in_form = if is_form(&request) {
        match Form::from_request(request, &app).await {
            Ok(Form(Ok(mut form))) => form.take("access_token"),
            Ok(Form(Err(_))) => return Challenge::InvalidRequest.into_response(),
            Err(response) => return response,
        }
    } else {
        None
    };
    let token = match (in_header, in_form) {
        (Some(_), Some(_)) => return Challenge::InvalidRequest.into_response(),
        (Some(token), None) | (None, Some(token)) => token,
        (None, None) => return Challenge::Missing.into_response(),
    };
    match authenticate(&app, &token).await {
        Ok(bearer) => answer(&app, &context, &bearer).await,
        Err(response) => response,
    }
}

async fn answer(app: &App, context: &RequestContext, bearer: &Bearer) -> Response {
    let client = NamedClient(Some(bearer.client()));
    if let Err(refused) = admit(app, context, bearer, RateClass::Read).await {
        return client.leave(refused);
    }
    if !bearer.has_scope("openid") {
        return client.leave(Challenge::InsufficientScope("openid").into_response());
    }
    client.leave(match flow(app, bearer).await {
        Ok(Some(claims)) => Json(claims).into_response(),
        Ok(None) => Challenge::InvalidToken.into_response(),
        Err(refusal) => Answer::new(app).refusal(&refusal),
    })
}
