//! Where the demo clients' redirect URIs lead: a page that shows what came back. It asks nobody and keeps nothing.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use aws_lc_rs::digest;
use axum::{
    Router,
    extract::{Path, Query},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::net::TcpListener;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1c2430;background:#fff}\
h1{font-size:1.3rem}dt{font-weight:600;margin-top:1rem}dd{margin:.2rem 0}\
code{font:14px/1.4 ui-monospace,monospace;background:#f2f4f7;padding:.15rem .4rem;border-radius:.3rem;overflow-wrap:anywhere}\
p{color:#4a5464}@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#15181d}code{background:#252a32}p{color:#aab3c0}}";

/// What a person wants to see first; anything else follows in the order of its name.
const FIRST: [&str; 5] = ["code", "state", "iss", "error", "error_description"];

/// Serves the page for as long as it is polled.
///
/// # Errors
/// If the port is taken.
pub async fn serve(address: &str) -> Result<impl Future<Output = std::io::Result<()>> + use<>> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    let routes = Router::new()
        .route("/", get(index))
        .route("/callback/{client}", get(callback))
        .fallback(not_found);
    Ok(axum::serve(listener, routes).into_future())
}

async fn index() -> Response {
    page(
        StatusCode::OK,
        "Credo: local stack",
        "<p>Redirect URIs of the demo clients lead here.</p>",
    )
}

async fn not_found() -> Response {
    page(
        StatusCode::NOT_FOUND,
        "Nothing here",
        "<p>Redirect URIs look like <code>/callback/web</code>.</p>",
    )
}

async fn callback(Path(client): Path<String>, Query(parameters): Query<BTreeMap<String, String>>) -> Response {
    page(
        StatusCode::OK,
        &format!("Back at the client “{client}”"),
        &body(parameters),
    )
}

fn body(mut parameters: BTreeMap<String, String>) -> String {
    let first: Vec<_> = FIRST.iter().filter_map(|name| parameters.remove_entry(*name)).collect();
    if first.is_empty() && parameters.is_empty() {
        return "<p>Nothing came with it.</p>".to_owned();
    }
    let hint = match first.first() {
        Some((name, _)) if name == "code" => "<p>A code is good for one exchange within 60 seconds.</p>",
        _ => "",
    };
    let rows: Vec<_> = first
        .into_iter()
        .chain(parameters)
        .map(|(name, value)| format!("<dt>{}</dt><dd><code>{}</code></dd>", escape(&name), escape(&value)))
        .collect();
    format!("<dl>{}</dl>{hint}", rows.concat())
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escape(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let style_hash = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style_hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_comes_first_and_nothing_is_markup() {
        let parameters = [
            ("iss", "http://x"),
            ("code", "<script>"),
            ("a\"", "b&c"),
            ("state", "s"),
        ];
        let body = body(
            parameters
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        );
        assert!(
            body.starts_with("<dl><dt>code</dt><dd><code>&lt;script&gt;</code>"),
            "{body}"
        );
        assert!(body.contains("<dt>a&quot;</dt><dd><code>b&amp;c</code>"), "{body}");
        assert!(!body.contains("<script>"));
    }
}
