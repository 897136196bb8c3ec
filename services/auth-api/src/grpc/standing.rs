//! Whether an admin token is still honoured: its signature was checked before, its standing is checked here.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};
use credo_admin::{AdminPrincipal, Problem};

use super::status;
use crate::{
    app::App,
    flows::bearer::{self, Audience},
};

/// Lets a call through whose token nothing has ended, and calls that need no token.
pub(super) async fn honoured(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if request.extensions().get::<AdminPrincipal>().is_none() {
        return next.run(request).await;
    }
    let token = bearer_token(request.headers()).unwrap_or_default().to_owned();
    match bearer::authenticate(&app, &token, Audience::Admin).await {
        Ok(Some(_)) => next.run(request).await,
        Ok(None) => {
            tracing::info!("admin call refused: the token was ended");
            Problem::unauthenticated("the access token is not valid")
                .into_status()
                .into_http()
        }
        Err(fault) => status::failed(&fault).into_http(),
    }
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (_, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some(token)
}
