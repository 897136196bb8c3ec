//! Parts of the stack that are killed, stopped or stand still, and what goes on meanwhile.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use cucumber::{given, then, when};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    failure::{Result, ensure},
    faults::ensure_ready,
    oauth::{Api, SignIn},
    patience::eventually,
    world::CredoWorld,
};

/// What a request may take while an accelerator is missing.
const DEGRADED_TIME: Duration = Duration::from_secs(2);
/// Within this the relay has drained after a fault.
const DRAIN_TIME: Duration = Duration::from_secs(40);

#[given(regex = r"^(auth-api|auth-api-2|outbox-relay|audit-consumer|postgres|redis|kafka) is (killed|stopped|paused)$")]
#[when(regex = r"^(auth-api|auth-api-2|outbox-relay|audit-consumer|postgres|redis|kafka) is (killed|stopped|paused)$")]
pub async fn breaks(world: &mut CredoWorld, part: String, how: String) -> Result {
    match how.as_str() {
        "killed" => world.faults.kill(world.stack, &part).await?,
        "stopped" => world.faults.stop(world.stack, &part).await?,
        _ => world.faults.pause(world.stack, &part).await?,
    }
    Ok(())
}

#[when(regex = r"^(auth-api|auth-api-2|outbox-relay|audit-consumer|postgres|redis|kafka) is there again$")]
pub async fn is_mended(world: &mut CredoWorld, part: String) -> Result {
    Ok(world.faults.mend(world.stack, &world.api, &part).await?)
}

#[given(regex = r"^everybody speaks to auth-api-2$")]
pub async fn speaks_to_second(world: &mut CredoWorld) -> Result {
    world.api = second_replica(world)?;
    Ok(())
}

/// The replica whose wires can be broken.
pub fn second_replica(world: &CredoWorld) -> anyhow::Result<Api> {
    let address = world.stack.service("auth-api-2")?.http.as_deref();
    Api::new(address.context("the second replica has no address")?)
}

#[given(regex = r"^the wire to (postgres|redis) is (clear|stalled|down|cut)$")]
#[when(regex = r"^the wire to (postgres|redis) is (clear|stalled|down|cut)$")]
pub async fn wire_is(world: &mut CredoWorld, far: String, weather: String) -> Result {
    Ok(world.faults.wire(world.stack, &far, &weather).await?)
}

#[when(regex = r"^the wire to (postgres|redis) takes (\d+) ms$")]
pub async fn wire_is_slow(world: &mut CredoWorld, far: String, milliseconds: u32) -> Result {
    let weather = format!("slow {milliseconds}");
    Ok(world.faults.wire(world.stack, &far, &weather).await?)
}

#[when(
    regex = r"^the wire to postgres loses (?:the )?(request|midway|answer) of the session (once|twice|three times)$"
)]
pub async fn wire_loses(world: &mut CredoWorld, what: String, how_often: String) -> Result {
    let times = match how_often.as_str() {
        "once" => 1,
        "twice" => 2,
        _ => 3,
    };
    let weather = format!("loses {what} {} {times}", world.session("")?.id()?);
    Ok(world.faults.wire(world.stack, "postgres", &weather).await?)
}

#[when(regex = r"^redis forgets everything$")]
pub async fn is_flushed(world: &mut CredoWorld) -> Result {
    let address = world.stack.redis.url.rsplit(['/', '@']).find(|part| part.contains(':'));
    let mut stream = TcpStream::connect(address.context("the Redis URL names no address")?).await?;
    stream.write_all(b"FLUSHALL\r\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    ensure!(&answer == b"+OK\r\n", "Redis says {}", String::from_utf8_lossy(&answer));
    Ok(())
}

#[then(regex = r"^(auth-api|auth-api-2|outbox-relay|audit-consumer) is ready$")]
pub async fn is_ready(world: &mut CredoWorld, service: String) -> Result {
    Ok(ensure_ready(world.stack, &world.api, &service).await?)
}

#[then(regex = r"^the relay has (something|nothing) pending$")]
pub async fn pending(world: &mut CredoWorld, what: String) -> Result {
    let pending = async || {
        let status = world.admin.outbox_status().await?;
        anyhow::ensure!(
            (status.pending > 0) == (what == "something"),
            "{} events are pending",
            status.pending
        );
        Ok(())
    };
    Ok(eventually(DRAIN_TIME, pending).await?)
}

#[then(regex = r"^everything works for (\w+) at (\w+)$")]
pub async fn everything_works(world: &mut CredoWorld, user: String, client: String) -> Result {
    let (user, at) = (world.user(&user)?, world.client(&client)?);
    let (api, wanted) = (&world.api, SignIn::new("openid email offline_access"));
    let code = timely("sign-in", api.sign_in(at, user, &wanted)).await?;
    let tokens = timely("exchange", api.exchange(at, &code)).await?.tokens()?;
    let userinfo = timely("userinfo", api.userinfo(&tokens.access_token)).await?;
    ensure!(
        userinfo.status == 200 && userinfo.json()?["email"] == user.email.as_str(),
        "{userinfo}"
    );
    let refreshed = timely("refresh", api.refresh(at, tokens.refresh_token()?))
        .await?
        .tokens()?;
    let introspection = timely("introspection", api.introspect(at, &refreshed.access_token)).await?;
    ensure!(introspection.is_active()?, "{introspection}");
    let revocation = timely("revocation", api.revoke(at, refreshed.refresh_token()?)).await?;
    ensure!(revocation.status == 200, "{revocation}");
    let refused = timely("refresh", api.refresh(at, refreshed.refresh_token()?)).await?;
    refused.expect(400, "invalid_grant")?;
    world
        .expect_dead(&client, &refreshed.access_token, Duration::ZERO)
        .await?;
    world.expect_dead(&client, &tokens.access_token, Duration::ZERO).await?;
    Ok(())
}

async fn timely<T>(what: &str, request: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let began_at = Instant::now();
    let answer = request.await.with_context(|| what.to_owned())?;
    let took = began_at.elapsed();
    ensure!(took < DEGRADED_TIME, "{what} took {took:?}");
    Ok(answer)
}
