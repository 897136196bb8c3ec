//! `status`: one screen of how everything is. 0 says that every line is well, 6 that one is not.

mod look;

use std::{process::ExitCode, time::Duration};

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::Session;
use crate::{
    cli, console,
    console::Paint,
    failure::{Kind, Result},
    output::{self, Format, Style},
};

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Ok,
    /// It works, but somebody should look.
    Warn,
    Down,
}

impl State {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Down => "down",
        }
    }

    fn painted(self, text: &str) -> String {
        let paint = Paint::for_stdout();
        match self {
            Self::Ok => paint.green(text),
            Self::Warn => paint.yellow(text),
            Self::Down => paint.red(text),
        }
    }
}

/// One line of the screen.
#[derive(Debug)]
pub struct Line {
    pub part: &'static str,
    pub what: String,
    pub state: State,
    pub text: String,
}

#[derive(Debug, clap::Args)]
struct Arguments {
    /// Look again every so many seconds, until Ctrl-C.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = clap::value_parser!(u64).range(1..=3600))]
    watch: Option<u64>,
}

/// The command.
pub fn command() -> Command {
    let lines = [
        "status",
        "status --watch 5",
        "status -o json | jq '.lines[] | select(.state != \"ok\")'",
    ];
    cli::command::<Arguments>("status", "How everything is, on one screen; exit code 0 or 6", &lines)
}

/// Looks, once or until Ctrl-C.
///
/// # Errors
/// If there is no context.
pub async fn run(session: Session, matches: &ArgMatches) -> Result<ExitCode> {
    let arguments: Arguments = cli::arguments(matches)?;
    let chosen = session.chosen()?;
    let style = session.globals.style();
    loop {
        let lines = Box::pin(look::everything(&session.store, &chosen, session.globals.timeout())).await;
        let Some(seconds) = arguments.watch else {
            show(style, &lines)?;
            let worst = lines.iter().map(|line| line.state).max().unwrap_or(State::Down);
            return Ok(if worst == State::Ok {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(Kind::Unavailable.code())
            });
        };
        if console::is_terminal() && style.format == Format::Table {
            // Home, and everything after it away: the screen does not roll.
            console::data("\x1b[H\x1b[J")?;
        }
        show(style, &lines)?;
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

fn show(style: Style, lines: &[Line]) -> Result<()> {
    if !matches!(style.format, Format::Table | Format::Wide) {
        let well = lines.iter().all(|line| line.state == State::Ok);
        let lines: Vec<Value> = lines
            .iter()
            .map(|line| json!({ "part": line.part, "what": line.what, "state": line.state.name(), "text": line.text }))
            .collect();
        return output::value(style, &json!({ "well": well, "lines": lines }));
    }
    let width = |of: fn(&Line) -> usize| lines.iter().map(of).max().unwrap_or_default();
    let (parts, whats) = (width(|line| line.part.len()), width(|line| line.what.len()));
    if style.headers {
        console::data(Paint::for_stdout().bold(&format!("{:<4}  {:<parts$}  {:<whats$}  HOW", "", "PART", "WHAT")))?;
    }
    for line in lines {
        let state = line.state.painted(&format!("{:<4}", line.state.name()));
        let text = console::harmless(&line.text);
        console::data(format!("{state}  {:<parts$}  {:<whats$}  {text}", line.part, line.what))?;
    }
    Ok(())
}
