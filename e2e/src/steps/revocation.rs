//! Ending tokens, asking about tokens, and whether what was issued still works.

use std::time::Duration;

use anyhow::Context as _;
use cucumber::{then, when};

use crate::{
    answer::Answer,
    failure::{Result, ensure},
    jwt::Forger,
    oauth::random_text,
    world::CredoWorld,
};

/// DESIGN section 2: an access token that is already out is refused within this.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

/// A token by what it is called.
fn token(world: &CredoWorld, what: &str) -> anyhow::Result<String> {
    let session = world.session("");
    Ok(match what {
        "the access token" => session?.newest()?.access_token.clone(),
        "the refresh token" => session?.newest()?.refresh_token()?.to_owned(),
        "the first refresh token" => session?
            .tokens
            .first()
            .context("there is none")?
            .refresh_token()?
            .to_owned(),
        "the ID token" => session?.newest()?.id_token()?.to_owned(),
        "the code" => session?.code.text.clone(),
        "the machine's token" => world.machine_token()?,
        "the expired access token" => expired(&session?.newest()?.access_token)?,
        "the access token signed by a stranger" => {
            let token = &session?.newest()?.access_token;
            let (header, claims) = (
                crate::jwt::unverified_header(token)?,
                crate::jwt::unverified_claims(token)?,
            );
            Forger::new()?.sign(&header.to_string(), &claims.to_string())?
        }
        "a made-up token" => format!("crt_{}", random_text()),
        _ => random_text(),
    })
}

/// The token with its times moved to yesterday and its old signature.
fn expired(token: &str) -> anyhow::Result<String> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut claims = crate::jwt::unverified_claims(token)?;
    claims["exp"] = (claims["exp"].as_i64().context("exp")? - 86_400).into();
    claims["iat"] = (claims["iat"].as_i64().context("iat")? - 86_400).into();
    let parts: Vec<_> = token.split('.').collect();
    ensure!(parts.len() == 3, "no token");
    Ok(format!(
        "{}.{}.{}",
        parts[0],
        URL_SAFE_NO_PAD.encode(claims.to_string()),
        parts[2]
    ))
}

#[when(regex = r"^(\w+) revokes ((?:the|a) [\w' -]+?)(?: with the hint (\w+))?$")]
pub async fn revokes(world: &mut CredoWorld, client: String, what: String, hint: String) -> Result {
    let token = token(world, &what)?;
    let mut parameters = vec![("token", token.as_str())];
    if !hint.is_empty() {
        parameters.push(("token_type_hint", &hint));
    }
    let answer = Answer::of(world.api.form("/auth/revoke", world.client(&client)?, &parameters)).await?;
    world.answers.push(answer);
    Ok(())
}

#[when(regex = r"^(\w+) tries to (revoke|introspect) the access token without authentication$")]
pub async fn asks_anonymously(world: &mut CredoWorld, client: String, verb: String) -> Result {
    let (token, client) = (token(world, "the access token")?, world.client(&client)?);
    let parameters = [("token", token.as_str()), ("client_id", &client.id)];
    let request = world
        .api
        .request(reqwest::Method::POST, endpoint(&verb))
        .form(&parameters);
    let answer = Answer::of(request).await?;
    world.answers.push(answer);
    Ok(())
}

#[when(regex = r"^(\w+) tries to (revoke|introspect) the access token with a wrong secret$")]
pub async fn asks_with_wrong_secret(world: &mut CredoWorld, client: String, verb: String) -> Result {
    let token = token(world, "the access token")?;
    let mut client = world.client(&client)?.clone();
    client.secret = random_text();
    let request = world.api.form(endpoint(&verb), &client, &[("token", &token)]);
    let answer = Answer::of(request).await?;
    world.answers.push(answer);
    Ok(())
}

fn endpoint(verb: &str) -> &'static str {
    if verb == "revoke" {
        "/auth/revoke"
    } else {
        "/auth/introspect"
    }
}

#[when(regex = r"^(\w+) introspects ((?:the|a) [\w' -]+)$")]
pub async fn introspects(world: &mut CredoWorld, client: String, what: String) -> Result {
    let token = token(world, &what)?;
    let answer = world.api.introspect(world.client(&client)?, &token).await?;
    world.answers.push(answer);
    Ok(())
}

#[then(regex = r"^it is (active|inactive, and nothing else is said)$")]
pub async fn introspection_says(world: &mut CredoWorld, what: String) -> Result {
    let answer = world.answer()?;
    ensure!(answer.is_active()? == (what == "active"), "{answer}");
    Ok(())
}

#[then(regex = r"^it tells scope, client, subject, times and issuer in the types of RFC 7662$")]
pub async fn introspection_is_typed(world: &mut CredoWorld) -> Result {
    let answer = world.answer()?;
    let body = answer.json()?;
    for text in ["scope", "client_id", "sub", "iss", "token_type"] {
        ensure!(body[text].is_string(), "{text} is no text: {answer}");
    }
    for number in ["exp", "iat"] {
        ensure!(body[number].is_i64(), "{number} is no number: {answer}");
    }
    let user = world.user(&world.session("")?.user)?;
    ensure!(
        body["sub"] == user.id.as_str() && body["iss"] == world.tenant()?.issuer.as_str(),
        "{answer}"
    );
    ensure!(
        answer.header("content-type").starts_with("application/json"),
        "{answer}"
    );
    Ok(())
}

#[then(regex = r"^the (\w+) is alive$")]
pub async fn session_is_alive(world: &mut CredoWorld, name: String) -> Result {
    let session = world.session(&name)?;
    let (client, token) = (session.client.clone(), session.newest()?.clone());
    ensure!(
        world.honours(&client, &token.access_token).await?,
        "its access token is refused"
    );
    let answer = world
        .api
        .refresh(world.client(&client)?, token.refresh_token()?)
        .await?;
    let tokens = answer.tokens()?;
    world.session_mut(&name)?.tokens.push(tokens);
    Ok(())
}

#[then(regex = r"^the (\w+) is dead( within a second)?$")]
pub async fn session_is_dead(world: &mut CredoWorld, name: String, later: String) -> Result {
    let within = if later.is_empty() { Duration::ZERO } else { REFUSAL_TIME };
    let session = world.session(&name)?.clone();
    let client = world.client(&session.client)?;
    // refreshing first: no token may be issued from the very moment on, whatever a cache says
    let refresh = world.api.refresh(client, session.newest()?.refresh_token()?).await?;
    let refused = (refresh.status, refresh.error());
    ensure!(
        refused == (400, "invalid_grant".to_owned()) || refused == (401, "invalid_client".to_owned()),
        "its refresh token is good: {refresh}"
    );
    for tokens in session.tokens.iter().rev().take(2) {
        world.expect_dead(&session.client, &tokens.access_token, within).await?;
    }
    Ok(())
}

#[then(regex = r"^the access token of the session is refused within a second$")]
pub async fn access_token_is_refused(world: &mut CredoWorld) -> Result {
    let session = world.session("")?.clone();
    let token = &session.newest()?.access_token;
    Ok(world.expect_dead(&session.client, token, REFUSAL_TIME).await?)
}
