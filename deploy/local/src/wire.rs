//! The wires of the second replica in stacks for tests: what it says to Postgres and to Redis goes through here, where it can
//! be slowed down, held up, cut, and lost at the worst moment.
//!
//! Knows of the protocols only that a Postgres client's words after its log-in begin with a capital letter.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use clap::{Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::sleep,
};

use self::losses::Losses;
use crate::ports::{Port, Ports};

mod losses;

/// Where a wire leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Far {
    Postgres,
    Redis,
}

/// What a wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weather {
    /// Carries everything.
    Clear,
    /// Carries what is asked only after so many milliseconds; log-ins at once.
    Slow { milliseconds: u64 },
    /// Carries nothing and closes nothing.
    Stalled,
    /// Is cut, and cut again whenever it is laid.
    Down,
    /// Is cut once; what is laid then carries everything.
    Cut,
    /// Is cut where the marker comes by, so often.
    Loses {
        #[arg(value_enum)]
        what: Loss,
        /// 16 bytes of what is asked, as a UUID.
        marker: uuid::Uuid,
        times: u32,
    },
}

/// What is lost of what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// It does not arrive.
    Request,
    /// It arrives, and nobody is there any more for the answer.
    Midway,
    /// It is answered, so surely done, and the answer does not arrive.
    Answer,
}

/// A wire that is laid.
#[derive(Debug)]
struct Wire {
    weather: watch::Sender<Weather>,
    losses: Arc<Losses>,
}

/// Both wires. They end when this is dropped.
#[derive(Debug)]
pub struct Wires {
    postgres: Wire,
    redis: Wire,
    _tasks: JoinSet<()>,
}

impl Wires {
    /// Lays them to the servers of the two URLs.
    ///
    /// # Errors
    /// If a port is taken, or a URL names no server.
    pub async fn lay(ports: &Ports, postgres_url: &str, redis_url: &str) -> Result<Self> {
        let mut tasks = JoinSet::new();
        let postgres = Wire::lay(&ports.address(Port::WireToPostgres), postgres_url, 5432, &mut tasks).await?;
        let redis = Wire::lay(&ports.address(Port::WireToRedis), redis_url, 6379, &mut tasks).await?;
        Ok(Self {
            postgres,
            redis,
            _tasks: tasks,
        })
    }

    /// Changes the weather on one.
    ///
    /// # Errors
    /// If losses that were to come have not.
    pub fn set(&self, far: Far, weather: Weather) -> Result<String> {
        let wire = match far {
            Far::Postgres => &self.postgres,
            Far::Redis => &self.redis,
        };
        let left = wire.losses.plan(weather);
        wire.weather.send_replace(weather);
        if left > 0 {
            bail!("{left} losses did not come");
        }
        Ok(format!("{far:?}: {weather:?}"))
    }
}

impl Wire {
    async fn lay(address: &str, url: &str, default_port: u16, tasks: &mut JoinSet<()>) -> Result<Self> {
        let url = reqwest::Url::parse(url).context("a URL cannot be read")?;
        let host = url.host_str().context("a URL names no server")?;
        let target = format!("{host}:{}", url.port().unwrap_or(default_port));
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}"))?;
        let weather = watch::Sender::new(Weather::Clear);
        let losses = Arc::<Losses>::default();
        tasks.spawn(accept(listener, target, weather.clone(), Arc::clone(&losses)));
        Ok(Self { weather, losses })
    }
}

async fn accept(listener: TcpListener, target: String, weather: watch::Sender<Weather>, losses: Arc<Losses>) {
    let mut carried = JoinSet::new();
    loop {
        let Ok((near, _)) = listener.accept().await else {
            sleep(Duration::from_millis(100)).await; // out of file descriptors, most likely
            continue;
        };
        while carried.try_join_next().is_some() {}
        let (mut weather, target, losses) = (weather.subscribe(), target.clone(), Arc::clone(&losses));
        if *weather.borrow_and_update() == Weather::Down {
            continue;
        }
        carried.spawn(async move {
            let cut = weather.clone();
            tokio::select! {
                () = carry(near, &target, &weather, &losses) => {}
                () = is_cut(cut) => {}
            }
            weather.mark_unchanged();
        });
    }
}

async fn is_cut(mut weather: watch::Receiver<Weather>) {
    while weather.changed().await.is_ok() {
        if matches!(*weather.borrow_and_update(), Weather::Down | Weather::Cut) {
            return;
        }
    }
}

async fn carry(near: TcpStream, target: &str, weather: &watch::Receiver<Weather>, losses: &Losses) {
    let mut sky = weather.clone();
    let clears = sky.wait_for(|weather| *weather != Weather::Stalled).await;
    if clears.map(drop).is_err() {
        return;
    }
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let both = [&near, &far].map(|stream| stream.set_nodelay(true));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let swallowing = watch::Sender::new(false);
    if both.iter().all(Result::is_ok) {
        tokio::select! {
            () = carry_up(near_in, far_out, weather.clone(), (losses, &swallowing)) => {}
            () = carry_down(far_in, near_out, weather.clone(), &swallowing) => {}
        }
    }
}

async fn carry_up(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    (losses, swallowing): (&Losses, &watch::Sender<bool>),
) {
    let mut buffer = vec![0; 1 << 16];
    let mut tail = Vec::new();
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let words = &buffer[..count];
        let now = match weather.wait_for(|weather| *weather != Weather::Stalled).await {
            Ok(now) => *now,
            Err(_) => return,
        };
        if let Weather::Slow { milliseconds } = now
            && words[0] != 0
            && words[0] != b'p'
        {
            sleep(Duration::from_millis(milliseconds)).await;
        }
        let loss = losses.take(&mut tail, words);
        swallowing.send_replace(loss == Some(Loss::Answer));
        if loss == Some(Loss::Request) || to.write_all(words).await.is_err() || loss == Some(Loss::Midway) {
            return;
        }
    }
}

async fn carry_down(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    swallowing: &watch::Sender<bool>,
) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let clears = weather.wait_for(|weather| *weather != Weather::Stalled).await;
        let lost = clears.map(drop).is_err() || *swallowing.borrow();
        if lost || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
