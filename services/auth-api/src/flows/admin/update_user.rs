//! Changing what is known of a user. Another address or other admin scopes end what was issued for them: who they are, or
//! what they may do, is in it.

use std::collections::BTreeSet;

use credo_admin::{SYSTEM_SLUG, TenantScope};
use credo_auth_domain::{email_address::EmailAddress, profile::Profile, scope::Scope};
use credo_auth_store::admin::{TenantKey, UserChange, UserRecord, UserState};
use credo_ids::UserId;
use credo_proto::events::v1::Personal;
use serde_json::{Value, json};
use tracing::instrument;

use super::{
    AdminRefusal, Change,
    admin_scopes::{check_held, check_known},
    change::{is_felt, not_made},
    event::ChangeEvent,
    felt::user_ended,
    refusal::Violations,
    text::{NAME_RULE, is_name},
};
use crate::{app::App, audit::compliance::USER_UPDATED};

/// What is to be changed; what is absent stays.
#[derive(Clone, Default)]
pub struct UserUpdate {
    /// The name of the account.
    pub email: Option<String>,
    /// Whether it was proved to be theirs; if absent, another address was not.
    pub email_verified: Option<bool>,
    /// Their name; empty if it is not known any more.
    pub display_name: Option<String>,
    /// These members of what else they say of themself.
    pub profile: Option<(Profile, BTreeSet<&'static str>)>,
    /// What they may do with the admin APIs.
    pub admin_scopes: Option<Vec<String>>,
}

/// What was checked.
struct Checked {
    email: Option<EmailAddress>,
    email_verified: Option<bool>,
    /// Empty if it is not known any more.
    display_name: Option<String>,
    profile: Option<(Profile, BTreeSet<&'static str>)>,
    admin_scope: Option<Scope>,
}

/// Changes a user.
///
/// # Errors
/// If the update cannot be, gives what the caller lacks, the address is another's, the tenant has no such user, or the change
/// could not be made.
#[instrument(skip_all)]
pub async fn update_user(
    app: &App,
    change: &Change,
    scope: TenantScope,
    (user, update): (UserId, UserUpdate),
) -> Result<UserRecord, AdminRefusal> {
    let tenant = app.store.find_tenant_record(&TenantKey::Id(scope.id()), None).await?;
    let checked = check(update, tenant.is_some_and(|tenant| tenant.slug == SYSTEM_SLUG))?;
    let person = Personal {
        email: checked
            .email
            .as_ref()
            .map(|email| email.as_str().to_owned())
            .unwrap_or_default(),
        display_name: checked.display_name.clone().unwrap_or_default(),
        ..Personal::default()
    };
    let event = ChangeEvent::new(app, change, (&USER_UPDATED, scope.id()), user)?.with_person(&change.call, person)?;
    let decide = |before: &UserRecord| decide(change, &event, before, &checked);
    let updated = app
        .store
        .update_user(&change.mutation, (scope.id(), user), decide)
        .await
        .map_err(|unmade| not_made(app, "user", unmade))?;
    let user = updated.thing;
    if is_felt(updated.effect) {
        // True of one whose epoch stayed, too: nothing was issued above it.
        user_ended(app, (scope.id(), user.id), user.epoch).await;
    }
    Ok(user)
}

fn check(update: UserUpdate, is_system: bool) -> Result<Checked, AdminRefusal> {
    let mut violations = Violations::default();
    let email = update.email.map(|email| EmailAddress::parse(&email));
    violations.require(
        !matches!(email, Some(Err(_))),
        "user.email",
        "must be an e-mail address",
    );
    let name = update.display_name.as_deref().filter(|name| !name.is_empty());
    violations.require(name.is_none_or(is_name), "user.display_name", NAME_RULE);
    let admin_scope = update
        .admin_scopes
        .map(|scopes| check_known(scopes, is_system, &mut violations));
    violations.into_result()?;
    Ok(Checked {
        email: email.and_then(Result::ok),
        email_verified: update.email_verified,
        display_name: update.display_name,
        profile: update.profile,
        admin_scope,
    })
}

/// The user as they are to be, and the event of it; nothing if they are so.
fn decide(
    change: &Change,
    event: &ChangeEvent,
    user: &UserRecord,
    checked: &Checked,
) -> Result<Option<UserChange>, AdminRefusal> {
    let before = UserState {
        email: user.email.clone(),
        email_verified: user.email_verified,
        display_name: user.display_name.clone(),
        profile: user.profile.0.clone(),
        admin_scope: user.admin_scope.clone(),
    };
    let state = state(&before, checked)?;
    let held: Scope = before.admin_scope.parse().unwrap_or_default();
    let wanted: Scope = state.admin_scope.parse().unwrap_or_default();
    check_held(&change.call.principal, &wanted.without(&held))?;
    if state.email != before.email {
        // Whoever may read the new address's mail may come to hold what the user does.
        check_held(&change.call.principal, &held)?;
    }
    if state == before {
        return Ok(None);
    }
    let ends = state.email != before.email || state.admin_scope != before.admin_scope;
    let epoch = user.epoch + i64::from(ends);
    let mut after = describe(&state, (epoch, user.version + 1));
    after["changed"] = changed(&before, &state).into();
    Ok(Some(UserChange {
        event: event.changed(&describe(&before, (user.epoch, user.version)), &after),
        state,
        ends,
    }))
}

fn state(before: &UserState, checked: &Checked) -> Result<UserState, AdminRefusal> {
    let email = checked
        .email
        .as_ref()
        .map_or(before.email.as_str(), EmailAddress::as_str);
    let profile = match &checked.profile {
        Some((new, members)) => before.profile.clone().with(new, |member| members.contains(member)),
        None => before.profile.clone(),
    };
    let mut violations = Violations::default();
    for (field, rule) in profile.violations() {
        violations.require(false, field, rule);
    }
    violations.into_result()?;
    Ok(UserState {
        email_verified: match checked.email_verified {
            Some(verified) => verified,
            None => before.email_verified && email == before.email,
        },
        email: email.to_owned(),
        display_name: match checked.display_name.as_deref() {
            Some("") => None,
            Some(name) => Some(name.to_owned()),
            None => before.display_name.clone(),
        },
        profile,
        admin_scope: match &checked.admin_scope {
            Some(scope) => scope.to_string(),
            None => before.admin_scope.clone(),
        },
    })
}

/// What of a user is no personal data.
fn describe(state: &UserState, (epoch, version): (i64, i64)) -> Value {
    json!({
        "email_verified": state.email_verified,
        "has_profile": state.profile != Profile::default(),
        "admin_scope": state.admin_scope,
        "epoch": epoch,
        "version": version,
    })
}

/// The names of what changes.
fn changed(before: &UserState, after: &UserState) -> Vec<&'static str> {
    let fields = [
        ("email", before.email != after.email),
        ("email_verified", before.email_verified != after.email_verified),
        ("display_name", before.display_name != after.display_name),
        ("profile", before.profile != after.profile),
        ("admin_scopes", before.admin_scope != after.admin_scope),
    ];
    let changed = fields.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(name, _)| name).collect()
}

impl std::fmt::Debug for UserUpdate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("UserUpdate")
    }
}
