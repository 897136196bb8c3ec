//! What holds while a server is slow, silent, full or away, and how fast it is well again.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use credo_proto::events::v1::{Core, core::Details};
use cucumber::{given, then, when};
use prost::Message as _;
use tokio::task::JoinSet;

use super::faults::second_replica;
use crate::{
    answer::Answer,
    failure::{Result, ensure},
    faults::await_ready,
    hold::Hold,
    jwt::unverified_claims,
    oauth::{Api, SignIn},
    oracle::whole_trail,
    patience::{eventually, remains},
    stack::variable,
    world::CredoWorld,
};

const SCOPE: &str = "openid offline_access";
/// Of a request that cannot be served.
const REFUSAL_TIME: Duration = Duration::from_secs(5);
/// Of a fault's end: within it requests are served again, without a restart of anything.
const RECOVERY_TIME: Duration = Duration::from_secs(10);

/// How often a client was found in the cache of a service, and how often not, since the service began.
async fn looks(world: &CredoWorld, service: &str) -> anyhow::Result<(u64, u64)> {
    let url = format!("{}/metrics", world.stack.service(service)?.management);
    let metrics = world.api.get(&url).await?;
    let count = |result: &str| -> anyhow::Result<u64> {
        let (cache, result) = ("cache=\"client\"", format!("result=\"{result}\""));
        let lines = metrics
            .text
            .lines()
            .filter(|line| line.starts_with("credo_cache_reads_total{"));
        let mut values = lines
            .filter(|line| line.contains(cache) && line.contains(&result))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        values
            .next()
            .with_context(|| format!("nothing is counted of {cache} {result}"))
    };
    Ok((count("hit")?, count("miss")? + count("fallback")?))
}

#[then(regex = r"^(auth-api(?:-2)?) counts a miss when alice first enters at (\w+), then hits$")]
pub async fn counts_looks(world: &mut CredoWorld, service: String, client: String) -> Result {
    let (client, user) = (world.client(&client)?, world.user("alice")?);
    let before = looks(world, &service).await?;
    let mut tokens = world.api.enter(client, user, SCOPE).await?;
    let entered = looks(world, &service).await?;
    ensure!(entered.1 > before.1, "no miss: {before:?} and then {entered:?}");
    // For five seconds after its tenant's limits were set nothing that was read of a client is kept.
    let hits = async || {
        for _ in 0..3 {
            tokens = world.api.refresh(client, tokens.refresh_token()?).await?.tokens()?;
        }
        let refreshed = looks(world, &service).await?;
        anyhow::ensure!(
            refreshed.0 >= entered.0 + 2,
            "no hits: {entered:?} and then {refreshed:?}"
        );
        Ok(())
    };
    eventually(RECOVERY_TIME, hits).await?;
    Ok(())
}

/// For five seconds after its tenant's limits were set nothing that was read of a client is kept.
#[when(regex = r"^(\w+) refreshes until (auth-api(?:-2)?) keeps it in memory$")]
pub async fn refreshes_until_kept(world: &mut CredoWorld, client: String, service: String) -> Result {
    let kept = async || {
        let before = looks(world, &service).await?;
        super::refresh_tokens::refreshes(world, client.clone(), String::new())
            .await
            .map_err(|failure| anyhow::anyhow!("{failure}"))?;
        let after = looks(world, &service).await?;
        anyhow::ensure!(
            after.0 > before.0 && after.1 == before.1,
            "{before:?} and then {after:?}"
        );
        Ok(())
    };
    Ok(eventually(RECOVERY_TIME, kept).await?)
}

#[then(regex = r"^(\d+) refreshes of (\w+) take between (\d+) and (\d+) ms each, most without reading the client$")]
pub async fn refreshes_take(world: &mut CredoWorld, times: u64, client: String, least: u64, most: u64) -> Result {
    let before = looks(world, "auth-api-2").await?;
    for _ in 0..times {
        let began_at = Instant::now();
        super::refresh_tokens::refreshes(world, client.clone(), String::new()).await?;
        let took = began_at.elapsed();
        world.answer()?.expect(200, "")?;
        let (least, most) = (Duration::from_millis(least), Duration::from_millis(most));
        ensure!((least..most).contains(&took), "a refresh took {took:?}");
    }
    let after = looks(world, "auth-api-2").await?;
    let (found, read) = (after.0 - before.0, after.1 - before.1);
    ensure!(found + read >= times, "{found} and {read} looks are less than {times}");
    ensure!(found > read, "the client was found {found} times and read {read} times");
    Ok(())
}

#[then(regex = r"^(\w+) (refreshes|exchanges the code|asks for a token) in vain: 503, within 5 seconds$")]
pub async fn in_vain(world: &mut CredoWorld, client: String, what: String) -> Result {
    let began_at = Instant::now();
    let at = world.client(&client)?;
    let answer = match what.as_str() {
        "refreshes" => {
            world
                .api
                .refresh(at, world.session("")?.newest()?.refresh_token()?)
                .await?
        }
        "exchanges the code" => world.api.exchange(at, &world.session("")?.code).await?,
        _ => world.api.client_credentials(at, None).await?,
    };
    let took = began_at.elapsed();
    is_unavailable(&answer)?;
    ensure!(took < REFUSAL_TIME, "it took {took:?}");
    world.answers.push(answer);
    Ok(())
}

fn is_unavailable(answer: &Answer) -> anyhow::Result<()> {
    answer.expect(503, "temporarily_unavailable")?;
    let seconds: u64 = answer.header("retry-after").parse().context("Retry-After")?;
    anyhow::ensure!((1..=60).contains(&seconds), "{answer}");
    Ok(())
}

#[when(regex = r"^somebody holds the row of the session$")]
pub async fn holds_session(world: &mut CredoWorld) -> Result {
    let session = world.session("")?.id()?;
    world.faults.held = Some(Hold::session(&world.stack.postgres.auth_url, &session).await?);
    Ok(())
}

#[when(regex = r"^somebody holds every connection that Postgres has left$")]
pub async fn holds_connections(world: &mut CredoWorld) -> Result {
    let held = Hold::every_connection(&world.stack.postgres.auth_url).await?;
    ensure!(held.sessions() > 10, "there were only {} left", held.sessions());
    world.faults.held = Some(held);
    Ok(())
}

#[when(regex = r"^nobody holds (?:it|them) any more$")]
pub async fn lets_go(world: &mut CredoWorld) -> Result {
    world.faults.held.take().context("nothing was held")?;
    Ok(())
}

#[then(regex = r"^the session's row and the trail say that nothing was changed since generation (\d+)$")]
pub async fn nothing_changed(world: &mut CredoWorld, generation: i32) -> Result {
    let session = world.session("")?.id()?;
    let found = crate::outbox::generation(world.stack, session.parse()?).await?;
    // The row has the number of the token that is out, an event that of the one that was redeemed.
    ensure!(found == generation + 1, "the token {found} of the session is out");
    let told = rotations(world, &session).await?;
    ensure!(told == vec_to(generation), "the trail tells of {told:?}");
    Ok(())
}

#[then(
    regex = r"^the trail tells of generations 1 to (\d+) of the session, (once each|a retry again), and of no replay$"
)]
pub async fn each_told(world: &mut CredoWorld, generation: i32, how_often: String) -> Result {
    let mut told = rotations(world, &world.session("")?.id()?).await?;
    if how_often == "a retry again" {
        told.dedup(); // what is tried again within its grace is told of again
    }
    ensure!(told == vec_to(generation), "the trail tells of {told:?}");
    Ok(())
}

fn vec_to(generation: i32) -> Vec<i64> {
    (1..=i64::from(generation)).collect()
}

/// The generations of a session that the whole trail tells of, in its order.
async fn rotations(world: &CredoWorld, session: &str) -> anyhow::Result<Vec<i64>> {
    let trail = whole_trail(world.stack, &world.admin, &world.tenant()?.id).await?;
    let alarm = trail.iter().find(|event| event.r#type == "token_reuse_detected");
    anyhow::ensure!(alarm.is_none(), "a retry was taken for a thief's");
    let of_session = trail
        .iter()
        .filter(|event| event.session_id == session && event.r#type == "token_refreshed");
    let generation = |event: &credo_proto::admin::v1::AuditEvent| match Core::decode(event.core.as_slice())?.details {
        Some(Details::Token(token)) => Ok(i64::from(token.generation)),
        _ => anyhow::bail!("{} does not say which token was refreshed", event.event_id),
    };
    of_session.map(generation).collect()
}

#[then(regex = r"^(\w+) refreshes again within 10 seconds$")]
pub async fn refreshes_again(world: &mut CredoWorld, client: String) -> Result {
    let at = world.client(&client)?.clone();
    let token = world.session("")?.newest()?.refresh_token()?.to_owned();
    let answer = eventually(RECOVERY_TIME, async || {
        let answer = world.api.refresh(&at, &token).await?;
        anyhow::ensure!(answer.status != 503, "{answer}");
        Ok(answer)
    })
    .await?;
    let tokens = answer.tokens()?;
    world.session_mut("")?.tokens.push(tokens);
    world.answers.push(answer);
    Ok(())
}

#[when(
    regex = r"^(postgres|redis|auth-api|auth-api-2) is there again, and (\d+) requests are answered within 10 seconds$"
)]
pub async fn recovers(world: &mut CredoWorld, part: String, requests: usize) -> Result {
    world.faults.bring_back(world.stack, &part).await?;
    let load = world.load.as_ref().context("there is no load")?;
    load.progress_within(RECOVERY_TIME, requests).await?;
    Ok(await_ready(world.stack, &world.api).await?)
}

#[then(regex = r"^(\w+) is refused with 401 invalid_client on both replicas within a second$")]
pub async fn refused_on_both(world: &mut CredoWorld, client: String) -> Result {
    let client = world.client(&client)?;
    for replica in both_replicas(world)? {
        eventually(Duration::from_secs(1), async || {
            replica
                .client_credentials(client, None)
                .await?
                .expect(401, "invalid_client")
        })
        .await?;
    }
    Ok(())
}

#[given(regex = r"^(\w+) has just been served by both replicas$")]
pub async fn served_by_both(world: &mut CredoWorld, client: String) -> Result {
    let client = world.client(&client)?;
    for replica in both_replicas(world)? {
        for _ in 0..2 {
            replica.client_credentials(client, None).await?.tokens()?;
        }
    }
    Ok(())
}

fn both_replicas(world: &CredoWorld) -> anyhow::Result<[Api; 2]> {
    Ok([Api::new(&world.stack.base_url)?, second_replica(world)?])
}

#[then(regex = r"^what one replica gives (\w+) for alice, the other takes$")]
pub async fn hand_over(world: &mut CredoWorld, client: String) -> Result {
    let (client, user) = (world.client(&client)?, world.user("alice")?);
    let [one, other] = both_replicas(world)?;
    for (giver, taker) in [(&one, &other), (&other, &one)] {
        let code = giver.sign_in(client, user, &SignIn::new(SCOPE)).await?;
        let tokens = taker.exchange(client, &code).await?.tokens()?;
        let refreshed = giver.refresh(client, tokens.refresh_token()?).await?.tokens()?;
        let newest = taker.refresh(client, refreshed.refresh_token()?).await?.tokens()?;
        for access_token in [&tokens.access_token, &refreshed.access_token, &newest.access_token] {
            let introspection = giver.introspect(client, access_token).await?;
            ensure!(introspection.is_active()?, "{introspection}");
        }
        let revocation = taker.revoke(client, newest.refresh_token()?).await?;
        ensure!(revocation.status == 200, "{revocation}");
        let refused = giver.refresh(client, newest.refresh_token()?).await?;
        refused.expect(400, "invalid_grant")?;
    }
    Ok(())
}

#[when(regex = r"^in (\d+) rounds (\w+) (exchanges|refreshes) for alice (\d+) times at once across both replicas$")]
pub async fn race_across(world: &mut CredoWorld, rounds: u32, client: String, what: String, times: usize) -> Result {
    let (user, client) = (world.user("alice")?.clone(), world.client(&client)?.clone());
    let replicas = both_replicas(world)?;
    for _ in 0..rounds {
        let code = world.api.sign_in(&client, &user, &SignIn::new(SCOPE)).await?;
        let token = if what == "refreshes" {
            let tokens = world.api.exchange(&client, &code).await?.tokens()?;
            Some(tokens.refresh_token()?.to_owned())
        } else {
            None
        };
        let mut racers = JoinSet::new();
        for replica in replicas.iter().cycle().take(times) {
            let (api, client, code, token) = (replica.clone(), client.clone(), code.clone(), token.clone());
            racers.spawn(async move {
                match token {
                    Some(token) => api.refresh(&client, &token).await,
                    None => api.exchange(&client, &code).await,
                }
            });
        }
        let round: anyhow::Result<_> = racers.join_all().await.into_iter().collect();
        world.rounds.push(round?);
    }
    Ok(())
}

/// A stepped clock shows itself within this: the process looks once a second.
const STEP_TIME: Duration = Duration::from_secs(5);
/// How far a time in a token may be from the machine's clock, which is the database's too.
const APART_SECONDS: i64 = 5;
const DAY_SECONDS: i64 = 86_400;

#[when(
    regex = r"^the clock of auth-api-2 is stepped by (-?\d+) seconds, and meanwhile the session's access token is honoured$"
)]
pub async fn steps_clock(world: &mut CredoWorld, seconds: i64) -> Result {
    let session = world.session("")?;
    let access_token = session.newest()?.access_token.clone();
    let second = second_replica(world)?;
    let honoured = async || -> anyhow::Result<()> {
        let answer = second.userinfo(&access_token).await?;
        anyhow::ensure!(answer.status == 200, "{answer}");
        Ok(())
    };
    honoured().await?;
    world.faults.step_clock(world.stack, seconds).await?;
    let deadline = Instant::now() + STEP_TIME;
    loop {
        honoured().await?;
        let ahead = seconds_ahead()?;
        if (ahead - seconds).abs() <= 3 {
            break;
        }
        ensure!(Instant::now() < deadline, "its clock is {ahead} s before the machine's");
    }
    Ok(remains(STEP_TIME / 5, honoured).await?)
}

/// How far the clock by which the second replica writes its log is before the machine's.
fn seconds_ahead() -> anyhow::Result<i64> {
    let path = variable("CREDO_TEST_AUTH_API_2_LOG").context("where is the log?")?;
    let log = std::fs::read_to_string(path)?;
    let line = log
        .lines()
        .rfind(|line| line.ends_with('}'))
        .context("the log is empty")?;
    let line: serde_json::Value = serde_json::from_str(line)?;
    let clock = line["ts"].as_str().and_then(|ts| ts.get(11..19)).context("no ts")?; // 2026-11-24T00:08:49.1Z
    let seconds = |sum: i64, digits: &str| Ok::<_, anyhow::Error>(sum * 60 + digits.parse::<i64>()?);
    let stepped = clock.split(':').try_fold(0, seconds)?;
    let ahead = stepped - now_seconds()?;
    Ok((ahead + DAY_SECONDS / 2).rem_euclid(DAY_SECONDS) - DAY_SECONDS / 2)
}

fn now_seconds() -> anyhow::Result<i64> {
    let elapsed = std::time::SystemTime::UNIX_EPOCH.elapsed()?;
    Ok(i64::try_from(elapsed.as_secs())?)
}

#[then(regex = r"^the times in the session's newest tokens are the machine's$")]
pub async fn tokens_have_real_times(world: &mut CredoWorld) -> Result {
    let tokens = world.session("")?.newest()?;
    let claims = unverified_claims(&tokens.access_token)?;
    let time = |name: &str| claims[name].as_i64().with_context(|| format!("there is no {name}"));
    let (issued_at, expires_at) = (time("iat")?, time("exp")?);
    let now = now_seconds()?;
    ensure!(
        (now - issued_at).abs() <= APART_SECONDS,
        "iat is {issued_at}, and it is {now}"
    );
    let lifetime = i64::try_from(tokens.expires_in)?;
    ensure!(
        (expires_at - issued_at - lifetime).abs() <= 1,
        "exp is {expires_at}: {lifetime} s were promised"
    );
    Ok(())
}
