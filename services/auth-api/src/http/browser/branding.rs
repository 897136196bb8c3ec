//! What a tenant's pages are coloured with: `GET /t/{slug}/theme.css`, a few custom properties, and `GET /t/{slug}/logo`.
//!
//! Unknown and suspended tenants get one 404, a tenant without a logo gets it too. Pages name both with a version in the
//! query, so they are kept for a day; nothing of the query is read.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::{
    branding::Appearance,
    tenant::{Tenant, is_slug},
};

use crate::{
    app::App,
    http::{
        answer::{Answer, not_found},
        openapi::answers::{Always, NotThere},
    },
    refusal::Refusal,
};

/// The text where a slug should stand, if it is text at all.
type Slug = Result<Path<String>, PathRejection>;

/// How long both are kept: another version has another URL.
const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// `GET /t/{slug}/theme.css`.
#[utoipa::path(
    get, path = "/t/{slug}/theme.css", tag = "Pages", params(("slug" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant's colours", body = String, content_type = "text/css; charset=utf-8"), NotThere, Always)
)]
pub(in crate::http) async fn theme(State(app): State<Arc<App>>, slug: Slug) -> Response {
    match find(&app, &slug).await {
        Ok(Some(tenant)) => file("text/css; charset=utf-8", style(&tenant.appearance).into_bytes()),
        Ok(None) => not_found().await,
        Err(refusal) => Answer::new(&app).refusal(&refusal),
    }
}

/// `GET /t/{slug}/logo`.
#[utoipa::path(
    get, path = "/t/{slug}/logo", tag = "Pages", params(("slug" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant's logo", content_type = "image/png"), NotThere, Always)
)]
pub(in crate::http) async fn logo(State(app): State<Arc<App>>, slug: Slug) -> Response {
    match find_logo(&app, &slug).await {
        Ok(Some(logo)) => file("image/png", logo),
        Ok(None) => not_found().await,
        Err(refusal) => Answer::new(&app).refusal(&refusal),
    }
}

async fn find_logo(app: &App, slug: &Slug) -> Result<Option<Vec<u8>>, Refusal> {
    match find(app, slug).await? {
        Some(tenant) if tenant.appearance.logo_sha256.is_some() => Ok(app.store.find_tenant_logo(tenant.id).await?),
        _ => Ok(None),
    }
}

async fn find(app: &App, slug: &Slug) -> Result<Option<Arc<Tenant>>, Refusal> {
    match slug {
        Ok(Path(slug)) if is_slug(slug) => app.directory.resolve_tenant(slug).await,
        _ => Ok(None),
    }
}

/// The properties that the tenant has of its own; where it has none, those of `credo.css` stand.
fn style(appearance: &Appearance) -> String {
    let mut style = String::new();
    for (scheme, color) in [
        ("not (prefers-color-scheme: dark)", appearance.accent_color),
        ("(prefers-color-scheme: dark)", appearance.accent_color_dark),
    ] {
        if let Some(color) = color {
            // Writing to a string does not fail.
            let _ = writeln!(style, "@media {scheme} {{ :root {{ --accent: {color}; }} }}");
        }
    }
    style
}

fn file(content_type: &'static str, content: Vec<u8>) -> Response {
    let content_type = HeaderValue::from_static(content_type);
    (
        [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, MAX_AGE)],
        content,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_colour_holds_for_its_scheme_alone() {
        let dark = Appearance {
            accent_color_dark: Some("#9fb3ff".parse().unwrap()),
            ..Appearance::default()
        };
        assert_eq!(
            style(&dark),
            "@media (prefers-color-scheme: dark) { :root { --accent: #9fb3ff; } }\n"
        );
        assert_eq!(style(&Appearance::default()), "");
    }
}
