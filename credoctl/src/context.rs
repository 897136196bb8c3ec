//! A context: where one Credo is, how its certificates are checked, and who asks. Holds no secret, only where one lies.

mod overrides;
mod private_file;
mod store;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use overrides::VARIABLES;
pub use private_file::{LockedFile, read as read_private, remove as remove_private, write as write_private};
pub use store::Store;

use crate::failure::{Failure, Result};

/// The tenant whose clients and people administrate all others.
pub const SYSTEM_TENANT: &str = "system";

/// Where one Credo is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Context {
    /// Public HTTP: the base of every issuer.
    pub public: Endpoint,
    pub auth: Service,
    pub relay: Service,
    pub audit: Service,
    /// The tenant that `credoctl login` signs in at.
    pub login_tenant: String,
    /// Slug or id of the tenant that verbs speak of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// A client that signs in by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientLogin>,
    /// Whom `credoctl smoke` signs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoke: Option<Smoke>,
}

/// A service: its admin API, and its management port if it can be reached from here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Service {
    pub grpc: Endpoint,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management: Option<String>,
}

/// An address and what proves both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoint {
    pub url: String,
    /// Whose certificates are believed, as PEM; absent: those that the machine believes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key, as PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// The name that the certificate must have, if it is not the URL's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// A client that signs in by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientLogin {
    pub client_id: String,
    /// Where its secret lies.
    pub secret_file: PathBuf,
    /// Space-delimited; empty: everything that it may ask for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

/// Whom `credoctl smoke` signs in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smoke {
    /// Slug or id.
    pub tenant: String,
    /// A first-party client.
    pub client_id: String,
    /// Where its secret lies; absent for a public client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
    pub redirect_uri: String,
    pub email: String,
    pub password_file: PathBuf,
}

/// A context and what it is called.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Absent if everything comes from the environment.
    pub name: Option<String>,
    pub context: Context,
}

impl Chosen {
    /// What questions call it.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or("of the environment")
    }
}

impl Context {
    /// The issuer that people and clients sign in at to administrate.
    ///
    /// # Errors
    /// If the context does not say where Credo is.
    pub fn login_issuer(&self) -> Result<String> {
        let tenant = if self.login_tenant.is_empty() {
            SYSTEM_TENANT
        } else {
            &self.login_tenant
        };
        self.issuer(tenant)
    }

    /// The issuer of a tenant.
    ///
    /// # Errors
    /// If the context does not say where Credo is.
    pub fn issuer(&self, slug: &str) -> Result<String> {
        Ok(format!(
            "{}/t/{slug}",
            self.public
                .wanted("CREDO_AUTH_URL", "--auth-url")?
                .trim_end_matches('/')
        ))
    }
}

impl Endpoint {
    /// The address.
    ///
    /// # Errors
    /// If there is none: which variable and which option set it.
    pub fn wanted(&self, variable: &str, option: &str) -> Result<&str> {
        if self.url.is_empty() {
            return Err(
                Failure::usage(format!("the context does not say where this is: {option} is not set"))
                    .next(format!("credoctl context add NAME {option} URL, or {variable}=URL")),
            );
        }
        Ok(&self.url)
    }
}
