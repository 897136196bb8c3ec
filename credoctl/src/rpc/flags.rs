//! The options of a verb, out of the fields of its request.

use std::{collections::HashMap, sync::LazyLock};

use clap::{Arg, ArgAction, Command, ValueHint, builder::PossibleValuesParser};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::{comments, is_well_known, resource_of};
use crate::{
    catalogue::{NOUNS, Noun, Verb},
    commands::examples,
    console::Danger,
    output::cell::short_enum_name,
    wire::method,
};

/// How an option's text becomes a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    Text,
    Switch,
    Number,
    Choice(Vec<String>),
    Instant,
    Span,
    /// The content of a file.
    Content,
    /// A file, stdin or a prompt, never the command line.
    Secret,
}

/// One option or positional argument.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Where its value goes, from the request on.
    pub path: Vec<FieldDescriptor>,
    /// The path of a mask, from the resource on.
    pub mask: String,
    pub long: String,
    help: String,
    pub shape: Shape,
    pub repeated: bool,
    pub position: Option<usize>,
}

/// Fields that every request has and that are set otherwise.
const HANDLED: [&str; 6] = [
    "request_id",
    "validate_only",
    "update_mask",
    "page_token",
    "page_size",
    "reason",
];
/// Set by the server alone.
const ANSWERS_ONLY: [&str; 1] = ["logo_sha256"];

static FLAGS: LazyLock<HashMap<(&str, &str), Vec<Flag>>> = LazyLock::new(|| {
    let verbs = NOUNS
        .iter()
        .flat_map(|noun| noun.verbs.iter().map(move |verb| (*noun, verb)));
    verbs
        .map(|(noun, verb)| ((noun.name, verb.name), collect(verb)))
        .collect()
});

/// The options of a verb.
pub fn flags(noun: &Noun, verb: &Verb) -> &'static [Flag] {
    FLAGS.get(&(noun.name, verb.name)).map_or(&[], Vec::as_slice)
}

fn collect(verb: &Verb) -> Vec<Flag> {
    let Some(method) = method(verb.method) else {
        return Vec::new();
    };
    let request = method.input();
    let mut flags = Vec::new();
    if let Some(resource) = resource_of(&request) {
        let inside = resource.kind();
        if let Some(message) = inside.as_message() {
            fields_of(message, std::slice::from_ref(&resource), verb, &mut flags);
        }
        flags.retain(|flag| flag.position.is_some() || flag.mask == "etag" || is_changeable(verb, &flag.mask));
    } else {
        fields_of(&request, &[], verb, &mut flags);
    }
    flags
}

fn is_changeable(verb: &Verb, mask: &str) -> bool {
    verb.fields
        .iter()
        .any(|path| *path == mask || mask.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

fn fields_of(message: &MessageDescriptor, above: &[FieldDescriptor], verb: &Verb, flags: &mut Vec<Flag>) {
    let is_update =
        above.len() == 1 && resource_of(above.first().map_or(message, FieldDescriptor::parent_message)).is_some();
    let top = above.is_empty() || is_update;
    for field in message.fields() {
        let name = field.name().to_owned();
        let position = verb.target.iter().position(|target| top && *target == name);
        let scopes_to_tenant = name == "tenant_id" || field.containing_oneof().is_some();
        if position.is_none() && top && (HANDLED.contains(&name.as_str()) || scopes_to_tenant)
            || ANSWERS_ONLY.contains(&name.as_str())
        {
            continue;
        }
        let path: Vec<_> = above.iter().cloned().chain([field.clone()]).collect();
        match field.kind() {
            Kind::Message(inner) if !is_well_known(&inner) && !field.is_list() => {
                fields_of(&inner, &path, verb, flags);
            }
            Kind::Message(inner) if !is_well_known(&inner) => {}
            _ => flags.push(flag(path, position)),
        }
    }
}

fn flag(path: Vec<FieldDescriptor>, position: Option<usize>) -> Flag {
    let in_update = path
        .first()
        .is_some_and(|first| resource_of(first.parent_message()).is_some());
    let names: Vec<_> = path
        .iter()
        .skip(usize::from(in_update))
        .map(|field| field.name().to_owned())
        .collect();
    let (help, shape, repeated) = path.last().map_or((String::new(), Shape::Text, false), |field| {
        (comments::of(field), shape(field), field.is_list())
    });
    let mut long = names.join("-").replace('_', "-");
    if repeated {
        long.truncate(long.strip_suffix('s').map_or(long.len(), str::len));
    }
    long.truncate(long.strip_suffix("-id").map_or(long.len(), str::len));
    match shape {
        Shape::Secret => long.push_str("-file"),
        Shape::Choice(_) if long == "rate-class" => "class".clone_into(&mut long),
        _ => {}
    }
    Flag {
        path,
        mask: names.join("."),
        long,
        help,
        shape,
        repeated,
        position,
    }
}

fn shape(field: &FieldDescriptor) -> Shape {
    let is_secret = field
        .options()
        .get_field_by_name("debug_redact")
        .and_then(|redact| redact.as_bool())
        .unwrap_or_default();
    match field.kind() {
        Kind::String if is_secret => Shape::Secret,
        Kind::Bool => Shape::Switch,
        Kind::Int32 | Kind::Int64 => Shape::Number,
        Kind::Bytes => Shape::Content,
        Kind::Enum(values) => {
            let default = values.default_value().name().to_owned();
            let names = values.values().filter(|value| value.number() != 0);
            Shape::Choice(names.map(|value| short_enum_name(&default, value.name())).collect())
        }
        Kind::Message(message) if message.name() == "Timestamp" => Shape::Instant,
        Kind::Message(message) if message.name() == "Duration" => Shape::Span,
        _ => Shape::Text,
    }
}

impl Flag {
    /// The id of its argument.
    pub fn id(&self) -> &str {
        &self.mask
    }

    fn arg(&'static self) -> Arg {
        let mut arg = Arg::new(self.id()).help(self.help.as_str());
        arg = match self.position {
            Some(position) => arg
                .index(position + 1)
                .required(true)
                .value_name(self.positional_name()),
            None => arg.long(self.long.as_str()).value_name(self.value_name()),
        };
        match &self.shape {
            Shape::Switch => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_parser(["true", "false"]),
            Shape::Choice(names) => arg.value_parser(PossibleValuesParser::new(names.iter().map(String::as_str))),
            Shape::Content | Shape::Secret => arg.value_hint(ValueHint::FilePath),
            Shape::Number => arg.allow_negative_numbers(true),
            _ => arg,
        }
        .action(if self.repeated {
            ArgAction::Append
        } else {
            ArgAction::Set
        })
    }

    fn positional_name(&self) -> &'static str {
        match self.mask.as_str() {
            "tenant_id" => "TENANT",
            "user_id" => "USER",
            "client_id" => "CLIENT",
            "session_id" => "SESSION",
            "key_id" => "KEY",
            "event_id" => "EVENT",
            "slug" => "SLUG",
            "email" => "EMAIL",
            "display_name" => "NAME",
            "before_time" => "INSTANT",
            "rate_class" => "CLASS",
            "requests_per_minute" => "PER-MINUTE",
            _ => "VALUE",
        }
    }

    fn value_name(&self) -> &'static str {
        match self.shape {
            Shape::Text | Shape::Choice(_) => "TEXT",
            Shape::Switch => "BOOL",
            Shape::Number => "N",
            Shape::Instant => "INSTANT",
            Shape::Span => "SPAN",
            Shape::Content | Shape::Secret => "FILE",
        }
    }
}

/// The command of a verb.
pub fn command(noun: &Noun, verb: &Verb) -> Command {
    let flags = flags(noun, verb);
    let mut command = Command::new(verb.name)
        .about(verb.about)
        .after_help(examples(verb.examples))
        .args(flags.iter().map(Flag::arg));
    let Some(request) = method(verb.method).map(|method| method.input()) else {
        return command;
    };
    let has = |name: &str| request.get_field_by_name(name).is_some();
    if has("page_token") {
        command = command.arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(clap::value_parser!(u32))
                .help("At most so many; else all"),
        );
    }
    if has("update_mask") {
        command = command.arg(
            Arg::new("clear")
                .long("clear")
                .value_name("FIELD")
                .action(ArgAction::Append)
                .value_parser(PossibleValuesParser::new(verb.fields.iter().copied()))
                .help("Make a field empty"),
        );
    }
    if has("reason") {
        command = command.arg(
            Arg::new("reason")
                .long("reason")
                .value_name("TEXT")
                .help("Why; the audit trail keeps it"),
        );
    }
    if noun.name == "debug" {
        command = command.arg(
            Arg::new("service")
                .long("service")
                .value_name("SERVICE")
                .default_value("auth-api")
                .value_parser(["auth-api", "outbox-relay", "audit-consumer"])
                .help("Which of the three"),
        );
    }
    with_secrets(
        with_safety(command, verb, has("request_id"), has("validate_only")),
        verb,
    )
}

fn switch(id: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(id).action(ArgAction::SetTrue).help(help)
}

fn with_safety(mut command: Command, verb: &Verb, idempotent: bool, can_validate: bool) -> Command {
    if idempotent {
        command = command.arg(
            Arg::new("request-id")
                .long("request-id")
                .value_name("UUID")
                .value_parser(clap::value_parser!(uuid::Uuid))
                .help("The same id again within 24 hours changes nothing more; one is drawn if none is given"),
        );
    }
    if can_validate {
        command = command.arg(switch("dry-run", "Check everything and change nothing"));
    }
    if verb.danger != Danger::None {
        command = command.arg(switch("yes", "Do not ask").short('y'));
    }
    command
}

fn with_secrets(mut command: Command, verb: &Verb) -> Command {
    if verb.asks_secret {
        command = command.arg(switch("no-password", "Remove the password").conflicts_with("password"));
    } else if verb.method == "UserService.CreateUser" {
        command =
            command.arg(switch("ask-password", "Ask for a password; else there is none").conflicts_with("password"));
    }
    let shows_secret =
        method(verb.method).is_some_and(|method| method.output().get_field_by_name("client_secret").is_some());
    if shows_secret {
        command = command.arg(
            Arg::new("secret-out")
                .long("secret-out")
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .help("Write the secret there, for you alone, and do not show it"),
        );
    }
    command
}
