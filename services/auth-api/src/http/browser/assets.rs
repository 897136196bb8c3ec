//! Files that pages are made of, from this binary: nothing is asked of another site, and no file system is looked at.
//!
//! Their URLs carry a version of their content, so a browser keeps them for ever.

use axum::{
    extract::{Path, rejection::PathRejection},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};

use crate::{
    http::{
        answer::not_found,
        openapi::answers::{Always, NotThere},
    },
    pages::{FORM_POST_SCRIPT, ICON, STYLE},
};

/// How long they are kept: a year, and never asked for again.
pub(super) const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A file that pages are made of
#[utoipa::path(
    get, path = "/assets/{name}", tag = "Pages", params(("name" = String, Path)),
    responses(
        (status = 200, description = "Kept for ever: the pages' URLs carry a version", content(
            (String = "text/css; charset=utf-8"), (String = "text/javascript; charset=utf-8"), (String = "image/svg+xml")
        )),
        NotThere,
        Always
    )
)]
pub(in crate::http) async fn asset(name: Result<Path<String>, PathRejection>) -> Response {
    let (content_type, content) = match name.as_deref().map(String::as_str) {
        Ok("credo.css") => ("text/css; charset=utf-8", STYLE),
        Ok("form-post.js") => ("text/javascript; charset=utf-8", FORM_POST_SCRIPT),
        Ok("icon.svg") => ("image/svg+xml", ICON),
        _ => return not_found().await,
    };
    let content_type = HeaderValue::from_static(content_type);
    (
        [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, FOR_EVER)],
        content,
    )
        .into_response()
}
