//! An honest OAuth client: what it sends is what RFC 6749, 7009, 7662 and OpenID Connect say, and no more.
//!
//! Refuses to follow redirects and to retry: a test must see each answer.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{RequestBuilder, Url, redirect::Policy};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    answer::{Answer, Tokens},
    digest::sha256,
};

/// Longer than the server's own deadline: a request that meets this one was not answered at all.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How a client authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Basic,
    Post,
    Public,
}

/// A registered client.
#[derive(Clone, Debug)]
pub struct Client {
    pub tenant_id: String,
    pub issuer: String,
    pub id: String,
    pub secret: String,
    pub method: Method,
    pub redirect_uri: String,
}

/// A person.
#[derive(Clone, Debug)]
pub struct User {
    pub tenant_id: String,
    pub id: String,
    pub email: String,
    pub password: String,
    pub display_name: String,
}

/// A code and what it is bound to.
#[derive(Clone, Debug)]
pub struct Code {
    pub text: String,
    pub redirect_uri: String,
    pub verifier: String,
    pub nonce: String,
}

/// What a person asks for when they sign in.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub scopes: Vec<String>,
    pub state: String,
    pub nonce: String,
    pub verifier: String,
    pub device_id: Option<String>,
}

impl SignIn {
    /// Fresh state, nonce and verifier.
    pub fn new(scope: &str) -> Self {
        Self {
            scopes: scope.split_whitespace().map(ToOwned::to_owned).collect(),
            state: random_text(),
            nonce: random_text(),
            verifier: random_text() + &random_text(),
            device_id: None,
        }
    }
}

/// The public endpoints of the server.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    base_url: String,
}

impl Api {
    /// Endpoints below a base URL.
    ///
    /// # Errors
    /// If the HTTP client cannot be made.
    pub fn new(base_url: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .timeout(TIMEOUT)
            .no_proxy()
            .build()?;
        Ok(Self {
            http,
            base_url: base_url.to_owned(),
        })
    }

    /// What sends the requests: without redirects.
    pub fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    /// The URL that a client sends a browser to.
    ///
    /// # Errors
    /// If the base URL is none.
    pub fn authorization_url(&self, client: &Client, wanted: &SignIn, more: &[(&str, &str)]) -> Result<Url> {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(&[wanted.verifier.as_bytes()]));
        let mut url = Url::parse(&format!("{}/auth/authorize", self.base_url))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.id)
            .append_pair("redirect_uri", &client.redirect_uri)
            .append_pair("scope", &wanted.scopes.join(" "))
            .append_pair("state", &wanted.state)
            .append_pair("nonce", &wanted.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(more);
        Ok(url)
    }

    /// A request that nothing is said about yet.
    pub fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base_url))
    }

    /// A document at an absolute URL.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn get(&self, url: &str) -> Result<Answer> {
        Answer::of(self.http.get(url)).await
    }

    /// `POST /auth/authorize` with JSON.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn authorize(&self, client: &Client, user: &User, wanted: &SignIn) -> Result<Answer> {
        let mut body = json!({
            "email": user.email,
            "client_id": client.id,
            "scopes": wanted.scopes,
            "redirect_uri": client.redirect_uri,
            "state": wanted.state,
            "nonce": wanted.nonce,
            "code_challenge": URL_SAFE_NO_PAD.encode(sha256(&[wanted.verifier.as_bytes()])),
            "code_challenge_method": "S256",
            "proof": { "type": "password", "password": user.password },
        });
        if let Some(device) = &wanted.device_id {
            body["device_id"] = Value::from(device.as_str());
        }
        let mut request = self.request(reqwest::Method::POST, "/auth/authorize").json(&body);
        if client.method != Method::Public {
            request = request.basic_auth(&client.id, Some(&client.secret));
        }
        Answer::of(request).await
    }

    /// Signs in, which must succeed.
    ///
    /// # Errors
    /// If it does not.
    pub async fn sign_in(&self, client: &Client, user: &User, wanted: &SignIn) -> Result<Code> {
        self.authorize(client, user, wanted).await?.code(wanted)
    }

    /// A form with the client's own authentication.
    pub fn form(&self, path: &str, client: &Client, parameters: &[(&str, &str)]) -> RequestBuilder {
        let mut parameters = parameters.to_vec();
        let request = self.request(reqwest::Method::POST, path);
        let request = match client.method {
            Method::Basic => request.basic_auth(&client.id, Some(&client.secret)),
            Method::Post => {
                parameters.extend([
                    ("client_id", client.id.as_str()),
                    ("client_secret", client.secret.as_str()),
                ]);
                request
            }
            Method::Public => {
                parameters.push(("client_id", &client.id));
                request
            }
        };
        request.form(&parameters)
    }

    /// A code for tokens.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn exchange(&self, client: &Client, code: &Code) -> Result<Answer> {
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code.text.as_str()),
            ("redirect_uri", code.redirect_uri.as_str()),
            ("code_verifier", code.verifier.as_str()),
        ];
        Answer::of(self.form("/auth/token", client, &parameters)).await
    }

    /// A refresh token for its successor.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn refresh(&self, client: &Client, refresh_token: &str) -> Result<Answer> {
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        Answer::of(self.form("/auth/token", client, &parameters)).await
    }

    /// A token for the client itself.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn client_credentials(&self, client: &Client, scope: Option<&str>) -> Result<Answer> {
        let mut parameters = vec![("grant_type", "client_credentials")];
        parameters.extend(scope.map(|scope| ("scope", scope)));
        Answer::of(self.form("/auth/token", client, &parameters)).await
    }

    /// Ends a token.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn revoke(&self, client: &Client, token: &str) -> Result<Answer> {
        Answer::of(self.form("/auth/revoke", client, &[("token", token)])).await
    }

    /// Asks about a token.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn introspect(&self, client: &Client, token: &str) -> Result<Answer> {
        Answer::of(self.form("/auth/introspect", client, &[("token", token)])).await
    }

    /// A bearer endpoint.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn bearer(&self, method: reqwest::Method, path: &str, access_token: &str) -> Result<Answer> {
        Answer::of(self.request(method, path).bearer_auth(access_token)).await
    }

    /// The claims of the person behind a token.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn userinfo(&self, access_token: &str) -> Result<Answer> {
        self.bearer(reqwest::Method::GET, "/auth/userinfo", access_token).await
    }

    /// A document of the tenant, by the URL that its discovery document gives.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn discover(&self, issuer: &str, member: &str) -> Result<Value> {
        let configuration = self.get(&format!("{issuer}/.well-known/openid-configuration")).await?;
        ensure!(configuration.status == 200, "discovery: {configuration}");
        let url = configuration.json()?[member]
            .as_str()
            .with_context(|| format!("discovery names no {member}"))?
            .to_owned();
        let document = self.get(&url).await?;
        ensure!(document.status == 200, "{url}: {document}");
        document.json()
    }

    /// Signs in and exchanges the code, which must both succeed.
    ///
    /// # Errors
    /// If one does not.
    pub async fn enter(&self, client: &Client, user: &User, scope: &str) -> Result<Tokens> {
        let code = self.sign_in(client, user, &SignIn::new(scope)).await?;
        self.exchange(client, &code).await?.tokens()
    }
}

/// 32 characters that nobody can guess.
pub fn random_text() -> String {
    Uuid::new_v4().simple().to_string()
}
