//! Changing a tenant. Its slug and whether it trusts bare e-mail addresses were chosen once.

use credo_admin::TenantScope;
use credo_auth_store::admin::{NewBranding, TenantChange, TenantRecord, TenantUpdate as Wanted};
use serde_json::{Value, json};
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    change::{is_felt, not_made},
    create_tenant::{base64, check_branding, sha256},
    event::ChangeEvent,
    felt::read_again,
    refusal::Violations,
    text::{NAME_RULE, is_name},
    update_client::differences,
};
use crate::{app::App, audit::compliance::TENANT_UPDATED};

/// What is to be changed of a tenant; what is nothing stays.
#[expect(
    clippy::option_option,
    reason = "the outer nothing: it stays; the inner: it has none any more"
)]
#[derive(Clone, Debug, Default)]
pub struct TenantUpdate {
    /// Shown to people.
    pub display_name: Option<String>,
    /// Whether the first sign-in of an unknown address makes a user.
    pub create_unknown_users: Option<bool>,
    /// The accent on light pages, or none of its own.
    pub accent_color: Option<Option<String>>,
    /// The accent on dark pages, or none of its own.
    pub accent_color_dark: Option<Option<String>>,
    /// The logo, or none.
    pub logo: Option<Option<Vec<u8>>>,
}

/// Changes a tenant; one that is as wanted is left as it is, without an event.
///
/// # Errors
/// If there is no such tenant, or it cannot be like that.
#[instrument(skip_all)]
pub async fn update_tenant(
    app: &App,
    change: &Change,
    scope: TenantScope,
    update: TenantUpdate,
) -> Result<TenantRecord, AdminRefusal> {
    check(&update)?;
    let event = ChangeEvent::new(app, change, (&TENANT_UPDATED, scope.id()), scope.id())?;
    let decide = |tenant: &TenantRecord| {
        let wanted = apply(update.clone(), tenant);
        let logo = match &wanted.logo {
            Some(logo) => logo.as_deref().map(sha256),
            None => tenant.logo_sha256.as_deref().map(base64),
        };
        let after = json!({
            "display_name": wanted.display_name,
            "create_unknown_users": wanted.create_unknown_users,
            "accent_color": wanted.accent_color,
            "accent_color_dark": wanted.accent_color_dark,
            "logo_sha256": logo,
        });
        let (old, new) = differences(&shown(tenant), &after);
        if new.is_empty() {
            return Ok(None);
        }
        let event = event.changed(&Value::Object(old), &Value::Object(new));
        Ok(Some((TenantChange::Update(wanted), event)))
    };
    let updated = app
        .store
        .change_tenant::<AdminRefusal>(&change.mutation, scope.id(), decide)
        .await
        .map_err(|unmade| not_made(app, "tenant", unmade))?;
    let tenant = updated.thing.ok_or(AdminRefusal::NotFound("tenant"))?;
    if is_felt(updated.effect) {
        read_again(app, tenant.id, tenant.id.as_uuid());
        app.directory.forget_tenant(&tenant.slug).await;
    }
    Ok(tenant)
}

fn check(update: &TenantUpdate) -> Result<(), AdminRefusal> {
    let mut violations = Violations::default();
    let is_shown = update.display_name.as_deref().is_none_or(is_name);
    violations.require(is_shown, "display_name", NAME_RULE);
    let branding = NewBranding {
        accent_color: update.accent_color.clone().flatten(),
        accent_color_dark: update.accent_color_dark.clone().flatten(),
        logo: update.logo.clone().flatten(),
    };
    check_branding(&branding, &mut violations);
    violations.into_result()
}

fn apply(update: TenantUpdate, tenant: &TenantRecord) -> Wanted {
    Wanted {
        display_name: update.display_name.unwrap_or_else(|| tenant.display_name.clone()),
        create_unknown_users: update.create_unknown_users.unwrap_or(tenant.create_unknown_users),
        accent_color: update.accent_color.unwrap_or_else(|| tenant.accent_color.clone()),
        accent_color_dark: update
            .accent_color_dark
            .unwrap_or_else(|| tenant.accent_color_dark.clone()),
        logo: update.logo,
    }
}

fn shown(tenant: &TenantRecord) -> Value {
    json!({
        "display_name": tenant.display_name,
        "create_unknown_users": tenant.create_unknown_users,
        "accent_color": tenant.accent_color,
        "accent_color_dark": tenant.accent_color_dark,
        "logo_sha256": tenant.logo_sha256.as_deref().map(base64),
    })
}
