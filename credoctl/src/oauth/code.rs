//! An authorization code: in a browser with the answer on a loopback port, or by the headless call of a first-party client.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::{
    loopback::Loopback,
    metadata::Metadata,
    pkce::Fresh,
    token::{Client, Tokens, form},
};
use crate::{
    console::{self, Progress},
    failure::{Failure, Kind, Result},
    http::{Auth, Body, Call, Http},
};

/// A person who is asked for a password in a browser needs their time.
const BROWSER_TIME: Duration = Duration::from_mins(5);

/// A code and what it is bound to.
#[derive(Debug)]
pub struct Code {
    pub text: SecretString,
    pub redirect_uri: String,
    pub fresh: Fresh,
}

/// Whose password is proved by the headless call.
#[derive(Debug)]
pub struct Person<'a> {
    pub email: &'a str,
    pub password: SecretString,
}

/// Sends a person to their browser and waits for the answer.
///
/// # Errors
/// If the answer is a refusal, is not of this issuer and request, or does not come.
pub async fn in_browser(metadata: &Metadata, client: &Client, scope: &str) -> Result<Code> {
    let fresh = Fresh::draw()?;
    let loopback = Loopback::open().await?;
    let redirect_uri = loopback.redirect_uri();
    let url = authorization_url(metadata, client, scope, &redirect_uri, &fresh)?;
    console::note(format!("Open this address in a browser on this machine:\n\n  {url}\n"));
    let waiting = Progress::begin("waiting for the browser");
    let answer = tokio::time::timeout(BROWSER_TIME, loopback.answer())
        .await
        .map_err(|_| Failure::error("no browser came back within five minutes").next("the same command again"))??;
    drop(waiting);
    let code = read_redirect(&answer, metadata, &fresh)?;
    Ok(Code {
        text: code,
        redirect_uri,
        fresh,
    })
}

/// The code of an authorization response, if it answers this request of this issuer (RFC 6749 section 4.1.2, RFC 9207).
fn read_redirect(answer: &[(String, String)], metadata: &Metadata, fresh: &Fresh) -> Result<SecretString> {
    let of = |name: &str| {
        answer
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    };
    if of("state") != Some(&fresh.state) {
        return Err(Failure::error(
            "the answer belongs to another request: its state differs",
        ));
    }
    if of("iss") != Some(&metadata.issuer) {
        return Err(Failure::error("the answer is of another issuer: its iss differs"));
    }
    if let Some(error) = of("error") {
        let failure = Failure::new(Kind::Denied, "the sign-in was refused").reason(console::harmless(error));
        return Err(match of("error_description") {
            Some(description) => failure.detail(console::harmless(description)),
            None => failure,
        });
    }
    of("code")
        .map(SecretString::from)
        .ok_or_else(|| Failure::error("the answer carries no code"))
}

fn authorization_url(
    metadata: &Metadata,
    client: &Client,
    scope: &str,
    redirect_uri: &str,
    fresh: &Fresh,
) -> Result<Url> {
    let mut url = Url::parse(&metadata.authorization_endpoint)
        .map_err(|_| Failure::error("the issuer's authorization endpoint is no URL"))?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &client.id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", scope)
        .append_pair("state", &fresh.state)
        .append_pair("nonce", &fresh.nonce)
        .append_pair("code_challenge", &fresh.challenge())
        .append_pair("code_challenge_method", "S256");
    Ok(url)
}

/// Signs a person in without a browser; for first-party clients only.
///
/// # Errors
/// If it is refused, or the answer is not of this issuer and request.
pub async fn headless(
    http: &Http,
    metadata: &Metadata,
    client: &Client,
    person: &Person<'_>,
    (scope, redirect_uri): (&str, &str),
) -> Result<Code> {
    let fresh = Fresh::draw()?;
    let body = json!({
        "email": person.email,
        "proof": { "type": "password", "password": person.password.expose_secret() },
        "client_id": client.id,
        "scopes": scope.split_whitespace().collect::<Vec<_>>(),
        "redirect_uri": redirect_uri,
        "state": fresh.state,
        "nonce": fresh.nonce,
        "code_challenge": fresh.challenge(),
        "code_challenge_method": "S256",
    });
    let auth = match &client.secret {
        Some(secret) => Auth::Basic(client.id.clone(), secret.clone()),
        None => Auth::Nobody,
    };
    let call = Call::post(metadata.authorization_endpoint.clone(), Body::Json(body)).auth(auth);
    let answer: Value = http.send(call).await?.json("sign-in")?;
    let pairs: Vec<_> = ["code", "state", "iss"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), answer[name].as_str()?.to_owned())))
        .collect();
    let code = read_redirect(&pairs, metadata, &fresh)?;
    Ok(Code {
        text: code,
        redirect_uri: redirect_uri.to_owned(),
        fresh,
    })
}

/// The code for tokens.
///
/// # Errors
/// If it is refused, or the ID token's nonce is another.
pub async fn exchange(http: &Http, metadata: &Metadata, client: &Client, code: &Code) -> Result<Tokens> {
    let fields = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", code.text.expose_secret().to_owned()),
        ("redirect_uri", code.redirect_uri.clone()),
        ("code_verifier", code.fresh.verifier.clone()),
    ];
    let tokens: Tokens = form(http, &metadata.token_endpoint, client, fields)
        .await?
        .json("code exchange")?;
    if let Some(id_token) = &tokens.id_token {
        let claims = super::decode::unverified(id_token.expose_secret())?.claims;
        if claims["nonce"].as_str() != Some(code.fresh.nonce.as_str()) {
            return Err(Failure::error(
                "the ID token answers another request: its nonce differs",
            ));
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        serde_json::from_value(json!({
            "issuer": "https://id.example/t/demo", "authorization_endpoint": "https://id.example/auth/authorize",
            "token_endpoint": "https://id.example/auth/token", "jwks_uri": "https://id.example/t/demo/jwks.json",
        }))
        .unwrap()
    }

    fn answer(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn answer_of_another_request_or_issuer_is_refused() {
        let fresh = Fresh {
            state: "s".to_owned(),
            nonce: "n".to_owned(),
            verifier: "v".to_owned(),
        };
        let iss = "https://id.example/t/demo";
        let good = answer(&[("code", "crc_1"), ("state", "s"), ("iss", iss)]);
        assert_eq!(
            read_redirect(&good, &metadata(), &fresh).unwrap().expose_secret(),
            "crc_1"
        );
        for bad in [
            answer(&[("code", "crc_1"), ("state", "x"), ("iss", iss)]),
            answer(&[("code", "crc_1"), ("iss", iss)]),
            answer(&[("code", "crc_1"), ("state", "s"), ("iss", "https://evil.example")]),
            answer(&[("code", "crc_1"), ("state", "s")]),
            answer(&[("state", "s"), ("iss", iss)]),
        ] {
            assert!(read_redirect(&bad, &metadata(), &fresh).is_err(), "{bad:?}");
        }
        let refused = answer(&[("error", "access_denied"), ("state", "s"), ("iss", iss)]);
        assert_eq!(
            read_redirect(&refused, &metadata(), &fresh).unwrap_err().kind,
            Kind::Denied
        );
    }

    #[test]
    fn request_has_everything_that_binds_its_answer() {
        let fresh = Fresh::draw().unwrap();
        let client = Client {
            id: "c".to_owned(),
            secret: None,
        };
        let url = authorization_url(&metadata(), &client, "openid", "http://127.0.0.1:9/callback", &fresh).unwrap();
        for needed in [
            "code_challenge_method=S256",
            "state=",
            "nonce=",
            "client_id=c",
            "127.0.0.1%3A9%2Fcallback",
        ] {
            assert!(url.as_str().contains(needed), "{needed} is missing in {url}");
        }
        assert!(!url.as_str().contains(&fresh.verifier));
    }
}
