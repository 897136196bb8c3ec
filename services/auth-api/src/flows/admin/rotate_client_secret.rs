//! A new secret for a client. The one before stays good for a while, so that the client can be changed without a pause; there
//! are never more than two.

use credo_admin::TenantScope;
use credo_auth_domain::credential::{generate_client_secret, hash_client_secret};
use credo_auth_store::admin::{ClientRecord, Effect, NewClientSecret};
use credo_ids::{ClientId, ClientSecretId};
use serde_json::json;
use time::Duration;
use tokio::time::sleep;
use tracing::instrument;

use super::{
    AdminRefusal, Change, CreatedClient,
    admin_scopes::check_client,
    change::{is_felt, not_made},
    event::ChangeEvent,
    update_client::forget,
};
use crate::{app::App, audit::compliance::CLIENT_SECRET_ROTATED, feed::MAX_AGE, refusal::Refusal};

/// How long the secret before stays good if the caller does not say.
const DEFAULT_OVERLAP: Duration = Duration::DAY;
/// The longest that it can.
const MAX_OVERLAP: Duration = Duration::days(30);

/// Makes a secret and shows it, if this very call made it, when every replica knows it: after a second.
///
/// # Errors
/// If the tenant has no such client, it is a public one, it may do what the caller may not, or the overlap cannot be.
#[instrument(skip_all)]
pub async fn rotate_client_secret(
    app: &App,
    change: &Change,
    scope: TenantScope,
    (client, overlap): (ClientId, Option<Duration>),
) -> Result<CreatedClient, AdminRefusal> {
    let overlap = overlap.unwrap_or(DEFAULT_OVERLAP);
    if !(Duration::ZERO..=MAX_OVERLAP).contains(&overlap) {
        return Err(AdminRefusal::invalid("overlap", "must be 0 to 30 days"));
    }
    let secret = generate_client_secret().map_err(Refusal::from)?;
    let new = NewClientSecret {
        id: ClientSecretId::now_v7(),
        hash: hash_client_secret(&secret),
    };
    let event = ChangeEvent::new(app, change, (&CLIENT_SECRET_ROTATED, scope.id()), client)?;
    let describe = |client: &ClientRecord| {
        if client.token_endpoint_auth_method == "none" {
            return Err(AdminRefusal::FailedPrecondition("a public client has no secret"));
        }
        check_client(&change.call.principal, &client.scope.parse().unwrap_or_default())?;
        Ok(event.changed(
            &json!({ "version": client.version }),
            &json!({ "version": client.version + 1, "secret_id": new.id, "overlap_seconds": overlap.whole_seconds() }),
        ))
    };
    let rotated = app
        .store
        .rotate_client_secret(&change.mutation, (scope.id(), client), (&new, overlap), describe)
        .await
        .map_err(|unmade| not_made(app, "client", unmade))?;
    if is_felt(rotated.effect) {
        forget(app, &rotated.thing).await;
    }
    if rotated.effect == Effect::Made {
        // A replica that knows the client as it was would refuse the new secret: none does when it is shown.
        sleep(MAX_AGE).await;
    }
    Ok(CreatedClient {
        client: rotated.thing,
        secret: (rotated.effect == Effect::Made).then_some(secret),
    })
}
