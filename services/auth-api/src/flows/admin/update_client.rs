//! Changing a client. What it becomes keeps all the rules of registration, whatever was changed of it.
//!
//! What it loses ends at once (case AD-03): every hot statement compares the version of the client that a request was decided
//! with, and the feed tells every replica that what it read is old.

use credo_admin::TenantScope;
use credo_auth_domain::lifetime::REVOCATION_TTL;
use credo_auth_store::{
    FeedRow, RevokedKind,
    admin::{ClientRecord, NewClient},
};
use credo_ids::ClientId;
use serde_json::{Map, Value, json};
use tracing::instrument;

use super::{
    AdminRefusal, Change, ClientRegistration,
    change::{is_felt, not_made},
    create_client::publish_key,
    event::ChangeEvent,
    felt::client_ended,
};
use crate::{app::App, audit::compliance::CLIENT_UPDATED};

/// Most bytes of what an event tells of a change.
const MAX_TOLD_BYTES: usize = 48 * 1_024;

/// What is to be changed of a client; what is nothing stays.
#[derive(Clone, Debug, Default)]
pub struct ClientUpdate {
    /// Shown to people.
    pub display_name: Option<String>,
    /// Whether it belongs to whoever runs the tenant.
    pub first_party: Option<bool>,
    /// The grants that it may use.
    pub grant_types: Option<Vec<String>>,
    /// Compared as raw strings.
    pub redirect_uris: Option<Vec<String>>,
    /// Where the browser may be sent after a logout.
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// What it may be granted.
    pub scopes: Option<Vec<String>>,
    /// Origins that may call with CORS.
    pub allowed_origins: Option<Vec<String>>,
    /// Whether it must use PKCE.
    pub require_pkce: Option<bool>,
    /// Within so many seconds a retried refresh gets the same successor.
    pub refresh_grace_seconds: Option<i32>,
    /// What signs its ID tokens.
    pub id_token_signed_response_alg: Option<String>,
}

impl ClientUpdate {
    /// The client as it is to be, as if it were registered so.
    fn apply(self, client: &ClientRecord) -> ClientRegistration {
        let words = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect();
        ClientRegistration {
            display_name: self.display_name.unwrap_or_else(|| client.display_name.clone()),
            first_party: self.first_party.unwrap_or(client.first_party),
            token_endpoint_auth_method: client.token_endpoint_auth_method.clone(),
            grant_types: self.grant_types.unwrap_or_else(|| client.grant_types.clone()),
            redirect_uris: self.redirect_uris.unwrap_or_else(|| client.redirect_uris.clone()),
            scopes: self.scopes.unwrap_or_else(|| words(&client.scope)),
            allowed_origins: self.allowed_origins.unwrap_or_else(|| client.allowed_origins.clone()),
            dangerous_allow_missing_pkce: !self.require_pkce.unwrap_or(client.require_pkce),
            refresh_grace_seconds: self.refresh_grace_seconds.unwrap_or(client.refresh_grace_seconds),
            application_type: client.application_type.clone(),
            post_logout_redirect_uris: self
                .post_logout_redirect_uris
                .unwrap_or_else(|| client.post_logout_redirect_uris.clone()),
            id_token_signed_response_alg: self
                .id_token_signed_response_alg
                .unwrap_or_else(|| client.id_token_signed_response_alg.clone()),
        }
    }
}

/// Changes a client; one that is as wanted is left as it is, without an event.
///
/// # Errors
/// If the tenant has no such client, it cannot be like that, or it would get more than the caller may give.
#[instrument(skip_all)]
pub async fn update_client(
    app: &App,
    change: &Change,
    scope: TenantScope,
    (client, update): (ClientId, ClientUpdate),
) -> Result<ClientRecord, AdminRefusal> {
    let event = ChangeEvent::new(app, change, (&CLIENT_UPDATED, scope.id()), client)?;
    let decide = |before: &ClientRecord| {
        let registration = update.clone().apply(before);
        let wanted = registration.check_update(&change.call.principal, before)?;
        let (old, new) = differences(&shown(before), &wanted_shown(&wanted));
        if new.is_empty() {
            return Ok(None);
        }
        let (old, new) = (Value::Object(old), Value::Object(new));
        if old.to_string().len() + new.to_string().len() > MAX_TOLD_BYTES {
            let rule = "changes more than one event can tell: change one list at a time, or fewer of its values";
            return Err(AdminRefusal::invalid("client", rule));
        }
        Ok(Some((wanted, event.changed(&old, &new))))
    };
    let updated = app
        .store
        .update_client(&change.mutation, (scope.id(), client), decide)
        .await
        .map_err(|unmade| not_made(app, "client", unmade))?;
    if is_felt(updated.effect) {
        forget(app, &updated.thing).await;
        publish_key(app, &updated.thing).await;
    }
    Ok(updated.thing)
}

/// Has this replica read a client again that was changed just now, and refuse what ended with the change; the others learn it
/// from the feed.
pub(super) async fn forget(app: &App, client: &ClientRecord) {
    app.feed.learn(FeedRow {
        kind: RevokedKind::ClientVersion,
        tenant_id: client.tenant_id,
        id: client.id.as_uuid(),
        epoch: Some(client.version),
        except_sid: None,
        expires_at: app.feed.database_now() + REVOCATION_TTL,
    });
    client_ended(app, (client.tenant_id, client.id), client.epoch).await;
}

fn shown(client: &ClientRecord) -> Value {
    json!({
        "display_name": client.display_name,
        "first_party": client.first_party,
        "grant_types": client.grant_types,
        "redirect_uris": client.redirect_uris,
        "allowed_origins": client.allowed_origins,
        "scope": client.scope,
        "require_pkce": client.require_pkce,
        "refresh_grace_seconds": client.refresh_grace_seconds,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "id_token_signed_response_alg": client.id_token_signed_response_alg,
    })
}

fn wanted_shown(client: &NewClient) -> Value {
    json!({
        "display_name": client.display_name,
        "first_party": client.first_party,
        "grant_types": client.grant_types,
        "redirect_uris": client.redirect_uris,
        "allowed_origins": client.allowed_origins,
        "scope": client.scope,
        "require_pkce": client.require_pkce,
        "refresh_grace_seconds": client.refresh_grace_seconds,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "id_token_signed_response_alg": client.id_token_signed_response_alg,
    })
}

/// The members that differ, as they were and as they are.
pub(super) fn differences(before: &Value, after: &Value) -> (Map<String, Value>, Map<String, Value>) {
    let (mut old, mut new) = (Map::new(), Map::new());
    for (name, value) in after.as_object().into_iter().flatten() {
        let was = before.get(name).cloned().unwrap_or_default();
        if was != *value {
            old.insert(name.clone(), was);
            new.insert(name.clone(), value.clone());
        }
    }
    (old, new)
}
