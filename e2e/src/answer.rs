//! What the server answered, as it came.

use std::fmt;

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{RequestBuilder, header::HeaderMap};
use serde::Deserialize;
use serde_json::Value;

use crate::oauth::{Code, SignIn};

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

/// A successful answer of the token endpoint.
#[derive(Clone, Debug, Deserialize)]
pub struct Tokens {
    pub access_token: String,
    pub token_type: String,
    pub expires_in: u64,
    pub refresh_token: Option<String>,
    pub id_token: Option<String>,
    pub scope: String,
}

impl Tokens {
    /// The refresh token.
    ///
    /// # Errors
    /// If there is none.
    pub fn refresh_token(&self) -> Result<&str> {
        self.refresh_token.as_deref().context("no refresh token was issued")
    }

    /// The ID token.
    ///
    /// # Errors
    /// If there is none.
    pub fn id_token(&self) -> Result<&str> {
        self.id_token.as_deref().context("no ID token was issued")
    }
}

impl Answer {
    /// Sends a request.
    ///
    /// # Errors
    /// If no whole answer comes back.
    pub async fn of(request: RequestBuilder) -> Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self {
            status,
            headers,
            text: response.text().await?,
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// If it is none.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text).with_context(|| format!("no JSON: {self}"))
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The OAuth error code, or nothing.
    pub fn error(&self) -> String {
        let body = serde_json::from_str::<Value>(&self.text).unwrap_or_default();
        body["error"].as_str().unwrap_or_default().to_owned()
    }

    /// Checks status and OAuth error; an empty error means that there must be none.
    ///
    /// # Errors
    /// If the answer is another one, or says more than RFC 6749 section 5.2 lets it.
    pub fn expect(&self, status: u16, error: &str) -> Result<()> {
        ensure!(
            self.status == status && self.error() == error,
            "expected {status} {error}, got {self}"
        );
        if error.is_empty() {
            Ok(())
        } else {
            self.expect_plain_error()
        }
    }

    /// TK-18: nothing but the members of RFC 6749 section 5.2, in its characters.
    fn expect_plain_error(&self) -> Result<()> {
        for (name, value) in self.json()?.as_object().context("the error is no JSON object")? {
            let known = ["error", "error_description", "error_uri"].contains(&name.as_str());
            let plain = value.as_str().is_some_and(|text| {
                text.bytes()
                    .all(|byte| matches!(byte, 0x20..=0x7e) && !b"\"\\".contains(&byte))
            });
            ensure!(known && plain, "an error says too much: {self}");
        }
        ensure!(
            self.header("cache-control").contains("no-store"),
            "an error may be cached: {self}"
        );
        Ok(())
    }

    /// The tokens of a successful answer.
    ///
    /// # Errors
    /// If it is not successful.
    pub fn tokens(&self) -> Result<Tokens> {
        ensure!(self.status == 200, "no tokens: {self}");
        serde_json::from_str(&self.text).with_context(|| format!("no tokens: {self}"))
    }

    /// The code of a successful sign-in.
    ///
    /// # Errors
    /// If it is not successful.
    pub fn code(&self, wanted: &SignIn) -> Result<Code> {
        ensure!(self.status == 200, "no code: {self}");
        let body = self.json()?;
        let member = |name: &str| -> Result<String> {
            let text = body[name].as_str().with_context(|| format!("no {name}: {self}"))?;
            Ok(text.to_owned())
        };
        if member("state")? != wanted.state {
            bail!("another state came back: {self}");
        }
        Ok(Code {
            text: member("code")?,
            redirect_uri: member("redirect_uri")?,
            verifier: wanted.verifier.clone(),
            nonce: wanted.nonce.clone(),
        })
    }

    /// Whether introspection says that a token is active.
    ///
    /// # Errors
    /// If it says nothing, or speaks of an inactive token (RFC 7662 section 2.2).
    pub fn is_active(&self) -> Result<bool> {
        ensure!(self.status == 200, "introspection failed: {self}");
        let body = self.json()?;
        let active = body["active"]
            .as_bool()
            .with_context(|| format!("active is no boolean: {self}"))?;
        let members = body.as_object().map_or(0, serde_json::Map::len);
        ensure!(active || members == 1, "an inactive token is spoken of: {self}");
        Ok(active)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let challenge = self.header("www-authenticate");
        write!(formatter, "{} {challenge} {}", self.status, self.text)
    }
}
