//! A command on a private stack that is made for it and gone after it.

use std::{ffi::OsString, io::Write as _, process::Stdio, time::Duration};

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{layout::Layout, part::Part, ports::Port, postgres, proc, run::Ready, state::State, tally::Tally, tools};

/// How the command ended.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit code; 1 if it was killed.
    pub code: u8,
    /// What its tests add up to.
    pub tally: Tally,
}

/// Ends the command and all that it started if it is dropped before its end.
struct Kept(Option<Child>);

impl Drop for Kept {
    fn drop(&mut self) {
        let pid = self
            .0
            .as_ref()
            .and_then(Child::id)
            .and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid {
            proc::signal(&proc::family(pid), Signal::TERM);
        }
    }
}

/// Runs the command to its end, passing on what it prints.
///
/// # Errors
/// If it cannot be run.
pub async fn run(command: &[OsString], ready: Ready) -> Result<Outcome> {
    let environment = environment(&ready)?;
    let (program, arguments) = command.split_first().context("no command")?;
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let output = child.stdout.take().context("its output cannot be read")?;
    let mut kept = Kept(Some(child));
    let mut tally = Tally::default();
    let mut passing = Box::pin(pass_on(BufReader::new(output), &mut tally));
    let status = match kept.0.as_mut() {
        Some(child) => tokio::select! {
            status = child.wait() => {
                // what it started in the background may hold its output open
                drop(timeout(Duration::from_secs(2), &mut passing).await);
                status?
            }
            () = &mut passing => child.wait().await?,
        },
        None => return Err(anyhow::anyhow!("no command")),
    };
    kept.0 = None;
    drop(passing);
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(Outcome { code, tally })
}

async fn pass_on(mut output: BufReader<tokio::process::ChildStdout>, tally: &mut Tally) {
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).await.is_ok_and(|length| length > 0) {
        tally.take_in(&String::from_utf8_lossy(&line));
        let mut out = std::io::stdout().lock();
        drop(out.write_all(&line).and_then(|()| out.flush())); // a closed pipe must not leave processes behind
        line.clear();
    }
}

fn environment(ready: &Ready) -> Result<Vec<(String, OsString)>> {
    let layout: &Layout = &ready.layout;
    let mut state = State::load(layout)?;
    let superuser = if ready
        .file
        .postgres
        .auth_url
        .contains(&state.ports.address(Port::Postgres))
    {
        postgres::url(&mut state, postgres::SUPERUSER, "postgres")?
    } else {
        ready.file.postgres.auth_url.clone()
    };
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut environment: Vec<(String, OsString)> = vec![
        ("CREDO_TEST_POSTGRES_URL".to_owned(), superuser.into()),
        (
            "CREDO_TEST_AUTH_DATABASE_URL".to_owned(),
            ready.file.postgres.auth_url.clone().into(),
        ),
        (
            "CREDO_TEST_AUDIT_DATABASE_URL".to_owned(),
            ready.file.postgres.audit_url.clone().into(),
        ),
        ("CREDO_TEST_REDIS_URL".to_owned(), ready.file.redis.url.clone().into()),
        (
            "CREDO_TEST_KAFKA_BROKERS".to_owned(),
            ready.file.kafka.brokers.clone().into(),
        ),
        ("CREDO_TEST_STACK".to_owned(), layout.stack().into()),
        ("CREDO_TEST_STACK_FILE".to_owned(), layout.file("stack.json").into()),
        ("CREDO_TEST_LOCAL_BIN".to_owned(), program.into()),
        ("CREDO_TEST_TOOLS".to_owned(), tools::folder(layout).into()),
    ];
    for part in Part::SERVICES {
        let name = part.name().replace('-', "_").to_uppercase();
        environment.push((format!("CREDO_TEST_{name}_LOG"), layout.log(part.name()).into()));
    }
    Ok(environment)
}
