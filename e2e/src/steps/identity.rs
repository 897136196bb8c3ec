//! What relying parties and resource servers see: discovery, ID tokens, access tokens.

use anyhow::Context as _;
use cucumber::then;
use serde_json::Value;

use crate::{
    failure::{Result, ensure},
    jwt::{Verified, at_hash, unverified_header, verify},
    world::CredoWorld,
};

async fn discovery(world: &CredoWorld, url: &str) -> anyhow::Result<Value> {
    let answer = world.api.get(url).await?;
    ensure!(answer.status == 200, "{url}: {answer}");
    ensure!(
        answer.header("content-type").starts_with("application/json"),
        "{url} is no JSON"
    );
    answer.json()
}

#[then(regex = r"^both discovery documents of the tenant are the same and name its issuer$")]
pub async fn documents_agree(world: &mut CredoWorld) -> Result {
    let issuer = world.tenant()?.issuer.clone();
    let base = &world.stack.base_url;
    let path = issuer.strip_prefix(base.as_str()).context("the issuer is elsewhere")?;
    let openid = discovery(world, &format!("{issuer}/.well-known/openid-configuration")).await?;
    let oauth = discovery(world, &format!("{base}/.well-known/oauth-authorization-server{path}")).await?;
    ensure!(openid == oauth, "{openid} and {oauth}");
    ensure!(openid["issuer"] == issuer.as_str(), "{openid}");
    Ok(())
}

#[then(regex = r"^they list S256, the issuer in responses, and endpoints below the base URL$")]
pub async fn document_lists(world: &mut CredoWorld) -> Result {
    let issuer = &world.tenant()?.issuer;
    let document = discovery(world, &format!("{issuer}/.well-known/openid-configuration")).await?;
    ensure!(
        document["code_challenge_methods_supported"] == serde_json::json!(["S256"]),
        "{document}"
    );
    ensure!(
        document["authorization_response_iss_parameter_supported"] == true,
        "{document}"
    );
    for (name, value) in document.as_object().context("no object")? {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            let url = value.as_str().context("an endpoint is no text")?;
            ensure!(url.starts_with(&world.stack.base_url), "{name} is {url}");
        }
    }
    Ok(())
}

#[then(regex = r"^an unknown tenant has no discovery document and no keys$")]
pub async fn unknown_tenant(world: &mut CredoWorld) -> Result {
    let issuer = world
        .stack
        .issuer(&crate::oauth::random_text().replace(char::is_numeric, "x"));
    for path in [".well-known/openid-configuration", "jwks.json"] {
        let answer = world.api.get(&format!("{issuer}/{path}")).await?;
        ensure!(answer.status == 404, "{answer}");
    }
    Ok(())
}

#[then(regex = r"^the tenant's keys are public, named and for signatures only$")]
pub async fn keys_are_public(world: &mut CredoWorld) -> Result {
    let keys = world.keys().await?;
    let keys = keys["keys"].as_array().context("no keys")?;
    ensure!(!keys.is_empty(), "there is no key");
    for key in keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            ensure!(key.get(private).is_none(), "a private member: {private}");
        }
        ensure!(
            key["use"] == "sig" && key["alg"] == "ES256" && key["crv"] == "P-256",
            "{key}"
        );
        ensure!(
            keys.iter().filter(|other| other["kid"] == key["kid"]).count() == 1,
            "two keys of one name"
        );
    }
    Ok(())
}

async fn id_token(world: &CredoWorld, position: usize) -> anyhow::Result<Verified> {
    let session = world.session("")?;
    let client = world.client(&session.client)?;
    let tokens = session.tokens.get(position).context("no such tokens")?;
    let verified = verify(tokens.id_token()?, &world.keys().await?, &client.issuer, &client.id)?;
    ensure!(
        verified.text("at_hash")? == at_hash(&tokens.access_token),
        "at_hash: {}",
        verified.claims
    );
    Ok(verified)
}

#[then(regex = r"^the ID token is signed by a key of the tenant and speaks of (\w+) to (\w+)$")]
pub async fn id_token_is_good(world: &mut CredoWorld, user: String, client: String) -> Result {
    let session = world.session("")?;
    ensure!(session.client == client, "the session is that of another client");
    let verified = id_token(world, session.tokens.len() - 1).await?;
    let claims = &verified.claims;
    ensure!(verified.typ == "JWT", "typ is {}", verified.typ);
    ensure!(verified.text("sub")? == world.user(&user)?.id, "{claims}");
    ensure!(verified.text("nonce")? == session.code.nonce, "{claims}");
    ensure!(verified.text("sid")? == session.id()?, "{claims}");
    ensure!(claims["amr"] == serde_json::json!(["pwd"]), "{claims}");
    let (issued_at, auth_time) = (verified.number("iat")?, verified.number("auth_time")?);
    ensure!(auth_time <= issued_at && issued_at - auth_time < 120, "{claims}");
    Ok(())
}

#[then(regex = r"^the access token is signed by a key of the tenant and is an RFC 9068 token of (\w+) for (\w+)$")]
pub async fn access_token_is_good(world: &mut CredoWorld, user: String, client: String) -> Result {
    let session = world.session("")?;
    let (client, tokens) = (world.client(&client)?, session.newest()?);
    let verified = verify(
        &tokens.access_token,
        &world.keys().await?,
        &client.issuer,
        &client.issuer,
    )?;
    let claims = &verified.claims;
    ensure!(verified.typ == "at+jwt", "typ is {}", verified.typ);
    ensure!(verified.text("sub")? == world.user(&user)?.id, "{claims}");
    ensure!(
        verified.text("client_id")? == client.id && verified.text("scope")? == tokens.scope,
        "{claims}"
    );
    ensure!(verified.text("tid")? == client.tenant_id, "{claims}");
    ensure!(verified.text("jti")?.len() == 36, "{claims}");
    let lifetime = verified.number("exp")? - verified.number("iat")?;
    ensure!(
        lifetime == 900 && tokens.expires_in == 900,
        "it lives {lifetime} seconds"
    );
    ensure!(tokens.token_type == "Bearer", "it is a {}", tokens.token_type);
    Ok(())
}

#[then(regex = r"^the machine's token is signed by a key of the tenant and speaks of (\w+) alone$")]
pub async fn machine_token_is_good(world: &mut CredoWorld, client: String) -> Result {
    let (answer, client) = (world.answer()?, world.client(&client)?);
    let tokens = answer.tokens()?;
    let verified = verify(
        &tokens.access_token,
        &world.keys().await?,
        &client.issuer,
        &client.issuer,
    )?;
    let claims = &verified.claims;
    ensure!(
        verified.typ == "at+jwt" && verified.text("sub")? == client.id,
        "{claims}"
    );
    ensure!(
        claims.get("sid").is_none() && claims.get("auth_time").is_none(),
        "{claims}"
    );
    ensure!(tokens.refresh_token.is_none() && tokens.id_token.is_none(), "{answer}");
    Ok(())
}

#[then(regex = r"^the new ID token repeats issuer, subject, audience and time of sign-in, and has no nonce$")]
pub async fn id_token_on_refresh(world: &mut CredoWorld) -> Result {
    let count = world.session("")?.tokens.len();
    ensure!(count > 1, "nothing was refreshed");
    let (first, newest) = (id_token(world, 0).await?, id_token(world, count - 1).await?);
    for claim in ["iss", "sub", "aud", "auth_time", "sid"] {
        ensure!(
            first.claims[claim] == newest.claims[claim],
            "{claim}: {} and {}",
            first.claims,
            newest.claims
        );
    }
    ensure!(newest.claims.get("nonce").is_none(), "{}", newest.claims);
    ensure!(newest.number("iat")? >= first.number("iat")?, "{}", newest.claims);
    Ok(())
}

#[then(regex = r"^a resource server tells the two tokens apart by their type$")]
pub async fn types_differ(world: &mut CredoWorld) -> Result {
    let tokens = world.session("")?.newest()?;
    let typ = |token: &str| -> anyhow::Result<Value> { Ok(unverified_header(token)?["typ"].clone()) };
    ensure!(
        typ(&tokens.access_token)? == "at+jwt" && typ(tokens.id_token()?)? == "JWT",
        "they have other types"
    );
    let session = world.session("")?;
    let client = world.client(&session.client)?;
    let keys = world.keys().await?;
    let crossed = verify(tokens.id_token()?, &keys, &client.issuer, &client.issuer);
    ensure!(crossed.is_err(), "an ID token is good for the API");
    Ok(())
}

#[then(regex = r"^no ID token is issued$")]
pub async fn no_id_token(world: &mut CredoWorld) -> Result {
    let tokens = world.session("")?.newest()?;
    ensure!(tokens.id_token.is_none(), "one is");
    Ok(())
}
