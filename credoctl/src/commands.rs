//! Commands that are no verbs of the admin APIs. One row and one file each.

mod completion;
mod context;
mod doctor;
mod login;
mod oauth;
mod smoke;
mod status;

use std::{future::Future, pin::Pin, process::ExitCode};

use clap::{ArgMatches, Command};

use crate::{
    cli::Globals,
    context::{Chosen, Store},
    failure::Result,
};

/// What a command works with.
#[derive(Debug)]
pub struct Session {
    pub store: Store,
    pub globals: Globals,
}

impl Session {
    /// The context of this call.
    ///
    /// # Errors
    /// If a named one is not there.
    pub fn chosen(&self) -> Result<Chosen> {
        self.store.choose(self.globals.context())
    }
}

type Running = Pin<Box<dyn Future<Output = Result<ExitCode>>>>;

/// A command.
pub struct Static {
    pub name: &'static str,
    pub build: fn() -> Command,
    pub run: fn(Session, ArgMatches) -> Running,
}

macro_rules! commands {
    ($($name:literal => $module:ident :: $build:ident, $run:ident;)*) => {
        /// Every one, in the order of the help.
        pub static STATIC: &[Static] = &[$(Static {
            name: $name,
            build: $module::$build,
            run: |session, matches| Box::pin(async move { $module::$run(session, &matches).await }),
        }),*];
    };
}

commands! {
    "login" => login::command, login;
    "logout" => login::logout_command, logout;
    "context" => context::command, run;
    "status" => status::command, run;
    "smoke" => smoke::command, run;
    "doctor" => doctor::command, run;
    "oauth" => oauth::command, run;
    "completion" => completion::command, run;
}

/// The examples under a help.
pub fn examples(lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| format!("  credoctl {line}")).collect();
    format!("Examples:\n{}", lines.join("\n"))
}
