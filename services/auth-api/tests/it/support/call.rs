//! A request in the making.

use axum::{
    body::Body,
    http::{Request, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::Client;

enum Content {
    None,
    Form(Vec<(String, String)>),
    Json(Value),
    Raw(Body),
}

/// A request in the making.
pub struct Call {
    method: &'static str,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    content: Content,
}

impl Call {
    pub fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            headers: Vec::new(),
            content: Content::None,
        }
    }

    pub fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    /// POST with a form.
    pub fn form<const N: usize>(target: &str, parameters: [(&str, &str); N]) -> Self {
        let mut call = Self::new("POST", target);
        let owned = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        call.content = Content::Form(owned.into());
        call
    }

    /// POST with JSON.
    pub fn json(target: &str, body: Value) -> Self {
        let mut call = Self::new("POST", target);
        call.content = Content::Json(body);
        call
    }

    /// POST with a body of the test's own making.
    pub fn raw(target: &str, content_type: &str, body: impl Into<Body>) -> Self {
        let mut call = Self::new("POST", target).header("content-type", content_type);
        call.content = Content::Raw(body.into());
        call
    }

    pub fn param(mut self, name: &str, value: &str) -> Self {
        match &mut self.content {
            Content::Form(parameters) => parameters.push((name.to_owned(), value.to_owned())),
            _ => panic!("not a form"),
        }
        self
    }

    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// HTTP Basic with both halves as they are.
    pub fn basic(self, id: &str, secret: &str) -> Self {
        let credentials = STANDARD.encode(format!("{id}:{secret}"));
        self.header("authorization", format!("Basic {credentials}"))
    }

    /// As `client` says who it is, by its own method.
    pub fn client(self, client: &Client) -> Self {
        let id = client.id.to_string();
        let secret = client.secret.as_deref().unwrap_or_default();
        match client.method {
            "client_secret_basic" => self.basic(&id, secret),
            "client_secret_post" => self.param("client_id", &id).param("client_secret", secret),
            _ => self.param("client_id", &id),
        }
    }

    pub fn into_request(self) -> Request<Body> {
        let mut builder = Request::builder().method(self.method).uri(self.target);
        let mut headers = self.headers;
        let body = match self.content {
            Content::None => Body::empty(),
            Content::Raw(body) => body,
            Content::Json(value) => {
                headers.push(("content-type".to_owned(), b"application/json".to_vec()));
                Body::from(value.to_string())
            }
            Content::Form(parameters) => {
                headers.push((
                    header::CONTENT_TYPE.to_string(),
                    b"application/x-www-form-urlencoded".to_vec(),
                ));
                Body::from(Serializer::new(String::new()).extend_pairs(parameters).finish())
            }
        };
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        builder.body(body).unwrap()
    }
}
