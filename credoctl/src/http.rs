//! Plain HTTP to the public endpoints and management ports: bounded, without redirects, each exchange showable.

mod show;
pub mod tls;

use std::time::{Duration, Instant};

use reqwest::{Method, redirect::Policy};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use show::Shown;

use crate::{
    context::Endpoint,
    failure::{Failure, Kind, Result},
};

/// No answer that is read here is longer.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// What sends.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    shown: Shown,
}

/// One request.
#[derive(Debug)]
pub struct Call {
    pub method: Method,
    pub url: String,
    pub auth: Auth,
    pub body: Body,
}

/// How the caller proves who it is.
#[derive(Debug, Default)]
pub enum Auth {
    #[default]
    Nobody,
    Basic(String, SecretString),
    Bearer(SecretString),
}

/// What is sent.
#[derive(Debug, Default)]
pub enum Body {
    #[default]
    Empty,
    Form(Vec<(&'static str, String)>),
    Json(Value),
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
    pub took: Duration,
}

impl Call {
    /// A document.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            url: url.into(),
            auth: Auth::Nobody,
            body: Body::Empty,
        }
    }

    /// A form or a JSON document.
    pub fn post(url: impl Into<String>, body: Body) -> Self {
        Self {
            method: Method::POST,
            url: url.into(),
            auth: Auth::Nobody,
            body,
        }
    }

    /// By whom.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }
}

impl Http {
    /// Speaks to an endpoint as its context says.
    ///
    /// # Errors
    /// If a certificate or a key cannot be read.
    pub fn new(endpoint: &Endpoint, timeout: Duration) -> Result<Self> {
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(timeout)
            .user_agent(concat!("credoctl/", env!("CARGO_PKG_VERSION")));
        let client = tls::configure(builder, endpoint)?
            .build()
            .map_err(|error| Failure::usage(format!("TLS cannot be set up: {error}")))?;
        Ok(Self {
            client,
            shown: Shown::Nothing,
        })
    }

    /// The same, and every exchange is shown on stderr.
    pub fn showing(mut self, shown: Shown) -> Self {
        self.shown = shown;
        self
    }

    /// Sends and reads the answer, whatever its status.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn send(&self, call: Call) -> Result<Answer> {
        self.shown.request(&call);
        let begun = Instant::now();
        let unreachable = |error: reqwest::Error| {
            Failure::unavailable(format!("{} does not answer: {}", call.url, root_cause(&error)))
                .next("credoctl doctor says where it ends")
        };
        let mut request = self.client.request(call.method.clone(), &call.url);
        request = match &call.auth {
            Auth::Nobody => request,
            Auth::Basic(id, secret) => request.basic_auth(id, Some(secret.expose_secret())),
            Auth::Bearer(token) => request.bearer_auth(token.expose_secret()),
        };
        request = match &call.body {
            Body::Empty => request,
            Body::Form(fields) => request.form(fields),
            Body::Json(value) => request.json(value),
        };
        let mut response = request.send().await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER_BYTES {
                return Err(Failure::error(format!("{} answers more than is read", call.url)));
            }
        }
        let answer = Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: String::from_utf8_lossy(&body).into_owned(),
            took: begun.elapsed(),
        };
        self.shown.answer(&answer);
        Ok(answer)
    }
}

impl Answer {
    /// Whether it is a 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The JSON of a good answer; a bad one as a failure with its OAuth error.
    ///
    /// # Errors
    /// If it is no 2xx, or not what it should be.
    pub fn json<T: DeserializeOwned>(&self, what: &str) -> Result<T> {
        if !self.is_success() {
            return Err(self.refusal(what));
        }
        Ok(serde_json::from_str(&self.body)?)
    }

    /// The answer as a failure.
    pub fn refusal(&self, what: &str) -> Failure {
        let said: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let text = |name: &str| said[name].as_str().map(crate::console::harmless);
        let kind = match self.status {
            401 | 403 => Kind::Denied,
            404 => Kind::NotFound,
            409 => Kind::Conflict,
            429 | 500.. => Kind::Unavailable,
            _ => Kind::Error,
        };
        let error = text("error");
        let kind = match error.as_deref() {
            Some("invalid_grant" | "invalid_client" | "access_denied" | "invalid_scope") => Kind::Denied,
            _ => kind,
        };
        let mut failure = Failure::new(kind, format!("{what}: it answers {}", self.status));
        if let Some(description) = text("error_description")
            .or_else(|| text("detail"))
            .or_else(|| text("title"))
        {
            failure = failure.detail(description);
        }
        if let Some(error) = error {
            failure = failure.reason(error);
        }
        if let Some(wait) = self.header("retry-after") {
            failure = failure.next(format!("again in {wait} seconds"));
        }
        failure.request_id(self.header("x-request-id").map(ToOwned::to_owned))
    }
}

/// The innermost reason: the outer ones only say that sending failed.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut deepest = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        deepest = error.to_string();
        cause = error.source();
    }
    deepest
}
