//! A load in the middle of which something breaks, and what must hold of it afterwards.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use cucumber::{given, then, when};
use uuid::Uuid;

use crate::{
    failure::Result,
    faults::await_ready,
    load::{Load, check_answers, check_events, check_nobody_left_behind},
    oracle::{check_no_branches, check_single_winners, whole_trail},
    passes::SOAK_MINUTES,
    patience::pass,
    stack::variable,
    world::CredoWorld,
};

/// What a soak draws from. What is killed is started again, what is paused goes on.
const FAULTS: [(&str, &str); 9] = [
    ("auth-api", "killed"),
    ("outbox-relay", "killed"),
    ("audit-consumer", "killed"),
    ("kafka", "killed"),
    ("postgres", "killed"),
    ("redis", "killed"),
    ("redis", "paused"),
    ("outbox-relay", "paused"),
    ("audit-consumer", "paused"),
];
/// Answers between two faults.
const BETWEEN_FAULTS: usize = 60;

#[given(regex = r"^(\d+) people who sign in at (\w+), refresh and log out without a pause$")]
pub async fn start(world: &mut CredoWorld, people: u32, client: String) -> Result {
    let mut users = Vec::new();
    for number in 0..people {
        let name = format!("worker{number}");
        super::directory::make_user(world, name.clone(), String::new()).await?;
        users.push(world.user(&name)?.clone());
    }
    world.load = Some(Load::start(&world.api, world.client(&client)?, users));
    Ok(())
}

#[when(regex = r"^(\d+) (?:more )?requests have been answered(?: meanwhile)?$")]
pub async fn progress(world: &mut CredoWorld, requests: usize) -> Result {
    let load = world.load.as_ref().ok_or_else(|| anyhow::anyhow!("there is no load"))?;
    Ok(load.progress(requests).await?)
}

#[when(regex = r"^faults come in a random order for as long as the soak lasts$")]
pub async fn random_faults(world: &mut CredoWorld) -> Result {
    let minutes = variable(SOAK_MINUTES).context("how long?")?.parse()?;
    let end = Instant::now() + Duration::from_mins(minutes);
    let mut came = Vec::new();
    while Instant::now() < end {
        let [draw, time, ..] = Uuid::new_v4().into_bytes();
        let (part, how) = FAULTS[usize::from(draw) % FAULTS.len()];
        came.push(format!("{part} {how}"));
        super::faults::breaks(world, part.to_owned(), how.to_owned()).await?;
        pass(Duration::from_millis(8) * u32::from(time)).await;
        world.faults.bring_back(world.stack, part).await?;
        let load = world.load.as_ref().context("there is no load")?;
        let goes_on = load.progress(BETWEEN_FAULTS).await;
        goes_on.with_context(|| came.join(", "))?;
    }
    Ok(await_ready(world.stack, &world.api).await?)
}

#[when(regex = r"^they stop$")]
pub async fn end(world: &mut CredoWorld) -> Result {
    let load = world.load.take().ok_or_else(|| anyhow::anyhow!("there is no load"))?;
    world.seen = load.end().await;
    Ok(())
}

#[then(regex = r"^every answer was a right one$")]
pub async fn answers_are_right(world: &mut CredoWorld) -> Result {
    Ok(check_answers(&world.seen)?)
}

#[then(regex = r"^nobody was left behind$")]
pub async fn nobody_left_behind(world: &mut CredoWorld) -> Result {
    Ok(check_nobody_left_behind(&world.seen)?)
}

#[then(
    regex = r"^the trail is what was committed, no (token had two winners|session has two branches), and every answered request has its event$"
)]
pub async fn trail_is_right(world: &mut CredoWorld, what: String) -> Result {
    let trail = whole_trail(world.stack, &world.admin, &world.tenant()?.id).await?;
    if what == "token had two winners" {
        check_single_winners(&trail)?;
    } else {
        check_no_branches(&trail)?;
    }
    Ok(check_events(&world.seen, &trail)?)
}
