//! The JSON of a value. It holds no password and no right of an administrator: what it is read from holds neither. A client's
//! secrets stand in it as in the database, as SHA-256 of 256 random bits: nobody finds a secret from that, and none is taken.

use credo_auth_domain::{client::Client, user::User};
use serde_json::{Error, Value, json};

/// What can be kept.
pub(super) trait Body: Sized {
    fn write(&self) -> Result<String, Error>;
    fn read(body: &str) -> Result<Self, Error>;
}

/// `{"client": …, "tenant": …}`.
impl Body for Client {
    fn write(&self) -> Result<String, Error> {
        let mut client = serde_json::to_value(self)?;
        let tenant = client.as_object_mut().and_then(|members| members.remove("tenant"));
        Ok(json!({ "client": client, "tenant": tenant }).to_string())
    }

    fn read(body: &str) -> Result<Self, Error> {
        let mut body: Value = serde_json::from_str(body)?;
        let (mut client, tenant) = (body["client"].take(), body["tenant"].take());
        if let Some(members) = client.as_object_mut() {
            members.insert("tenant".to_owned(), tenant);
        }
        serde_json::from_value(client)
    }
}

impl Body for User {
    fn write(&self) -> Result<String, Error> {
        serde_json::to_string(self)
    }

    fn read(body: &str) -> Result<Self, Error> {
        serde_json::from_str(body)
    }
}
