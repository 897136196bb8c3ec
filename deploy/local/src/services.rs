//! How the three services start: with their own roles, and nothing in their environment that is not theirs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    backing::Backing,
    file, kafka,
    layout::{self, Layout},
    part::Part,
    ports::Port,
    probe::Probe,
    process::Launch,
    random,
    stack::Purpose,
    state::State,
};

/// How a service starts and is asked. For tests everything is traced.
///
/// # Errors
/// If its program is not built, or what it needs cannot be written.
pub fn prepare(
    layout: &Layout,
    state: &mut State,
    backing: &Backing,
    (part, purpose): (Part, Purpose),
) -> Result<(Launch, Probe)> {
    let prefix = format!("CREDO_{}_", part.program().replace('-', "_").to_uppercase());
    let mut settings = settings(layout, state, backing, part)?;
    let Listens { http, grpc, management } = listens(part);
    settings.extend(http.map(|port| ("HTTP_LISTEN", state.ports.address(port))));
    settings.push(("GRPC_LISTEN", state.ports.address(grpc)));
    settings.push(("MANAGEMENT_LISTEN", state.ports.address(management)));
    settings.push(("TELEMETRY_FORMAT", "json".to_owned()));
    if purpose == Purpose::Test {
        // Everything is traced, so that tests can look through it; where none listens, spans are dropped.
        settings.push(("TELEMETRY_OTLP_ENDPOINT", state.ports.url(Port::Collector)));
        settings.push(("TELEMETRY_TRACE_SAMPLE_RATIO", "1".to_owned()));
    }
    let mut environment: Vec<_> = settings
        .into_iter()
        .map(|(key, value)| (format!("{prefix}{key}"), value))
        .collect();
    environment.push(("CREDO_PUBLIC_BASE_URL".to_owned(), state.ports.url(Port::AuthApiHttp)));
    if purpose == Purpose::Test && part == Part::AuthApi2 {
        environment.extend(clock_environment(layout)?);
    }
    if part.program() == Part::AuthApi.program() {
        let keys = layout.file("master-keys");
        make_master_keys(&keys)?;
        environment.push(("CREDO_MASTER_KEYS_FILE".to_owned(), keys.to_string_lossy().into_owned()));
    }
    let launch = Launch {
        part,
        program: layout::program(part.program())?,
        arguments: Vec::new(),
        environment,
        account: None,
        log: layout.log(part.name()),
    };
    Ok((
        launch,
        Probe::Service {
            management_url: state.ports.url(management),
        },
    ))
}

fn settings(layout: &Layout, state: &mut State, backing: &Backing, part: Part) -> Result<Vec<(&'static str, String)>> {
    let settings = match part {
        Part::AuthApi | Part::AuthApi2 => vec![
            ("DATABASE_URL", backing.auth_url_of(state, "credo_auth_api")?),
            ("REDIS_URL", backing.redis_url.clone()),
            // Whole test suites sign in from one address.
            ("PASSWORD_ATTEMPTS_PER_ADDRESS_PER_MINUTE", "100000".to_owned()),
        ],
        Part::OutboxRelay => {
            let mut settings = downstream(layout, state, backing, part)?;
            settings.push(("DATABASE_URL", backing.auth_url_of(state, "credo_outbox_relay")?));
            settings
        }
        Part::AuditConsumer => {
            let mut settings = downstream(layout, state, backing, part)?;
            settings.push(("DATABASE_URL", backing.audit_url_of(state, "credo_audit_consumer")?));
            settings.push((
                "DATABASE_READER_URL",
                backing.audit_url_of(state, "credo_audit_reader")?,
            ));
            settings
        }
        Part::Postgres | Part::Redis | Part::Kafka => Vec::new(),
    };
    Ok(settings)
}

/// What relay and consumer have in common.
fn downstream(layout: &Layout, state: &State, backing: &Backing, part: Part) -> Result<Vec<(&'static str, String)>> {
    let cache = layout.file("jwks").join(part.name());
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    Ok(vec![
        ("KAFKA_BROKERS", backing.kafka_brokers.clone()),
        ("KAFKA_TOPIC", kafka::TOPIC.to_owned()),
        ("KAFKA_MODE", "development".to_owned()),
        ("ADMIN_AUTH_API_URL", state.ports.url(Port::AuthApiHttp)),
        ("ADMIN_JWKS_CACHE_DIR", cache.to_string_lossy().into_owned()),
    ])
}

/// Where a service listens.
#[derive(Debug, Clone, Copy)]
pub struct Listens {
    /// Of auth-api alone.
    pub http: Option<Port>,
    pub grpc: Port,
    pub management: Port,
}

/// Where a service listens. What is no service is taken for auth-api.
pub const fn listens(part: Part) -> Listens {
    let (http, grpc, management) = match part {
        Part::AuthApi2 => (Some(Port::AuthApi2Http), Port::AuthApi2Grpc, Port::AuthApi2Management),
        Part::OutboxRelay => (None, Port::OutboxRelayGrpc, Port::OutboxRelayManagement),
        Part::AuditConsumer => (None, Port::AuditConsumerGrpc, Port::AuditConsumerManagement),
        _ => (Some(Port::AuthApiHttp), Port::AuthApiGrpc, Port::AuthApiManagement),
    };
    Listens { http, grpc, management }
}

/// Steps the clock of the second replica of a stack for tests: so many seconds before or behind the machine's.
///
/// # Errors
/// If the file system refuses.
pub fn step_clock(layout: &Layout, seconds: i64) -> Result<()> {
    file::write_private(&layout.file("auth-api-2.clock"), format!("{seconds:+}\n").as_bytes())
}

/// The library through which a process sees another wall clock, if it is installed. Time that only elapses is left alone.
pub fn movable_clock() -> Option<PathBuf> {
    let libraries = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut found = libraries.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    found.find(|path| path.is_file())
}

fn clock_environment(layout: &Layout) -> Result<Vec<(String, String)>> {
    let Some(library) = movable_clock() else {
        return Ok(Vec::new());
    };
    step_clock(layout, 0)?;
    let variables = [
        ("LD_PRELOAD", library.to_string_lossy().into_owned()),
        (
            "FAKETIME_TIMESTAMP_FILE",
            layout.file("auth-api-2.clock").to_string_lossy().into_owned(),
        ),
        ("FAKETIME_CACHE_DURATION", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    Ok(variables.map(|(name, value)| (name.to_owned(), value)).into())
}

/// One key, made once: what was sealed under it is lost with it.
fn make_master_keys(path: &Path) -> Result<()> {
    if path.is_file() {
        return Ok(());
    }
    let key = URL_SAFE_NO_PAD.encode(random::bytes::<32>()?);
    file::write_private(
        path,
        format!("# Master keys of this stack. The first is active.\n1 {key}\n").as_bytes(),
    )
}
