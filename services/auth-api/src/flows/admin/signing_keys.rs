//! The signing keys of a tenant, by hand: a successor before its time, and the end of a key that leaked.
//!
//! Refuses a step that clients which keep the JWKS could not follow. An emergency does not wait for them.

use credo_admin::TenantScope;
use credo_auth_domain::{
    lifetime::REVOCATION_TTL,
    signing_algorithm::SigningAlgorithm,
    signing_key::{KeyState, Stage},
};
use credo_auth_store::{
    FeedRow, KeyChange, RevokedKind, SigningKeyRecord,
    admin::{Effect, EmergencyEvents, KeyRefusal, KeyStep, TenantKey},
};
use credo_ids::SigningKeyId;
use time::OffsetDateTime;
use tracing::instrument;

use super::{
    AdminRefusal, Page, PageRequest,
    change::{Change, is_felt, not_made},
    event::ChangeEvent,
};
use crate::{
    app::App,
    audit::compliance::{SIGNING_KEY_ACTIVATED, SIGNING_KEY_CREATED, SIGNING_KEY_RETIRED, SIGNING_KEY_REVOKED},
    keys::{PublicKey, ScheduledEvent, events},
    refusal::Refusal,
};

/// A key as administrators see it.
#[derive(Clone, Debug)]
pub struct KeyView {
    /// The row.
    pub key: SigningKeyRecord,
    /// When the schedule takes its next step.
    pub next_step_at: Option<OffsetDateTime>,
    /// What is, or was, published of it.
    pub public_jwk: String,
}

/// A page of a tenant's keys, newest first.
///
/// # Errors
/// If there is no such tenant.
#[instrument(skip_all)]
pub async fn list_signing_keys(
    app: &App,
    scope: TenantScope,
    with_gone: bool,
    page: PageRequest<SigningKeyId>,
) -> Result<Page<KeyView>, AdminRefusal> {
    let store = &app.store;
    let keys = store.list_signing_key_records(scope.id(), with_gone, page.query());
    let keys = keys.await?;
    if keys.is_empty()
        && store
            .find_tenant_record(&TenantKey::Id(scope.id()), None)
            .await?
            .is_none()
    {
        return Err(AdminRefusal::NotFound("tenant"));
    }
    let page = Page::cut(keys, page.size);
    Ok(Page {
        items: views(app, scope, page.items).await?,
        has_more: page.has_more,
    })
}

/// Makes a pending key.
///
/// # Errors
/// If there is no such tenant, or a pending key already.
#[instrument(skip_all)]
pub async fn create_signing_key(
    app: &App,
    change: &Change,
    scope: TenantScope,
    algorithm: SigningAlgorithm,
) -> Result<KeyView, AdminRefusal> {
    let tenant = TenantKey::Id(scope.id());
    let tenant = app.store.find_tenant_record(&tenant, None);
    tenant.await?.ok_or(AdminRefusal::NotFound("tenant"))?;
    let key = generate(app, scope, algorithm).await?;
    let event = ChangeEvent::new(app, change, (&SIGNING_KEY_CREATED, scope.id()), (scope.id(), key.id))?;
    let event = event.made(&events::made(&key, KeyState::Pending));
    let made = app
        .store
        .create_signing_key(&change.mutation, scope.id(), &key, &event)
        .await
        .map_err(|unmade| not_made(app, "signing_key", unmade))?;
    finished(app, scope, made.effect, made.thing).await
}

/// Signs with a pending key from now on.
///
/// # Errors
/// If it is not pending, or clients may not have it yet.
#[instrument(skip_all)]
pub async fn activate_signing_key(
    app: &App,
    change: &Change,
    scope: TenantScope,
    key: SigningKeyId,
) -> Result<KeyView, AdminRefusal> {
    step(app, change, (scope, key), KeyStep::Activate).await
}

/// Takes a key out of the JWKS.
///
/// # Errors
/// If it signs, or what it signed may live.
#[instrument(skip_all)]
pub async fn retire_signing_key(
    app: &App,
    change: &Change,
    scope: TenantScope,
    key: SigningKeyId,
) -> Result<KeyView, AdminRefusal> {
    step(app, change, (scope, key), KeyStep::Retire).await
}

/// Revokes a key that leaked: out of the JWKS, what it signed is refused, another one signs. Gives both.
///
/// # Errors
/// If the tenant has no such key.
#[instrument(skip_all)]
pub async fn revoke_signing_key(
    app: &App,
    change: &Change,
    scope: TenantScope,
    key: SigningKeyId,
) -> Result<(KeyView, Option<KeyView>), AdminRefusal> {
    let found = app.store.find_signing_key_record(scope.id(), key).await?;
    let found = found.ok_or(AdminRefusal::NotFound("signing_key"))?;
    let algorithm = SigningAlgorithm::find(&found.algorithm)
        .ok_or_else(|| Refusal::internal("a signing key has an unknown algorithm"))?;
    let spare = generate(app, scope, algorithm).await?;
    let event = ChangeEvent::new(app, change, (&SIGNING_KEY_REVOKED, scope.id()), (scope.id(), key))?;
    let scheduled = |event| ScheduledEvent::new(event, app.feed.database_now()).map_err(Refusal::from);
    let (activated, created) = (scheduled(&SIGNING_KEY_ACTIVATED)?, scheduled(&SIGNING_KEY_CREATED)?);
    let events = EmergencyEvents {
        revoked: &|change: &KeyChange<'_>| {
            let (before, after) = events::changed(change);
            event.changed(&before, &after)
        },
        activated: &|change: &KeyChange<'_>| {
            let (before, after) = events::changed(change);
            activated.of((scope.id(), change.before.id), Some(&before), &after)
        },
        made: &created.of((scope.id(), spare.id), None, &events::made(&spare, KeyState::Active)),
    };
    let revoked = app
        .store
        .revoke_signing_key(&change.mutation, (scope.id(), key), &spare, &events)
        .await
        .map_err(|unmade| not_made(app, "signing_key", unmade))?;
    if is_felt(revoked.effect) {
        app.feed.learn(FeedRow {
            kind: RevokedKind::Key,
            tenant_id: scope.id(),
            id: key.as_uuid(),
            epoch: None,
            except_sid: None,
            expires_at: app.feed.database_now() + REVOCATION_TTL,
        });
        app.keyring.forget(scope.id()).await;
    }
    let key = view(app, scope, revoked.thing.key).await?;
    let successor = match revoked.thing.successor {
        Some(successor) => Some(view(app, scope, successor).await?),
        None => None,
    };
    Ok((key, successor))
}

async fn step(
    app: &App,
    change: &Change,
    (scope, key): (TenantScope, SigningKeyId),
    step: KeyStep,
) -> Result<KeyView, AdminRefusal> {
    let kind = match step {
        KeyStep::Activate => &SIGNING_KEY_ACTIVATED,
        KeyStep::Retire => &SIGNING_KEY_RETIRED,
    };
    let event = ChangeEvent::new(app, change, (kind, scope.id()), (scope.id(), key))?;
    let describe = |change: &KeyChange<'_>| {
        let (before, after) = events::changed(change);
        event.changed(&before, &after)
    };
    let schedule = &app.keyring.spans().schedule;
    let stepped = app
        .store
        .step_signing_key(&change.mutation, (scope.id(), key), (step, schedule), &describe)
        .await
        .map_err(|unmade| not_made(app, "signing_key", unmade))?;
    finished(app, scope, stepped.effect, stepped.thing).await
}

async fn generate(
    app: &App,
    scope: TenantScope,
    algorithm: SigningAlgorithm,
) -> Result<credo_auth_store::NewSigningKey, Refusal> {
    Ok(app.keyring.generate(scope.id(), algorithm).await?)
}

async fn finished(
    app: &App,
    scope: TenantScope,
    effect: Effect,
    key: SigningKeyRecord,
) -> Result<KeyView, AdminRefusal> {
    if is_felt(effect) {
        app.keyring.forget(scope.id()).await;
    }
    view(app, scope, key).await
}

async fn view(app: &App, scope: TenantScope, key: SigningKeyRecord) -> Result<KeyView, AdminRefusal> {
    let mut views = views(app, scope, vec![key]).await?;
    let missing = || Refusal::internal("a key has no view").into();
    views.pop().ok_or_else(missing)
}

async fn views(app: &App, scope: TenantScope, keys: Vec<SigningKeyRecord>) -> Result<Vec<KeyView>, AdminRefusal> {
    let published = app.store.list_signing_keys(scope.id()).await?;
    let schedule = &app.keyring.spans().schedule;
    let views = keys.into_iter().map(|key| {
        let siblings = published
            .keys
            .iter()
            .filter(|sibling| sibling.algorithm == key.algorithm && sibling.id != key.id);
        let siblings: Vec<Stage> = siblings.map(|sibling| sibling.stage).collect();
        let (_, jwk) = PublicKey::parse(&key.kid, &key.algorithm, &key.public_key)?;
        Ok(KeyView {
            next_step_at: schedule.next_step_at(key.stage, &siblings),
            public_jwk: serde_json::to_string(&jwk)?,
            key,
        })
    });
    let views: Result<_, crate::keys::KeyFault> = views.collect();
    Ok(views.map_err(Refusal::from)?)
}

impl From<KeyRefusal> for AdminRefusal {
    fn from(refusal: KeyRefusal) -> Self {
        Self::FailedPrecondition(match refusal {
            KeyRefusal::PendingExists => "there is a pending key of that algorithm",
            KeyRefusal::NotPending => "only a pending key can be activated",
            KeyRefusal::NotLongEnoughPublished => {
                "the key has not been in the JWKS for as long as clients may keep it: see next_step_time"
            }
            KeyRefusal::Active => "the key signs: activate another one before",
            KeyRefusal::TokensLive => "tokens that the key signed may live: see next_step_time",
            KeyRefusal::Gone => "the key is retired or revoked",
        })
    }
}
