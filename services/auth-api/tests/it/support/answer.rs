//! An answer, and what must hold for every one.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Response},
};
use serde_json::Value;

const MAX_BODY_BYTES: usize = 1 << 20;
/// Where cookies may be set.
const PAGES: [&str; 6] = [
    "/sign-in",
    "/account",
    "/auth/logout",
    "/auth/consent",
    "/auth/continue",
    "/auth/signed-out",
];
/// What an error of RFC 6749 may say, and nothing else.
const ERROR_FIELDS: [&str; 3] = ["error", "error_description", "error_uri"];

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn take(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, MAX_BODY_BYTES).await.unwrap().to_vec(),
        }
    }

    /// What holds for every answer to every request.
    pub fn check(&self, request: &str) {
        let text = self.text();
        assert_ne!(self.status, 500, "{request}: {text}");
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"), "{request}");
        // A page's own forms must carry their origin; nobody else is told where a browser comes from.
        let referrer = self.header("referrer-policy");
        let own = self.is_html() && referrer == Some("same-origin");
        assert!(own || referrer == Some("no-referrer"), "{request}: {referrer:?}");
        let policy = self.header("content-security-policy").unwrap_or_default();
        if self.is_html() {
            let directives: Vec<_> = policy.split("; ").collect();
            assert!(directives.contains(&"default-src 'none'"), "{request}: {policy}");
            assert!(directives.contains(&"frame-ancestors 'none'"), "{request}: {policy}");
            assert!(!policy.contains("unsafe"), "{request}: {policy}");
        } else {
            assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'", "{request}");
        }
        assert!(self.header("x-request-id").is_some(), "{request}");
        let cache = self.header("cache-control").unwrap_or_default();
        let public = [
            "/.well-known/",
            "jwks",
            "/assets/",
            "/theme.css",
            "/logo",
            "/openapi.json",
        ]
        .iter()
        .any(|path| request.contains(path));
        assert!(
            cache == "no-store" || public && self.status == 200,
            "{request}: {cache}"
        );
        let page = PAGES.iter().any(|path| request.contains(path));
        assert!(page || !self.headers.contains_key("set-cookie"), "{request}");
        if self.status == 503 || self.status == 429 {
            let seconds: u32 = self.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=900).contains(&seconds), "{request}: {seconds}");
        }
        for inside in ["postgres", "sqlx::", "panicked", ".rs:", "SELECT ", "127.0.0.1"] {
            // A page knows its own address.
            let told = text.contains(inside) && !request.contains(inside);
            assert!(!told, "{request} tells of our insides: {text}");
        }
    }

    pub fn is_html(&self) -> bool {
        self.header("content-type")
            .is_some_and(|media_type| media_type.starts_with("text/html"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}: not JSON: {}", self.status, self.text()))
    }

    /// The JSON of an answer that must be a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// Asserts a refusal in the form of RFC 6749 section 5.2.
    #[track_caller]
    pub fn refuses(&self, status: u16, error: &str) -> &Self {
        let body = self.json();
        assert_eq!((self.status, body["error"].as_str()), (status, Some(error)), "{body}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        for (name, value) in body.as_object().unwrap() {
            assert!(ERROR_FIELDS.contains(&name.as_str()), "{body}");
            let plain = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(value.as_str().unwrap().bytes().all(plain), "{body}");
        }
        self
    }

    /// Asserts a refusal in the form of RFC 6750 section 3: `error` is empty where no token came.
    #[track_caller]
    pub fn challenges(&self, status: u16, error: &str) -> &Self {
        assert_eq!(self.status, status, "{}", self.text());
        let challenge = self.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        if error.is_empty() {
            assert!(!challenge.contains("error"), "{challenge}");
        } else {
            assert!(challenge.contains(&format!("error=\"{error}\"")), "{challenge}");
        }
        self
    }
}
