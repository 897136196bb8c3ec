//! A stack from nothing to ready, in order, and what is known of it then.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use crate::{
    admin,
    backing::{Backing, External},
    java::Java,
    kafka::{Kafka, jars::Jars},
    landing,
    layout::Layout,
    ledger::Ledger,
    migrate,
    packages::Needs,
    part::Part,
    ports::Port,
    postgres::{self, Postgres},
    redis, seed,
    services::{self, Listens},
    stack_file::{self, StackFile},
    state::{AdminClient, State},
    supervisor::Supervisor,
    terminal::Terminal,
    wire::Wires,
};

mod describe;

/// What the testkit gives to the serving roles: roles are the whole server's, so there is only one password.
const TEST_ROLE_PASSWORD: &str = "credo-test-role";

/// What kind of stack is wanted.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the environment replaces.
    pub external: External,
    /// The parts that are wanted.
    pub parts: Vec<Part>,
    /// Whether services should listen where people expect them.
    pub customary_ports: bool,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a stack is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// People.
    Run,
    /// Tests: everything is traced, commits need not outlive a crash of the machine, and the serving roles have the password
    /// that tests give to the same roles for databases of their own.
    Test,
    /// Figures: as in production, with room for many connections.
    Bench,
}

impl Options {
    /// What it takes of the machine. Tests of the whole system need more than those of a part.
    pub fn needs(&self) -> Needs {
        let private = |part: &Part| !self.external.replaces(*part);
        Needs {
            parts: self.parts.iter().copied().filter(private).collect(),
            tools: self.purpose == Purpose::Test && self.parts.contains(&Part::AuthApi),
        }
    }
}

/// A stack that is coming up, or is up.
#[derive(Debug)]
pub struct Stack {
    /// Where its files are.
    pub layout: Layout,
    /// Its processes.
    pub supervisor: Supervisor,
    /// Its memory.
    pub state: State,
    options: Options,
    terminal: Terminal,
    background: JoinSet<()>,
    wires: Option<Wires>,
    backing: Option<Backing>,
    kafka: Option<(Java, Jars)>,
    demo: Option<stack_file::Demo>,
}

impl Stack {
    /// A stack of which nothing is started yet.
    ///
    /// # Errors
    /// If its memory is damaged.
    pub fn new(layout: Layout, options: Options, terminal: Terminal, ledger: Ledger) -> Result<Self> {
        let mut state = State::load(&layout)?;
        if options.purpose == Purpose::Test {
            let role = |role| (migrate::role_name(role), TEST_ROLE_PASSWORD.to_owned());
            state.passwords.extend(migrate::ROLES.map(role));
        }
        StackFile::remove(&layout)?; // a program that was killed has left it
        Ok(Self {
            state,
            supervisor: Supervisor::new(ledger),
            background: JoinSet::new(),
            wires: None,
            backing: None,
            kafka: None,
            demo: None,
            layout,
            options,
            terminal,
        })
    }

    /// Brings everything up. May be dropped at any await; [`Stack::supervisor`] then ends what was started.
    ///
    /// # Errors
    /// If a part does not come up: which and why.
    pub async fn bring_up(&mut self) -> Result<StackFile> {
        let terminal = self.terminal;
        self.settle_ports()?;
        let backing = Backing::new(&self.options.external, &mut self.state)?;
        self.backing = Some(backing.clone());
        let postgres = self.start_infrastructure().await?;
        if self.options.parts.contains(&Part::Postgres) {
            terminal
                .step("migrating both databases", self.migrate(postgres.as_ref(), &backing))
                .await?;
        }
        self.start_services(&backing).await?;
        if self.wants(Part::AuthApi) {
            terminal.step("demo tenant, users and clients", self.seed()).await?;
        }
        self.state.save(&self.layout)?;
        self.describe()
    }

    /// After everything has stopped: keeps what makes the next start faster.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn keep_archive(&self) -> Result<()> {
        match &self.kafka {
            Some((java, jars)) => jars.keep_archive(java, &self.layout.file("kafka")),
            None => Ok(()),
        }
    }

    /// The wires of the second replica.
    ///
    /// # Errors
    /// If there are none: the stack is not for tests.
    pub fn wires(&self) -> Result<&Wires> {
        self.wires
            .as_ref()
            .context("there is no wire that could be broken: this stack is not for tests")
    }

    fn wants(&self, part: Part) -> bool {
        self.options.parts.contains(&part) && !self.options.external.replaces(part)
    }

    fn settle_ports(&mut self) -> Result<()> {
        let mut avoid = BTreeSet::new();
        for other in ["run", "test"].iter().filter(|other| **other != self.layout.stack()) {
            avoid.extend(State::load(&Layout::find(other)?)?.ports.numbers());
        }
        for notice in self.state.ports.choose(self.options.customary_ports, &avoid)? {
            self.terminal.say(format!("  ! {notice}"));
        }
        let listening: Vec<_> = Part::ALL
            .into_iter()
            .filter(|part| self.wants(*part))
            .flat_map(ports_of)
            .collect();
        self.state.ports.check_free(&listening)?;
        self.state.save(&self.layout)
    }

    async fn start_infrastructure(&mut self) -> Result<Option<Postgres>> {
        let mut postgres = None;
        if self.wants(Part::Postgres) {
            let first = !self.state.passwords.contains_key(postgres::SUPERUSER);
            let preparing = Postgres::prepare(&self.layout, &mut self.state, self.options.purpose);
            let prepared = self
                .terminal
                .step_if(first, "Postgres: a data folder", preparing)
                .await?;
            self.supervisor.own(prepared.launch.clone(), prepared.probe.clone());
            postgres = Some(prepared);
        }
        if self.wants(Part::Redis) {
            let (launch, probe) = redis::prepare(&self.layout, &self.state)?;
            self.supervisor.own(launch, probe);
        }
        self.state.save(&self.layout)?;
        self.launch(&[Part::Postgres, Part::Redis])?;
        if self.wants(Part::Kafka) {
            self.prepare_kafka().await?;
            self.launch(&[Part::Kafka])?;
        }
        self.wait_ready(&[Part::Postgres, Part::Redis, Part::Kafka]).await?;
        Ok(postgres)
    }

    async fn prepare_kafka(&mut self) -> Result<()> {
        let java = Java::find()
            .await
            .ok_or_else(|| anyhow::anyhow!("there is no Java 17 or later"))?;
        let jars = match Jars::find(&self.layout)? {
            Some(jars) => jars,
            None => {
                self.terminal
                    .step("Kafka's jars, once (45 files, 43 MB)", Jars::fetch(&self.layout))
                    .await?
            }
        };
        let first = self.state.kafka_id.is_none();
        let preparing = Kafka::prepare(&self.layout, &mut self.state, &java, &jars);
        let kafka = self.terminal.step_if(first, "Kafka: a data folder", preparing).await?;
        self.state.save(&self.layout)?;
        self.supervisor.own(kafka.launch, kafka.probe);
        self.kafka = Some((java, jars));
        Ok(())
    }

    async fn migrate(&mut self, postgres: Option<&Postgres>, backing: &Backing) -> Result<()> {
        if let Some(postgres) = postgres {
            postgres.make_databases(&mut self.state).await?;
        }
        migrate::up(&self.layout, &mut self.state, backing).await?;
        self.state.save(&self.layout)
    }

    async fn start_services(&mut self, backing: &Backing) -> Result<()> {
        let mut on_wires = None;
        if self.wants(Part::AuthApi2) && self.options.purpose == Purpose::Test {
            let ports = &self.state.ports;
            self.wires = Some(Wires::lay(ports, &backing.auth_owner_url, &backing.redis_url).await?);
            on_wires = Some(backing.on_wires(ports)?);
        }
        for part in Part::SERVICES
            .into_iter()
            .filter(|part| self.options.parts.contains(part))
        {
            let on_wires = on_wires.as_ref().filter(|_| part == Part::AuthApi2);
            let backing = on_wires.unwrap_or(backing);
            let (launch, probe) =
                services::prepare(&self.layout, &mut self.state, backing, (part, self.options.purpose))?;
            self.supervisor.own(launch, probe);
        }
        self.state.save(&self.layout)?;
        if self.wants(Part::AuthApi) {
            let (layout, state) = (&self.layout, &mut self.state);
            self.terminal
                .step("first admin client", migrate::bootstrap(layout, state, backing))
                .await?;
        }
        self.launch(&Part::SERVICES)?;
        self.wait_ready(&Part::SERVICES).await
    }

    async fn seed(&mut self) -> Result<()> {
        if let Some(client) = self.state.admin.clone() {
            self.demo = Some(self.seed_as(client).await?);
        }
        let base_url = self.state.ports.url(Port::AuthApiHttp);
        let landing = landing::serve(&self.state.ports.address(Port::Landing), base_url, self.demo.clone()).await?;
        self.background.spawn(async move { drop(landing.await) });
        Ok(())
    }

    async fn seed_as(&mut self, client: AdminClient) -> Result<stack_file::Demo> {
        let bearer = admin::token(
            &format!("{}/auth/token", self.state.ports.url(Port::AuthApiHttp)),
            &client,
        )
        .await?;
        let channel = admin::connect(&self.state.ports.url(Port::AuthApiGrpc), bearer).await?;
        let landing_url = self.state.ports.url(Port::Landing);
        let seeded = seed::seed(
            channel,
            &mut self.state,
            &landing_url,
            self.options.purpose == Purpose::Test,
        )
        .await;
        self.state.save(&self.layout)?; // secrets that were shown before a failure count too
        seeded
    }

    fn launch(&mut self, parts: &[Part]) -> Result<()> {
        for part in parts {
            if self.wants(*part) {
                self.supervisor.launch(*part)?;
            }
        }
        Ok(())
    }

    async fn wait_ready(&mut self, parts: &[Part]) -> Result<()> {
        for part in parts
            .iter()
            .copied()
            .filter(|part| self.wants(*part))
            .collect::<Vec<_>>()
        {
            self.terminal
                .step(part.name(), self.supervisor.wait_ready(part))
                .await?;
        }
        Ok(())
    }
}

fn ports_of(part: Part) -> Vec<Port> {
    match part {
        Part::Postgres => vec![Port::Postgres],
        Part::Redis => vec![Port::Redis],
        Part::Kafka => vec![Port::Kafka, Port::KafkaController],
        service => {
            let Listens { http, grpc, management } = services::listens(service);
            let landing = (service == Part::AuthApi).then_some(Port::Landing);
            let wires = (service == Part::AuthApi2).then_some([Port::WireToPostgres, Port::WireToRedis]);
            [Some(grpc), Some(management), http, landing]
                .into_iter()
                .flatten()
                .chain(wires.into_iter().flatten())
                .collect()
        }
    }
}
