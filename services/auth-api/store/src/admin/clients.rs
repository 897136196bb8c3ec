//! Clients as administrators see them.

use std::convert::Infallible;

use credo_ids::{ClientId, ClientSecretId, TenantId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use super::{
    ComplianceEvent, Mutated, Mutation, PageQuery, Unmade,
    mutation::{Opened, attempt},
};
use crate::{Fault, Store, outbox::shard};

/// A client, whole but for its secrets.
#[derive(Clone, Debug)]
pub struct ClientRecord {
    /// The `client_id`.
    pub id: ClientId,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Shown to people.
    pub display_name: String,
    /// Whether it is served at all.
    pub active: bool,
    /// Rises when everything issued to it must die.
    pub epoch: i64,
    /// Rises at every change.
    pub version: i64,
    /// Whether it belongs to whoever runs the tenant.
    pub first_party: bool,
    /// The only method that it may use.
    pub token_endpoint_auth_method: String,
    /// The grants that it may use.
    pub grant_types: Vec<String>,
    /// Compared as raw strings.
    pub redirect_uris: Vec<String>,
    /// Origins that may call with CORS.
    pub allowed_origins: Vec<String>,
    /// What it may be granted, space-delimited.
    pub scope: String,
    /// Whether it must use PKCE.
    pub require_pkce: bool,
    /// Within so many seconds a retried refresh gets the same successor.
    pub refresh_grace_seconds: i32,
    /// `web` or `native`.
    pub application_type: String,
    /// Where the browser may be sent after a logout; compared as raw strings.
    pub post_logout_redirect_uris: Vec<String>,
    /// What signs its ID tokens.
    pub id_token_signed_response_alg: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
}

/// A client that is to be made.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// The `client_id`.
    pub id: ClientId,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Shown to people.
    pub display_name: String,
    /// Whether it belongs to whoever runs the tenant.
    pub first_party: bool,
    /// The only method that it may use.
    pub token_endpoint_auth_method: &'static str,
    /// The grants that it may use.
    pub grant_types: Vec<String>,
    /// Compared as raw strings.
    pub redirect_uris: Vec<String>,
    /// Origins that may call with CORS.
    pub allowed_origins: Vec<String>,
    /// What it may be granted, space-delimited.
    pub scope: String,
    /// Whether it must use PKCE.
    pub require_pkce: bool,
    /// Within so many seconds a retried refresh gets the same successor.
    pub refresh_grace_seconds: i32,
    /// `web` or `native`.
    pub application_type: &'static str,
    /// Where the browser may be sent after a logout; compared as raw strings.
    pub post_logout_redirect_uris: Vec<String>,
    /// What signs its ID tokens.
    pub id_token_signed_response_alg: &'static str,
    /// Its first secret; a public client has none.
    pub secret: Option<NewClientSecret>,
}

/// A client's secret that is to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewClientSecret {
    /// Its id.
    pub id: ClientSecretId,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
}

impl Store {
    /// Makes a client. `NotFound`: there is no such tenant.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(client = %new.id))]
    pub async fn create_client(
        &self,
        mutation: &Mutation,
        new: &NewClient,
        event: &ComplianceEvent,
    ) -> Result<Mutated<ClientRecord>, Unmade<Infallible>> {
        let make = || async {
            let mut open = match self.open(mutation, new.id.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { object, effect } => {
                    let thing = self.find_client_record(new.tenant_id, object.into()).await?;
                    let thing = thing.ok_or(Unmade::NotFound)?;
                    return Ok(Mutated { thing, effect });
                }
            };
            let made = self.insert_client(&mut open.transaction, new, event).await?;
            open.close(made.ok_or(Unmade::NotFound)?).await
        };
        attempt(|| Box::pin(make())).await
    }

    async fn insert_client(
        &self,
        transaction: &mut PgConnection,
        new: &NewClient,
        event: &ComplianceEvent,
    ) -> Result<Option<ClientRecord>, sqlx::Error> {
        sqlx::query_file_as!(
            ClientRecord,
            "sql/admin_client_insert.sql",
            new.id.as_uuid(),
            new.tenant_id.as_uuid(),
            new.display_name,
            new.first_party,
            new.token_endpoint_auth_method,
            &new.grant_types,
            &new.redirect_uris,
            &new.allowed_origins,
            new.scope,
            new.require_pkce,
            new.refresh_grace_seconds,
            new.application_type,
            &new.post_logout_redirect_uris,
            new.id_token_signed_response_alg,
            new.secret.map(|secret| secret.id.as_uuid()) as Option<Uuid>,
            new.secret.as_ref().map(|secret| &secret.hash[..]) as Option<&[u8]>,
            self.slot(),
            shard(new.tenant_id),
            event.encoded.event_id.as_uuid(),
            event.encoded.core,
            event.personal.as_bytes()
        )
        .fetch_optional(transaction)
        .await
    }

    /// A client of a tenant.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%client))]
    pub async fn find_client_record(&self, tenant: TenantId, client: ClientId) -> Result<Option<ClientRecord>, Fault> {
        let record = sqlx::query_file_as!(
            ClientRecord,
            "sql/admin_client_get.sql",
            tenant.as_uuid(),
            client.as_uuid()
        )
        .fetch_optional(&self.cold)
        .await?;
        Ok(record)
    }

    /// A page of a tenant's clients.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn list_client_records(
        &self,
        tenant: TenantId,
        page: PageQuery<ClientId>,
    ) -> Result<Vec<ClientRecord>, Fault> {
        let records = sqlx::query_file_as!(
            ClientRecord,
            "sql/admin_client_list.sql",
            tenant.as_uuid(),
            page.after.map(|client| client.as_uuid()) as Option<Uuid>,
            page.limit
        )
        .fetch_all(&self.cold)
        .await?;
        Ok(records)
    }
}
