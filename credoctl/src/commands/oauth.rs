//! `oauth`: the flows as a client runs them, each request and answer shown.

use std::{path::PathBuf, process::ExitCode};

use clap::{ArgMatches, Command};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{Session, examples};
use crate::{
    access::{self, read_secret},
    cli, console,
    context::{Chosen, SYSTEM_TENANT},
    failure::{Failure, Result},
    http::{Call, Http, Shown},
    oauth::{
        code::{self, Person},
        decode,
        metadata::Metadata,
        token::{self, Client, Tokens},
    },
    output,
};

#[derive(Debug, clap::Args)]
struct Who {
    /// Which client.
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// Where its secret lies, - for stdin; a public client has none.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    shown: Showing,
}

#[derive(Debug, clap::Args)]
struct Showing {
    /// Show codes, tokens and passwords too, on stderr.
    #[arg(long)]
    show_secrets: bool,
    /// Show no requests and answers.
    #[arg(long, short, conflicts_with = "show_secrets")]
    quiet: bool,
}

#[derive(Debug, clap::Args)]
struct Code {
    #[command(flatten)]
    who: Who,
    /// What to ask for, space-delimited.
    #[arg(long, value_name = "SCOPES", default_value = "openid profile email")]
    scope: String,
    /// Sign this person in without a browser; for first-party clients.
    #[arg(long, value_name = "EMAIL", requires = "redirect_uri")]
    email: Option<String>,
    /// Where their password lies; else it is asked for.
    #[arg(long, value_name = "FILE", requires = "email")]
    password_file: Option<PathBuf>,
    /// A redirect URI of the client; in a browser it is a free port of this machine.
    #[arg(long, value_name = "URI", requires = "email")]
    redirect_uri: Option<String>,
}

#[derive(Debug, clap::Args)]
struct WithToken {
    #[command(flatten)]
    who: Who,
    /// Where the token lies, - for stdin; else it is asked for.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct ClientCredentials {
    #[command(flatten)]
    who: Who,
    /// What to ask for, space-delimited; else everything.
    #[arg(long, value_name = "SCOPES", default_value = "", hide_default_value = true)]
    scope: String,
}

#[derive(Debug, clap::Args)]
struct Decode {
    /// Where the token lies, - for stdin; else it is asked for.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Do not ask the issuer for its keys.
    #[arg(long)]
    no_verify: bool,
}

/// The command.
pub fn command() -> Command {
    let code = [
        "oauth code --tenant acme --client-id 0192f0c1-…",
        "oauth code --tenant acme --client-id 0192f0c1-… --secret-file secret --email alice@acme.example --redirect-uri https://app.example/callback",
    ];
    Command::new("oauth")
        .about("Run OAuth flows and see every request and answer")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(examples(&code))
        .subcommand(cli::command::<Code>("code", "Authorization code with PKCE, by browser or by e-mail address", &code))
        .subcommand(cli::command::<WithToken>("refresh", "New tokens for a refresh token", &[
            "oauth refresh --tenant acme --client-id 0192f0c1-… --token-file refresh-token",
        ]))
        .subcommand(cli::command::<ClientCredentials>("client-credentials", "A token for the client itself", &[
            "oauth client-credentials --tenant acme --client-id 0192f0c1-… --secret-file secret --scope reports.read",
        ]))
        .subcommand(cli::command::<WithToken>("introspect", "What the server says of a token", &[
            "oauth introspect --tenant acme --client-id 0192f0c1-… --secret-file secret --token-file -",
        ]))
        .subcommand(cli::command::<Decode>("decode", "What a token says, and whether its signature is good", &[
            "oauth decode --token-file access-token",
            "oauth decode --token-file - --no-verify",
        ]))
}

/// Runs a flow. The tokens are the data.
///
/// # Errors
/// If the server refuses.
pub async fn run(session: Session, matches: &ArgMatches) -> Result<ExitCode> {
    let chosen = session.chosen()?;
    let found = match matches.subcommand() {
        Some(("code", inner)) => by_code(&session, &chosen, cli::arguments(inner)?).await?,
        Some(("refresh", inner)) => {
            let WithToken { who, token_file } = cli::arguments(inner)?;
            let (http, metadata, client) = begin(&session, &chosen, &who).await?;
            let token = wanted_secret(
                token_file.as_ref(),
                "Refresh token",
                "--token-file FILE, or - for stdin",
            )?;
            tokens(&token::refresh(&http, &metadata, &client, &token).await?)
        }
        Some(("client-credentials", inner)) => {
            let ClientCredentials { who, scope } = cli::arguments(inner)?;
            let (http, metadata, client) = begin(&session, &chosen, &who).await?;
            tokens(&token::client_credentials(&http, &metadata, &client, &scope).await?)
        }
        Some(("introspect", inner)) => {
            let WithToken { who, token_file } = cli::arguments(inner)?;
            let (http, metadata, client) = begin(&session, &chosen, &who).await?;
            let token = wanted_secret(token_file.as_ref(), "Token", "--token-file FILE, or - for stdin")?;
            token::introspect(&http, &metadata, &client, &token).await?
        }
        Some(("decode", inner)) => decoded(&chosen, cli::arguments(inner)?).await?,
        _ => return Err(Failure::usage("nothing to do").next("credoctl oauth --help")),
    };
    output::value(session.globals.style(), &found)?;
    Ok(ExitCode::SUCCESS)
}

async fn begin(session: &Session, chosen: &Chosen, who: &Who) -> Result<(Http, Metadata, Client)> {
    let tenant = session
        .globals
        .tenant()
        .or(chosen.context.tenant.as_deref())
        .unwrap_or(SYSTEM_TENANT);
    if uuid::Uuid::try_parse(tenant).is_ok() {
        return Err(Failure::usage("an issuer is named by the tenant's slug, not by its id").next("--tenant SLUG"));
    }
    let secret = who.secret_file.as_ref().map(|path| read_secret(path)).transpose()?;
    let shown = match (who.shown.quiet, who.shown.show_secrets) {
        (true, _) => Shown::Nothing,
        (_, true) => Shown::WithSecrets,
        _ => Shown::Redacted,
    };
    let http = access::http(chosen)?.showing(shown);
    let metadata = Metadata::discover(&http, &chosen.context.issuer(tenant)?).await?;
    Ok((
        http,
        metadata,
        Client {
            id: who.client_id.clone(),
            secret,
        },
    ))
}

async fn by_code(session: &Session, chosen: &Chosen, wanted: Code) -> Result<Value> {
    let (http, metadata, client) = begin(session, chosen, &wanted.who).await?;
    let code = match (&wanted.email, &wanted.redirect_uri) {
        (Some(email), Some(redirect_uri)) => {
            let password = wanted_secret(
                wanted.password_file.as_ref(),
                "Password",
                "--password-file FILE, or - for stdin",
            )?;
            let person = Person { email, password };
            code::headless(&http, &metadata, &client, &person, (&wanted.scope, redirect_uri)).await?
        }
        _ => code::in_browser(&metadata, &client, &wanted.scope).await?,
    };
    Ok(tokens(&code::exchange(&http, &metadata, &client, &code).await?))
}

fn wanted_secret(file: Option<&PathBuf>, prompt: &str, instead: &str) -> Result<SecretString> {
    file.map_or_else(|| console::ask_secret(prompt, instead), |path| read_secret(path))
}

/// As the token endpoint said it: who runs a flow by hand wants them.
fn tokens(tokens: &Tokens) -> Value {
    let mut value = json!({
        "access_token": tokens.access_token.expose_secret(),
        "expires_in": tokens.expires_in,
        "scope": tokens.scope,
    });
    for (name, token) in [("refresh_token", &tokens.refresh_token), ("id_token", &tokens.id_token)] {
        if let Some(token) = token {
            value[name] = token.expose_secret().into();
        }
    }
    value
}

async fn decoded(chosen: &Chosen, wanted: Decode) -> Result<Value> {
    let text = wanted_secret(wanted.token_file.as_ref(), "Token", "--token-file FILE, or - for stdin")?;
    let token = decode::unverified(text.expose_secret())?;
    let mut value = json!({ "header": token.header, "claims": token.claims });
    if !wanted.no_verify {
        let issuer = token.claims["iss"].as_str().unwrap_or_default();
        let base = chosen.context.public.wanted("CREDO_AUTH_URL", "--auth-url")?;
        if !issuer.starts_with(&format!("{}/t/", base.trim_end_matches('/'))) {
            return Err(Failure::usage(format!(
                "the token is of {}, not of this context",
                console::harmless(issuer)
            ))
            .next("--context of its server, or --no-verify"));
        }
        let http = access::http(chosen)?;
        let metadata = Metadata::discover(&http, issuer).await?;
        let keys = http.send(Call::get(&metadata.jwks_uri)).await?.json("JWKS")?;
        value["signature"] = match decode::verify(text.expose_secret().trim(), &keys, issuer) {
            Ok(kid) => json!({ "good": true, "kid": kid }),
            Err(bad) => json!({ "good": false, "why": bad.message() }),
        };
    }
    Ok(value)
}
