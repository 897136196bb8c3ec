//! What is not there: a page for people, problem details for programs.

use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};

use super::visit::Visit;
use crate::{http::answer, pages::ErrorKind};

/// 404, the same for everything that is not there.
pub(in crate::http) async fn not_found(visit: Visit, headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepted.is_some_and(|accepted| accepted.contains("text/html")) {
        visit.error(ErrorKind::NotFound).into_response()
    } else {
        answer::not_found().await
    }
}
