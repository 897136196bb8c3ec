//! The command line: the tree of commands, and which file does what of it.

use std::{process::ExitCode, time::Duration};

use clap::{ArgMatches, Command, FromArgMatches as _, Parser, error::ErrorKind};

use crate::{
    catalogue::NOUNS,
    commands::{self, Session},
    console,
    context::{Store, VARIABLES},
    failure::{Failure, Kind, Result},
    output::{Format, Style},
    rpc,
    wire::Wire,
};

/// What every command understands.
#[derive(Debug, clap::Args)]
pub struct Globals {
    /// Which context.
    #[arg(
        long,
        global = true,
        env = "CREDO_CONTEXT",
        value_name = "NAME",
        help_heading = "Everywhere"
    )]
    context: Option<String>,
    /// Which tenant, by slug or id; else the context's.
    #[arg(
        long,
        global = true,
        env = "CREDO_TENANT",
        value_name = "TENANT",
        help_heading = "Everywhere"
    )]
    tenant: Option<String>,
    /// What data look like.
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_default_value = true,
        help_heading = "Everywhere"
    )]
    output: Format,
    /// No line of titles.
    #[arg(long, global = true, help_heading = "Everywhere")]
    no_headers: bool,
    /// How long a call may take, in seconds.
    #[arg(long, global = true, default_value_t = 15, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=300), hide_default_value = true, help_heading = "Everywhere")]
    timeout: u64,
}

#[derive(Debug, Parser)]
#[command(
    name = "credoctl",
    version,
    about = "Credo from a terminal",
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Top {
    #[command(flatten)]
    globals: Globals,
}

/// The whole tree.
pub fn tree() -> Command {
    let exits =
        "Exit codes: 0 done, 1 error, 2 usage, 3 not found, 4 denied, 5 conflict, 6 unavailable, 130 interrupted.";
    let first = commands::examples(&[
        "context add prod --auth-url https://id.example --auth-grpc https://admin.id.example:9090",
        "login --client-id 0192f0c1-… --web",
        "tenant list",
        "audit tail --tenant acme",
    ]);
    let mut top = <Top as clap::CommandFactory>::command().after_help(format!("{first}\n\n{VARIABLES}\n\n{exits}"));
    for noun in NOUNS {
        let mut command = Command::new(noun.name)
            .about(noun.about)
            .subcommand_required(true)
            .arg_required_else_help(true)
            .after_help(commands::examples(noun.verbs.first().map_or(&[], |verb| verb.examples)));
        for verb in noun.verbs {
            command = command.subcommand(rpc::command(noun, verb));
        }
        top = top.subcommand(command);
    }
    commands::STATIC
        .iter()
        .fold(top, |top, command| top.subcommand((command.build)()))
}

/// Reads the command line and does what it says.
///
/// # Errors
/// What went wrong.
pub async fn run() -> Result<ExitCode> {
    let matches = match tree().try_get_matches() {
        Ok(matches) => matches,
        Err(said) => return said_by_clap(&said),
    };
    let globals = Globals::from_arg_matches(&matches).map_err(|error| Failure::usage(error.to_string()))?;
    let Some((name, inner)) = matches.subcommand() else {
        return Err(Failure::usage("nothing to do").next("credoctl --help"));
    };
    let store = Store::of_this_account()?;
    if let Some(command) = commands::STATIC.iter().find(|command| command.name == name) {
        let session = Session { store, globals };
        return (command.run)(session, inner.clone()).await;
    }
    verb(&store, &globals, name, inner).await
}

async fn verb(store: &Store, globals: &Globals, name: &str, matches: &ArgMatches) -> Result<ExitCode> {
    let noun = NOUNS.iter().find(|noun| noun.name == name);
    let found = noun
        .zip(matches.subcommand())
        .and_then(|(noun, (name, inner))| Some((*noun, noun.verbs.iter().find(|verb| verb.name == name)?, inner)));
    let Some((noun, verb, inner)) = found else {
        return Err(Failure::usage(format!("there is no {name}")).next("credoctl --help"));
    };
    let chosen = store.choose(globals.context.as_deref())?;
    let wire = Wire::new(store, &chosen, globals.timeout());
    rpc::run(&wire, globals.style(), globals.tenant(), (noun, verb), inner).await?;
    Ok(ExitCode::SUCCESS)
}

fn said_by_clap(said: &clap::Error) -> Result<ExitCode> {
    let text = said.render();
    if matches!(said.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        console::data(text.to_string().trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    console::note(text.to_string().trim_end());
    Ok(ExitCode::from(Kind::Usage.code()))
}

impl Globals {
    /// Which context, if one is named.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// Which tenant, if one is named.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// How data look.
    pub const fn style(&self) -> Style {
        Style {
            format: self.output,
            headers: !self.no_headers,
        }
    }

    /// How long a call may take.
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// The arguments of a static command.
///
/// # Errors
/// If clap let something through that the type does not take.
pub fn arguments<T: clap::Args>(matches: &ArgMatches) -> Result<T> {
    T::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))
}

/// A static command with its arguments and examples.
pub fn command<T: clap::Args>(name: &'static str, about: &'static str, examples: &[&str]) -> Command {
    T::augment_args(Command::new(name).about(about)).after_help(commands::examples(examples))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(command: &Command, path: &str, visit: &mut dyn FnMut(&Command, &str)) {
        let path = format!("{path} {}", command.get_name());
        visit(command, &path);
        for inner in command.get_subcommands() {
            walk(inner, &path, visit);
        }
    }

    #[test]
    fn every_help_has_examples_that_parse() {
        let mut seen = 0;
        walk(&tree(), "", &mut |command, path| {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  credoctl "), "{path} has no example");
            assert!(command.get_about().is_some(), "{path} says nothing");
            for line in help.lines().filter_map(|line| line.trim().strip_prefix("credoctl ")) {
                let line = line.split(" | ").next().unwrap();
                let words = split(line);
                let read = tree().try_get_matches_from([vec!["credoctl".to_owned()], words].concat());
                assert!(read.is_ok(), "{path}: {line}: {}", read.unwrap_err());
                seen += 1;
            }
        });
        assert!(seen > 60, "{seen}");
    }

    /// As a shell splits what has no more than single quotes.
    fn split(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
        for letter in line.chars() {
            match letter {
                '\'' => (quoted, any) = (!quoted, true),
                ' ' if !quoted => {
                    if any || !word.is_empty() {
                        words.push(std::mem::take(&mut word));
                    }
                    any = false;
                }
                letter => word.push(letter),
            }
        }
        if any || !word.is_empty() {
            words.push(word);
        }
        words
    }

    #[test]
    fn no_option_takes_a_secret_from_the_command_line() {
        walk(&tree(), "", &mut |command, path| {
            for argument in command.get_arguments() {
                let name = argument.get_long().unwrap_or_default();
                let secret = ["password", "secret", "token"].iter().any(|word| name.contains(word));
                let harmless =
                    name.ends_with("-file") || name.ends_with("-out") || !argument.get_action().takes_values();
                let no_secret = [
                    "resume-token",
                    "token-endpoint-auth-method",
                    "id-token-signed-response-alg",
                ]
                .contains(&name);
                assert!(!secret || harmless || no_secret, "{path} --{name}");
            }
        });
    }

    #[test]
    fn tree_is_sound_and_guesses_what_was_meant() {
        tree().debug_assert();
        let said = tree()
            .try_get_matches_from(["credoctl", "tenant", "lst"])
            .unwrap_err()
            .to_string();
        assert!(said.contains("list"), "{said}");
    }
}
