//! Floods: of tokens that nobody signed, and of clients that try again without a pause.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use cucumber::{given, then, when};

use crate::{
    failure::{Result, ensure},
    flood::{Flood, says_when},
    oauth::random_text,
    world::CredoWorld,
};

#[given(regex = r"^a flood of (\d+) who show forged tokens of (\w+) everywhere$")]
#[when(regex = r"^a flood of (\d+) who show forged tokens of (\w+) everywhere$")]
pub async fn forgers(world: &mut CredoWorld, askers: usize, client: String) -> Result {
    let (api, client) = (world.api.clone(), world.client(&client)?.clone());
    let genuine = &world.session("")?.newest()?.access_token;
    let signed: Arc<str> = genuine.rsplit_once('.').context("no JWT")?.0.into();
    let turn = Arc::new(AtomicBool::default());
    let ask = move || {
        let (api, client, signed) = (api.clone(), client.clone(), Arc::clone(&signed));
        let introspects = turn.fetch_not(Ordering::Relaxed);
        async move {
            // A signature of the right length (64 bytes, the last character is half empty), and never the same.
            let digits = random_text() + &random_text() + &random_text();
            let token = format!("{signed}.{}A", digits.split_at(85).0);
            if introspects {
                api.introspect(&client, &token).await
            } else {
                api.userinfo(&token).await
            }
        }
    };
    world.flood = Some(Flood::start(askers, ask, |answer| match answer.status {
        200 => answer.is_active().is_ok_and(|active| !active),
        401 => answer.error() == "invalid_token" || answer.header("www-authenticate").contains("invalid_token"),
        _ => says_when(answer),
    }));
    Ok(())
}

#[when(regex = r"^(\d+) copies of (\w+) ask for a token without a pause$")]
pub async fn storm(world: &mut CredoWorld, askers: usize, client: String) -> Result {
    let (api, client) = (world.api.clone(), world.client(&client)?.clone());
    let ask = move || {
        let (api, client) = (api.clone(), client.clone());
        async move { api.client_credentials(&client, None).await }
    };
    world.flood = Some(Flood::start(askers, ask, |answer| {
        answer.status == 200 || says_when(answer)
    }));
    Ok(())
}

#[when(regex = r"^the flood has been answered (\d+) times(?: more)?$")]
pub async fn floods_on(world: &mut CredoWorld, times: usize) -> Result {
    let flood = world.flood.as_ref().context("there is no flood")?;
    Ok(flood.progress(times).await?)
}

#[when(
    regex = r"^meanwhile (\w+) refreshes (\d+) times, and each access token is honoured by userinfo and introspection$"
)]
pub async fn served_meanwhile(world: &mut CredoWorld, client: String, times: usize) -> Result {
    for _ in 0..times {
        super::refresh_tokens::refreshes(world, client.clone(), String::new()).await?;
        world.answer()?.expect(200, "")?;
        let (at, token) = (world.client(&client)?, &world.session("")?.newest()?.access_token);
        let userinfo = world.api.userinfo(token).await?;
        ensure!(userinfo.status == 200, "{userinfo}");
        let introspection = world.api.introspect(at, token).await?;
        ensure!(introspection.is_active()?, "{introspection}");
    }
    Ok(())
}

#[then(regex = r"^the flood ends, and was told (only|also) (\d+)(?: and (\d+))?$")]
pub async fn ends(world: &mut CredoWorld, how: String, first: u16, second: String) -> Result {
    let flood = world.flood.take().context("there is no flood")?;
    let told = flood.end().await?;
    let mut wanted = vec![first];
    wanted.extend(second.parse::<u16>().ok());
    for status in &wanted {
        ensure!(told.contains_key(status), "nobody was told {status}: {told:?}");
    }
    let others: usize = told
        .iter()
        .filter(|(status, _)| !wanted.contains(status))
        .map(|(_, count)| count)
        .sum();
    ensure!(how == "also" || others == 0, "the flood was told {told:?}");
    Ok(())
}
