//! What can be spoken of and what can be done with it. A new RPC is one row here: its options, its help and its JSON come from
//! the proto.

mod audit;
mod cache;
mod client;
mod debug;
mod key;
mod limit;
mod outbox;
mod session;
mod tenant;
mod user;

use crate::{console::Danger, wire::Host};

/// A resource.
#[derive(Debug)]
pub struct Noun {
    pub name: &'static str,
    pub about: &'static str,
    pub host: Host,
    /// The field that `-o name` prints.
    pub id: &'static str,
    /// Title and field of each column.
    pub columns: &'static [(&'static str, &'static str)],
    /// Those that `-o wide` adds.
    pub wide: &'static [(&'static str, &'static str)],
    pub verbs: &'static [Verb],
}

/// Something to do with it.
#[derive(Debug)]
pub struct Verb {
    pub name: &'static str,
    /// `Service.Method`.
    pub method: &'static str,
    pub about: &'static str,
    /// Fields that are given by position, in their order.
    pub target: &'static [&'static str],
    /// What an update may change: paths of its mask.
    pub fields: &'static [&'static str],
    pub danger: Danger,
    /// Whether the request's secret is asked for when no file is named.
    pub asks_secret: bool,
    /// Each begins after `credoctl `.
    pub examples: &'static [&'static str],
}

impl Verb {
    /// A verb without danger.
    const fn new(
        name: &'static str,
        method: &'static str,
        about: &'static str,
        target: &'static [&'static str],
        examples: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            method,
            about,
            target,
            fields: &[],
            danger: Danger::None,
            asks_secret: false,
            examples,
        }
    }

    const fn changing(self, fields: &'static [&'static str]) -> Self {
        Self { fields, ..self }
    }

    const fn ends(self, consequence: &'static str) -> Self {
        Self {
            danger: Danger::Ends(consequence),
            ..self
        }
    }

    const fn for_good(self, consequence: &'static str) -> Self {
        Self {
            danger: Danger::ForGood(consequence),
            ..self
        }
    }

    const fn asking_for_secret(self) -> Self {
        Self {
            asks_secret: true,
            ..self
        }
    }
}

/// Every noun, in the order of the help.
pub static NOUNS: [&Noun; 11] = [
    &tenant::NOUN,
    &client::NOUN,
    &user::NOUN,
    &session::NOUN,
    &session::CONSENT,
    &key::NOUN,
    &limit::NOUN,
    &cache::NOUN,
    &outbox::NOUN,
    &audit::NOUN,
    &debug::NOUN,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::wire::{POOL, method};

    #[test]
    fn every_method_of_the_admin_apis_has_a_verb() {
        let told: HashSet<_> = NOUNS
            .iter()
            .flat_map(|noun| noun.verbs)
            .map(|verb| verb.method)
            .collect();
        for service in POOL.services() {
            for method in service.methods() {
                let name = format!("{}.{}", service.name(), method.name());
                // Verbs that take an e-mail address look it up themselves.
                assert!(
                    told.contains(name.as_str()) || name == "UserService.LookUpUser",
                    "{name} has no verb"
                );
            }
        }
        for name in told {
            assert!(method(name).is_some(), "{name} is no method");
        }
    }

    #[test]
    fn every_column_target_and_path_is_a_field() {
        for noun in NOUNS {
            for verb in noun.verbs {
                let input = method(verb.method).unwrap().input();
                let place = crate::rpc::resource_of(&input)
                    .map_or(input.clone(), |field| field.kind().as_message().unwrap().clone());
                for path in verb.target.iter().chain(verb.fields) {
                    let mut message = place.clone();
                    for name in path.split('.') {
                        let field = message.get_field_by_name(name);
                        let field = field.unwrap_or_else(|| panic!("{} {}: {path}", noun.name, verb.name));
                        message = field.kind().as_message().cloned().unwrap_or(message);
                    }
                }
            }
            let first = method(noun.verbs[0].method).unwrap().output();
            let item = crate::rpc::item_of(&first).unwrap_or(first);
            for (title, path) in noun.columns.iter().chain(noun.wide).copied().chain([("id", noun.id)]) {
                let name = path.split('.').next().unwrap();
                assert!(item.get_field_by_name(name).is_some(), "{} {title}: {path}", noun.name);
            }
        }
    }
}
