//! A flood of tokens that nobody signed, and what becomes of those who ask in good order meanwhile.
//!
//! Every forgery is another one, so that no answer can be remembered. A flood that was served, or that did not reach its rate,
//! gives no figure.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    actor::{Actor, form},
    cost::Meter,
    endpoint::Endpoint,
    http::{Connection, Request},
    load::{self, Load, Span},
    say,
    shared::Shared,
};

/// Who asks in good order.
const CONNECTIONS: usize = 64;
const GOOD_A_SECOND: f64 = 500.0;
/// Who does not.
const FLOOD_CONNECTIONS: u32 = 128;
const FORGERIES_A_SECOND: f64 = 5_000.0;
/// A flood below this share of its rate was not one.
const LEAST_SHARE: f64 = 0.95;
const ROUNDS: usize = 3;
/// Of an ECDSA or Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

/// A flood that runs.
struct Flood {
    askers: JoinSet<Result<u32>>,
    over: Arc<AtomicBool>,
    began: Instant,
}

/// The p99 of good refreshes under a flood to that without one, of each round that was clean.
pub async fn compare(
    base_url: &str,
    shared: &Arc<Shared>,
    actors: &mut Vec<Actor>,
    meter: &mut Meter,
    window: Duration,
) -> Result<Vec<f64>> {
    say("a flood of forged tokens")?;
    let span = Span {
        warm_up: Duration::from_secs(1),
        window,
        pace: Some(GOOD_A_SECOND),
    };
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let calm = load::run(actors, (Endpoint::Refresh, CONNECTIONS), meter, span).await?;
        let bearer = actors.last().context("nobody is signed in")?.bearer()?.to_owned();
        let flood = Flood::start(base_url, shared, &bearer).await?;
        let flooded = load::run(actors, (Endpoint::Refresh, CONNECTIONS), meter, span).await?;
        let rate = flood.end().await?;
        tell("without a flood", &calm)?;
        tell(&format!("with {rate:.0} forged tokens a second"), &flooded)?;
        if calm.errors + flooded.errors == 0 && rate >= FORGERIES_A_SECOND * LEAST_SHARE {
            ratios.push(flooded.percentile_ms(99) / calm.percentile_ms(99));
        }
    }
    Ok(ratios)
}

fn tell(name: &str, load: &Load) -> Result<()> {
    let (rps, p50_ms, p99_ms) = (load.rps(), load.percentile_ms(50), load.percentile_ms(99));
    say(&format!(
        "  {name}: {rps:.0} good ones a second, p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, {} errors",
        load.errors
    ))
}

impl Flood {
    async fn start(base_url: &str, shared: &Arc<Shared>, bearer: &str) -> Result<Self> {
        let signed: Arc<str> = bearer.rsplit_once('.').context("no JWT")?.0.into();
        let over = Arc::new(AtomicBool::new(false));
        let mut askers = JoinSet::new();
        for number in 0..FLOOD_CONNECTIONS {
            let connection = Connection::open(base_url).await?;
            let (signed, shared, over) = (Arc::clone(&signed), Arc::clone(shared), Arc::clone(&over));
            askers.spawn(ask(number, connection, signed, shared, over));
        }
        Ok(Self {
            askers,
            over,
            began: Instant::now(),
        })
    }

    /// Forgeries a second.
    async fn end(mut self) -> Result<f64> {
        self.over.store(true, Ordering::Relaxed);
        let seconds = self.began.elapsed().as_secs_f64();
        let mut asked = 0.0;
        while let Some(done) = self.askers.join_next().await {
            asked += f64::from(done??);
        }
        Ok(asked / seconds)
    }
}

/// Shows forgeries at a pace, whatever the answers take; returns how many were refused as they must be.
async fn ask(
    number: u32,
    mut connection: Connection,
    signed: Arc<str>,
    shared: Arc<Shared>,
    over: Arc<AtomicBool>,
) -> Result<u32> {
    let pause = Duration::from_secs_f64(f64::from(FLOOD_CONNECTIONS) / FORGERIES_A_SECOND);
    let mut next = Instant::now() + pause.mul_f64(f64::from(number) / f64::from(FLOOD_CONNECTIONS));
    let mut asked = 0;
    while !over.load(Ordering::Relaxed) {
        sleep_until(next).await;
        next += pause;
        let forged = format!("{signed}.{}", signature(number, asked));
        let refused = if asked % 2 == 0 {
            let request = Request {
                method: "GET",
                path: "/auth/userinfo",
                authorization: &forged,
                content_type: "",
                body: "",
            };
            connection.send(request).await?.status == 401
        } else {
            let body = format!("token={}", forged.trim_start_matches("Bearer "));
            let request = form("/auth/introspect", &shared.signs_in.authorization, &body);
            let answer = connection.send(request).await?;
            answer.status == 200 && answer.body.contains("\"active\":false")
        };
        ensure!(refused, "a forged token was not refused as it must be");
        asked += 1;
    }
    Ok(asked)
}

/// Never the same, and never right.
fn signature(asker: u32, number: u32) -> String {
    let mut bytes = [0x5a; SIGNATURE_BYTES];
    bytes[..4].copy_from_slice(&asker.to_be_bytes());
    bytes[4..8].copy_from_slice(&number.to_be_bytes());
    bytes[32..36].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}
