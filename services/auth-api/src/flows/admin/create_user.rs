//! Making a user known. What is hashed is hashed before the database is asked for anything.

use std::convert::Infallible;

use credo_admin::{SYSTEM_SLUG, TenantScope};
use credo_auth_domain::{
    email_address::EmailAddress,
    password::{Names, Password},
    profile::Profile,
    scope::Scope,
};
use credo_auth_store::admin::{NewUser, TenantKey, UserRecord};
use credo_ids::UserId;
use credo_proto::events::v1::Personal;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    admin_scopes::{check_held, check_known},
    change::not_made,
    event::ChangeEvent,
    refusal::Violations,
    text::{NAME_RULE, is_name},
};
use crate::{app::App, audit::compliance::USER_CREATED, refusal::Refusal};

/// A user as they were asked for.
pub struct UserDraft {
    /// The name of the account.
    pub email: String,
    /// Whether it was proved to be theirs.
    pub email_verified: bool,
    /// Their name; empty if it is not known.
    pub display_name: String,
    /// What else they say of themself.
    pub profile: Profile,
    /// Empty if they have none.
    pub password: SecretString,
    /// What they may do with the admin APIs.
    pub admin_scopes: Vec<String>,
}

/// What was checked.
struct Checked {
    email: EmailAddress,
    display_name: Option<String>,
    password: Option<Password>,
    admin_scope: Scope,
}

/// Makes a user.
///
/// # Errors
/// If the draft cannot be, the tenant has a user of that address, or there is no such tenant.
#[instrument(skip_all)]
pub async fn create_user(
    app: &App,
    change: &Change,
    scope: TenantScope,
    draft: UserDraft,
) -> Result<UserRecord, AdminRefusal> {
    // Nothing if there is no such tenant: that is told by the statement that makes the user.
    let tenant = app
        .store
        .find_tenant_record(&TenantKey::Id(scope.id()), Some(scope.id()))
        .await;
    let tenant = tenant.map_err(|fault| not_made::<Infallible>(app, "tenant", fault.into()))?;
    let names = tenant
        .iter()
        .flat_map(|tenant| [tenant.slug.as_str(), tenant.display_name.as_str()]);
    let is_system = tenant.as_ref().is_some_and(|tenant| tenant.slug == SYSTEM_SLUG);
    let checked = check(&draft, &names.collect::<Vec<_>>(), is_system)?;
    check_held(&change.call.principal, &checked.admin_scope)?;
    let password_hash = match checked.password {
        Some(password) => Some(hash(app, password).await?),
        None => None,
    };
    let id = UserId::random_v4();
    let after = json!({
        "status": "active",
        "email_verified": draft.email_verified,
        "has_password": password_hash.is_some(),
        "has_profile": draft.profile != Profile::default(),
        "admin_scope": checked.admin_scope.to_string(),
    });
    let person = Personal {
        email: checked.email.as_str().to_owned(),
        display_name: checked.display_name.clone().unwrap_or_default(),
        ..Personal::default()
    };
    let event = ChangeEvent::new(app, change, (&USER_CREATED, scope.id()), id)?.with_person(&change.call, person)?;
    let new = NewUser {
        id,
        tenant_id: scope.id(),
        email: checked.email,
        email_verified: draft.email_verified,
        display_name: checked.display_name,
        profile: draft.profile,
        password_hash,
        admin_scope: checked.admin_scope.to_string(),
    };
    let made = app.store.create_user(&change.mutation, &new, &event.made(&after)).await;
    Ok(made.map_err(|unmade| not_made(app, "tenant", unmade))?.thing)
}

fn check(draft: &UserDraft, tenant_names: &[&str], is_system: bool) -> Result<Checked, AdminRefusal> {
    let mut violations = Violations::default();
    let email = EmailAddress::parse(&draft.email);
    violations.require(email.is_ok(), "email", "must be an e-mail address");
    let display_name = Some(draft.display_name.clone()).filter(|name| !name.is_empty());
    violations.require(display_name.as_deref().is_none_or(is_name), "display_name", NAME_RULE);
    for (field, rule) in draft.profile.violations() {
        violations.require(false, field, rule);
    }
    let admin_scope = check_known(draft.admin_scopes.clone(), is_system, &mut violations);
    let text = draft.password.expose_secret();
    let mut password = None;
    if let (Ok(email), false) = (&email, text.is_empty()) {
        let names = Names {
            email,
            display_name: display_name.as_deref(),
            tenant: tenant_names,
        };
        match Password::chosen(text, &names) {
            Ok(chosen) => password = Some(chosen),
            Err(error) => violations.require(false, "password", &error.to_string()),
        }
    }
    violations.into_result()?;
    let email = email.map_err(|error| AdminRefusal::invalid("email", error.to_string()))?;
    Ok(Checked {
        email,
        display_name,
        password,
        admin_scope,
    })
}

pub(super) async fn hash(app: &App, password: Password) -> Result<SecretString, Refusal> {
    let timer = app.metrics.password_hash_seconds.start_timer();
    let turn = app.passwords.admin_turn().await?;
    let hash = app.passwords.hash(turn, password).await;
    timer.observe_duration();
    hash
}

impl std::fmt::Debug for UserDraft {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("UserDraft")
    }
}
