//! What a login left: one private file a context.

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    context::{ClientLogin, read_private, remove_private, write_private},
    failure::{Failure, Result},
    oauth::token::Client,
};

/// Tokens, and what renews them.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Kept {
    pub issuer: String,
    pub client_id: String,
    /// Of a client that signed in with a typed secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    pub scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    pub access_token: String,
    /// Seconds since 1970.
    pub expires_at: i64,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl Kept {
    /// Reads what is there.
    ///
    /// # Errors
    /// If others may read it, or it is damaged.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let Some(text) = read_private(path)? else {
            return Ok(None);
        };
        let damaged = |_| Failure::usage(format!("{} is damaged", path.display())).next("credoctl login");
        serde_json::from_str(&text).map(Some).map_err(damaged)
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_private(path, &serde_json::to_string(self)?)
    }

    /// Removes it.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn forget(path: &Path) -> Result<()> {
        remove_private(path).map(drop)
    }

    /// Whether it belongs to that client.
    pub fn is_of(&self, client: &ClientLogin) -> bool {
        self.client_id == client.client_id && self.scope == client.scope
    }

    /// Whether it can be renewed without the context's own client.
    pub fn can_be_renewed(&self) -> bool {
        self.refresh_token.is_some() || self.client_secret.is_some()
    }

    /// The client that signed in.
    pub fn client(&self) -> Client {
        Client {
            id: self.client_id.clone(),
            secret: self.client_secret.clone().map(Into::into),
        }
    }
}
