//! `claims` (OpenID Connect Core section 5.5): single claims that a client asks for, beyond those of its scopes.
//!
//! Owns the canonical form that the session's row keeps. Refuses what is not of the form that the section describes, and
//! more than [`MAX_BYTES`] of it. What no rule of ours reads is left out of the canonical form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Denial, scope::Scope};

/// Longest canonical form, in bytes.
pub const MAX_BYTES: usize = 4_096;
/// Longest parameter that is read at all, in bytes: white space and what is left out may cost something.
const MAX_PARAMETER_BYTES: usize = 2 * MAX_BYTES;

/// The claims that each scope stands for (OpenID Connect Core section 5.4).
pub const CLAIMS_OF_SCOPES: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("address", &["address"]),
];

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// From userinfo.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, ClaimRequest>,
    /// In the ID token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, ClaimRequest>,
}

/// How one claim is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClaimRequest {
    /// Whether the client cannot do well without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The value that it should have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Values of which it should have one, the preferred first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

/// The scope that lets a client have a claim; nothing if no scope governs it.
#[must_use]
pub fn governing_scope(claim: &str) -> Option<&'static str> {
    // A claim in a language (section 5.2) is governed as the claim is.
    let name = claim.split('#').next().unwrap_or_default();
    CLAIMS_OF_SCOPES
        .into_iter()
        .find_map(|(scope, claims)| claims.contains(&name).then_some(scope))
}

impl ClaimsRequest {
    /// Reads the parameter, or what [`Self::canonical`] made of one.
    ///
    /// # Errors
    /// If it is not the JSON of a claims request, or asks for too much.
    pub fn parse(text: &str) -> Result<Self, Denial> {
        if text.len() > MAX_PARAMETER_BYTES {
            return Err(Denial::InvalidRequest("claims is too long"));
        }
        let request = match serde_json::from_str(text) {
            Ok(Value::Object(members)) => Self::from_members(members),
            _ => None,
        };
        let request = request.ok_or(Denial::InvalidRequest("claims is not the JSON of a claims request"))?;
        if request.canonical().len() > MAX_BYTES {
            return Err(Denial::InvalidRequest("claims is too long"));
        }
        Ok(request)
    }

    fn from_members(mut members: Map<String, Value>) -> Option<Self> {
        Some(Self {
            userinfo: claims_of(members.remove("userinfo"))?,
            id_token: claims_of(members.remove("id_token"))?,
        })
    }

    /// The one text that stands for it.
    #[must_use]
    pub fn canonical(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// What is left of it for a client that may be granted `allowed`: a claim counts as asking for its scope.
    #[must_use]
    pub fn within(mut self, allowed: &Scope) -> Self {
        let may_ask = |claim: &String| governing_scope(claim).is_none_or(|scope| allowed.contains(scope));
        self.userinfo.retain(|claim, _| may_ask(claim));
        self.id_token.retain(|claim, _| may_ask(claim));
        self
    }

    /// The scopes that it counts as asking for.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let claims = self.userinfo.keys().chain(self.id_token.keys());
        claims.filter_map(|claim| governing_scope(claim)).collect()
    }

    /// The `sub` that the ID token must have, where the client names one (section 5.5.1).
    #[must_use]
    pub fn subject(&self) -> Option<&Value> {
        self.id_token.get("sub")?.value.as_ref()
    }
}

/// A member of the request: `null` and absent ask for nothing.
fn claims_of(member: Option<Value>) -> Option<BTreeMap<String, ClaimRequest>> {
    match member {
        None | Some(Value::Null) => Some(BTreeMap::new()),
        Some(Value::Object(claims)) => claims
            .into_iter()
            .map(|(name, value)| Some((name, claim_of(value)?)))
            .collect(),
        Some(_) => None,
    }
}

fn claim_of(value: Value) -> Option<ClaimRequest> {
    let mut members = match value {
        Value::Null => return Some(ClaimRequest::default()),
        Value::Object(members) => members,
        _ => return None,
    };
    let essential = match members.remove("essential") {
        None => false,
        Some(Value::Bool(essential)) => essential,
        Some(_) => return None,
    };
    let values = match members.remove("values") {
        None => Vec::new(),
        Some(Value::Array(values)) if values.iter().all(is_scalar) => values,
        Some(_) => return None,
    };
    Some(ClaimRequest {
        essential,
        // What is no scalar is the value of no claim that we compare.
        value: members.remove("value").filter(is_scalar),
        values,
    })
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn az_29_claims_are_read_and_kept_in_one_form() {
        let text = r#" {"id_token": {"auth_time": {"essential": true}, "sub": {"value": "x"}, "acr": {"values": ["1", "2"]}},
            "userinfo": {"email": null, "name": {"essential": false, "unknown": [1]}, "foo": {}}, "other": 5} "#;
        let request = ClaimsRequest::parse(text).unwrap();
        assert_eq!(
            request.canonical(),
            r#"{"userinfo":{"email":{},"foo":{},"name":{}},"id_token":{"acr":{"values":["1","2"]},"auth_time":{"essential":true},"sub":{"value":"x"}}}"#
        );
        assert_eq!(ClaimsRequest::parse(&request.canonical()).unwrap(), request);
        assert_eq!(request.scope().to_string(), "email profile");
        assert_eq!(request.subject().unwrap(), "x");
        let allowed = request.within(&"email".parse().unwrap());
        assert_eq!(allowed.userinfo.keys().collect::<Vec<_>>(), ["email", "foo"]);
    }

    #[test]
    fn az_29_what_is_no_claims_request_or_too_much_is_refused() {
        let many = (0..2_000)
            .map(|number| format!("\"c{number}\":null"))
            .collect::<Vec<_>>();
        for bad in [
            "",
            "x",
            "[]",
            "null",
            "5",
            "{",
            r#"{"userinfo":5}"#,
            r#"{"userinfo":{"email":true}}"#,
            r#"{"id_token":{"email":{"essential":"yes"}}}"#,
            r#"{"id_token":{"email":{"values":"x"}}}"#,
            r#"{"id_token":{"email":{"values":[{}]}}}"#,
            &"[".repeat(5_000),
            &format!("{{\"userinfo\":{{{}}}}}", many.join(",")),
            &format!("{{\"a\":\"{}\"}}", "x".repeat(70_000)),
            &format!("{}null{}", r#"{"a":"#.repeat(500), "}".repeat(500)),
        ] {
            assert!(ClaimsRequest::parse(bad).is_err(), "{}", &bad[..bad.len().min(80)]);
        }
        assert!(ClaimsRequest::parse("{}").unwrap().is_empty());
    }

    #[test]
    fn every_claim_of_a_scope_is_governed_by_it_in_every_language() {
        assert_eq!(governing_scope("family_name#ja-Kana-JP"), Some("profile"));
        assert_eq!(governing_scope("phone_number"), Some("phone"));
        assert_eq!(governing_scope("address"), Some("address"));
        assert_eq!(governing_scope("sub"), None);
        assert_eq!(governing_scope("auth_time"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_stays_bounded(text in ".{0,300}") {
            if let Ok(request) = ClaimsRequest::parse(&text) {
                prop_assert!(request.canonical().len() <= MAX_BYTES);
            }
        }
    }
}
