//! Who the client is (RFC 6749 section 2.3): by its one registered method, compared in constant time.
//!
//! Owns [`AuthenticatedClient`], which only this file can make. An unknown client, a disabled one, a wrong method and a
//! wrong secret are refused alike, and each refusal is an event before it is an answer.

use std::sync::Arc;

use credo_auth_domain::{
    Denial,
    client::{AuthMethod, Client},
    credential::verify_client_secret,
    rate_limit::{Limits, RateClass},
    tenant::SYSTEM_SLUG,
};
use credo_auth_store::Work;
use credo_events::{EventDraft, Party};
use credo_ids::{ClientId, EventId, TenantId};
use secrecy::SecretString;
use tracing::instrument;

use super::limits::{self, Counted};
use crate::{
    app::App,
    audit::{Bucket, RequestContext, security::CLIENT_AUTH_FAILED},
    refusal::Refusal,
};

/// What a request says about its client, as it says it.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// The `client_id` as text.
    pub unverified_client_id: String,
    /// How it came.
    pub method: AuthMethod,
    /// The secret, if one came.
    pub unverified_secret: Option<SecretString>,
}

/// A client that proved who it is, or a public client that has nothing to prove.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
}

impl AuthenticatedClient {
    /// Whether it proved who it is by a secret.
    #[must_use]
    pub fn has_proved_itself(&self) -> bool {
        !self.client.is_public()
    }

    /// The client as it can be handed on.
    #[must_use]
    pub fn shared(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }
}

impl std::ops::Deref for AuthenticatedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Authenticates a client.
///
/// # Errors
/// One denial for whatever is wrong with the credentials, after it was recorded.
#[instrument(skip_all)]
pub async fn authenticate(
    app: &App,
    context: &RequestContext,
    credentials: &ClientCredentials,
) -> Result<AuthenticatedClient, Refusal> {
    let client = match credentials.unverified_client_id.parse::<ClientId>() {
        Ok(id) => app.directory.resolve_client(id).await?,
        Err(_) => None,
    };
    if let Some(client) = &client {
        Work::note_client(client.tenant.id, client.id);
    }
    let now = app.feed.database_now();
    let hashes = client
        .as_ref()
        .map_or_else(Vec::new, |client| client.secret_hashes_at(now));
    let proved = match &credentials.unverified_secret {
        Some(secret) => verify_client_secret(secret, &hashes),
        None => credentials.method == AuthMethod::None,
    };
    match client {
        Some(client) if proved && client.auth_method == credentials.method => Ok(AuthenticatedClient { client }),
        client => {
            fail(app, context, (credentials, client.as_deref())).await?;
            Err(Denial::ClientAuthenticationFailed.into())
        }
    }
}

/// Authenticates a client that must prove who it is: a public one cannot.
///
/// # Errors
/// As [`authenticate`].
pub async fn authenticate_confidential(
    app: &App,
    context: &RequestContext,
    credentials: &ClientCredentials,
) -> Result<AuthenticatedClient, Refusal> {
    let client = authenticate(app, context, credentials).await?;
    if !client.has_proved_itself() {
        fail(app, context, (credentials, Some(&client))).await?;
        return Err(Denial::ClientAuthenticationFailed.into());
    }
    Ok(client)
}

/// Records a failure, and counts it: with the client's tenant, or with the system's where the client is unknown; then by the id
/// that it claims, so that it is refused as one that exists. Only failures are counted, and only they are refused for their
/// number. Nobody finds a secret of 256 bits by asking, and who asks must not keep out the client whose address they share.
async fn fail(
    app: &App,
    context: &RequestContext,
    (credentials, client): (&ClientCredentials, Option<&Client>),
) -> Result<(), Refusal> {
    let tenant: TenantId = match client {
        Some(client) => client.tenant.id,
        None => match app.directory.resolve_tenant(SYSTEM_SLUG).await? {
            Some(system) => system.id,
            None => return Ok(()), // nothing was ever set up: there is no trail to write to
        },
    };
    let counted = Counted {
        tenant,
        client: client.map(|client| client.id),
        session: None,
        claimed: credentials.unverified_client_id.parse().ok(),
    };
    let limits = client.map_or_else(Limits::default, |client| client.limits);
    limits::admit(app, context, (RateClass::ClientFailure, counted), &limits).await?;
    let subject = client.map_or(Party::ANONYMOUS, |client| client.id.into());
    let reason = Denial::ClientAuthenticationFailed.reason();
    let mut draft = EventDraft::new(&CLIENT_AUTH_FAILED, EventId::now_v7(), tenant, app.feed.database_now())
        .parties(Party::ANONYMOUS, subject)
        .request(context.origin())
        .reason(reason);
    if let Some(client) = client {
        draft = draft.client(client.id);
    }
    let target = client.map(|client| client.id.as_bytes().to_vec()).unwrap_or_default();
    let aggregate = client.map_or(tenant.as_uuid(), |client| client.id.as_uuid());
    let bucket = Bucket {
        tenant,
        target,
        address: context.address,
        reason,
    };
    app.refusals.record(bucket, aggregate, draft, context.personal()?).await
}
