//! Making a tenant: only administrators of all tenants do.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_auth_domain::{
    branding::{Scheme, check_logo},
    signing_algorithm::SigningAlgorithm,
    tenant::is_slug,
};
use credo_auth_store::admin::{NewBranding, NewTenant, TenantRecord};
use credo_ids::TenantId;
use serde_json::json;
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    change::not_made,
    event::ChangeEvent,
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
    /// What its pages look like.
    pub branding: NewBranding,
}

/// Makes a tenant and its first signing key.
///
/// # Errors
/// If the caller administers one tenant alone, the draft cannot be, or the slug was ever used.
#[instrument(skip_all)]
pub async fn create_tenant(app: &App, change: &Change, draft: TenantDraft) -> Result<TenantRecord, AdminRefusal> {
    if !change.call.principal.is_system() {
        return Err(AdminRefusal::SystemOnly(
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
        "accent_color": draft.branding.accent_color,
        "accent_color_dark": draft.branding.accent_color_dark,
        "logo_sha256": draft.branding.logo.as_deref().map(sha256),
        "signing_keys": [signing_key.kid],
    });
    let event = ChangeEvent::new(app, change, (&TENANT_CREATED, id), id)?.made(&after);
    let new = NewTenant {
        id,
        slug: draft.slug,
        display_name: draft.display_name,
        create_unknown_users: draft.create_unknown_users,
        dangerous_trust_email: draft.dangerous_trust_email,
        branding: draft.branding,
        signing_key,
    };
    let made = app.store.create_tenant(&change.mutation, &new, &event).await;
    Ok(made.map_err(|unmade| not_made(app, "tenant", unmade))?.thing)
}

fn check(app: &App, draft: &TenantDraft) -> Result<(), AdminRefusal> {
    let mut violations = Violations::default();
    violations.require(
        is_slug(&draft.slug),
        "slug",
        "must have 2 to 63 lower-case letters, digits and hyphens, begin with a letter and not end with a hyphen",
    );
    violations.require(is_name(&draft.display_name), "display_name", NAME_RULE);
    check_branding(&draft.branding, &mut violations);
    violations.into_result()?;
    if draft.dangerous_trust_email && !app.settings.is_loopback() {
        return Err(AdminRefusal::FailedPrecondition(
            "dangerous_trust_email is accepted only while every public URL of the server is loopback",
        ));
    }
    Ok(())
}

/// Notes what a tenant's pages cannot look like.
pub(super) fn check_branding(branding: &NewBranding, violations: &mut Violations) {
    let mut accent = |field, color: &Option<String>, scheme: Scheme| {
        let Some(color) = color else { return };
        match color.parse().map(|color| scheme.check_accent(color)) {
            Ok(Ok(())) => {}
            Ok(Err(unreadable)) => violations.require(false, field, &unreadable.to_string()),
            Err(invalid) => violations.require(false, field, &invalid.to_string()),
        }
    };
    accent("branding.accent_color", &branding.accent_color, Scheme::Light);
    accent("branding.accent_color_dark", &branding.accent_color_dark, Scheme::Dark);
    if let Some(Err(invalid)) = branding.logo.as_deref().map(check_logo) {
        violations.require(false, "branding.logo", &invalid.to_string());
    }
}

/// The hash of a logo as events tell it.
pub(super) fn sha256(logo: &[u8]) -> String {
    base64(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, logo).as_ref())
}

/// Bytes as events tell them.
pub(super) fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
