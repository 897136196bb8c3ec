//! A person as userinfo and ID tokens show them.

use credo_ids::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::profile::Profile;

/// What the claims of a person are made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The `sub`.
    pub id: UserId,
    /// Normalised.
    pub email: String,
    /// Whether it was proved to be theirs.
    pub email_verified: bool,
    /// Their name, if known.
    pub display_name: Option<String>,
    /// What else they say of themself.
    pub profile: Profile,
    /// When the record last changed.
    pub updated_at: OffsetDateTime,
    /// Rises when everything issued for them must die.
    pub epoch: i64,
}

impl User {
    /// The claims of theirs that `wanted` names and that have a value (OpenID Connect Core section 5.1). What says who they
    /// are comes from the record, never from their profile.
    #[must_use]
    pub fn claims(&self, wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
        let mut claims = match serde_json::to_value(&self.profile) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(), // a profile is an object
        };
        if self.profile.phone_number.is_some() {
            claims.insert(
                "phone_number_verified".to_owned(),
                self.profile.phone_number_verified.into(),
            );
        }
        if let Some(name) = &self.display_name {
            claims.insert("name".to_owned(), name.as_str().into());
        }
        claims.insert("updated_at".to_owned(), self.updated_at.unix_timestamp().into());
        claims.insert("email".to_owned(), self.email.as_str().into());
        claims.insert("email_verified".to_owned(), self.email_verified.into());
        claims.retain(|name, _| wanted(name));
        claims
    }
}
