//! The token endpoint, revocation and introspection, as a client with or without a secret calls them.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::metadata::Metadata;
use crate::{
    failure::Result,
    http::{Answer, Auth, Body, Call, Http},
};

/// A client. With a secret it authenticates by HTTP Basic, else it only says its name.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: String,
    pub secret: Option<SecretString>,
}

/// What the token endpoint gives.
#[derive(Clone, Debug, Deserialize)]
pub struct Tokens {
    pub access_token: SecretString,
    pub expires_in: i64,
    pub refresh_token: Option<SecretString>,
    pub id_token: Option<SecretString>,
    #[serde(default)]
    pub scope: String,
}

type Field = (&'static str, String);

/// Calls an endpoint with a form, as the client.
///
/// # Errors
/// If there is no answer.
pub async fn form(http: &Http, url: &str, client: &Client, mut fields: Vec<Field>) -> Result<Answer> {
    let auth = if let Some(secret) = &client.secret {
        Auth::Basic(client.id.clone(), secret.clone())
    } else {
        fields.push(("client_id", client.id.clone()));
        Auth::Nobody
    };
    http.send(Call::post(url, Body::Form(fields)).auth(auth)).await
}

/// A token for the client itself.
///
/// # Errors
/// If it is refused.
pub async fn client_credentials(http: &Http, metadata: &Metadata, client: &Client, scope: &str) -> Result<Tokens> {
    let mut fields = vec![("grant_type", "client_credentials".to_owned())];
    if !scope.is_empty() {
        fields.push(("scope", scope.to_owned()));
    }
    form(http, &metadata.token_endpoint, client, fields)
        .await?
        .json("client_credentials")
}

/// Tokens for a refresh token.
///
/// # Errors
/// If it is refused.
pub async fn refresh(http: &Http, metadata: &Metadata, client: &Client, token: &SecretString) -> Result<Tokens> {
    let fields = vec![
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", token.expose_secret().to_owned()),
    ];
    form(http, &metadata.token_endpoint, client, fields)
        .await?
        .json("refresh")
}

/// Ends what a token belongs to.
///
/// # Errors
/// If it is refused.
pub async fn revoke(http: &Http, metadata: &Metadata, client: &Client, token: &SecretString) -> Result<Answer> {
    let fields = vec![("token", token.expose_secret().to_owned())];
    let answer = form(http, metadata.revocation()?, client, fields).await?;
    if answer.is_success() {
        Ok(answer)
    } else {
        Err(answer.refusal("revocation"))
    }
}

/// What the server says of a token.
///
/// # Errors
/// If it is refused.
pub async fn introspect(http: &Http, metadata: &Metadata, client: &Client, token: &SecretString) -> Result<Value> {
    let fields = vec![("token", token.expose_secret().to_owned())];
    form(http, metadata.introspection()?, client, fields)
        .await?
        .json("introspection")
}

/// What the server says of the person.
///
/// # Errors
/// If there is no answer.
pub async fn userinfo(http: &Http, metadata: &Metadata, token: &SecretString) -> Result<Answer> {
    http.send(Call::get(metadata.userinfo()?).auth(Auth::Bearer(token.clone())))
        .await
}
