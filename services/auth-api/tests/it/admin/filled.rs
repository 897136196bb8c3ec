//! Messages that are filled from their definitions: every id that a message can name, and whatever else a call needs to be whole.

use credo_proto::DESCRIPTOR_SET;
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};
use uuid::Uuid;

/// What ids a message is filled with.
#[derive(Clone, Debug)]
pub struct Ids {
    pub tenant: Uuid,
    pub client: Uuid,
    pub user: Uuid,
    pub session: Uuid,
    pub key: String,
    pub email: String,
}

impl Ids {
    /// Of nothing, under a tenant.
    pub fn of_nothing(tenant: Uuid) -> Self {
        Self {
            tenant,
            client: Uuid::now_v7(),
            user: Uuid::new_v4(),
            session: Uuid::now_v7(),
            key: Uuid::now_v7().to_string(),
            email: "nobody@nowhere.example".to_owned(),
        }
    }

    fn text(&self, field: &str) -> Option<String> {
        Some(match field {
            "tenant_id" => self.tenant.to_string(),
            "client_id" => self.client.to_string(),
            "user_id" => self.user.to_string(),
            "session_id" => self.session.to_string(),
            "key_id" => self.key.clone(),
            "email" => self.email.clone(),
            "reason" | "display_name" => "a reason".to_owned(),
            "password" => "a long and new password".to_owned(),
            _ => return None,
        })
    }

    /// The message of a method.
    pub fn fill(&self, method: &MethodDescriptor) -> Vec<u8> {
        self.message(&method.input()).encode_to_vec()
    }

    fn message(&self, kind: &MessageDescriptor) -> DynamicMessage {
        let mut message = DynamicMessage::new(kind.clone());
        for field in kind.fields() {
            if let Some(value) = self.value(&field) {
                message.set_field(&field, value);
            }
        }
        message
    }

    fn value(&self, field: &FieldDescriptor) -> Option<Value> {
        if field.is_list() {
            return None;
        }
        match (field.name(), field.kind()) {
            ("update_mask", Kind::Message(kind)) => {
                let mut mask = DynamicMessage::new(kind);
                let paths = vec![Value::String("display_name".to_owned())];
                mask.set_field_by_name("paths", Value::List(paths));
                Some(Value::Message(mask))
            }
            ("tenant" | "client" | "user", Kind::Message(kind)) => Some(Value::Message(self.message(&kind))),
            // By slug would be another question: a tenant is asked for by its id.
            ("slug", _) if field.containing_oneof().is_some() => None,
            ("slug", Kind::String) => Some(Value::String("mine".to_owned())),
            (name, Kind::String) => self.text(name).map(Value::String),
            ("rate_class", Kind::Enum(_)) => Some(Value::EnumNumber(1)),
            ("requests_per_minute", Kind::Int32) => Some(Value::I32(5)),
            _ => None,
        }
    }
}

/// Every method of these services, as it is defined.
pub fn methods(services: &[&str]) -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).unwrap();
    let ours = pool.services().filter(|service| services.contains(&service.name()));
    ours.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// The name of every service that there is.
pub fn services() -> Vec<String> {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).unwrap();
    pool.services().map(|service| service.name().to_owned()).collect()
}

/// Whether a message has such a field, or a message in it has.
pub fn names(kind: &MessageDescriptor, field: &str) -> bool {
    kind.fields().any(|own| {
        own.name() == field
            || matches!((own.name(), own.kind()), ("tenant" | "client" | "user", Kind::Message(inner)) if names(&inner, field))
    })
}
