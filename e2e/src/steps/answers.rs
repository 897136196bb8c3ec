//! What the server answered.

use anyhow::Context as _;
use cucumber::then;

use crate::{
    failure::{Result, ensure},
    world::CredoWorld,
};

#[then(regex = r"^the answer is (\d{3})(?: (\w+))?$")]
pub async fn answer_is(world: &mut CredoWorld, status: u16, error: String) -> Result {
    Ok(world.answer()?.expect(status, &error)?)
}

#[then(regex = r"^the answer is (\d{3}) or (\d{3})$")]
pub async fn answer_is_either(world: &mut CredoWorld, one: u16, other: u16) -> Result {
    let answer = world.answer()?;
    ensure!([one, other].contains(&answer.status), "{answer}");
    Ok(())
}

#[then(regex = r"^the answer is a challenge (\d{3})(?: (\w+))?$")]
pub async fn answer_is_challenge(world: &mut CredoWorld, status: u16, error: String) -> Result {
    let answer = world.answer()?;
    let challenge = answer.header("www-authenticate");
    ensure!(answer.status == status && challenge.starts_with("Bearer"), "{answer}");
    if error.is_empty() {
        // RFC 6750 section 3.1: who sent no token is told nothing more
        ensure!(!challenge.contains("error"), "{answer}");
    } else {
        ensure!(challenge.contains(&format!("error=\"{error}\"")), "{answer}");
    }
    Ok(())
}

#[then(regex = r"^the answer challenges the client to use Basic$")]
pub async fn answer_challenges_client(world: &mut CredoWorld) -> Result {
    let answer = world.answer()?;
    ensure!(answer.header("www-authenticate").starts_with("Basic"), "{answer}");
    Ok(())
}

#[then(regex = r"^the last two answers are the same$")]
pub async fn answers_are_same(world: &mut CredoWorld) -> Result {
    let [.., one, other] = world.answers.as_slice() else {
        return Err(anyhow::anyhow!("there were no two answers").into());
    };
    let challenge = |answer: &crate::answer::Answer| answer.header("www-authenticate").to_owned();
    ensure!(
        (one.status, &one.text, challenge(one)) == (other.status, &other.text, challenge(other)),
        "{one} and {other} differ"
    );
    Ok(())
}

#[then(regex = r#"^its (\S+) header is "([^"]*)"$"#)]
pub async fn header_is(world: &mut CredoWorld, name: String, value: String) -> Result {
    let answer = world.answer()?;
    let header = answer.header(&name);
    ensure!(header == value, "{name} is {header:?}: {answer}");
    Ok(())
}

#[then(regex = r"^it says when to try again$")]
pub async fn has_retry_after(world: &mut CredoWorld) -> Result {
    let answer = world.answer()?;
    let seconds: u64 = answer
        .header("retry-after")
        .parse()
        .context("Retry-After is no number")?;
    ensure!((1..=60).contains(&seconds), "{answer}");
    Ok(())
}

#[then(regex = r"^it may not be cached$")]
pub async fn is_not_cached(world: &mut CredoWorld) -> Result {
    let answer = world.answer()?;
    let cache_control = answer.header("cache-control");
    ensure!(
        cache_control.contains("no-store"),
        "Cache-Control is {cache_control:?}: {answer}"
    );
    Ok(())
}

#[then(regex = r#"^it has no member "([^"]*)"$"#)]
pub async fn has_no_member(world: &mut CredoWorld, member: String) -> Result {
    let answer = world.answer()?;
    ensure!(answer.json()?.get(&member).is_none(), "{answer}");
    Ok(())
}
