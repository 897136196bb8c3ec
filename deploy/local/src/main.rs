//! The local system: one program that installs what is missing, starts, seeds, watches, breaks on request and ends all
//! parts of Credo on one machine. People (`make run`), tests and benchmarks drive the system through it.
//!
//! It refuses to touch any server that it did not start. Invariant: when it ends, whatever the way, its parts end too.
//! Errors here are lines for a person and nobody branches on them, so they are `anyhow` throughout.

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand, builder::FalseyValueParser};

use crate::{
    backing::External,
    control::Command,
    layout::Layout,
    ledger::Ledger,
    lock::Lock,
    part::Part,
    run::Ready,
    stack::{Options, Purpose},
    terminal::Terminal,
    wire::{Far, Weather},
};

mod account;
mod admin;
mod audit;
mod backing;
mod control;
mod file;
mod fingerprint;
mod java;
mod kafka;
mod landing;
mod layout;
mod ledger;
mod lock;
mod log;
mod migrate;
mod operator;
mod packages;
mod part;
mod ports;
mod postgres;
mod probe;
mod proc;
mod process;
mod python;
mod random;
mod redis;
mod run;
mod seed;
mod services;
mod shim;
mod signals;
mod stack;
mod stack_file;
mod state;
mod supervisor;
mod table;
mod tally;
mod terminal;
mod test_run;
mod tools;
mod wire;

/// Runs Credo on this machine: private Postgres, Redis and Kafka, and the three services.
#[derive(Debug, Parser)]
#[command(name = "credo-local", version)]
struct Arguments {
    /// Which stack: each has its own folder, ports and data under .credo. [default: run, and test for `test`]
    #[arg(long, global = true, value_name = "NAME")]
    stack: Option<String>,
    /// No colour, even on a terminal.
    #[arg(long, global = true, env = "NO_COLOR", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    no_color: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Bring the stack up and keep it up until Ctrl-C.
    Run(Wanted),
    /// Bring up a fresh stack, run a command on it, and take it down. Its exit code is the command's.
    Test {
        #[command(flatten)]
        wanted: Wanted,
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// The same on a stack as in production: durable, not traced, one auth-api.
    Bench {
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Show how each part is.
    Status,
    /// Print the table of addresses, users, clients and commands again.
    Table,
    /// End a part, or the whole stack, in good order.
    Stop { part: Option<Part> },
    /// Start a part and wait until it answers.
    Start { part: Part },
    /// End a part at once (SIGKILL).
    Kill { part: Part },
    /// Let a part stand still (SIGSTOP).
    Pause { part: Part },
    /// Let a part go on (SIGCONT).
    Resume { part: Part },
    /// Break or mend what the second replica of a stack for tests hears of a server.
    Wire {
        far: Far,
        #[command(subcommand)]
        weather: Weather,
    },
    /// Step the clock of the second replica of a stack for tests: it sees the step within a second.
    Clock {
        /// How far before the machine's.
        #[arg(allow_hyphen_values = true)]
        seconds: i64,
    },
    /// Forget everything that the stack remembers.
    Reset,
    /// Show the newest audit events.
    Audit(audit::Filter),
    /// Run buf on the definitions in `proto/`.
    Buf {
        /// Its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<OsString>,
    },
    /// Become a part: for this program itself.
    #[command(hide = true)]
    ExecPart(shim::Arguments),
}

#[derive(Debug, Default, clap::Args)]
struct Wanted {
    /// Only these parts.
    #[arg(long, value_delimiter = ',', value_name = "PART,…")]
    only: Vec<Part>,
    #[command(flatten)]
    external: External,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let terminal = Terminal::new(arguments.no_color);
    match act(arguments, terminal) {
        Ok(code) => code,
        Err(error) => {
            terminal.complain(format!("credo-local: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn act(arguments: Arguments, terminal: Terminal) -> Result<ExitCode> {
    if let Action::ExecPart(part) = &arguments.action {
        return shim::run(part).map(|()| ExitCode::FAILURE); // before any thread exists: accounts are a thread's
    }
    // one thread: a part is signalled when the thread that started it ends
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(act_in_runtime(arguments, terminal))
}

async fn act_in_runtime(arguments: Arguments, terminal: Terminal) -> Result<ExitCode> {
    let default = match arguments.action {
        Action::Test { .. } => "test",
        Action::Bench { .. } => "benched",
        _ => "run",
    };
    let layout = Layout::find(arguments.stack.as_deref().unwrap_or(default))?;
    let ask = match arguments.action {
        Action::Run(wanted) => return Box::pin(keep_up(layout, wanted, terminal)).await,
        Action::Test { wanted, command } => {
            let options = wanted.options(false, Purpose::Test);
            return Box::pin(test(layout, options, &command, terminal)).await;
        }
        Action::Bench { command } => {
            let options = Wanted::default().options(false, Purpose::Bench);
            return Box::pin(test(layout, options, &command, terminal)).await;
        }
        Action::Reset => return reset(&layout, terminal).await,
        Action::Stop { part: None } => return stop(&layout, terminal).await,
        Action::Audit(filter) => {
            return audit::print(&layout, &filter, terminal)
                .await
                .map(|()| ExitCode::SUCCESS);
        }
        Action::Table => return table(&layout, terminal),
        Action::Buf { arguments } => {
            let status = tools::buf(terminal, &layout, &arguments).await?;
            return Ok(ExitCode::from(u8::from(!status.success())));
        }
        Action::ExecPart(_) => return Ok(ExitCode::FAILURE),
        Action::Status => Command::Status,
        Action::Stop { part: Some(part) } => Command::Stop(part),
        Action::Start { part } => Command::Start(part),
        Action::Kill { part } => Command::Kill(part),
        Action::Pause { part } => Command::Pause(part),
        Action::Resume { part } => Command::Resume(part),
        Action::Clock { seconds } => Command::Clock(seconds),
        Action::Wire { far, weather } => Command::Wire(far, weather),
    };
    terminal.say(control::ask(&layout, ask).await?);
    Ok(ExitCode::SUCCESS)
}

impl Wanted {
    fn options(self, customary_ports: bool, purpose: Purpose) -> Options {
        let parts = if self.only.is_empty() {
            let is_wanted = |part: &Part| purpose == Purpose::Test || *part != Part::AuthApi2;
            Part::ALL.into_iter().filter(is_wanted).collect()
        } else {
            self.only
        };
        Options {
            external: self.external,
            parts,
            customary_ports,
            purpose,
        }
    }
}

async fn keep_up(layout: Layout, wanted: Wanted, terminal: Terminal) -> Result<ExitCode> {
    let options = wanted.options(layout.stack() == "run", Purpose::Run);
    terminal.say(terminal.heading("Credo, local stack"));
    let show = async |ready: Ready| -> Result<()> {
        show(&ready, terminal)?;
        std::future::pending().await
    };
    run::run(layout, options, terminal, false, show)
        .await
        .map(|_asked_to_end| ExitCode::SUCCESS)
}

async fn test(layout: Layout, options: Options, command: &[OsString], terminal: Terminal) -> Result<ExitCode> {
    let heading = match options.purpose {
        Purpose::Bench => "Credo, stack for benchmarks",
        Purpose::Run | Purpose::Test => "Credo, stack for tests",
    };
    terminal.say(terminal.heading(heading));
    let outcome = run::run(layout, options, terminal, true, async |ready| {
        test_run::run(command, ready).await
    })
    .await?;
    let Some(outcome) = outcome else {
        return Ok(ExitCode::from(130));
    };
    if let Some(summary) = outcome.tally.summary() {
        terminal.say(format!("\n{summary}"));
    }
    Ok(ExitCode::from(outcome.code))
}

fn show(ready: &Ready, terminal: Terminal) -> Result<()> {
    let Ready { file, layout, took } = ready;
    let program = std::env::current_exe()?;
    terminal.say(format!("\n{}\n", terminal.heading(&format!("Ready after {took}."))));
    operator::write(layout, file)?;
    terminal.say(table::render(terminal, file, &program, layout));
    if let Some(commands) = table::commands(file, &program) {
        file::write_private(&layout.file("commands.sh"), commands.as_bytes())?;
    }
    terminal.say("Ctrl-C stops everything. The data stay; `make reset` wipes them.");
    Ok(())
}

fn table(layout: &Layout, terminal: Terminal) -> Result<ExitCode> {
    let stack = stack_file::StackFile::read(layout)?;
    terminal.say(table::render(terminal, &stack, &std::env::current_exe()?, layout));
    Ok(ExitCode::SUCCESS)
}

async fn stop(layout: &Layout, terminal: Terminal) -> Result<ExitCode> {
    if control::ask(layout, Command::Shutdown).await.is_ok() {
        Lock::wait_free(layout).await?;
        terminal.say("stopped");
    } else {
        terminal.say(format!("the stack `{}` does not run", layout.stack()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn reset(layout: &Layout, terminal: Terminal) -> Result<ExitCode> {
    layout.prepare()?;
    let _lock = Lock::take(layout)?;
    drop(Ledger::open(layout).await?);
    run::wipe(layout)?;
    file::remove_folder(&layout.folder())?;
    terminal.say(format!("{} is gone", layout.folder().display()));
    Ok(ExitCode::SUCCESS)
}
