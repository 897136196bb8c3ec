//! The whole route table of public HTTP, and the layers around it.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{delete, get, post},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    answer, authorize, bounded, browser, context, cors, introspect, metadata, openapi, revoke, sessions, token,
    userinfo,
};
use crate::app::App;

/// The largest body that is read, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1_024;

/// Every route, as metrics name it; the last stands for all else.
pub const ROUTES: [&str; 28] = [
    "/auth/authorize",
    "/auth/continue",
    "/auth/sign-in",
    "/auth/consent",
    "/auth/logout",
    "/auth/signed-out",
    "/auth/token",
    "/auth/userinfo",
    "/auth/introspect",
    "/auth/revoke",
    "/auth/sessions",
    "/auth/sessions/{id}",
    "/auth/logout-all",
    "/t/{slug}/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server/t/{slug}",
    "/t/{slug}/jwks.json",
    "/t/{slug}/sign-in",
    "/t/{slug}/theme.css",
    "/t/{slug}/logo",
    "/t/{slug}/account",
    "/t/{slug}/account/sign-out",
    "/t/{slug}/account/sessions/revoke",
    "/t/{slug}/account/apps/revoke",
    "/t/{slug}/account/apps/forget",
    "/t/{slug}/account/password",
    "/.well-known/change-password",
    "/assets/{name}",
    "/openapi.json",
];

/// Public HTTP over `app`.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(
            "/auth/authorize",
            get(browser::authorize::get).post(authorize::authorize),
        )
        .route(
            "/auth/consent",
            get(browser::consent::page).post(browser::consent::form),
        )
        .route("/auth/continue", get(browser::step::resume))
        .route(
            "/auth/sign-in",
            get(browser::sign_in::request_page).post(browser::sign_in::request_form),
        )
        .route("/auth/logout", get(browser::logout::get).post(browser::logout::post))
        .route("/auth/signed-out", get(browser::logout::signed_out))
        .route("/auth/token", post(token::token))
        .route("/auth/userinfo", get(userinfo::userinfo).post(userinfo::userinfo_post))
        .route("/auth/introspect", post(introspect::introspect))
        .route("/auth/revoke", post(revoke::revoke))
        .route("/auth/sessions", get(sessions::list))
        .route("/auth/sessions/{id}", delete(sessions::end))
        .route("/auth/logout-all", post(sessions::end_all))
        .route(
            "/t/{slug}/.well-known/openid-configuration",
            get(metadata::openid_configuration),
        )
        .route(
            "/.well-known/oauth-authorization-server/t/{slug}",
            get(metadata::authorization_server),
        )
        .route("/t/{slug}/jwks.json", get(metadata::jwks))
        .route(
            "/t/{slug}/sign-in",
            get(browser::sign_in::tenant_page).post(browser::sign_in::tenant_form),
        )
        .route("/t/{slug}/theme.css", get(browser::branding::theme))
        .route("/t/{slug}/logo", get(browser::branding::logo))
        .route("/t/{slug}/account", get(browser::account::page))
        .route("/t/{slug}/account/sign-out", post(browser::account::sign_out))
        .route("/t/{slug}/account/sessions/revoke", post(browser::account::end_session))
        .route("/t/{slug}/account/apps/revoke", post(browser::account::revoke_app))
        .route("/t/{slug}/account/apps/forget", post(browser::account::forget_app))
        .route("/t/{slug}/account/password", post(browser::account::password))
        .route(
            "/.well-known/change-password",
            get(browser::account::change_password_url),
        )
        .route("/assets/{name}", get(browser::assets::asset))
        .route("/openapi.json", get(openapi::openapi))
        .fallback(browser::not_found::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        // A language that a person chose on a page.
        .layer(middleware::from_fn(browser::visit::with_language))
        // Nearest to the handler first: whoever reads the body reads no more than this.
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        // A panic is a 500 and not a torn connection.
        .layer(CatchPanicLayer::custom(answer::panicked))
        // Deadline and concurrency: early 503 rather than a late one.
        .layer(middleware::from_fn_with_state(
            bounded::Bounds::new(&app),
            bounded::bounded,
        ))
        // A page must be able to read an early 503 too.
        .layer(middleware::from_fn_with_state(Arc::clone(&app), cors::cors))
        // Outermost: every answer has a request id, a log line and a metric, the early ones too.
        .layer(middleware::from_fn_with_state(Arc::clone(&app), context::with_context))
        .with_state(app)
}
