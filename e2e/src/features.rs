//! Runs the features over a stack that runs: those that break nothing side by side, then those that break parts of it one
//! after the other, then the last look at the whole trail.

mod admin;
mod answer;
mod browser;
mod chromium;
mod collector;
mod credoctl;
mod digest;
mod endings;
mod example;
mod failure;
mod faults;
mod flood;
mod form;
mod hold;
mod jwt;
mod load;
mod methods;
mod oauth;
mod oracle;
mod outbox;
mod passes;
mod patience;
mod secrets;
mod stack;
mod steps;
mod tail;
mod topic;
mod world;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

#[tokio::main]
async fn main() -> ExitCode {
    match passes::run().await {
        Ok(tally) => {
            drop(write!(io::stdout(), "{tally}"));
            tally.exit_code()
        }
        Err(error) => {
            drop(writeln!(io::stderr(), "credo-e2e: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
