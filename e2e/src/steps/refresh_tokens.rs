//! Refresh tokens: rotation, replay, and what is none.

use anyhow::{Context as _, bail};
use cucumber::{then, when};

use crate::{
    answer::Answer,
    failure::{Result, ensure},
    world::CredoWorld,
};

#[when(regex = r"^(\w+) refreshes(?: the (\w+))?$")]
pub async fn refreshes(world: &mut CredoWorld, client: String, name: String) -> Result {
    let token = world.session(&name)?.newest()?.refresh_token()?.to_owned();
    refresh_with(world, &client, &name, &token).await
}

#[when(regex = r"^(\w+) refreshes (\d+) times$")]
pub async fn refreshes_often(world: &mut CredoWorld, client: String, times: u32) -> Result {
    for _ in 0..times {
        refreshes(world, client.clone(), String::new()).await?;
        world.answer()?.expect(200, "")?;
    }
    Ok(())
}

#[when(regex = r"^(\w+) refreshes with the (first|second) refresh token$")]
pub async fn refreshes_with_old(world: &mut CredoWorld, client: String, which: String) -> Result {
    let position = usize::from(which == "second");
    let tokens = world.session("")?.tokens.get(position).context("there is none")?;
    let token = tokens.refresh_token()?.to_owned();
    refresh_with(world, &client, "", &token).await
}

#[when(
    regex = r"^(\w+) refreshes with (the access token|the ID token|the code|a token cut short|a token drawn out|a token in other case)$"
)]
pub async fn refreshes_with_other(world: &mut CredoWorld, client: String, what: String) -> Result {
    let session = world.session("")?;
    let tokens = session.newest()?;
    let token = tokens.refresh_token()?;
    let shown = match what.as_str() {
        "the access token" => tokens.access_token.clone(),
        "the ID token" => tokens.id_token()?.to_owned(),
        "the code" => session.code.text.clone(),
        "a token cut short" => token[..token.len() - 1].to_owned(),
        "a token drawn out" => format!("{token}A"),
        "a token in other case" => swap_case(token),
        other => bail_unknown(other)?,
    };
    ensure!(shown != token, "that is the token itself");
    refresh_with(world, &client, "", &shown).await
}

fn bail_unknown(what: &str) -> anyhow::Result<String> {
    bail!("what is {what}?")
}

/// Behind the prefix: base64url tells cases apart.
fn swap_case(token: &str) -> String {
    let (prefix, rest) = token.split_at(4);
    let swapped = |letter: char| {
        if letter.is_ascii_lowercase() {
            letter.to_ascii_uppercase()
        } else {
            letter.to_ascii_lowercase()
        }
    };
    prefix.chars().chain(rest.chars().map(swapped)).collect()
}

async fn refresh_with(world: &mut CredoWorld, client: &str, name: &str, token: &str) -> Result {
    let answer = world.api.refresh(world.client(client)?, token).await?;
    if answer.status == 200 {
        let tokens = answer.tokens()?;
        world.session_mut(name)?.tokens.push(tokens);
    }
    world.answers.push(answer);
    Ok(())
}

#[when(regex = r#"^(\w+) refreshes asking for "([^"]*)"$"#)]
pub async fn refreshes_asking(world: &mut CredoWorld, client: String, scope: String) -> Result {
    let token = world.session("")?.newest()?.refresh_token()?;
    let parameters = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("scope", &scope),
    ];
    let answer = Answer::of(world.api.form("/auth/token", world.client(&client)?, &parameters)).await?;
    if answer.status == 200 {
        let tokens = answer.tokens()?;
        world.session_mut("")?.tokens.push(tokens);
    }
    world.answers.push(answer);
    Ok(())
}

#[when(regex = r"^(\w+) refreshes without authentication$")]
pub async fn refreshes_anonymously(world: &mut CredoWorld, client: String) -> Result {
    let (token, client) = (world.session("")?.newest()?.refresh_token()?, world.client(&client)?);
    let parameters = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", &client.id),
    ];
    let request = world
        .api
        .request(reqwest::Method::POST, "/auth/token")
        .form(&parameters);
    let answer = Answer::of(request).await?;
    world.answers.push(answer);
    Ok(())
}

#[then(regex = r"^every refresh token so far is another one$")]
pub async fn refresh_tokens_differ(world: &mut CredoWorld) -> Result {
    let session = world.session("")?;
    let mut tokens = session
        .tokens
        .iter()
        .map(|tokens| tokens.refresh_token())
        .collect::<anyhow::Result<Vec<_>>>()?;
    let count = tokens.len();
    tokens.sort_unstable();
    tokens.dedup();
    ensure!(
        tokens.len() == count && count > 1,
        "{} of {count} are different",
        tokens.len()
    );
    Ok(())
}

#[then(regex = r"^the last two refresh tokens are the same$")]
pub async fn refresh_tokens_are_same(world: &mut CredoWorld) -> Result {
    let [.., one, other] = world.session("")?.tokens.as_slice() else {
        return Err(anyhow::anyhow!("there were no two refresh tokens").into());
    };
    ensure!(
        one.refresh_token()? == other.refresh_token()?,
        "a second branch of the family"
    );
    Ok(())
}

#[then(regex = r#"^the tokens are for "([^"]*)"$"#)]
pub async fn tokens_have_scope(world: &mut CredoWorld, scope: String) -> Result {
    let granted = &world.session("")?.newest()?.scope;
    let sorted = |text: &str| {
        let mut tokens: Vec<_> = text.split_whitespace().map(ToOwned::to_owned).collect();
        tokens.sort_unstable();
        tokens
    };
    ensure!(sorted(granted) == sorted(&scope), "they are for {granted}");
    Ok(())
}
