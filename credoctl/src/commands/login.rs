//! `login` and `logout`: as a client with its secret, or as a person in a browser.

use std::{path::PathBuf, process::ExitCode};

use clap::{ArgMatches, Command};
use secrecy::ExposeSecret as _;

use super::Session;
use crate::{
    access::{self, Kept, read_secret},
    cli,
    console::{self, ask_secret},
    failure::{Failure, Result},
    oauth::{
        code,
        metadata::Metadata,
        token::{self, Client},
    },
    wire::POOL,
};

#[derive(Debug, clap::Args)]
struct Login {
    /// Which client.
    #[arg(long, value_name = "ID", env = "CREDO_CLIENT_ID")]
    client_id: String,
    /// As a person in a browser, with the answer on a free port of this machine: for a public, native client with the redirect
    /// URI `http://127.0.0.1/callback`.
    #[arg(long, conflicts_with = "secret_file")]
    web: bool,
    /// Where the client's secret lies, - for stdin; else it is asked for.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// What to ask for, space-delimited; else everything that may be had.
    #[arg(
        long,
        value_name = "SCOPES",
        env = "CREDO_SCOPE",
        default_value = "",
        hide_default_value = true
    )]
    scope: String,
}

#[derive(Debug, clap::Args)]
struct Nothing {}

/// The command.
pub fn command() -> Command {
    let lines = [
        "login --client-id 0192f0c1-…",
        "login --client-id 0192f0c1-… --secret-file admin-secret --scope 'credo.tenant.read credo.audit.read'",
        "login --client-id 0192f0c1-… --web",
    ];
    cli::command::<Login>(
        "login",
        "Sign in to administrate; tokens are renewed by themselves",
        &lines,
    )
}

/// The command that ends it.
pub fn logout_command() -> Command {
    cli::command::<Nothing>(
        "logout",
        "End the login, at the server too",
        &["logout", "logout --context prod"],
    )
}

/// Signs in.
///
/// # Errors
/// If it is refused.
pub async fn login(session: Session, matches: &ArgMatches) -> Result<ExitCode> {
    let wanted: Login = cli::arguments(matches)?;
    let chosen = session.chosen()?;
    let Some(name) = chosen.name.clone() else {
        return Err(
            Failure::usage("there is no context to sign in to").next("credoctl context add NAME --auth-url URL")
        );
    };
    let issuer = chosen.context.login_issuer()?;
    let http = access::http(&chosen)?;
    let metadata = Metadata::discover(&http, &issuer).await?;
    let secret = if wanted.web {
        None
    } else if let Some(path) = &wanted.secret_file {
        Some(read_secret(path)?)
    } else {
        Some(ask_secret("Client secret", "--secret-file FILE, or - for stdin")?)
    };
    let client = Client {
        id: wanted.client_id.clone(),
        secret,
    };
    let (tokens, scope) = if wanted.web {
        let scope = web_scope(&wanted.scope);
        let code = code::in_browser(&metadata, &client, &scope).await?;
        (code::exchange(&http, &metadata, &client, &code).await?, scope)
    } else {
        (
            token::client_credentials(&http, &metadata, &client, &wanted.scope).await?,
            wanted.scope,
        )
    };
    let granted = if tokens.scope.is_empty() {
        scope.clone()
    } else {
        tokens.scope.clone()
    };
    let kept = Kept {
        issuer,
        client_id: client.id,
        client_secret: client.secret.map(|secret| secret.expose_secret().to_owned()),
        scope,
        ..Kept::default()
    };
    kept.keep(&session.store, &name, &tokens).await?;
    console::note(format!("signed in, context {name}"));
    console::note(format!("may: {}", console::harmless(&granted)));
    Ok(ExitCode::SUCCESS)
}

/// Without a wish: every permission that there is. The server grants what the person holds. Nothing may stand beside them: the
/// client's grant is what makes a login last longer than an access token.
fn web_scope(wanted: &str) -> String {
    if wanted.trim().is_empty() {
        every_permission().join(" ")
    } else {
        wanted.to_owned()
    }
}

fn every_permission() -> Vec<String> {
    let options = ["permission", "further_permissions"]
        .into_iter()
        .filter_map(|name| POOL.get_extension_by_name(&format!("credo.admin.v1.{name}")));
    let options: Vec<_> = options.collect();
    let mut all = Vec::new();
    for method in POOL
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
    {
        for option in &options {
            let set = method.options();
            let found = set.get_extension(option);
            let scopes = found.as_list().unwrap_or(std::slice::from_ref(&found)).iter();
            all.extend(scopes.filter_map(|scope| scope.as_str()).map(ToOwned::to_owned));
        }
    }
    all.sort();
    all.dedup();
    all
}

/// Signs out.
///
/// # Errors
/// If the server refuses.
pub async fn logout(session: Session, _matches: &ArgMatches) -> Result<ExitCode> {
    let chosen = session.chosen()?;
    if access::end(&session.store, &chosen).await? {
        console::note(format!("signed out, context {}", chosen.label()));
    } else {
        console::note("nobody was signed in");
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_in_a_browser_asks_for_what_there_is_and_to_last() {
        let scope = web_scope("");
        assert!(
            scope.contains("credo.tenant.write") && scope.split(' ').all(|scope| scope.starts_with("credo.")),
            "{scope}"
        );
        assert_eq!(web_scope("credo.audit.read"), "credo.audit.read");
    }
}
