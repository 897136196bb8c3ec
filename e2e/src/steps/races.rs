//! Many requests at one time: of those that want the same thing one gets it, and an end is an end for all of them.

use std::{net::ToSocketAddrs as _, time::Duration};

use anyhow::Context as _;
use cucumber::{then, when};
use reqwest::Method;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    answer::Answer,
    failure::{Result, ensure},
    oauth::{Code, SignIn},
    oracle::{check_single_winners, whole_trail},
    world::CredoWorld,
};

const SCOPE: &str = "openid offline_access";
const REFUSAL_TIME: Duration = Duration::from_secs(1);

#[when(regex = r"^in (\d+) rounds (\w+) exchanges a fresh code of (\w+) (\d+) times at once$")]
pub async fn race_exchanges(world: &mut CredoWorld, rounds: u32, client: String, user: String, times: u32) -> Result {
    let (user, client) = (world.user(&user)?.clone(), world.client(&client)?.clone());
    for _ in 0..rounds {
        let code = world.api.sign_in(&client, &user, &SignIn::new(SCOPE)).await?;
        let mut racers = JoinSet::new();
        for _ in 0..times {
            let (api, client, code) = (world.api.clone(), client.clone(), code.clone());
            racers.spawn(async move { api.exchange(&client, &code).await });
        }
        let round: anyhow::Result<_> = racers.join_all().await.into_iter().collect();
        world.rounds.push(round?);
    }
    Ok(())
}

#[when(regex = r"^in (\d+) rounds (\w+) refreshes a fresh session of (\w+) (\d+) times at once$")]
pub async fn race_refreshes(world: &mut CredoWorld, rounds: u32, client: String, user: String, times: u32) -> Result {
    let (user, client) = (world.user(&user)?.clone(), world.client(&client)?.clone());
    for _ in 0..rounds {
        let tokens = world.api.enter(&client, &user, SCOPE).await?;
        let mut racers = JoinSet::new();
        for _ in 0..times {
            let (api, client, token) = (world.api.clone(), client.clone(), tokens.refresh_token()?.to_owned());
            racers.spawn(async move { api.refresh(&client, &token).await });
        }
        let round: anyhow::Result<_> = racers.join_all().await.into_iter().collect();
        world.rounds.push(round?);
    }
    Ok(())
}

#[then(regex = r"^each round has one winner, and every loser got 400 invalid_grant$")]
pub async fn one_winner(world: &mut CredoWorld) -> Result {
    ensure!(!world.rounds.is_empty(), "there was no round");
    for round in &world.rounds {
        let winners = round.iter().filter(|answer| answer.status == 200).count();
        let others = round.iter().find(|answer| answer.status != 200);
        ensure!(winners == 1, "{winners} of {} won, others got {others:?}", round.len());
        for loser in round.iter().filter(|answer| answer.status != 200) {
            loser.expect(400, "invalid_grant")?;
        }
    }
    Ok(())
}

#[then(regex = r"^in each round the winner's tokens for (\w+) are dead( within a second)?$")]
pub async fn winner_is_dead(world: &mut CredoWorld, client: String, later: String) -> Result {
    let within = if later.is_empty() { Duration::ZERO } else { REFUSAL_TIME };
    for round in &world.rounds {
        let winner = round.iter().find(|answer| answer.status == 200).context("nobody won")?;
        let tokens = winner.tokens()?;
        let refresh = world
            .api
            .refresh(world.client(&client)?, tokens.refresh_token()?)
            .await?;
        refresh.expect(400, "invalid_grant")?;
        world.expect_dead(&client, &tokens.access_token, within).await?;
    }
    Ok(())
}

#[then(regex = r"^in (\d+) rounds no token of (\w+) at (\w+) outlives a log-out from the (\w+) at the same time$")]
pub async fn race_log_out(world: &mut CredoWorld, rounds: u32, user: String, client: String, from: String) -> Result {
    let (user, at) = (world.user(&user)?.clone(), world.client(&client)?.clone());
    let own = world.session(&from)?.newest()?.access_token.clone();
    let path = "/auth/logout-all?except_current=true";
    for round in 0..rounds {
        let code = world.api.sign_in(&at, &user, &SignIn::new(SCOPE)).await?;
        let exchange = async {
            sleep(Duration::from_millis(u64::from(round % 4))).await; // so that sometimes one comes first, sometimes the other
            world.api.exchange(&at, &code).await
        };
        let (exchange, log_out) = tokio::join!(exchange, world.api.bearer(Method::POST, path, &own));
        let (exchange, log_out) = (exchange?, log_out?);
        ensure!(log_out.status == 200, "log-out: {log_out}");
        if exchange.status != 200 {
            exchange.expect(400, "invalid_grant")?;
            continue;
        }
        let tokens = exchange.tokens()?;
        world
            .api
            .refresh(&at, tokens.refresh_token()?)
            .await?
            .expect(400, "invalid_grant")?;
        world.expect_dead(&client, &tokens.access_token, REFUSAL_TIME).await?;
    }
    Ok(())
}

#[then(regex = r"^no refresh of (\w+) at (\w+) that begins after the disabling succeeds$")]
pub async fn race_disabling(world: &mut CredoWorld, user: String, client: String) -> Result {
    let (user, client) = (world.user(&user)?.clone(), world.client(&client)?.clone());
    let mut chains = JoinSet::new();
    for _ in 0..8 {
        let token = world
            .api
            .enter(&client, &user, SCOPE)
            .await?
            .refresh_token()?
            .to_owned();
        chains.spawn(refresh_until_refused(world.api.clone(), client.clone(), token));
    }
    world.admin.set_user_enabled(&user.tenant_id, &user.id, false).await?;
    let disabled_at = Instant::now();
    for chain in chains.join_all().await {
        let last_success_began_at = chain?;
        ensure!(
            last_success_began_at <= disabled_at,
            "a refresh that began {:?} after the disabling succeeded",
            last_success_began_at - disabled_at
        );
    }
    Ok(())
}

/// When the last refresh began that succeeded.
async fn refresh_until_refused(
    api: crate::oauth::Api,
    client: crate::oauth::Client,
    mut token: String,
) -> anyhow::Result<Instant> {
    let mut last = Instant::now();
    loop {
        let began_at = Instant::now();
        let answer = api.refresh(&client, &token).await?;
        if answer.status != 200 {
            answer.expect(400, "invalid_grant")?;
            return Ok(last);
        }
        last = began_at;
        answer.tokens()?.refresh_token()?.clone_into(&mut token);
    }
}

#[then(
    regex = r"^in (\d+) rounds (\w+) hangs up on the exchange of a code of (\w+), and each code was used wholly or not at all$"
)]
pub async fn hang_up(world: &mut CredoWorld, rounds: u32, client: String, user: String) -> Result {
    let (user, client) = (world.user(&user)?.clone(), world.client(&client)?.clone());
    for round in 0..rounds {
        let code = world.api.sign_in(&client, &user, &SignIn::new(SCOPE)).await?;
        send_and_hang_up(world, &client, &code, Duration::from_millis(u64::from(round))).await?;
        let answer = world.api.exchange(&client, &code).await?;
        if answer.status != 200 {
            answer.expect(400, "invalid_grant")?; // the first one was served: this one is a replay
        }
    }
    let trail = whole_trail(world.stack, &world.admin, &world.tenant()?.id).await?;
    check_single_winners(&trail)?;
    let count = |name: &str| trail.iter().filter(|event| event.r#type == name).count();
    let (created, issued) = (count("session_created"), count("token_issued"));
    ensure!(created == issued, "{created} codes were issued and {issued} redeemed");
    Ok(())
}

async fn send_and_hang_up(world: &CredoWorld, client: &crate::oauth::Client, code: &Code, after: Duration) -> Result {
    let base = world
        .stack
        .base_url
        .strip_prefix("http://")
        .context("the base URL is not http")?;
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", code.text.as_str()),
        ("redirect_uri", code.redirect_uri.as_str()),
        ("code_verifier", code.verifier.as_str()),
    ];
    let request = world.api.form("/auth/token", client, &parameters).build()?;
    let mut head = format!("POST /auth/token HTTP/1.1\r\nhost: {base}\r\n");
    for (name, value) in request.headers() {
        head = format!("{head}{name}: {}\r\n", value.to_str()?);
    }
    let body = request.body().and_then(|body| body.as_bytes()).context("no body")?;
    head = format!("{head}content-length: {}\r\n\r\n", body.len());
    let address = base
        .to_socket_addrs()?
        .next()
        .context("the base URL names no address")?;
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    sleep(after).await;
    drop(stream); // nobody waits for the answer
    Ok(())
}

#[then(regex = r"^(\w+) can still ask for (\d+) tokens at once$")]
pub async fn nothing_leaked(world: &mut CredoWorld, client: String, times: u32) -> Result {
    let client = world.client(&client)?;
    let requests = (0..times).map(|_| world.api.client_credentials(client, None));
    for answer in futures::future::join_all(requests).await {
        let answer: Answer = answer?;
        ensure!(answer.status == 200, "{answer}");
    }
    Ok(())
}
