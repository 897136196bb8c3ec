//! Access tokens that somebody made or changed: none is honoured, and none makes the server fetch or stumble.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::bail;
use cucumber::{then, when};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    answer::Answer,
    failure::{Result, ensure},
    jwt::{Forger, unverified_claims, unverified_header},
    world::CredoWorld,
};

/// Shows a token to userinfo; the answer is the last one.
async fn show(world: &mut CredoWorld, token: &str) -> Result {
    let answer = world.api.userinfo(token).await?;
    world.answers.push(answer);
    Ok(())
}

fn genuine(world: &CredoWorld) -> anyhow::Result<(Value, Value)> {
    let token = &world.session("")?.newest()?.access_token;
    Ok((unverified_header(token)?, unverified_claims(token)?))
}

#[when(regex = r"^a stranger signs her token again (.+)$")]
pub async fn signs_again(world: &mut CredoWorld, how: String) -> Result {
    let (mut header, claims) = genuine(world)?;
    let forger = Forger::new()?;
    match how.as_str() {
        "under the same kid" => {}
        "without a kid" => drop(header.as_object_mut().and_then(|header| header.remove("kid"))),
        "under an unknown kid" => header["kid"] = "unknown".into(),
        "under a kid that is a path" => header["kid"] = "../../../../etc/passwd".into(),
        "under a kid that is SQL" => header["kid"] = "' OR 1=1; DROP TABLE session; --".into(),
        "under a kid of ten thousand letters" => header["kid"] = "k".repeat(10_000).into(),
        "under a kid that is a number" => header["kid"] = 7.into(),
        "with the key in the header" => header["jwk"] = forger.jwk(),
        "with an unknown critical header" => header["crit"] = json!(["exp"]),
        "as HS256" => header["alg"] = "HS256".into(),
        other => bail_unknown(other)?,
    }
    let token = forger.sign(&header.to_string(), &claims.to_string())?;
    show(world, &token).await
}

fn bail_unknown(what: &str) -> anyhow::Result<()> {
    bail!("what is {what}?")
}

#[when(regex = r"^a stranger removes the signature of her token$")]
pub async fn removes_signature(world: &mut CredoWorld) -> Result {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let (mut header, claims) = genuine(world)?;
    header["alg"] = "none".into();
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.", encode(header), encode(claims));
    show(world, &token).await
}

#[then(regex = r"^no key is ever fetched from where a header (jku|x5u) points$")]
pub async fn nothing_is_fetched(world: &mut CredoWorld, member: String) -> Result {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let visits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&visits);
    let mut trap = JoinSet::new();
    trap.spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let (mut header, claims) = genuine(world)?;
    header[member.as_str()] = format!("http://{address}/keys").into();
    let token = Forger::new()?.sign(&header.to_string(), &claims.to_string())?;
    show(world, &token).await?;
    ensure!(world.answer()?.status == 401, "{}", world.answer()?);
    ensure!(visits.load(Ordering::Relaxed) == 0, "somebody came for the keys");
    Ok(())
}

#[then(regex = r"^claims that are (.+) are refused, and the server goes on$")]
pub async fn tricks_are_refused(world: &mut CredoWorld, what: String) -> Result {
    let (header, claims) = genuine(world)?;
    let payload = trick(&claims, &what)?;
    let forged = Forger::new()?.sign(&header.to_string(), &payload)?;
    let genuine = world.session("")?.newest()?.access_token.clone();
    let session = world.session("")?;
    let client = world.client(&session.client)?;
    for token in [&forged, &transplant(&genuine, &forged)] {
        let userinfo = world.api.userinfo(token).await?;
        ensure!(userinfo.status == 401, "userinfo: {userinfo}");
        let introspection = world.api.introspect(client, token).await?;
        ensure!(!introspection.is_active()?, "{introspection}");
        let revocation: Answer = world.api.revoke(client, token).await?;
        ensure!(revocation.status == 200, "revoke: {revocation}");
    }
    let userinfo = world.api.userinfo(&genuine).await?;
    ensure!(userinfo.status == 200, "the genuine token suffers: {userinfo}");
    Ok(())
}

/// The genuine signature under the forged claims.
fn transplant(genuine: &str, forged: &str) -> String {
    let signature = genuine.rsplit('.').next().unwrap_or_default();
    let signed = forged.rsplit_once('.').map_or(forged, |(signed, _)| signed);
    format!("{signed}.{signature}")
}

fn trick(claims: &Value, what: &str) -> anyhow::Result<String> {
    let text = claims.to_string();
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims.to_string()
    };
    Ok(match what {
        "there twice" => text.replacen('{', r#"{"sub":"00000000-0000-4000-8000-000000000000","#, 1),
        "a number as audience" => with("aud", 7.into()),
        "a text as time" => with("exp", "tomorrow".into()),
        "a time beyond all numbers" => text.replacen(&format!("\"exp\":{}", claims["exp"]), "\"exp\":1e99", 1),
        "nested ten thousand deep" => {
            let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
            text.replacen('{', &format!("{{\"x\":{nested},"), 1)
        }
        "texts with NUL" => with("scope", "openid\u{0}".into()),
        "no object" => "[]".to_owned(),
        "no JSON" => "}{".to_owned(),
        "empty" => String::new(),
        other => bail!("what is {other}?"),
    })
}
