//! Authorization requests as browsers bring them, and what comes back to the client.

use std::collections::BTreeMap;

use url::{Url, form_urlencoded::Serializer};

use super::{Answer, Browser, CHALLENGE, Call, Client, REDIRECT_URI};

/// The parameters of a request.
#[derive(Clone, Debug)]
pub struct AuthorizeRequest(Vec<(String, String)>);

/// What a client is told, by name.
pub type Callback = BTreeMap<String, String>;

impl AuthorizeRequest {
    /// One that is right.
    pub fn of(client: &Client) -> Self {
        let id = client.id.to_string();
        let pairs = [
            ("client_id", id.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", "openid email"),
            ("state", "a state"),
            ("nonce", "a nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    /// The same with another value.
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// The same with one more, whatever there is already.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    pub fn value(&self, name: &str) -> String {
        self.0.iter().find(|(known, _)| known == name).unwrap().1.clone()
    }

    pub fn query(&self) -> String {
        Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    pub fn target(&self) -> String {
        format!("/auth/authorize?{}", self.query())
    }

    /// As a form that another site posts: without our cookies.
    pub fn post(&self) -> Call {
        Call::raw("/auth/authorize", "application/x-www-form-urlencoded", self.query())
            .header("origin", "https://app.example")
            .header("sec-fetch-site", "cross-site")
    }
}

impl Browser<'_> {
    /// Asks, and goes on as far as our own pages and redirects lead.
    pub async fn authorize(&self, request: &AuthorizeRequest) -> Answer {
        self.open(&request.target()).await
    }

    /// A code for a request that needs no page.
    pub async fn code_for(&self, request: &AuthorizeRequest) -> String {
        let callback = self.authorize(request).await.callback(REDIRECT_URI);
        callback.get("code").unwrap_or_else(|| panic!("{callback:?}")).clone()
    }
}

impl Answer {
    /// What a redirect to `redirect_uri` brings along. Every response names the issuer, and nothing twice.
    #[track_caller]
    pub fn callback(&self, redirect_uri: &str) -> Callback {
        assert_eq!(self.status, 303, "{}", self.text());
        let location = self.header("location").unwrap();
        assert!(location.starts_with(redirect_uri), "{location}");
        let url = Url::parse(location).unwrap();
        assert_eq!(url.fragment(), None, "{location}");
        let mut callback = Callback::new();
        for (name, value) in url.query_pairs() {
            let repeated = callback.insert(name.clone().into_owned(), value.into_owned());
            assert!(repeated.is_none(), "{name} stands twice in {location}");
        }
        assert!(callback.contains_key("iss"), "{location}");
        callback
    }

    /// Asserts that the client is told of `error`, with state and issuer, and gets nothing else.
    #[track_caller]
    pub fn tells_client(&self, error: &str) -> Callback {
        let callback = self.callback(REDIRECT_URI);
        assert_eq!(callback.get("error").map(String::as_str), Some(error), "{callback:?}");
        for name in ["code", "access_token", "id_token", "token_type"] {
            assert!(!callback.contains_key(name), "{callback:?}");
        }
        callback
    }

    /// Asserts an error page on the URL itself: no redirect.
    #[track_caller]
    pub fn is_error_page(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text());
        assert!(self.is_html() && self.header("location").is_none());
        self
    }
}
