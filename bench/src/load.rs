//! A load: actors that ask without a pause, or at a pace, and what is used while they do.
//!
//! What happens before the window is warm-up and after it nobody's: only answers inside of it count.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    actor::{Actor, Step},
    cost::{Meter, Used},
    endpoint::Endpoint,
    report::percentile,
};

const WARMING: u8 = 0;
const COUNTING: u8 = 1;
const OVER: u8 = 2;

/// How long, and how fast.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub warm_up: Duration,
    pub window: Duration,
    /// Requests a second of all together; nothing: as many as are answered.
    pub pace: Option<f64>,
}

/// What a window came to.
#[derive(Debug, Default)]
pub struct Load {
    /// Seconds of each answered request, sorted.
    pub seconds: Vec<f64>,
    pub errors: usize,
    /// How the last request was refused that was.
    pub refusal: Option<String>,
    /// How long the window was.
    pub window: Duration,
    pub used: Used,
}

impl Load {
    /// Answers a second.
    pub fn rps(&self) -> f64 {
        as_f64(self.seconds.len()) / self.window.as_secs_f64()
    }

    /// What so many percent took at most.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        percentile(&self.seconds, percent) * 1e3
    }
}

/// Lets the first `connections` ask for the endpoint.
pub async fn run(
    actors: &mut Vec<Actor>,
    (endpoint, connections): (Endpoint, usize),
    meter: &mut Meter,
    span: Span,
) -> Result<Load> {
    let phase = Arc::new(AtomicU8::new(WARMING));
    let mut tasks = JoinSet::new();
    let rest = actors.split_off(connections.min(actors.len()));
    for (number, actor) in std::mem::replace(actors, rest).into_iter().enumerate() {
        let pause = span
            .pace
            .map(|pace| Duration::from_secs_f64(as_f64(connections) / pace));
        let head_start = pause.unwrap_or_default().mul_f64(as_f64(number) / as_f64(connections));
        tasks.spawn(ask(
            actor,
            endpoint,
            Arc::clone(&phase),
            pause.map(|pause| (pause, head_start)),
        ));
    }
    let mut ended = Vec::new();
    wait(&mut tasks, &mut ended, span.warm_up).await?;
    let before = meter.read().await?;
    let began = Instant::now();
    phase.store(COUNTING, Ordering::Relaxed);
    wait(&mut tasks, &mut ended, span.window).await?;
    phase.store(OVER, Ordering::Relaxed);
    let mut load = Load {
        window: began.elapsed(),
        used: meter.read().await?.since(&before),
        ..Load::default()
    };
    while let Some(done) = tasks.join_next().await {
        ended.push(done??);
    }
    for (actor, one) in ended {
        if one.errors > 0 {
            load.refusal = Some(actor.refusal().to_owned());
        }
        load.seconds.extend(one.seconds);
        load.errors += one.errors;
        actors.push(actor);
    }
    load.seconds.sort_by(f64::total_cmp);
    Ok(load)
}

/// Until the time is over or all have ended, whatever is first.
async fn wait(
    tasks: &mut JoinSet<Result<(Actor, Load)>>,
    ended: &mut Vec<(Actor, Load)>,
    time: Duration,
) -> Result<()> {
    let end = sleep(time);
    tokio::pin!(end);
    loop {
        tokio::select! {
            biased;
            () = &mut end => return Ok(()),
            done = tasks.join_next() => match done {
                Some(done) => ended.push(done.context("an actor died")??),
                None => return Ok(()),
            }
        }
    }
}

async fn ask(
    mut actor: Actor,
    endpoint: Endpoint,
    phase: Arc<AtomicU8>,
    pace: Option<(Duration, Duration)>,
) -> Result<(Actor, Load)> {
    actor.reconnect().await?;
    let mut load = Load::default();
    let mut next = Instant::now() + pace.map_or(Duration::ZERO, |(_, head_start)| head_start);
    loop {
        if let Some((pause, _)) = pace {
            sleep_until(next).await;
            next += pause;
        }
        let began = Instant::now();
        let step = actor.step(endpoint).await?;
        let phase = phase.load(Ordering::Relaxed);
        if phase == COUNTING {
            match step {
                Step::Answered => load.seconds.push(began.elapsed().as_secs_f64()),
                Step::Refused => load.errors += 1,
                Step::Exhausted => {}
            }
        }
        if phase == OVER || step == Step::Exhausted {
            return Ok((actor, load));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of connections")]
const fn as_f64(count: usize) -> f64 {
    count as f64
}
