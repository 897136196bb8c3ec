//! The demo clients' pages: links that begin a sign-in, and where redirect URIs lead, with what came back. They ask nobody and keep
//! nothing.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result};
use aws_lc_rs::digest;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Url;
use tokio::net::TcpListener;

use crate::stack_file::Demo;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1c2430;background:#fff}\
h1{font-size:1.3rem}li{margin:.4rem 0}a{color:#1b4fd8}dt{font-weight:600;margin-top:1rem}dd{margin:.2rem 0}\
code{font:14px/1.4 ui-monospace,monospace;background:#f2f4f7;padding:.15rem .4rem;border-radius:.3rem;overflow-wrap:anywhere}\
p{color:#4a5464}@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#15181d}code{background:#252a32}p{color:#aab3c0}a{color:#9db8ff}}";

/// The example of RFC 7636, appendix B: whoever reads this may exchange codes of the demo clients, on this machine.
pub const CODE_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Its S256.
pub const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const BACK: &str = "<p><a href=\"/\">All demo clients</a></p>";

/// What a person wants to see first; anything else follows in the order of its name.
const FIRST: [&str; 5] = ["code", "state", "iss", "error", "error_description"];

/// What `make run` knows of its demo clients.
struct Shop {
    base_url: String,
    demo: Option<Demo>,
}

/// Serves the pages for as long as it is polled.
///
/// # Errors
/// If the port is taken.
pub async fn serve(
    address: &str,
    base_url: String,
    demo: Option<Demo>,
) -> Result<impl Future<Output = std::io::Result<()>> + use<>> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    let routes = Router::new()
        .route("/", get(index))
        .route("/callback/{client}", get(callback))
        .route("/signed-out/{client}", get(signed_out))
        .fallback(not_found)
        .with_state(Arc::new(Shop { base_url, demo }));
    Ok(axum::serve(listener, routes).into_future())
}

async fn index(State(shop): State<Arc<Shop>>) -> Response {
    let items: Vec<_> = shop
        .links()
        .into_iter()
        .map(|(text, url)| format!("<li><a href=\"{}\">{}</a></li>", escape(&url), escape(&text)))
        .collect();
    let body = format!("<p>The demo clients live here.</p><ul>{}</ul>", items.concat());
    page(StatusCode::OK, "Credo: local stack", &body)
}

async fn not_found() -> Response {
    page(
        StatusCode::NOT_FOUND,
        "Nothing here",
        "<p>Redirect URIs look like <code>/callback/web</code>.</p>",
    )
}

async fn callback(
    State(shop): State<Arc<Shop>>,
    Path(client): Path<String>,
    Query(parameters): Query<BTreeMap<String, String>>,
) -> Response {
    let exchange = parameters.get("code").and_then(|code| shop.exchange(&client, code));
    let title = format!("Back at the client “{client}”");
    let body = body(parameters, exchange.as_deref()) + BACK;
    page(StatusCode::OK, &title, &body)
}

async fn signed_out(Path(client): Path<String>, Query(parameters): Query<BTreeMap<String, String>>) -> Response {
    let title = format!("Signed out, back at the client “{client}”");
    page(StatusCode::OK, &title, &(body(parameters, None) + BACK))
}

impl Shop {
    /// What there is to try, as text and URL.
    fn links(&self) -> Vec<(String, String)> {
        let Some(demo) = &self.demo else {
            return Vec::new();
        };
        let mut links = Vec::new();
        for client in demo.clients.iter().filter(|client| client.application_type == "web") {
            let (Some(back), Some(signed_out)) =
                (client.redirect_uris.first(), client.post_logout_redirect_uris.first())
            else {
                continue;
            };
            let kind = if client.first_party {
                "our own"
            } else {
                "of others: it asks for your consent"
            };
            let id = &client.client_id;
            links.push((
                format!("Sign in at “{}” ({}, {kind})", client.name, client.client_type),
                self.url(
                    "/auth/authorize",
                    &[
                        ("response_type", "code"),
                        ("client_id", id),
                        ("redirect_uri", back),
                        ("scope", "openid profile email phone address offline_access"),
                        ("state", "a-state"),
                        ("nonce", "a-nonce"),
                        ("code_challenge", CODE_CHALLENGE),
                        ("code_challenge_method", "S256"),
                    ],
                ),
            ));
            links.push((
                format!("Sign out from “{}”", client.name),
                self.url(
                    "/auth/logout",
                    &[("client_id", id), ("post_logout_redirect_uri", signed_out)],
                ),
            ));
        }
        links.push(("Your account".to_owned(), format!("{}/account", demo.issuer)));
        links
    }

    fn url(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let base = format!("{}{path}", self.base_url);
        Url::parse_with_params(&base, parameters).map_or(base, Into::into)
    }

    /// The command that exchanges a code. Only for what looks like one: it is going to be pasted into a shell.
    fn exchange(&self, client: &str, code: &str) -> Option<String> {
        let client = self.demo.as_ref()?.clients.iter().find(|known| known.name == client)?;
        let plain = code.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        let who = match &client.client_secret {
            Some(secret) => format!("-u {}:{secret}", client.client_id),
            None => format!("-d client_id={}", client.client_id),
        };
        plain.then_some(format!(
            "curl -sS {who} {}/auth/token -d grant_type=authorization_code -d code={code} -d redirect_uri={} \
             -d code_verifier={CODE_VERIFIER}",
            self.base_url,
            client.redirect_uris.first()?
        ))
    }
}

fn body(mut parameters: BTreeMap<String, String>, exchange: Option<&str>) -> String {
    let first: Vec<_> = FIRST.iter().filter_map(|name| parameters.remove_entry(*name)).collect();
    if first.is_empty() && parameters.is_empty() {
        return "<p>Nothing came with it.</p>".to_owned();
    }
    let hint = exchange.map_or_else(String::new, |command| {
        let command = escape(command);
        format!("<p>A code is good for one exchange within 60 seconds:</p><p><code>{command}</code></p>")
    });
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
            Some("curl <x>"),
        );
        assert!(
            body.starts_with("<dl><dt>code</dt><dd><code>&lt;script&gt;</code>"),
            "{body}"
        );
        assert!(body.contains("<dt>a&quot;</dt><dd><code>b&amp;c</code>"), "{body}");
        assert!(!body.contains("<script>"));
        assert!(body.contains("<code>curl &lt;x&gt;</code>"), "{body}");
    }
}
