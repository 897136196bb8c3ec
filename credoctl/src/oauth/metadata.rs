//! What an issuer says of itself (OpenID Connect Discovery 1.0, RFC 8414). Refuses metadata that name another issuer.

use serde::Deserialize;

use crate::{
    failure::{Failure, Kind, Result},
    http::{Call, Http},
};

/// Where its endpoints are.
#[derive(Clone, Debug, Deserialize)]
pub struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub userinfo_endpoint: Option<String>,
    pub revocation_endpoint: Option<String>,
    pub introspection_endpoint: Option<String>,
}

impl Metadata {
    /// Asks the issuer.
    ///
    /// # Errors
    /// If it does not answer, does not exist, or is called otherwise.
    pub async fn discover(http: &Http, issuer: &str) -> Result<Self> {
        let answer = http.send(Call::get(document(issuer))).await?;
        if answer.status == 404 {
            return Err(Failure::new(Kind::NotFound, format!("there is no issuer {issuer}"))
                .next("look at the public URL and the tenant: credoctl context show"));
        }
        let found: Self = answer.json("discovery")?;
        if found.issuer != issuer {
            return Err(Failure::usage(format!(
                "{issuer} calls itself {}",
                crate::console::harmless(&found.issuer)
            ))
            .next("the context's public URL must be the server's CREDO_PUBLIC_BASE_URL: credoctl context add"));
        }
        Ok(found)
    }

    /// The userinfo endpoint.
    ///
    /// # Errors
    /// If it has none.
    pub fn userinfo(&self) -> Result<&str> {
        wanted(self.userinfo_endpoint.as_deref(), "userinfo")
    }

    /// The revocation endpoint.
    ///
    /// # Errors
    /// If it has none.
    pub fn revocation(&self) -> Result<&str> {
        wanted(self.revocation_endpoint.as_deref(), "revocation")
    }

    /// The introspection endpoint.
    ///
    /// # Errors
    /// If it has none.
    pub fn introspection(&self) -> Result<&str> {
        wanted(self.introspection_endpoint.as_deref(), "introspection")
    }
}

/// Where an issuer's metadata are.
pub fn document(issuer: &str) -> String {
    format!("{issuer}/.well-known/openid-configuration")
}

fn wanted<'a>(endpoint: Option<&'a str>, name: &str) -> Result<&'a str> {
    endpoint.ok_or_else(|| Failure::error(format!("the issuer has no {name} endpoint")))
}
