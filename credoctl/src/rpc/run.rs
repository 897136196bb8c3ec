//! One verb from its command line to its answer.

use clap::ArgMatches;
use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage as _, Value};
use uuid::Uuid;

use super::{item_field, items, request, tail};
use crate::{
    catalogue::{Noun, Verb},
    console::{self, Progress, ask_reason, confirm},
    context::write_private,
    failure::{Failure, Result},
    output::{self, Format, Style},
    wire::{Host, Wire, method},
};

/// The most that a page holds.
const PAGE_SIZE: u32 = 1000;

/// Runs a verb. `tenant` is what `--tenant` said.
///
/// # Errors
/// As the server answers, or the operator.
pub async fn run(
    wire: &Wire<'_>,
    style: Style,
    tenant: Option<&str>,
    (noun, verb): (&Noun, &Verb),
    matches: &ArgMatches,
) -> Result<()> {
    let method = method(verb.method).ok_or_else(|| Failure::error(format!("{} is no method", verb.method)))?;
    let host = host(noun, matches);
    let mut filled = request::fill(wire, tenant, (noun, verb), &method, matches).await?;
    if method.is_server_streaming() {
        return tail::run(wire, style, noun, &method, filled.message).await;
    }
    if method.input().get_field_by_name("page_token").is_some() {
        let limit = matches.get_one::<u32>("limit").copied();
        let answer = pages(wire, host, &method, filled.message, limit).await?;
        return output::answer(style, noun, &answer, &items(&answer));
    }
    let dry = is_set(matches, "dry-run");
    if !dry && !is_set(matches, "yes") {
        sure(wire, tenant, (noun, verb), &filled)?;
    }
    complete(&mut filled.message, matches, dry)?;
    let request_id = filled
        .message
        .get_field_by_name("request_id")
        .map(|id| output::cell::text(&id));
    let answer = wire.call(host, &method, &filled.message).await;
    let mut answer = answer.map_err(|failure| match request_id {
        Some(id) => failure.detail(format!("--request-id {id} repeats this very call")),
        None => failure,
    })?;
    if dry {
        console::note("checked; nothing was changed");
    }
    let secret = take_secret(&mut answer, matches)?;
    show(style, (noun, verb), &method, &answer, &filled.target)?;
    match (secret, style.format) {
        (Some(secret), Format::Table | Format::Wide) => {
            console::note("\nThe secret, shown this once:");
            console::data(secret)
        }
        _ => Ok(()),
    }
}

fn host(noun: &Noun, matches: &ArgMatches) -> Host {
    let named = matches.try_get_one::<String>("service").ok().flatten();
    let named = named.and_then(|name| Host::ALL.into_iter().find(|host| host.name() == name));
    named.unwrap_or(noun.host)
}

fn is_set(matches: &ArgMatches, id: &str) -> bool {
    matches
        .try_get_one::<bool>(id)
        .ok()
        .flatten()
        .copied()
        .unwrap_or_default()
}

/// Asks before what ends something: by verb, target, tenant and context.
fn sure(wire: &Wire<'_>, tenant: Option<&str>, (noun, verb): (&Noun, &Verb), filled: &request::Filled) -> Result<()> {
    let tenant = tenant.or(wire.chosen.context.tenant.as_deref()).unwrap_or_default();
    let has_tenant = filled.message.descriptor().get_field_by_name("tenant_id").is_some();
    let of = if has_tenant && !verb.target.contains(&"tenant_id") {
        format!(" of tenant {tenant}")
    } else {
        String::new()
    };
    let target = &filled.target;
    let what = format!(
        "{} {} {target}{of}, context {}",
        verb.name,
        noun.name,
        wire.chosen.label()
    );
    let name = if verb.target.contains(&"before_time") {
        tenant
    } else {
        target
    };
    confirm(verb.danger, &console::harmless(&what), name)
}

/// Reason, request id and dry run, where the request has them.
fn complete(message: &mut DynamicMessage, matches: &ArgMatches, dry: bool) -> Result<()> {
    let fields = message.descriptor();
    let has = |name: &str| fields.get_field_by_name(name).is_some();
    if has("reason") {
        let reason = ask_reason(matches.get_one::<String>("reason"))?;
        message.set_field_by_name("reason", Value::String(reason));
    }
    if has("request_id") {
        let given = matches.get_one::<Uuid>("request-id").copied();
        let id = given.unwrap_or_else(Uuid::new_v4);
        message.set_field_by_name("request_id", Value::String(id.to_string()));
    }
    if dry {
        message.set_field_by_name("validate_only", Value::Bool(true));
    }
    Ok(())
}

fn show(
    style: Style,
    (noun, verb): (&Noun, &Verb),
    method: &MethodDescriptor,
    answer: &DynamicMessage,
    target: &str,
) -> Result<()> {
    if method.output().fields().len() == 0 {
        console::note(console::harmless(&format!(
            "{} {} {target}: done",
            noun.name, verb.name
        )));
        return match style.format {
            Format::Json | Format::Yaml | Format::Jsonl => output::value(style, &output::json(answer)?),
            _ => Ok(()),
        };
    }
    let found = items(answer);
    let is_list = item_field(&method.output()).is_some_and(|field| field.is_list());
    if is_list {
        output::answer(style, noun, answer, &found)
    } else {
        output::one(style, noun, answer, &found)
    }
}

/// A new secret: taken out of the answer where a table is shown or a file is named.
fn take_secret(answer: &mut DynamicMessage, matches: &ArgMatches) -> Result<Option<String>> {
    let secret = answer
        .get_field_by_name("client_secret")
        .and_then(|secret| secret.as_str().map(ToOwned::to_owned))
        .filter(|secret| !secret.is_empty());
    let Some(secret) = secret else {
        return Ok(None);
    };
    let file = matches.try_get_one::<String>("secret-out").ok().flatten();
    if let Some(file) = file {
        answer.clear_field_by_name("client_secret");
        write_private(file.as_ref(), &format!("{secret}\n"))?;
        console::note(format!("the secret is in {file}"));
        return Ok(None);
    }
    Ok(Some(secret))
}

/// Every page as one answer.
async fn pages(
    wire: &Wire<'_>,
    host: Host,
    method: &MethodDescriptor,
    mut request: DynamicMessage,
    limit: Option<u32>,
) -> Result<DynamicMessage> {
    let field = item_field(&method.output()).ok_or_else(|| Failure::error("the answer is no list"))?;
    let progress = Progress::begin("asking");
    let mut all: Vec<Value> = Vec::new();
    loop {
        let left = limit.map_or(PAGE_SIZE, |limit| {
            limit.saturating_sub(u32::try_from(all.len()).unwrap_or(u32::MAX))
        });
        let size = i32::try_from(left.min(PAGE_SIZE)).unwrap_or_default();
        request.set_field_by_name("page_size", Value::I32(size));
        let mut answer = wire.call(host, method, &request).await?;
        if let Value::List(items) = answer.get_field_mut(&field) {
            all.append(items);
        }
        progress.now(format!("{} so far", all.len()));
        let next = answer
            .get_field_by_name("next_page_token")
            .and_then(|token| token.as_str().map(ToOwned::to_owned));
        let next = next.unwrap_or_default();
        let enough = limit.is_some_and(|limit| all.len() >= limit as usize);
        if next.is_empty() || enough {
            if enough && !next.is_empty() {
                drop(progress);
                console::note(format!("the first {}; there are more", all.len()));
            }
            answer.set_field(&field, Value::List(all));
            return Ok(answer);
        }
        request.set_field_by_name("page_token", Value::String(next));
    }
}
