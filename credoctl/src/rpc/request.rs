//! A request out of a command line.

use clap::ArgMatches;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MethodDescriptor, Value};
use secrecy::ExposeSecret as _;

use super::{
    flags::{Flag, Shape, flags},
    resolve, resource_of, units,
};
use crate::{
    access::read_secret,
    catalogue::{Noun, Verb},
    console::ask_secret,
    failure::{Failure, Result},
    wire::Wire,
};

/// A request, and whom it is about.
#[derive(Debug)]
pub struct Filled {
    pub message: DynamicMessage,
    /// As typed.
    pub target: String,
}

/// Fills the request of a verb; reason, request id and dry run are left to the caller.
///
/// # Errors
/// If a value cannot be, or a tenant or a person is not found.
pub async fn fill(
    wire: &Wire<'_>,
    tenant: Option<&str>,
    (noun, verb): (&Noun, &Verb),
    method: &MethodDescriptor,
    matches: &ArgMatches,
) -> Result<Filled> {
    let mut message = DynamicMessage::new(method.input());
    let resource = resource_of(&method.input());
    let place = resource.as_ref().map_or(method.input(), |field| match field.kind() {
        Kind::Message(kind) => kind,
        _ => method.input(),
    });
    let within = |name: &str| -> Option<Vec<FieldDescriptor>> {
        Some(
            resource
                .iter()
                .cloned()
                .chain([place.get_field_by_name(name)?])
                .collect(),
        )
    };
    let mut tenant_id = String::new();
    if let Some(path) = within("tenant_id") {
        let typed = verb
            .target
            .contains(&"tenant_id")
            .then(|| matches.get_one::<String>("tenant_id"))
            .flatten();
        tenant_id = resolve::tenant_id(wire, typed.map(String::as_str).or(tenant)).await?;
        put(&mut message, &path, Value::String(tenant_id.clone()));
    }
    let mut mask = Vec::new();
    for flag in flags(noun, verb) {
        if flag.mask == "tenant_id" {
            continue;
        }
        if let Some(value) = value(wire, &tenant_id, flag, matches).await? {
            put(&mut message, &flag.path, value);
            if flag.position.is_none() && flag.mask != "etag" {
                mask.push(masked(&flag.mask));
            }
        }
    }
    secrets(verb, matches, &mut message)?;
    if resource.is_some() {
        mask.extend(matches.get_many::<String>("clear").into_iter().flatten().cloned());
        mask.dedup();
        set_mask(&mut message, mask)?;
    }
    let target: Vec<_> = verb
        .target
        .iter()
        .filter_map(|name| matches.get_one::<String>(name).cloned())
        .collect();
    Ok(Filled {
        message,
        target: target.join(" "),
    })
}

/// A member of a member is changed with the whole of it.
fn masked(path: &str) -> String {
    path.split('.').take(2).collect::<Vec<_>>().join(".")
}

fn set_mask(message: &mut DynamicMessage, paths: Vec<String>) -> Result<()> {
    if paths.is_empty() {
        return Err(Failure::usage("nothing is to be changed").next("name what to change; --help lists the options"));
    }
    let field = prost_reflect::ReflectMessage::descriptor(message).get_field_by_name("update_mask");
    if let Some((field, Kind::Message(kind))) = field.map(|field| (field.clone(), field.kind())) {
        let mut mask = DynamicMessage::new(kind);
        mask.set_field_by_name("paths", Value::List(paths.into_iter().map(Value::String).collect()));
        message.set_field(&field, Value::Message(mask));
    }
    Ok(())
}

fn secrets(verb: &Verb, matches: &ArgMatches, message: &mut DynamicMessage) -> Result<()> {
    let is_set = |id: &str| {
        matches
            .try_get_one::<bool>(id)
            .ok()
            .flatten()
            .copied()
            .unwrap_or_default()
    };
    let given = matches.try_contains_id("password").unwrap_or_default();
    let wanted = verb.asks_secret && !given && !is_set("no-password") || is_set("ask-password");
    if wanted {
        let password = ask_secret("Password", "--password-file FILE, or - for stdin")?;
        message.set_field_by_name("password", Value::String(password.expose_secret().to_owned()));
    }
    Ok(())
}

async fn value(wire: &Wire<'_>, tenant_id: &str, flag: &Flag, matches: &ArgMatches) -> Result<Option<Value>> {
    let texts: Vec<&String> = matches.get_many::<String>(flag.id()).into_iter().flatten().collect();
    let Some(field) = flag.path.last() else {
        return Ok(None);
    };
    let Some(&text) = texts.first() else {
        return Ok(None);
    };
    if flag.repeated {
        return Ok(Some(Value::List(
            texts.into_iter().cloned().map(Value::String).collect(),
        )));
    }
    if field.name() == "user_id" {
        return Ok(Some(Value::String(resolve::user_id(wire, tenant_id, text).await?)));
    }
    parse(flag, field, text).map(Some)
}

fn parse(flag: &Flag, field: &FieldDescriptor, text: &str) -> Result<Value> {
    let kind = field.kind();
    let bad = || Failure::usage(format!("--{}: {text:?} cannot be", flag.long));
    Ok(match (&flag.shape, &kind) {
        (Shape::Switch, _) => Value::Bool(text == "true"),
        (Shape::Number, Kind::Int32) => Value::I32(text.parse().map_err(|_| bad())?),
        (Shape::Number, _) => Value::I64(text.parse().map_err(|_| bad())?),
        (Shape::Choice(names), Kind::Enum(values)) => {
            let index = names.iter().position(|name| name == text).ok_or_else(bad)?;
            let value = values
                .values()
                .filter(|value| value.number() != 0)
                .nth(index)
                .ok_or_else(bad)?;
            Value::EnumNumber(value.number())
        }
        (Shape::Instant, Kind::Message(kind)) => {
            let (seconds, nanos) = units::instant(text)?;
            units::message(kind, seconds, nanos)
        }
        (Shape::Span, Kind::Message(kind)) => units::message(kind, units::span(text)?, 0),
        (Shape::Content, _) => {
            let content = std::fs::read(text).map_err(|error| Failure::usage(format!("{text}: {error}")))?;
            Value::Bytes(content.into())
        }
        (Shape::Secret, _) => Value::String(read_secret(text.as_ref())?.expose_secret().to_owned()),
        _ => Value::String(text.to_owned()),
    })
}

/// Sets a value inside messages that are made on the way.
fn put(message: &mut DynamicMessage, path: &[FieldDescriptor], value: Value) {
    match path {
        [] => {}
        [field] => message.set_field(field, value),
        [field, rest @ ..] => {
            if let Value::Message(inner) = message.get_field_mut(field) {
                put(inner, rest, value);
            }
        }
    }
}
