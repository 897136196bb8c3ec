//! `context`: where Credos are.

use std::{path::PathBuf, process::ExitCode};

use clap::{ArgMatches, Command};

use super::{Session, examples};
use crate::{
    cli, console,
    context::{ClientLogin, Context, Endpoint, Smoke},
    failure::{Failure, Kind, Result},
    output::{self, Format},
};

#[derive(Debug, clap::Args)]
struct Name {
    /// What it is called.
    name: String,
}

#[derive(Debug, clap::Args)]
struct Shown {
    /// Which; else the one that is used now.
    name: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Nothing {}

/// What is given replaces what is there; the rest stays.
#[derive(Debug, clap::Args)]
struct Add {
    /// What it is called.
    name: String,
    /// Public HTTP, as the server's `CREDO_PUBLIC_BASE_URL` says.
    #[arg(long, value_name = "URL")]
    auth_url: Option<String>,
    /// Admin API of auth-api.
    #[arg(long, value_name = "URL")]
    auth_grpc: Option<String>,
    /// Admin API of outbox-relay.
    #[arg(long, value_name = "URL")]
    relay_grpc: Option<String>,
    /// Admin API of audit-consumer.
    #[arg(long, value_name = "URL")]
    audit_grpc: Option<String>,
    /// Management port of auth-api, if it can be reached from here.
    #[arg(long, value_name = "URL")]
    auth_management: Option<String>,
    /// Management port of outbox-relay.
    #[arg(long, value_name = "URL")]
    relay_management: Option<String>,
    /// Management port of audit-consumer.
    #[arg(long, value_name = "URL")]
    audit_management: Option<String>,
    /// Whose certificates are believed, for every address.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Our certificate, for every address.
    #[arg(long, value_name = "FILE", requires = "key_file")]
    certificate_file: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", requires = "certificate_file")]
    key_file: Option<PathBuf>,
    /// For one address alone: PLACE.WHAT=VALUE with PLACE auth-url, auth-grpc, relay-grpc or audit-grpc and WHAT ca-file,
    /// certificate-file, key-file or server-name.
    #[arg(long, value_name = "PLACE.WHAT=VALUE")]
    tls: Vec<String>,
    /// The tenant that login signs in at; else `system`.
    #[arg(long, value_name = "SLUG")]
    login_tenant: Option<String>,
    /// A client that signs in by itself, so that no login is needed.
    #[arg(long, value_name = "ID", requires = "secret_file")]
    client_id: Option<String>,
    /// Where its secret lies.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// What it asks for; else everything.
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    #[command(flatten)]
    smoke: AddSmoke,
}

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "the names are those of the options")]
struct AddSmoke {
    /// For `smoke`: a first-party client.
    #[arg(long, value_name = "ID", requires_all = ["smoke_redirect_uri", "smoke_email", "smoke_password_file"])]
    smoke_client_id: Option<String>,
    /// Its tenant; else the context's.
    #[arg(long, value_name = "TENANT")]
    smoke_tenant: Option<String>,
    /// Where its secret lies, if it has one.
    #[arg(long, value_name = "FILE")]
    smoke_secret_file: Option<PathBuf>,
    /// A redirect URI of it.
    #[arg(long, value_name = "URI")]
    smoke_redirect_uri: Option<String>,
    /// Who signs in.
    #[arg(long, value_name = "EMAIL")]
    smoke_email: Option<String>,
    /// Where their password lies.
    #[arg(long, value_name = "FILE")]
    smoke_password_file: Option<PathBuf>,
}

/// The command.
pub fn command() -> Command {
    let add = [
        "context add prod --auth-url https://id.example --auth-grpc https://admin.id.example:9090 --relay-grpc https://admin.id.example:9091 --audit-grpc https://admin.id.example:9092",
        "context add prod --tls relay-grpc.ca-file=/etc/credo/relay-ca.pem",
        "context add prod --tenant acme",
    ];
    Command::new("context")
        .about("Where Credos are, and which one is meant")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(examples(&["context list", "context use prod"]))
        .subcommand(cli::command::<Add>("add", "Add a context, or change one", &add))
        .subcommand(cli::command::<Name>(
            "use",
            "Mean this one from now on",
            &["context use prod"],
        ))
        .subcommand(cli::command::<Nothing>(
            "list",
            "Every context",
            &["context list", "context list -o name"],
        ))
        .subcommand(cli::command::<Shown>(
            "show",
            "What a context says",
            &["context show", "context show prod"],
        ))
        .subcommand(cli::command::<Name>(
            "remove",
            "Forget a context and its login",
            &["context remove prod"],
        ))
}

/// Runs it.
///
/// # Errors
/// If a context is not there or cannot be.
#[expect(clippy::unused_async, reason = "every command is run alike")]
pub async fn run(session: Session, matches: &ArgMatches) -> Result<ExitCode> {
    match matches.subcommand() {
        Some(("add", inner)) => add(&session, cli::arguments(inner)?)?,
        Some(("use", inner)) => {
            let Name { name } = cli::arguments(inner)?;
            session.store.set_current(&name)?;
            console::note(format!("{name} is meant from now on"));
        }
        Some(("list", _)) => list(&session)?,
        Some(("show", inner)) => {
            let Shown { name } = cli::arguments(inner)?;
            let chosen = session.store.choose(name.as_deref().or(session.globals.context()))?;
            let mut value = serde_json::to_value(&chosen.context)?;
            value["name"] = chosen.name.into();
            match session.globals.style().format {
                Format::Table | Format::Wide => console::data(output::yaml(&value).trim_end())?,
                _ => output::value(session.globals.style(), &value)?,
            }
        }
        Some(("remove", inner)) => {
            let Name { name } = cli::arguments(inner)?;
            if !session.store.remove(&name)? {
                return Err(
                    Failure::new(Kind::NotFound, format!("no context is called {name}")).next("credoctl context list")
                );
            }
            console::note(format!("{name} is forgotten"));
        }
        _ => return Err(Failure::usage("nothing to do").next("credoctl context --help")),
    }
    Ok(ExitCode::SUCCESS)
}

fn list(session: &Session) -> Result<()> {
    let current = session.store.current()?;
    let style = session.globals.style();
    let names = session.store.names()?;
    if style.format == Format::Name {
        return names.into_iter().try_for_each(console::data);
    }
    let mut found = Vec::new();
    for name in names {
        let context = session.store.load(&name)?;
        found.push((current.as_deref() == Some(&name), name, context));
    }
    if !matches!(style.format, Format::Table | Format::Wide) {
        let contexts = found.iter().map(|(current, name, context)| {
            serde_json::json!({ "name": name, "current": current, "authUrl": context.public.url, "tenant": context.tenant })
        });
        return output::value(style, &serde_json::json!({ "contexts": contexts.collect::<Vec<_>>() }));
    }
    let head = ["", "NAME", "AUTH URL", "TENANT"].map(ToOwned::to_owned).to_vec();
    let rows = found.into_iter().map(|(current, name, context)| {
        let mark = if current { "*" } else { "" };
        vec![
            mark.to_owned(),
            name,
            context.public.url,
            context.tenant.unwrap_or_else(|| "-".to_owned()),
        ]
    });
    console::data(output::rows_under(style.headers.then_some(head), rows))
}

fn add(session: &Session, add: Add) -> Result<()> {
    let known = session.store.names()?;
    let is_new = !known.contains(&add.name);
    let name = add.name.clone();
    let mut context = if is_new {
        Context::default()
    } else {
        session.store.load(&name)?
    };
    if let Some(tenant) = session.globals.tenant() {
        context.tenant = Some(tenant.to_owned());
    }
    apply(&mut context, add)?;
    session.store.save(&name, &context)?;
    if known.is_empty() {
        session.store.set_current(&name)?;
    }
    let done = if is_new { "added" } else { "changed" };
    console::note(format!("{name} is {done}; next: credoctl --context {name} login"));
    Ok(())
}

fn apply(context: &mut Context, add: Add) -> Result<()> {
    for (place, url) in [
        (&mut context.public, add.auth_url),
        (&mut context.auth.grpc, add.auth_grpc),
        (&mut context.relay.grpc, add.relay_grpc),
        (&mut context.audit.grpc, add.audit_grpc),
    ] {
        if let Some(url) = url {
            place.url = checked(&url)?;
        }
        place.ca_file = add.ca_file.clone().or(place.ca_file.take());
        place.certificate_file = add.certificate_file.clone().or(place.certificate_file.take());
        place.key_file = add.key_file.clone().or(place.key_file.take());
    }
    for (place, url) in [
        (&mut context.auth.management, add.auth_management),
        (&mut context.relay.management, add.relay_management),
        (&mut context.audit.management, add.audit_management),
    ] {
        if let Some(url) = url {
            *place = Some(checked(&url)?);
        }
    }
    for text in &add.tls {
        apply_tls(context, text)?;
    }
    if let Some(tenant) = add.login_tenant {
        context.login_tenant = tenant;
    }
    if let Some((client_id, secret_file)) = add.client_id.zip(add.secret_file) {
        context.client = Some(ClientLogin {
            client_id,
            secret_file,
            scope: add.scope.unwrap_or_default(),
        });
    }
    if let Some(client_id) = add.smoke.smoke_client_id {
        context.smoke = Some(Smoke {
            tenant: add
                .smoke
                .smoke_tenant
                .or_else(|| context.tenant.clone())
                .unwrap_or_default(),
            client_id,
            secret_file: add.smoke.smoke_secret_file,
            redirect_uri: add.smoke.smoke_redirect_uri.unwrap_or_default(),
            email: add.smoke.smoke_email.unwrap_or_default(),
            password_file: add.smoke.smoke_password_file.unwrap_or_default(),
        });
    }
    Ok(())
}

fn apply_tls(context: &mut Context, text: &str) -> Result<()> {
    let bad = || Failure::usage(format!("--tls {text}")).next("such as --tls relay-grpc.ca-file=/etc/credo/ca.pem");
    let (place, value) = text.split_once('=').ok_or_else(bad)?;
    let (place, what) = place.split_once('.').ok_or_else(bad)?;
    let endpoint: &mut Endpoint = match place {
        "auth-url" => &mut context.public,
        "auth-grpc" => &mut context.auth.grpc,
        "relay-grpc" => &mut context.relay.grpc,
        "audit-grpc" => &mut context.audit.grpc,
        _ => return Err(bad()),
    };
    match what {
        "ca-file" => endpoint.ca_file = Some(value.into()),
        "certificate-file" => endpoint.certificate_file = Some(value.into()),
        "key-file" => endpoint.key_file = Some(value.into()),
        "server-name" => endpoint.server_name = Some(value.to_owned()),
        _ => return Err(bad()),
    }
    Ok(())
}

fn checked(url: &str) -> Result<String> {
    let parsed = url::Url::parse(url).map_err(|error| Failure::usage(format!("{url:?} is no URL: {error}")))?;
    if !["http", "https"].contains(&parsed.scheme()) || !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(Failure::usage(format!(
            "{url:?}: http or https, and nobody's name in it"
        )));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_can_have_certificates_of_its_own() {
        let mut context = Context::default();
        apply_tls(&mut context, "relay-grpc.ca-file=/a=b.pem").unwrap();
        assert_eq!(context.relay.grpc.ca_file.as_deref(), Some("/a=b.pem".as_ref()));
        assert_eq!(context.auth.grpc.ca_file, None);
        for bad in [
            "",
            "relay-grpc",
            "relay-grpc.ca-file",
            "nowhere.ca-file=x",
            "relay-grpc.secret=x",
        ] {
            assert!(apply_tls(&mut context, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_http_and_name_nobody() {
        assert_eq!(checked("https://id.example/").unwrap(), "https://id.example");
        for bad in ["id.example", "ftp://id.example", "https://me:pw@id.example"] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
