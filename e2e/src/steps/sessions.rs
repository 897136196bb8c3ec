//! What people see of their own sessions, and how they end them.

use anyhow::Context as _;
use cucumber::{then, when};
use reqwest::Method;

use crate::{
    failure::{Result, ensure},
    oauth::random_text,
    world::CredoWorld,
};

#[when(regex = r"^\w+ lists (?:her|his) sessions from the (\w+)$")]
pub async fn lists(world: &mut CredoWorld, name: String) -> Result {
    ask(world, Method::GET, "/auth/sessions", &name).await
}

#[when(regex = r"^\w+ ends the (\w+) from the (\w+)$")]
pub async fn ends(world: &mut CredoWorld, ended: String, name: String) -> Result {
    let id = world.session(&ended)?.id()?;
    ask(world, Method::DELETE, &format!("/auth/sessions/{id}"), &name).await
}

#[when(regex = r"^\w+ ends a session that does not exist from the (\w+)$")]
pub async fn ends_nothing(world: &mut CredoWorld, name: String) -> Result {
    // one digit away from a real one
    let id = world.session(&name)?.id()?;
    let last = if id.ends_with('0') { '1' } else { '0' };
    let id = format!("{}{last}", &id[..id.len() - 1]);
    ask(world, Method::DELETE, &format!("/auth/sessions/{id}"), &name).await
}

#[when(regex = r"^\w+ ends a session by a random name from the (\w+)$")]
pub async fn ends_nonsense(world: &mut CredoWorld, name: String) -> Result {
    ask(
        world,
        Method::DELETE,
        &format!("/auth/sessions/{}", random_text()),
        &name,
    )
    .await
}

#[when(regex = r"^\w+ logs out everywhere( else)? from the (\w+)$")]
pub async fn logs_out(world: &mut CredoWorld, but_here: String, name: String) -> Result {
    let path = if but_here.is_empty() {
        "/auth/logout-all"
    } else {
        "/auth/logout-all?except_current=true"
    };
    ask(world, Method::POST, path, &name).await
}

#[when(regex = r"^the machine asks for sessions$")]
pub async fn machine_lists(world: &mut CredoWorld) -> Result {
    let token = world.machine_token()?;
    let answer = world.api.bearer(Method::GET, "/auth/sessions", &token).await?;
    world.answers.push(answer);
    Ok(())
}

async fn ask(world: &mut CredoWorld, method: Method, path: &str, name: &str) -> Result {
    let token = &world.session(name)?.newest()?.access_token;
    let answer = world.api.bearer(method, path, token).await?;
    world.answers.push(answer);
    Ok(())
}

#[then(regex = r"^(?:she|he) sees the (\w+) as the current one, and (?:the (\w+)|no other)$")]
pub async fn sees(world: &mut CredoWorld, current: String, other: String) -> Result {
    let answer = world.answer()?;
    ensure!(answer.status == 200, "{answer}");
    let body = answer.json()?;
    let mut listed: Vec<_> = body["sessions"].as_array().context("no list")?.iter().collect();
    for (name, is_current) in [(&current, true), (&other, false)] {
        if name.is_empty() {
            continue;
        }
        let session = world.session(name)?;
        let (id, client) = (session.id()?, world.client(&session.client)?);
        let position = listed.iter().position(|listed| listed["session_id"] == id.as_str());
        let shown = listed.remove(position.with_context(|| format!("{name} is not listed: {answer}"))?);
        ensure!(
            shown["current"] == is_current && shown["client_id"] == client.id.as_str(),
            "{shown}"
        );
        ensure!(shown["client_name"] == session.client.as_str(), "{shown}");
        for instant in ["created_at", "last_used_at", "expires_at"] {
            ensure!(
                shown[instant].as_str().is_some_and(|at| at.ends_with('Z')),
                "{instant}: {shown}"
            );
        }
    }
    ensure!(listed.is_empty(), "more is listed: {listed:?}");
    Ok(())
}
