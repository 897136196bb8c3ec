//! Requests that are not quite what the endpoint reads: each is refused in the words of its RFC.

use anyhow::bail;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cucumber::{given, when};
use reqwest::{Method, RequestBuilder};

use crate::{
    answer::Answer,
    digest::hex,
    failure::Result,
    oauth::{Client, random_text},
    world::CredoWorld,
};

const TOKEN: &str = "/auth/token";
const FORM: &str = "application/x-www-form-urlencoded";
const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn send(world: &mut CredoWorld, request: RequestBuilder) -> Result {
    let answer = Answer::of(request).await?;
    world.answers.push(answer);
    Ok(())
}

#[when(regex = r"^the token endpoint is called with (GET|HEAD|PUT|DELETE)$")]
pub async fn calls_with(world: &mut CredoWorld, method: String) -> Result {
    let request = world.api.request(method.parse::<Method>()?, TOKEN);
    send(world, request).await
}

#[given(regex = r"^(\w+) has a token for itself$")]
pub async fn has_token(world: &mut CredoWorld, client: String) -> Result {
    asks_for_token(world, client).await?;
    Ok(world.answer()?.expect(200, "")?)
}

#[when(regex = r"^(\w+) asks for a token$")]
pub async fn asks_for_token(world: &mut CredoWorld, client: String) -> Result {
    let answer = world.api.client_credentials(world.client(&client)?, None).await?;
    world.answers.push(answer);
    Ok(())
}

#[when(regex = r#"^(\w+) asks for a token for "([^"]*)"$"#)]
pub async fn asks_for_scope(world: &mut CredoWorld, client: String, scope: String) -> Result {
    let answer = world
        .api
        .client_credentials(world.client(&client)?, Some(&scope))
        .await?;
    world.answers.push(answer);
    Ok(())
}

#[when(regex = r#"^(\w+) asks for a token as "([^"]*)"$"#)]
pub async fn asks_as(world: &mut CredoWorld, client: String, content_type: String) -> Result {
    let client = world.client(&client)?;
    let request = world
        .api
        .request(Method::POST, TOKEN)
        .basic_auth(&client.id, Some(&client.secret));
    let body = if content_type.contains("json") {
        r#"{"grant_type":"client_credentials"}"#
    } else {
        "grant_type=client_credentials"
    };
    let request = match content_type.as_str() {
        "" => request,
        content_type => request.header("content-type", content_type),
    };
    send(world, request.body(body)).await
}

#[when(regex = r"^(\w+) asks for a token by (basic|post|nothing)$")]
pub async fn asks_by(world: &mut CredoWorld, client: String, method: String) -> Result {
    let client = world.client(&client)?;
    let secret = if client.secret.is_empty() {
        "crs_secret"
    } else {
        &client.secret
    };
    let request = world.api.request(Method::POST, TOKEN);
    let request = match method.as_str() {
        "basic" => request.basic_auth(&client.id, Some(secret)).form(&[GRANT]),
        "post" => request.form(&[GRANT, ("client_id", &client.id), ("client_secret", secret)]),
        _ => request.form(&[GRANT, ("client_id", &client.id)]),
    };
    send(world, request).await
}

#[when(regex = r"^(\w+) asks for a token with (.+)$")]
pub async fn asks_with(world: &mut CredoWorld, client: String, what: String) -> Result {
    let request = odd_request(world, world.client(&client)?, &what)?;
    send(world, request).await
}

fn odd_request(world: &CredoWorld, client: &Client, what: &str) -> anyhow::Result<RequestBuilder> {
    let (id, secret) = (client.id.as_str(), client.secret.as_str());
    let at = |path: &str| world.api.request(Method::POST, path);
    let raw_basic =
        |credentials: String| at(TOKEN).header("authorization", format!("Basic {}", STANDARD.encode(credentials)));
    Ok(match what {
        "its secret in the query" => at(&format!("{TOKEN}?client_id={id}&client_secret={secret}")).form(&[GRANT]),
        "its secret in header and body" => at(TOKEN)
            .basic_auth(id, Some(secret))
            .form(&[GRANT, ("client_secret", secret)]),
        "another client_id in the body" => at(TOKEN)
            .basic_auth(id, Some(secret))
            .form(&[GRANT, ("client_id", &random_text())]),
        "two Authorization headers" => at(TOKEN)
            .basic_auth(id, Some(secret))
            .header("authorization", "Basic Og==")
            .form(&[GRANT]),
        "its secret percent-encoded" => {
            let encoded: String = hex(secret.as_bytes())
                .as_bytes()
                .chunks(2)
                .flat_map(|pair| ["%", std::str::from_utf8(pair).unwrap_or_default()])
                .collect();
            raw_basic(format!("{id}:{encoded}")).form(&[GRANT])
        }
        "its secret and a plus at the end" => raw_basic(format!("{id}:{secret}+")).form(&[GRANT]),
        "its secret and a broken percent sign" => raw_basic(format!("{id}:{secret}%")).form(&[GRANT]),
        "its secret and a colon at the end" => raw_basic(format!("{id}:{secret}:")).form(&[GRANT]),
        "bytes that are no UTF-8" => raw_basic(format!("{id}:%ff%fe")).form(&[GRANT]),
        "credentials that are no base64" => at(TOKEN).header("authorization", "Basic ????").form(&[GRANT]),
        "a wrong secret" => at(TOKEN).basic_auth(id, Some(random_text())).form(&[GRANT]),
        "a client_id that nobody has" => at(TOKEN).basic_auth(uuid::Uuid::now_v7(), Some(secret)).form(&[GRANT]),
        "a client_id that is none" => at(TOKEN).basic_auth("nobody", Some(secret)).form(&[GRANT]),
        "a grant_type that is unknown" => at(TOKEN)
            .basic_auth(id, Some(secret))
            .form(&[("grant_type", "password")]),
        "no grant_type" => at(TOKEN).basic_auth(id, Some(secret)).form(&[("scope", "read")]),
        "grant_type twice" => at(TOKEN).basic_auth(id, Some(secret)).form(&[GRANT, GRANT]),
        "a NUL in the scope" => at(TOKEN)
            .basic_auth(id, Some(secret))
            .form(&[GRANT, ("scope", "read\u{0}")]),
        "an empty body" => at(TOKEN).basic_auth(id, Some(secret)).header("content-type", FORM),
        "a body of a megabyte" => at(TOKEN)
            .basic_auth(id, Some(secret))
            .form(&[GRANT, ("scope", &"x".repeat(1 << 20))]),
        other => bail!("what is {other}?"),
    })
}

#[when(regex = r"^(\w+) refreshes with the token in the query$")]
pub async fn refreshes_by_query(world: &mut CredoWorld, client: String) -> Result {
    let token = world.session("")?.newest()?.refresh_token()?;
    let path = format!("{TOKEN}?grant_type=refresh_token&refresh_token={token}");
    let request = world.api.form(&path, world.client(&client)?, &[]);
    send(world, request).await
}
