//! Making tokens from what a statement returned: nothing is signed that is not committed.

use std::sync::Arc;

use credo_auth_domain::{
    access_token::ADMIN_AUDIENCE,
    claims_request::ClaimsRequest,
    client::Client,
    lifetime::{ACCESS_TOKEN_TTL, ADMIN_TOKEN_TTL},
    scope::Scope,
    session::Epochs,
    signing_algorithm::SigningAlgorithm,
};
use credo_ids::{SessionId, TenantId, UserId};
use secrecy::SecretString;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use tracing::instrument;

use super::claims::{access_token_claims, id_token_claims, requested_claims};
use crate::{
    app::App,
    keys::{TenantKeys, TokenType, at_hash},
    refusal::Refusal,
};

/// The answer of the token endpoint (RFC 6749 section 5.1).
#[derive(Debug, Serialize)]
pub struct TokenResponse {
    #[serde(serialize_with = "expose")]
    access_token: SecretString,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_some")]
    refresh_token: Option<SecretString>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_some")]
    id_token: Option<SecretString>,
    scope: String,
}

/// What tokens are made of.
pub(super) struct Grant<'a> {
    pub client: &'a Client,
    pub scope: Scope,
    pub epochs: Epochs,
    /// The database's clock.
    pub at: OffsetDateTime,
    /// The person, where one stands behind the grant.
    pub person: Option<Person<'a>>,
    pub refresh_token: Option<SecretString>,
}

/// The person behind a grant.
pub(super) struct Person<'a> {
    pub user_id: UserId,
    pub session_id: SessionId,
    pub auth_time: OffsetDateTime,
    pub amr: &'a str,
    pub nonce: Option<String>,
    /// Single claims that the client asked for.
    pub claims: ClaimsRequest,
}

/// What will sign. It is there before a statement decides: nothing that can fail to answer stands between the commit and the
/// tokens, or the client would pay for it with the code or the token that it showed.
pub(super) struct Signer<'a> {
    pub app: &'a App,
    keys: Arc<TenantKeys>,
    tenant: TenantId,
    algorithm: SigningAlgorithm,
}

impl<'a> Signer<'a> {
    /// The keys of the client's tenant, with one that signs the client's ID tokens.
    pub async fn prepare(app: &'a App, client: &Client) -> Result<Self, Refusal> {
        let keys = app
            .keyring
            .tenant_signing(client.tenant.id, client.id_token_alg)
            .await?;
        let (tenant, algorithm) = (client.tenant.id, client.id_token_alg);
        Ok(Self {
            app,
            keys,
            tenant,
            algorithm,
        })
    }

    /// The keys, if they may sign by now; they were read anew if not.
    async fn keys(&self) -> Result<Arc<TenantKeys>, Refusal> {
        if self.app.keyring.may_sign(self.tenant, &self.keys) {
            return Ok(Arc::clone(&self.keys));
        }
        self.app.keyring.tenant_signing(self.tenant, self.algorithm).await
    }
}

/// Signs the tokens of a grant.
#[instrument(skip_all)]
pub(super) async fn issue(signer: &Signer<'_>, grant: Grant<'_>) -> Result<TokenResponse, Refusal> {
    let keys = signer.keys().await?;
    let issuer = grant.client.tenant.issuer(&signer.app.settings.public_base_url);
    let is_admin = grant.scope.is_admin();
    let ttl = if is_admin { ADMIN_TOKEN_TTL } else { ACCESS_TOKEN_TTL };
    let claims = access_token_claims(
        &grant,
        &issuer,
        if is_admin { ADMIN_AUDIENCE } else { &issuer },
        ttl.as_secs(),
    );
    let fault = |error: crate::keys::KeyFault| Refusal::internal(&error.to_string());
    let access_token = keys.active.sign(TokenType::AccessToken, &claims).map_err(fault)?;
    let person = grant.person.filter(|_| grant.scope.contains("openid"));
    let id_token = match person {
        Some(person) => {
            let mut claims = id_token_claims(&person, grant.client, issuer, grant.at, at_hash(&access_token));
            claims.person = requested_claims(signer.app, grant.client, &person).await;
            let key = keys.signing(grant.client.id_token_alg);
            let key = key.ok_or_else(|| Refusal::internal("the key that was prepared is gone"))?;
            Some(key.sign(TokenType::IdToken, &claims).map_err(fault)?)
        }
        None => None,
    };
    Ok(TokenResponse {
        access_token: access_token.into(),
        token_type: "Bearer",
        expires_in: ttl.as_secs(),
        refresh_token: grant.refresh_token,
        id_token: id_token.map(Into::into),
        scope: grant.scope.to_string(),
    })
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secrecy::ExposeSecret::expose_secret(secret))
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn expose_some<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => expose(secret, serializer),
        None => serializer.serialize_none(),
    }
}
