//! Making a tenant: only administrators of all tenants do.

use credo_auth_domain::{signing_algorithm::SigningAlgorithm, tenant::is_slug};
use credo_auth_store::admin::{Creation, NewTenant, TenantRecord};
use credo_ids::TenantId;
use serde_json::json;
use tracing::instrument;

use super::{
    AdminCall, AdminRefusal,
    event::ChangeEvent,
    not_persisted,
    refusal::Violations,
    text::{NAME_RULE, is_name},
};
use crate::{app::App, audit::compliance::TENANT_CREATED, keys::SigningKey, refusal::Refusal};

/// A tenant as it was asked for.
#[derive(Clone, Debug)]
pub struct TenantDraft {
    /// Its name in the issuer.
    pub slug: String,
    /// Shown to people.
    pub display_name: String,
    /// Whether the first sign-in of an unknown address makes a user.
    pub create_unknown_users: bool,
    /// Whether a bare e-mail address signs in.
    pub dangerous_trust_email: bool,
}

/// Makes a tenant and its first signing key.
///
/// # Errors
/// If the caller administers one tenant alone, the draft cannot be, or the slug was ever used.
#[instrument(skip_all)]
pub async fn create_tenant(app: &App, call: &AdminCall, draft: TenantDraft) -> Result<TenantRecord, AdminRefusal> {
    if !call.principal.is_system() {
        return Err(AdminRefusal::Forbidden(
            "only a client of the tenant system makes tenants",
        ));
    }
    check(app, &draft)?;
    let id = TenantId::now_v7();
    let signing_key = SigningKey::generate(id, SigningAlgorithm::Es256, app.keyring.masters().active())
        .map_err(|error| Refusal::internal(&error.to_string()))?;
    let after = json!({
        "slug": draft.slug,
        "display_name": draft.display_name,
        "status": "active",
        "create_unknown_users": draft.create_unknown_users,
        "dangerous_trust_email": draft.dangerous_trust_email,
        "signing_keys": [signing_key.kid],
    });
    let event = ChangeEvent::new(app, call, (&TENANT_CREATED, id), id)?.made(&after);
    let new = NewTenant {
        id,
        slug: draft.slug,
        display_name: draft.display_name,
        create_unknown_users: draft.create_unknown_users,
        dangerous_trust_email: draft.dangerous_trust_email,
        signing_key,
    };
    let creation = app.store.create_tenant(&new, &event).await;
    match creation.map_err(|fault| not_persisted(app, &fault))? {
        Creation::Made(tenant) => Ok(tenant),
        Creation::Taken => Err(AdminRefusal::AlreadyExists("the slug is taken, or was once")),
        Creation::NoTenant => Err(Refusal::internal("a tenant was made for a tenant").into()),
    }
}

fn check(app: &App, draft: &TenantDraft) -> Result<(), AdminRefusal> {
    let mut violations = Violations::default();
    violations.require(
        is_slug(&draft.slug),
        "slug",
        "must have 2 to 63 lower-case letters, digits and hyphens, begin with a letter and not end with a hyphen",
    );
    violations.require(is_name(&draft.display_name), "display_name", NAME_RULE);
    violations.into_result()?;
    if draft.dangerous_trust_email && !app.settings.is_loopback() {
        return Err(AdminRefusal::FailedPrecondition(
            "dangerous_trust_email is accepted only while every public URL of the server is loopback",
        ));
    }
    Ok(())
}
