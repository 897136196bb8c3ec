//! The compliance events of a bootstrap, written in its transaction. The actor is the system: whoever holds the owner's
//! URL has no identity here.

use credo_events::{Compliance, Details, EventDraft, EventType, Outcome, Party, PersonalPart, Severity};
use credo_ids::{ClientId, ClientSecretId, EventId, Shard, TenantId};
use credo_proto::events::v1::{ChangeDetails, Personal};
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{BootstrapError, SYSTEM_SLUG};

/// The tenant `system` was made.
pub const TENANT_CREATED: EventType<Compliance> = EventType::new("tenant_created", Severity::Info, Outcome::Success);
/// Its first client was made.
pub const CLIENT_CREATED: EventType<Compliance> = EventType::new("client_created", Severity::Info, Outcome::Success);
/// The first client was given a secret that opens every admin API.
pub const ADMIN_CLIENT_BOOTSTRAPPED: EventType<Compliance> =
    EventType::new("admin_client_bootstrapped", Severity::Warning, Outcome::Success);

/// What changed, as the event tells it; never a secret.
#[derive(Debug)]
pub struct Change {
    subject: Party,
    client: Option<ClientId>,
    object: &'static str,
    object_id: [u8; 16],
    /// What keeps order with other changes of the same thing.
    aggregate: Uuid,
    before: Option<Value>,
    after: Value,
}

impl Change {
    /// The tenant `system` was made.
    pub fn tenant_created(tenant: TenantId) -> Self {
        Self {
            subject: tenant.into(),
            client: None,
            object: "tenant",
            object_id: *tenant.as_bytes(),
            aggregate: tenant.as_uuid(),
            before: None,
            after: json!({ "slug": SYSTEM_SLUG, "status": "active" }),
        }
    }

    /// Its client was made.
    pub fn client_created(client: ClientId, scope: &str) -> Self {
        let after = json!({
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "client_secret_basic",
            "scope": scope,
            "status": "active",
        });
        Self {
            after,
            ..Self::of_client(client, "client", *client.as_bytes())
        }
    }

    /// The client by which people sign in was made.
    pub fn login_client_created(client: ClientId, scope: &str) -> Self {
        let after = json!({
            "application_type": "native",
            "first_party": true,
            "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": ["http://127.0.0.1/callback"],
            "require_pkce": true,
            "token_endpoint_auth_method": "none",
            "scope": scope,
            "status": "active",
        });
        Self {
            after,
            ..Self::of_client(client, "client", *client.as_bytes())
        }
    }

    /// The client was given its first secret.
    pub fn secret_created(client: ClientId, secret: ClientSecretId) -> Self {
        Self::of_client(client, "client_secret", *secret.as_bytes())
    }

    /// The client was given a new secret instead of `deleted` old ones, every scope, and a new epoch.
    pub fn secret_replaced(client: ClientId, secret: ClientSecretId, deleted: u64, scope: &str) -> Self {
        let before = Some(json!({ "secrets": deleted }));
        Self {
            before,
            after: json!({ "secrets": 1, "scope": scope }),
            ..Self::secret_created(client, secret)
        }
    }

    fn of_client(client: ClientId, object: &'static str, object_id: [u8; 16]) -> Self {
        Self {
            subject: client.into(),
            client: Some(client),
            object,
            object_id,
            aggregate: client.as_uuid(),
            before: None,
            after: json!({ "secrets": 1 }),
        }
    }

    fn details(&self) -> Details {
        Details::Change(ChangeDetails {
            object: self.object.to_owned(),
            object_id: self.object_id.to_vec(),
            before_json: self.before.as_ref().map(Value::to_string).unwrap_or_default(),
            after_json: self.after.to_string(),
            reason: String::new(),
        })
    }
}

/// Writes events of one tenant and one instant into a transaction.
#[derive(Debug)]
pub struct Events<'t> {
    transaction: &'t mut PgConnection,
    tenant: TenantId,
    at: OffsetDateTime,
}

impl<'t> Events<'t> {
    /// Into `transaction`.
    pub fn new(transaction: &'t mut PgConnection, tenant: TenantId, at: OffsetDateTime) -> Self {
        Self {
            transaction,
            tenant,
            at,
        }
    }

    /// Writes one. Rows keep the order of the calls.
    ///
    /// # Errors
    /// When the database refuses it, or the system has no random bytes.
    pub async fn write(&mut self, event: &EventType<Compliance>, change: Change) -> Result<(), BootstrapError> {
        let personal = PersonalPart::new(Personal::default())?;
        let mut draft = EventDraft::new(event, EventId::now_v7(), self.tenant, self.at)
            .parties(Party::SYSTEM, change.subject)
            .details(change.details());
        if let Some(client) = change.client {
            draft = draft.client(client);
        }
        let encoded = draft.encode(&personal);
        sqlx::query_file!(
            "sql/event_insert.sql",
            self.tenant.as_uuid(),
            Shard::of(self.tenant).as_i16(),
            change.aggregate,
            encoded.event_id.as_uuid(),
            encoded.class,
            encoded.core,
            personal.as_bytes()
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}
