//! Signs a person in with OpenID Connect, from a program on their machine, with the crate `openidconnect`.
//!
//! ```text
//! credo-example-openidconnect ISSUER CLIENT_ID
//! ```
#![expect(clippy::print_stdout, reason = "it talks to a person on a terminal")]

use anyhow::{Context as _, Result, bail, ensure};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, ClientId, CsrfToken, HttpRequest, HttpResponse, IssuerUrl,
    LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, ProviderMetadataWithLogout, RedirectUrl,
    RequestTokenError, Scope, TokenResponse as _,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreErrorResponseType, CoreIdToken, CoreIdTokenVerifier, CoreUserInfoClaims,
    },
};
use reqwest::Url;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(issuer), Some(client_id), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        bail!("usage: credo-example-openidconnect ISSUER CLIENT_ID");
    };
    sign_in(issuer, client_id).await
}

async fn sign_in(issuer: String, client_id: String) -> Result<()> {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let http = |request| send(&http, request);
    let metadata = ProviderMetadataWithLogout::discover_async(IssuerUrl::new(issuer)?, &http).await?;
    let end_session = metadata.additional_metadata().end_session_endpoint.clone();

    // A native client listens on any port that is free (RFC 8252).
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let redirect_uri = format!("http://127.0.0.1:{}/callback", listener.local_addr()?.port());
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new(client_id), None)
        .set_redirect_uri(RedirectUrl::new(redirect_uri)?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scope(Scope::new("profile".to_owned()))
        .add_scope(Scope::new("email".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    println!("Open this URL in a browser:\n{url}");
    let code = wait_for_code(&listener, &state).await?;

    let tokens = client
        .exchange_code(code)?
        .set_pkce_verifier(verifier)
        .request_async(&http)
        .await?;
    let id_token = tokens.id_token().context("no ID token came")?;
    let id_token_verifier = client.id_token_verifier();
    let claims = id_token.claims(&id_token_verifier, &nonce)?; // signature, iss, aud, exp, nonce
    let hash = hash_of(tokens.access_token(), id_token, &id_token_verifier)?;
    ensure!(
        claims.access_token_hash() == Some(&hash),
        "the access token belongs to another ID token"
    );
    println!("Signed in: {}", claims.subject().as_str());

    let subject = claims.subject().clone();
    let userinfo: CoreUserInfoClaims = client
        .user_info(tokens.access_token().clone(), Some(subject))?
        .request_async(&http)
        .await?;
    println!("Userinfo: {}", describe(&userinfo)?);

    let refresh_token = tokens.refresh_token().context("no refresh token came")?;
    let refreshed = client
        .exchange_refresh_token(refresh_token)?
        .request_async(&http)
        .await?;
    let lifetime = refreshed.expires_in().context("for how long?")?;
    println!("Refreshed: a new access token for {} seconds", lifetime.as_secs());

    let sign_out = LogoutRequest::from(end_session.context("the server has no logout")?).set_id_token_hint(id_token);
    println!(
        "To sign out, open this URL in the same browser, then press Enter:\n{}",
        sign_out.http_get_url()
    );
    std::io::stdin().read_line(&mut String::new())?;
    let refresh_token = refreshed.refresh_token().context("no new refresh token came")?;
    match client.exchange_refresh_token(refresh_token)?.request_async(&http).await {
        Ok(_) => println!("Still signed in: the refresh token is good"),
        Err(RequestTokenError::ServerResponse(refusal)) if *refusal.error() == CoreErrorResponseType::InvalidGrant => {
            println!("Signed out: the refresh token is refused");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// What the ID token must say of an access token that was issued with it.
fn hash_of(token: &AccessToken, id_token: &CoreIdToken, verifier: &CoreIdTokenVerifier<'_>) -> Result<AccessTokenHash> {
    let (algorithm, key) = (id_token.signing_alg()?, id_token.signing_key(verifier)?);
    Ok(AccessTokenHash::from_token(token, algorithm, key)?)
}

fn describe(userinfo: &CoreUserInfoClaims) -> Result<String> {
    let name = userinfo.name().and_then(|name| name.get(None));
    let name = name.context("userinfo has no name")?;
    let email = userinfo.email().context("userinfo has no email")?;
    Ok(format!("{} <{}>", name.as_str(), email.as_str()))
}

/// Answers the browser until it brings the code, with the state that it was sent away with.
async fn wait_for_code(listener: &TcpListener, state: &CsrfToken) -> Result<AuthorizationCode> {
    loop {
        let (stream, _) = listener.accept().await?;
        let mut stream = BufReader::new(stream);
        let mut request_line = String::new();
        stream.read_line(&mut request_line).await?;
        let path = request_line.split_whitespace().nth(1).unwrap_or_default();
        let url = Url::parse("http://127.0.0.1")?.join(path)?;
        let known = url.path() == "/callback";
        let text = if known {
            "You may close this window.\n"
        } else {
            "Nothing here.\n"
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n";
        let answer = format!("{head}content-length: {}\r\n\r\n{text}", text.len());
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        if !known {
            continue;
        }
        let parameter = |name: &str| {
            url.query_pairs()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.into_owned())
        };
        ensure!(
            parameter("state").as_ref() == Some(state.secret()),
            "an answer to somebody else's question"
        );
        if let Some(error) = parameter("error") {
            bail!("no sign-in: {error}");
        }
        return Ok(AuthorizationCode::new(parameter("code").context("no code came")?));
    }
}

/// The workspace's HTTP client in place of the crate's own, an older one.
async fn send(http: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let response = http.execute(request.try_into()?).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut answer = HttpResponse::new(response.bytes().await?.to_vec());
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}
