//! Verbs over RPCs: command lines become requests, answers become tables. Knows no RPC by name but those that find a tenant or
//! a person.

mod comments;
mod flags;
mod request;
mod resolve;
mod run;
mod tail;
mod units;

use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor};

pub use flags::command;
pub use resolve::tenant_id;
pub use run::run;

/// The resource inside an update's request.
pub fn resource_of(request: &MessageDescriptor) -> Option<FieldDescriptor> {
    request.get_field_by_name("update_mask")?;
    request
        .fields()
        .find(|field| field.kind().as_message().is_some_and(|kind| !is_well_known(kind)))
}

#[cfg(test)]
/// What an answer is about: the resource in it, if it is one or a list of one.
pub fn item_of(answer: &MessageDescriptor) -> Option<MessageDescriptor> {
    item_field(answer)?.kind().as_message().cloned()
}

/// An answer that is itself the resource has more in it than one message and a token.
fn item_field(answer: &MessageDescriptor) -> Option<FieldDescriptor> {
    let is_item = |field: &FieldDescriptor| field.kind().as_message().is_some_and(|kind| !is_well_known(kind));
    let others = answer
        .fields()
        .filter(|field| !is_item(field) && !is_aside(field.name()))
        .count();
    let mut items = answer.fields().filter(is_item);
    let item = items.next();
    if others == 0 && items.next().is_none() {
        item
    } else {
        None
    }
}

/// What stands beside a resource in an answer.
fn is_aside(name: &str) -> bool {
    ["next_page_token", "client_secret", "resume_token", "redis"].contains(&name)
}

/// The resources of an answer.
pub fn items(answer: &DynamicMessage) -> Vec<DynamicMessage> {
    let Some(field) = item_field(&prost_reflect::ReflectMessage::descriptor(answer)) else {
        return vec![answer.clone()];
    };
    match &*answer.get_field(&field) {
        prost_reflect::Value::Message(item) if answer.has_field(&field) => vec![item.clone()],
        prost_reflect::Value::List(items) => items.iter().filter_map(|item| item.as_message().cloned()).collect(),
        _ => Vec::new(),
    }
}

fn is_well_known(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}
