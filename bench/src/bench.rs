//! The rounds: the floor, our own statement and the seed's shape beside each endpoint, at the same number of connections.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Result;

use crate::{
    actor::Actor,
    cost::Meter,
    endpoint::Endpoint,
    flood,
    floor::{self, Floor},
    goals::Beyond,
    load::{self, Load, Span},
    plan::Plan,
    prepare,
    report::{Beside, Sample, Summary, spread},
    say, scale,
    seed_shape::SeedShape,
    shared::Shared,
    stack::{Stack, environment},
    statement::{Form, Statements},
};

/// Everything that a round needs.
pub struct Bench {
    pub rounds: Rounds,
    stack: Stack,
    meter: Meter,
    shared: Arc<Shared>,
    actors: Vec<Actor>,
    statements: Statements,
    seed_shape: (SeedShape, Meter, Vec<Actor>),
    plan: Plan,
}

/// What each round came to: by place in the table, name and connections.
#[derive(Debug, Default)]
pub struct Rounds(BTreeMap<(usize, &'static str, usize), Vec<Sample>>);

impl Rounds {
    /// The rounds of a line.
    pub fn of(&self, name: &str, connections: usize) -> &[Sample] {
        let found = self
            .0
            .iter()
            .find(|((_, own, count), _)| *own == name && *count == connections);
        found.map_or(&[], |(_, samples)| samples)
    }

    /// The lines of the table.
    pub fn summaries(&self) -> Vec<Summary> {
        let line = |(key, samples): (&(usize, &'static str, usize), &Vec<Sample>)| Summary::of(key.1, key.2, samples);
        self.0.iter().map(line).collect()
    }

    fn add(&mut self, (place, name): (usize, &'static str), connections: usize, sample: Sample) {
        self.0.entry((place, name, connections)).or_default().push(sample);
    }
}

impl Bench {
    pub async fn prepare(plan: Plan) -> Result<Self> {
        let stack = Stack::read()?;
        let most = Plan::most_connections();
        prepare::make_database(&stack).await?;
        prepare::seed(&stack, most).await?;
        floor::prepare(&stack).await?;
        let statements = Statements::prepare(&stack).await?;
        let seed_shape = SeedShape::start(&stack).await?;
        say(&format!("signing {most} people in"))?;
        let shared = Arc::new(Shared::of(&stack)?);
        let mut actors = Vec::with_capacity(most);
        let mut seeds = Vec::with_capacity(most);
        for (number, token) in seed_shape.tokens.iter().take(most).enumerate() {
            let mut actor = Actor::new(&stack.base_url, Arc::clone(&shared), prepare::emails(number)).await?;
            actor.sign_in_once().await?;
            actors.push(actor);
            let mut seed = Actor::new(&seed_shape.base_url, Arc::clone(&shared), Vec::new()).await?;
            seed.take_session(&shared.signs_in, token);
            seeds.push(seed);
        }
        let meter = Meter::connect(&stack, stack.pid("auth-api")?).await?;
        let seed_meter = Meter::connect(&stack, seed_shape.pid).await?;
        Ok(Self {
            rounds: Rounds::default(),
            stack,
            meter,
            shared,
            actors,
            statements,
            seed_shape: (seed_shape, seed_meter, seeds),
            plan,
        })
    }

    /// One round at so many connections.
    pub async fn round(&mut self, connections: usize, round: usize) -> Result<()> {
        self.meter.settle(self.plan.settle).await?;
        let floor = floor::run(&self.stack, &mut self.meter, connections, self.plan.floor).await?;
        say(&format!("  floor0: {:.0} tps, {:.1} us", floor.tps, floor.cpu_us))?;
        let seed_shape = if self.plan.compares_seed(connections) {
            self.seed_shape(connections).await?
        } else {
            (f64::NAN, f64::NAN)
        };
        let mut beside = Beside {
            floor,
            seed_shape,
            backlog: 0,
        };
        self.shared.clear();
        for (place, endpoint) in self.plan.endpoints(connections, round) {
            let load = self.load((endpoint, connections), self.plan.span).await?;
            beside.backlog = self.meter.backlog().await?;
            let sample = Sample::of(&load, beside);
            tell(endpoint.name(), &sample, &load)?;
            self.rounds.add((place, endpoint.name()), connections, sample);
            let settled = self.meter.settle(self.plan.settle).await?;
            say(&format!(
                "    relay and consumer were done {:.1} s later",
                settled.as_secs_f64()
            ))?;
        }
        if !self.plan.compares(connections) {
            return Ok(());
        }
        beside.backlog = 0;
        for (number, form) in Form::ALL.into_iter().enumerate() {
            let running = self
                .statements
                .run((form, connections), &mut self.meter, self.plan.span.window);
            let load = running.await?;
            let sample = Sample::of(&load, beside);
            tell(form.name(), &sample, &load)?;
            self.rounds
                .add((Endpoint::ALL.len() + number, form.name()), connections, sample);
        }
        Ok(())
    }

    /// Figures that no line of the table has.
    pub async fn beyond(&mut self) -> Result<Beyond> {
        const CONNECTIONS: usize = 64;
        let flush_ms = floor::flush_time().await?.as_secs_f64() * 1e3;
        let reached = spread(
            self.rounds
                .of("refresh", CONNECTIONS)
                .iter()
                .map(|sample| sample.get("rps")),
        )
        .0;
        let half = Span {
            pace: Some(reached / 2.0),
            ..self.plan.span
        };
        let mut beyond = Beyond {
            flush_ms,
            ..Beyond::default()
        };
        for _ in 0..3 {
            let load = self.load((Endpoint::Refresh, CONNECTIONS), half).await?;
            beyond
                .half_load
                .extend(figures("half load", &load)?.map(|figures| figures.1));
            self.meter.settle(self.plan.settle).await?;
        }
        for _ in 0..3 {
            let running = self.load((Endpoint::Refresh, CONNECTIONS), self.plan.span).await?;
            redis("stop").await?;
            self.load((Endpoint::Refresh, CONNECTIONS), self.plan.span).await?;
            let stopped = self.load((Endpoint::Refresh, CONNECTIONS), self.plan.span).await?;
            redis("start").await?;
            beyond
                .redis
                .extend(ratio(("Redis stopped", &stopped), ("running", &running))?);
        }
        let (base_url, window) = (&self.stack.base_url, self.plan.flood);
        beyond.flood = flood::compare(base_url, &self.shared, &mut self.actors, &mut self.meter, window).await?;
        say("many tenants, many sessions")?;
        let mut many = scale::sign_in(&self.stack, &self.shared, self.plan.scale()).await?;
        for _ in 0..3 {
            let one = self.load((Endpoint::Refresh, CONNECTIONS), self.plan.span).await?;
            self.meter.settle(self.plan.settle).await?;
            let all = load::run(
                &mut many,
                (Endpoint::Refresh, CONNECTIONS),
                &mut self.meter,
                self.plan.span,
            )
            .await?;
            self.meter.settle(self.plan.settle).await?;
            beyond.scale.extend(ratio(("many tenants", &all), ("one", &one))?);
        }
        Ok(beyond)
    }

    async fn load(&mut self, what: (Endpoint, usize), span: Span) -> Result<Load> {
        load::run(&mut self.actors, what, &mut self.meter, span).await
    }

    /// Requests a second, and microseconds of each.
    async fn seed_shape(&mut self, connections: usize) -> Result<(f64, f64)> {
        let (_, meter, actors) = &mut self.seed_shape;
        let load = load::run(actors, (Endpoint::Refresh, connections), meter, self.plan.seed_span()).await?;
        let beside = Beside {
            floor: Floor {
                tps: f64::NAN,
                cpu_us: f64::NAN,
            },
            seed_shape: (f64::NAN, f64::NAN),
            backlog: 0,
        };
        let sample = Sample::of(&load, beside);
        tell("the seed's shape", &sample, &load)?;
        let cpu = sample.get("auth_api_cpu_us") + sample.get("postgres_cpu_us");
        Ok(if sample.is_clean() {
            (sample.get("rps"), cpu)
        } else {
            (f64::NAN, f64::NAN)
        })
    }
}

fn tell(name: &str, sample: &Sample, load: &Load) -> Result<()> {
    say(&format!("  {name}: {sample}"))?;
    if let Some(refusal) = &load.refusal {
        say(&format!("  ! {} of {name} were refused, as: {refusal}", load.errors))?;
    }
    Ok(())
}

/// Requests a second and the p99 in milliseconds of a load without errors.
fn figures(name: &str, load: &Load) -> Result<Option<(f64, f64)>> {
    let (rps, p99_ms) = (load.rps(), load.percentile_ms(99));
    say(&format!(
        "  {name}: {rps:.0} a second, p99 {p99_ms:.2} ms, {} errors",
        load.errors
    ))?;
    Ok((load.errors == 0).then_some((rps, p99_ms)))
}

fn ratio(one: (&str, &Load), other: (&str, &Load)) -> Result<Option<f64>> {
    let (one, other) = (figures(one.0, one.1)?, figures(other.0, other.1)?);
    Ok(one.zip(other).map(|(one, other)| one.0 / other.0))
}

/// Stops or starts the stack's Redis.
async fn redis(verb: &str) -> Result<()> {
    let program = environment("CREDO_TEST_LOCAL_BIN")?;
    let status = tokio::process::Command::new(program)
        .args(["--stack", &environment("CREDO_TEST_STACK")?, verb, "redis"])
        .stdout(std::process::Stdio::null())
        .status()
        .await?;
    anyhow::ensure!(status.success(), "Redis did not {verb}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(())
}
