//! Taking back what a person allowed a client: what the client was issued for them ends with it.

use credo_admin::TenantScope;
use credo_auth_store::admin::ConsentRecord;
use credo_ids::{ClientId, UserId};
use serde_json::json;
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    change::{is_felt, not_made},
    event::ChangeEvent,
};
use crate::{app::App, audit::compliance::CONSENT_REVOKED, flows::revoke::learn_session_end};

/// Takes a consent back; one that was taken back is left as it is.
///
/// # Errors
/// If the tenant has no such consent, or the change could not be made.
#[instrument(skip_all)]
pub async fn revoke_consent(
    app: &App,
    change: &Change,
    scope: TenantScope,
    (user, client): (UserId, ClientId),
) -> Result<ConsentRecord, AdminRefusal> {
    let event = ChangeEvent::new(app, change, (&CONSENT_REVOKED, scope.id()), (client, user))?;
    let describe = |consent: &ConsentRecord| {
        let tell = |state| json!({ "state": state, "scope": consent.scope });
        event.changed(&tell("granted"), &tell("revoked"))
    };
    let revoked = app
        .store
        .take_consent_back(&change.mutation, (scope.id(), user), client, describe)
        .await
        .map_err(|unmade| not_made(app, "consent", unmade))?;
    let (consent, ended) = revoked.thing;
    if is_felt(revoked.effect) {
        for session in ended {
            learn_session_end(app, scope.id(), session, app.feed.database_now());
        }
    }
    Ok(consent)
}
