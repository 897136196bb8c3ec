//! What the server says of itself (OpenID Connect Discovery, RFC 8414), listing what works and no more, and its keys.
//!
//! Unknown and suspended tenants get one body. Nothing in the answer comes from the request but the slug of a tenant.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::{
    acr::Acr,
    claims_request::CLAIMS_OF_SCOPES,
    client::AuthMethod,
    grant_type::GrantType,
    response_mode::ResponseMode,
    scope::SESSIONS,
    signing_algorithm::SigningAlgorithm,
    tenant::{Tenant, is_slug},
};
use serde_json::{Value, json};

use super::{
    answer::{Answer, not_found},
    openapi::{
        answers::{Always, NotThere},
        schemas::{Jwks, ServerMetadata},
    },
};
use crate::{app::App, pages::Language, refusal::Refusal};

/// How long others keep metadata. Keys have their own span.
const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The text where a slug should stand, if it is text at all.
type Slug = Result<Path<String>, PathRejection>;

/// What the server can do (OpenID Connect Discovery)
#[utoipa::path(
    get, path = "/t/{slug}/.well-known/openid-configuration", tag = "Metadata",
    params(("slug" = String, Path, description = "The tenant")),
    responses((status = 200, description = "What works, and no more", body = ServerMetadata), NotThere, Always)
)]
pub(super) async fn openid_configuration(State(app): State<Arc<App>>, slug: Slug) -> Response {
    metadata(&app, &slug).await
}

/// The same (RFC 8414)
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server/t/{slug}", tag = "Metadata",
    params(("slug" = String, Path, description = "The tenant")),
    responses((status = 200, description = "What works, and no more", body = ServerMetadata), NotThere, Always)
)]
pub(super) async fn authorization_server(State(app): State<Arc<App>>, slug: Slug) -> Response {
    metadata(&app, &slug).await
}

/// The tenant's public keys
#[utoipa::path(
    get, path = "/t/{slug}/jwks.json", tag = "Metadata", params(("slug" = String, Path, description = "The tenant")),
    responses(
        (status = 200, description = "RFC 7517", body = Jwks, content_type = "application/jwk-set+json"),
        NotThere,
        Always
    )
)]
pub(super) async fn jwks(State(app): State<Arc<App>>, slug: Slug) -> Response {
    let keys = match find(&app, &slug).await {
        Ok(Some(tenant)) => app.keyring.published_lately(tenant.id).await,
        Ok(None) => return not_found().await,
        Err(refusal) => Err(refusal),
    };
    match keys {
        Ok(keys) => {
            let content_type = HeaderValue::from_static("application/jwk-set+json");
            let max_age = format!("public, max-age={}", app.keyring.spans().jwks_max_age.as_secs());
            let Ok(max_age) = HeaderValue::try_from(max_age) else {
                return Answer::new(&app).refusal(&Refusal::internal("max-age"));
            };
            (
                [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, max_age)],
                keys.jwks.clone(),
            )
                .into_response()
        }
        Err(refusal) => Answer::new(&app).refusal(&refusal),
    }
}

async fn metadata(app: &App, slug: &Slug) -> Response {
    match find(app, slug).await {
        Ok(Some(tenant)) => {
            let document = document(&app.settings.public_base_url, &tenant);
            ([(header::CACHE_CONTROL, MAX_AGE)], Json(document)).into_response()
        }
        Ok(None) => not_found().await,
        Err(refusal) => Answer::new(app).refusal(&refusal),
    }
}

async fn find(app: &App, slug: &Slug) -> Result<Option<Arc<Tenant>>, Refusal> {
    match slug {
        Ok(Path(slug)) if is_slug(slug) => app.directory.resolve_tenant(slug).await,
        _ => Ok(None),
    }
}

fn document(base: &str, tenant: &Tenant) -> Value {
    let issuer = tenant.issuer(base);
    let secret_methods = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost].map(AuthMethod::as_str);
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/auth/authorize"),
        "token_endpoint": format!("{base}/auth/token"),
        "userinfo_endpoint": format!("{base}/auth/userinfo"),
        "end_session_endpoint": format!("{base}/auth/logout"),
        "revocation_endpoint": format!("{base}/auth/revoke"),
        "introspection_endpoint": format!("{base}/auth/introspect"),
        "jwks_uri": format!("{issuer}/jwks.json"),
        "scopes_supported": scopes(),
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::ALL.map(ResponseMode::as_str),
        "grant_types_supported": GrantType::ALL.map(GrantType::as_str),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": SigningAlgorithm::ALL.map(SigningAlgorithm::as_str),
        "token_endpoint_auth_methods_supported": AuthMethod::ALL.map(AuthMethod::as_str),
        "revocation_endpoint_auth_methods_supported": AuthMethod::ALL.map(AuthMethod::as_str),
        "introspection_endpoint_auth_methods_supported": secret_methods,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "acr_values_supported": acr_values(tenant),
        "display_values_supported": ["page"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": Language::ALL.map(Language::tag),
        "claim_types_supported": ["normal"],
        "claims_supported": claims(),
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
}

fn scopes() -> Vec<&'static str> {
    let of_claims = CLAIMS_OF_SCOPES.map(|(scope, _)| scope);
    let others = ["offline_access", SESSIONS];
    ["openid"].into_iter().chain(of_claims).chain(others).collect()
}

fn claims() -> Vec<&'static str> {
    let of_tokens = [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "acr",
        "amr",
        "nonce",
        "at_hash",
        "sid",
    ];
    let of_people = CLAIMS_OF_SCOPES.into_iter().flat_map(|(_, claims)| claims);
    of_tokens.into_iter().chain(of_people.copied()).collect()
}

/// Only a tenant that trusts bare addresses has sign-ins that prove nothing.
fn acr_values(tenant: &Tenant) -> Vec<&'static str> {
    let given = |acr: &Acr| *acr != Acr::Nothing || tenant.dangerous_trust_email;
    Acr::ALL.into_iter().filter(given).map(Acr::as_str).collect()
}
