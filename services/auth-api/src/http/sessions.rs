//! `GET /auth/sessions`, `DELETE /auth/sessions/{id}`, `POST /auth/logout-all`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{
        FromRequestParts, Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use credo_auth_domain::{rate_limit::RateClass, scope, session::LiveSession};
use serde::Deserialize;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::{
    answer::{Answer, Challenge, problem},
    bearer::{HeaderBearer, admit},
    context::Context,
    openapi::{
        answers::{BearerRefusals, EndAllRefusals, NotThere},
        schemas::{BearerError, Problem, Revoked, Sessions},
    },
};
use crate::{
    app::App,
    flows::sessions::{self as flow, SessionOwnerScope},
};

/// A request of a person who may see and end their own sessions.
pub(super) struct Owner(SessionOwnerScope);

impl FromRequestParts<Arc<App>> for Owner {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let HeaderBearer(bearer) = HeaderBearer::from_request_parts(parts, app).await?;
        let Context(context) = Context::from_request_parts(parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        let class = if parts.method == Method::GET {
            RateClass::Read
        } else {
            RateClass::Sensitive
        };
        admit(app, &context, &bearer, class).await?;
        match flow::allow(app, &bearer).await {
            Ok(Some(owner)) => Ok(Self(owner)),
            Ok(None) => Err(Challenge::InsufficientScope(scope::SESSIONS).into_response()),
            Err(refusal) => Err(Answer::new(app).refusal(&refusal)),
        }
    }
}

/// The person's sessions
#[utoipa::path(
    get, path = "/auth/sessions", tag = "Sessions", operation_id = "list_sessions", security(("bearer" = [])),
    responses((status = 200, description = "Newest use first", body = Sessions), BearerRefusals)
)]
pub(super) async fn list(State(app): State<Arc<App>>, Owner(owner): Owner) -> Response {
    match flow::list(&app, owner).await {
        Ok(sessions) => {
            let sessions: Vec<_> = sessions.iter().map(|session| show(&app, session, &owner)).collect();
            Json(json!({ "sessions": sessions })).into_response()
        }
        Err(refusal) => Answer::new(&app).refusal(&refusal),
    }
}

fn show(app: &App, session: &LiveSession, owner: &SessionOwnerScope) -> serde_json::Value {
    let instant = |at: time::OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    json!({
        "session_id": session.id,
        "client_id": session.client_id,
        "client_name": session.client_name,
        "device": owner.device(app, session.device_id),
        "created_at": instant(session.created_at),
        "last_used_at": instant(session.last_used_at),
        "expires_at": instant(session.expires_at),
        "current": session.id == owner.current,
    })
}

/// Ends one of the person's sessions
#[utoipa::path(
    delete, path = "/auth/sessions/{id}", tag = "Sessions", operation_id = "end_session", security(("bearer" = [])),
    params(("id" = String, Path, description = "The `session_id`")),
    responses((status = 204, description = "It has ended"), BearerRefusals, NotThere)
)]
pub(super) async fn end(
    State(app): State<Arc<App>>,
    Context(context): Context,
    Owner(owner): Owner,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let Some(session) = id.ok().and_then(|Path(id)| id.parse().ok()) else {
        return problem(StatusCode::NOT_FOUND, "Not found");
    };
    match app.finish(flow::end(Arc::clone(&app), context, owner, session)).await {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => problem(StatusCode::NOT_FOUND, "Not found"),
        Err(refusal) => Answer::new(&app).refusal(&refusal),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndAllQuery {
    #[serde(default)]
    except_current: bool,
}

/// Ends all of the person's sessions
#[utoipa::path(
    post, path = "/auth/logout-all", tag = "Sessions", operation_id = "end_all_sessions", security(("bearer" = [])),
    params(("except_current" = Option<bool>, Query, description = "Whether the caller's own stays")),
    responses(
        (status = 200, description = "They have ended", body = Revoked),
        (status = 400, description = "A parameter is not good", content(
            (BearerError = "application/json"), (Problem = "application/problem+json")
        )),
        EndAllRefusals
    )
)]
pub(super) async fn end_all(
    State(app): State<Arc<App>>,
    Context(context): Context,
    Owner(owner): Owner,
    query: Result<Query<EndAllQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(query)) = query else {
        return problem(StatusCode::BAD_REQUEST, "except_current must be true or false");
    };
    match app
        .finish(flow::end_all(Arc::clone(&app), context, owner, query.except_current))
        .await
    {
        Ok(()) => Json(json!({ "revoked": true })).into_response(),
        Err(refusal) => Answer::new(&app).refusal(&refusal),
    }
}
