//! The operator's program: the three admin APIs, and the OAuth endpoints, from a terminal.
//!
//! Owns nothing but contexts and what a login left. Holds no database credential, and shows no secret that was not asked for.

mod access;
mod catalogue;
mod cli;
mod commands;
mod console;
mod context;
mod environment;
mod failure;
mod http;
mod oauth;
mod output;
mod rpc;
mod wire;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    tokio::select! {
        biased;
        done = cli::run() => match done {
            Ok(code) => code,
            Err(failure) => {
                console::note(&failure);
                failure.exit_code()
            }
        },
        _ = tokio::signal::ctrl_c() => ExitCode::from(failure::INTERRUPTED),
    }
}
