//! Exchanges as they are shown: method, URL, fields, headers that matter. Secrets are cut unless asked for.

use serde_json::Value;
use url::Url;

use super::{Answer, Auth, Body, Call};
use crate::console::{harmless, note};

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    Redacted,
    WithSecrets,
}

/// Fields whose value opens something.
const SECRET_FIELDS: [&str; 11] = [
    "access_token",
    "client_secret",
    "code",
    "code_verifier",
    "device_id",
    "id_token",
    "id_token_hint",
    "password",
    "proof",
    "refresh_token",
    "token",
];
/// Headers that say something about how the server sees the call.
const HEADERS: [&str; 6] = [
    "content-type",
    "www-authenticate",
    "retry-after",
    "ratelimit",
    "cache-control",
    "x-request-id",
];

impl Shown {
    /// What is about to be sent.
    pub fn request(self, call: &Call) {
        if self == Self::Nothing {
            return;
        }
        note(format!("> {} {}", call.method, self.url(&call.url)));
        match &call.auth {
            Auth::Nobody => {}
            Auth::Basic(id, _) => note(format!("> authorization: Basic {id}:[redacted]")),
            Auth::Bearer(_) => note("> authorization: Bearer [redacted]"),
        }
        match &call.body {
            Body::Empty => {}
            Body::Form(fields) => {
                for (name, value) in fields {
                    note(format!(">   {name}={}", self.value(name, value)));
                }
            }
            Body::Json(value) => self.json('>', value),
        }
        note("");
    }

    /// What came back.
    pub fn answer(self, answer: &Answer) {
        if self == Self::Nothing {
            return;
        }
        note(format!("< {} after {} ms", answer.status, answer.took.as_millis()));
        for name in HEADERS {
            if let Some(value) = answer.header(name) {
                note(format!("< {name}: {}", harmless(value)));
            }
        }
        match serde_json::from_str(&answer.body) {
            Ok(value) => self.json('<', &value),
            Err(_) if answer.body.is_empty() => {}
            Err(_) => note(format!("<   {} bytes that are no JSON", answer.body.len())),
        }
        note("");
    }

    /// A URL whose query may hold secrets.
    pub fn url(self, text: &str) -> String {
        let Ok(mut url) = Url::parse(text) else {
            return harmless(text);
        };
        if url.query().is_some() && self != Self::WithSecrets {
            let pairs: Vec<_> = url
                .query_pairs()
                .map(|(name, value)| (name.clone().into_owned(), self.value(&name, &value)))
                .collect();
            url.query_pairs_mut().clear().extend_pairs(pairs);
        }
        harmless(url.as_str())
    }

    fn json(self, mark: char, value: &Value) {
        let mut value = value.clone();
        self.redact(&mut value);
        let text = serde_json::to_string_pretty(&value).unwrap_or_default();
        for line in text.lines() {
            note(format!("{mark}   {}", harmless(line)));
        }
    }

    fn redact(self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if self != Self::WithSecrets && SECRET_FIELDS.contains(&name.as_str()) {
                        *value = Value::from("[redacted]");
                    } else {
                        self.redact(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact(item)),
            _ => {}
        }
    }

    fn value(self, name: &str, value: &str) -> String {
        if self != Self::WithSecrets && SECRET_FIELDS.contains(&name) {
            "[redacted]".to_owned()
        } else {
            harmless(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_cut_unless_asked_for() {
        let mut value =
            json!({"access_token": "s1", "scope": "openid", "nested": [{"password": "s2"}], "proof": {"a": "s3"}});
        Shown::Redacted.redact(&mut value);
        let text = value.to_string();
        assert!(
            !text.contains("s1") && !text.contains("s2") && !text.contains("s3"),
            "{text}"
        );
        assert!(text.contains("openid"));
        let url = Shown::Redacted.url("http://127.0.0.1/callback?code=crc_x&state=abc");
        assert!(!url.contains("crc_x") && url.contains("state=abc"), "{url}");
        assert!(Shown::WithSecrets.url("http://127.0.0.1/?code=crc_x").contains("crc_x"));
    }
}
