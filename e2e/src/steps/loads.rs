//! A load in the middle of which something breaks, and what must hold of it afterwards.

use cucumber::{given, then, when};

use crate::{
    failure::Result,
    load::{Load, check_answers, check_events},
    oracle::{check_single_winners, whole_trail},
    world::CredoWorld,
};

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

#[then(
    regex = r"^the trail is what was committed, no token had two winners, and every answered request has its event$"
)]
pub async fn trail_is_right(world: &mut CredoWorld) -> Result {
    let trail = whole_trail(world.stack, &world.admin, &world.tenant()?.id).await?;
    check_single_winners(&trail)?;
    Ok(check_events(&world.seen, &trail)?)
}
