//! `GET /openapi.json`: what stands at the handlers, as one `OpenAPI` 3.1 document, made once.
//!
//! Each handler says what it takes and answers; here is only the list of them. A test compares it with the route table, and
//! a fuzzer calls every operation and compares the answers.

use std::sync::LazyLock;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};

pub(super) mod answers;
pub(super) mod schemas;

/// How long others keep it.
const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=300");

static DOCUMENT: LazyLock<Option<String>> = LazyLock::new(|| Document::openapi().to_json().ok());

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Credo",
        description = "OAuth 2.1 and OpenID Connect. A `client_id` names its tenant, so most endpoints have none in their path."
    ),
    paths(
        super::authorize::authorize,
        super::browser::authorize::get,
        super::browser::step::resume,
        super::browser::sign_in::request_page,
        super::browser::sign_in::request_form,
        super::browser::consent::page,
        super::browser::consent::form,
        super::browser::logout::get,
        super::browser::logout::post,
        super::browser::logout::signed_out,
        super::browser::sign_in::tenant_page,
        super::browser::sign_in::tenant_form,
        super::browser::account::page,
        super::browser::account::sign_out,
        super::browser::account::end_session,
        super::browser::account::revoke_app,
        super::browser::account::forget_app,
        super::browser::account::password,
        super::browser::account::change_password_url,
        super::browser::branding::theme,
        super::browser::branding::logo,
        super::browser::assets::asset,
        super::token::token,
        super::userinfo::userinfo,
        super::userinfo::userinfo_post,
        super::introspect::introspect,
        super::revoke::revoke,
        super::sessions::list,
        super::sessions::end,
        super::sessions::end_all,
        super::metadata::openid_configuration,
        super::metadata::authorization_server,
        super::metadata::jwks,
        openapi,
    ),
    tags(
        (name = "OAuth", description = "For clients."),
        (name = "OpenID Connect", description = "For clients that want to know who somebody is."),
        (name = "Sessions", description = "For a person's own client."),
        (name = "Pages", description = "For browsers. They need no script."),
        (name = "Metadata", description = "For everybody."),
    ),
    modifiers(&Security)
)]
struct Document;

/// How callers say who they are.
struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        for (name, scheme) in [("client", HttpAuthScheme::Basic), ("bearer", HttpAuthScheme::Bearer)] {
            components.add_security_scheme(name, SecurityScheme::Http(Http::new(scheme)));
        }
    }
}

/// This document
#[utoipa::path(
    get, path = "/openapi.json", tag = "Metadata", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = schemas::Object), answers::Always)
)]
pub(super) async fn openapi() -> Response {
    let Some(document) = DOCUMENT.as_deref() else {
        return super::answer::Internal.into_response();
    };
    let content_type = HeaderValue::from_static("application/json");
    (
        [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, MAX_AGE)],
        document,
    )
        .into_response()
}
