//! `smoke`: one person's way through everything, from discovery to the audit rows, with the time of each hop. No questions.

mod hops;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::Session;
use crate::{
    cli,
    console::{self, Progress},
    failure::{Failure, Result},
    output::{self, Format, Style},
};

#[derive(Debug, clap::Args)]
struct Arguments {
    /// How long to wait for the audit rows, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    audit_wait: u64,
}

/// A hop that is behind us.
#[derive(Debug)]
pub struct Hop {
    name: &'static str,
    took: Duration,
    text: String,
}

/// What has been done so far.
#[derive(Debug)]
pub struct Way {
    hops: Vec<Hop>,
    progress: Progress,
}

impl Way {
    /// Does one hop. `next` is what to do if it fails.
    ///
    /// # Errors
    /// If it fails: which hop it was.
    pub async fn hop<T>(
        &mut self,
        name: &'static str,
        next: &str,
        work: impl Future<Output = Result<(T, String)>>,
    ) -> Result<T> {
        self.progress.now(name);
        let begun = Instant::now();
        match work.await {
            Ok((found, text)) => {
                self.hops.push(Hop {
                    name,
                    took: begun.elapsed(),
                    text,
                });
                Ok(found)
            }
            Err(failure) => {
                let next = failure
                    .next_step()
                    .map_or_else(|| next.to_owned(), |own| format!("{own}; {next}"));
                Err(failure.at(&format!("{name} failed")).next(next))
            }
        }
    }
}

/// The command.
pub fn command() -> Command {
    let lines = ["smoke", "smoke --audit-wait 60 -o json"];
    let command = cli::command::<Arguments>("smoke", "Sign in, refresh, revoke, and wait for the audit rows", &lines);
    command.long_about(
        "Sign in, refresh, revoke, and wait for the audit rows.\n\nWho signs in, and at which first-party client, is in the context \
         (`context add --smoke-…`) or in CREDO_SMOKE_TENANT, _CLIENT_ID, _CLIENT_SECRET_FILE, _REDIRECT_URI, _EMAIL and \
         _PASSWORD_FILE. Nothing is asked, so that a job can run it.",
    )
}

/// Goes the way.
///
/// # Errors
/// If a hop fails.
pub async fn run(session: Session, matches: &ArgMatches) -> Result<ExitCode> {
    let arguments: Arguments = cli::arguments(matches)?;
    let chosen = session.chosen()?;
    let Some(wanted) = chosen.context.smoke.clone() else {
        return Err(Failure::usage("whom shall it sign in?")
            .next("credoctl context add NAME --smoke-client-id … , or CREDO_SMOKE_CLIENT_ID and the others: credoctl smoke --help"));
    };
    let style = session.globals.style();
    let mut way = Way {
        hops: Vec::new(),
        progress: Progress::begin("smoke"),
    };
    let wait = Duration::from_secs(arguments.audit_wait);
    let done = hops::go(&mut way, &session, &chosen, &wanted, wait).await;
    let Way { hops, progress } = way;
    drop(progress);
    show(style, &hops, done.as_ref().err())?;
    done.map(|()| ExitCode::SUCCESS)
}

fn show(style: Style, hops: &[Hop], failure: Option<&Failure>) -> Result<()> {
    let millis = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if !matches!(style.format, Format::Table | Format::Wide) {
        let hops: Vec<Value> = hops
            .iter()
            .map(|hop| json!({ "hop": hop.name, "millis": millis(hop.took), "text": hop.text }))
            .collect();
        let failed = failure.map(|failure| failure.message().to_owned());
        return output::value(
            style,
            &json!({ "passed": failure.is_none(), "hops": hops, "failure": failed }),
        );
    }
    let head = ["HOP", "MS", "WHAT CAME BACK"].map(ToOwned::to_owned).to_vec();
    let rows = hops.iter().map(|hop| {
        vec![
            hop.name.to_owned(),
            millis(hop.took).to_string(),
            console::harmless(&hop.text),
        ]
    });
    console::data(output::rows_under(style.headers.then_some(head), rows))
}
