//! Who the person is (DESIGN section 3.1): a password, checked once its turn has come and its attempt is counted,
//! first for the address that it comes from.
//!
//! A tenant that was made with `dangerous_trust_email` takes the bare address, and only a server that can be reached from
//! its own machine alone serves such a tenant so.

use aws_lc_rs::hmac;
use credo_auth_domain::{
    Denial, email_address::EmailAddress, password::Password, profile::Profile, rate_limit::RateClass, tenant::Tenant,
};
use credo_auth_store::{
    Account, Reservation, Work,
    admin::{ComplianceEvent, Mutation, NewUser, Unmade},
};
use credo_events::{Details, EventDraft, Party};
use credo_ids::{ClientId, DeviceId, EventId, TenantId, UserId};
use credo_proto::events::v1::{ChangeDetails, Personal};
use tracing::instrument;

use crate::{
    app::App,
    audit::{self, RequestContext, compliance::USER_CREATED, security::AUTH_FAILED},
    limiter::Bucket,
    refusal::Refusal,
};

/// RFC 8176: a password.
const AMR_PASSWORD: &str = "pwd";
/// Nothing was proved.
const AMR_NOTHING: &str = "";

/// Who was proved to be there, and by what.
pub(super) struct Proof {
    pub user: UserId,
    /// Which password proved it.
    pub password_version: Option<i64>,
    /// Whose attempts a success resets.
    pub account_hash: Option<[u8; 32]>,
    /// The attempts of the device alone, which it resets too.
    pub device_account_hash: Option<[u8; 32]>,
    /// Space-delimited, RFC 8176.
    pub amr: &'static str,
}

impl Proof {
    /// The attempts that a success resets.
    pub(super) fn accounts(&self) -> Vec<[u8; 32]> {
        self.account_hash.into_iter().chain(self.device_account_hash).collect()
    }
}

/// What somebody signs in to.
#[derive(Clone, Copy)]
pub(super) struct SignInTo<'a> {
    pub tenant: &'a Tenant,
    /// The client that asks for it; nothing for a page of the tenant's own.
    pub client: Option<ClientId>,
    /// The device that it is done with, as it says.
    pub device: Option<DeviceId>,
}

/// Decides who signs in.
#[instrument(skip_all)]
pub(super) async fn prove(
    app: &App,
    context: &RequestContext,
    to: SignInTo<'_>,
    (email, password): (&EmailAddress, Option<&Password>),
) -> Result<Proof, Refusal> {
    Work::note_tenant(to.tenant.id);
    let proof = match password {
        Some(password) => by_password(app, context, to, (email, password)).await,
        None if to.tenant.dangerous_trust_email && app.settings.is_loopback() => {
            by_address(app, context, to, email).await
        }
        None => Err(Denial::InvalidRequest("proof is missing").into()),
    };
    app.metrics.tried_to_sign_in(&proof);
    proof
}

/// Counts an attempt of an address, if it is known.
fn count_address(app: &App, context: &RequestContext, tenant: &Tenant) -> Result<(), Denial> {
    let Some(address) = context.address else { return Ok(()) };
    let bucket = Bucket {
        tenant: tenant.id,
        class: RateClass::Address,
        object: &[],
        address: Some(address),
    };
    let of_server = app.settings.password.attempts_per_address_per_minute;
    let per_minute = tenant.address_attempts_per_minute.unwrap_or(of_server);
    let counted = app.limiter.count(&bucket, per_minute);
    counted.map(drop).map_err(|quota| Denial::TooManyAttempts {
        retry_after_seconds: quota.resets_in_seconds,
    })
}

/// Checks a password. The attempt is counted before anything is hashed, and nobody hashes without a turn. The address is
/// counted before the turn: a flood from one place must not fill the queue of all.
async fn by_password(
    app: &App,
    context: &RequestContext,
    to: SignInTo<'_>,
    (email, password): (&EmailAddress, &Password),
) -> Result<Proof, Refusal> {
    count_address(app, context, to.tenant)?;
    let account_hash = account_hash(app, to.tenant.id, (email, None));
    let device = to
        .device
        .map(|device| (device, self::account_hash(app, to.tenant.id, (email, Some(device)))));
    let turn = app.passwords.turn().await?;
    let account = Account {
        tenant: to.tenant.id,
        hash: account_hash,
        device,
        email,
    };
    let (user, hash) = match app.store.reserve_sign_in_attempt(&account).await? {
        Reservation::TooMany { retry_after_seconds } => {
            return Err(Denial::TooManyAttempts { retry_after_seconds }.into());
        }
        Reservation::Nobody => (None, None),
        Reservation::Candidate {
            user,
            password_hash,
            password_version,
        } => (Some((user, password_version)), Some(password_hash)),
    };
    let is_weak = hash.as_ref().is_some_and(|hash| app.passwords.is_weak(hash));
    let timer = app.metrics.password_hash_seconds.start_timer();
    let verified = app.passwords.verify(turn, password.clone(), hash).await?;
    timer.observe_duration();
    match user {
        Some((user, version)) if verified => {
            if is_weak && let Err(refusal) = rehash(app, to.tenant, (user, version), password).await {
                tracing::warn!(%refusal, "a weak hash stays for now");
            }
            Ok(Proof {
                user,
                password_version: Some(version),
                account_hash: Some(account_hash),
                device_account_hash: device.map(|(_, hash)| hash),
                amr: AMR_PASSWORD,
            })
        }
        _ => {
            record_failure(app, context, to, email, account_hash).await?;
            Err(Denial::WrongProof.into())
        }
    }
}

/// Hashes a password that was just proved as passwords are hashed today.
async fn rehash(
    app: &App,
    tenant: &Tenant,
    (user, version): (UserId, i64),
    password: &Password,
) -> Result<(), Refusal> {
    let turn = app.passwords.turn().await?;
    let hash = app.passwords.hash(turn, password.clone()).await?;
    Ok(app.store.rehash_password(tenant.id, user, (version, &hash)).await?)
}

/// Takes an address at its word: for demonstrations and load tests.
async fn by_address(
    app: &App,
    context: &RequestContext,
    to: SignInTo<'_>,
    email: &EmailAddress,
) -> Result<Proof, Refusal> {
    let trusted = |user| Proof {
        user,
        password_version: None,
        account_hash: None,
        device_account_hash: None,
        amr: AMR_NOTHING,
    };
    if let Some(user) = app.directory.resolve_account(to.tenant.id, email).await? {
        return Ok(trusted(user));
    }
    if !to.tenant.create_unknown_users {
        return Err(Denial::WrongProof.into());
    }
    let (new, event) = unknown_user(app, context, to, email)?;
    let mutation = Mutation::of_our_own(new.id.as_uuid(), "first sign-in", event.encoded.event_id);
    match app.store.create_user(&mutation, &new, &event).await {
        Ok(made) => Ok(trusted(made.thing.id)),
        // Somebody else made it at the same time.
        Err(Unmade::Refused(_)) => {
            let user = app.directory.resolve_account(to.tenant.id, email).await?;
            user.map(trusted)
                .ok_or_else(|| Refusal::overloaded("an account is being made"))
        }
        Err(Unmade::NotFound) => Err(Denial::TenantSuspended.into()),
        Err(Unmade::Fault(fault)) => Err(fault.into()),
        Err(Unmade::VersionMismatch | Unmade::RequestIdReused) => {
            Err(Refusal::internal("a first sign-in had a condition"))
        }
    }
}

fn unknown_user(
    app: &App,
    context: &RequestContext,
    to: SignInTo<'_>,
    email: &EmailAddress,
) -> Result<(NewUser, ComplianceEvent), Refusal> {
    let (id, tenant_id) = (UserId::random_v4(), to.tenant.id);
    let personal = context.personal_with(Personal {
        email: email.as_str().to_owned(),
        ..Personal::default()
    })?;
    let details = ChangeDetails {
        object: "user".to_owned(),
        object_id: id.as_bytes().to_vec(),
        before_json: String::new(),
        after_json: r#"{"status":"active","email_verified":false,"has_password":false}"#.to_owned(),
        reason: String::new(),
    };
    let actor = to.client.map_or(Party::ANONYMOUS, Party::from);
    let mut draft = EventDraft::new(&USER_CREATED, EventId::now_v7(), tenant_id, app.feed.database_now());
    if let Some(client) = to.client {
        draft = draft.client(client);
    }
    let encoded = draft
        .parties(actor, id)
        .request(context.origin())
        .reason("first_sign_in")
        .details(Details::Change(details))
        .encode(&personal);
    let new = NewUser {
        id,
        tenant_id,
        email: email.clone(),
        email_verified: false,
        display_name: None,
        profile: Profile::default(),
        password_hash: None,
        admin_scope: String::new(),
    };
    Ok((new, ComplianceEvent { encoded, personal }))
}

/// The account's name in the table of attempts. Tenant and address, so that equal addresses of two tenants are two;
/// with a device, that device's own attempts with it.
pub(super) fn account_hash(
    app: &App,
    tenant: TenantId,
    (email, device): (&EmailAddress, Option<DeviceId>),
) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&app.keyring.masters().active().account);
    context.update(tenant.as_bytes());
    context.update(email.as_str().as_bytes());
    if let Some(device) = device {
        context.update(&[0]); // no address holds it
        context.update(device.as_bytes());
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.sign().as_ref());
    hash
}

/// Records a wrong proof. The event names nobody: whether the account exists is not for the trail's readers either.
async fn record_failure(
    app: &App,
    context: &RequestContext,
    to: SignInTo<'_>,
    email: &EmailAddress,
    account_hash: [u8; 32],
) -> Result<(), Refusal> {
    let (tenant, reason) = (to.tenant.id, Denial::WrongProof.reason());
    let mut draft = EventDraft::new(&AUTH_FAILED, EventId::now_v7(), tenant, app.feed.database_now())
        .parties(Party::ANONYMOUS, Party::ANONYMOUS)
        .request(context.origin())
        .reason(reason);
    let personal = context.personal_with(Personal {
        email: email.as_str().to_owned(),
        ..Personal::default()
    })?;
    let bucket = audit::Bucket {
        tenant,
        target: account_hash.to_vec(),
        address: context.address,
        reason,
    };
    let mut aggregate = tenant.as_uuid();
    if let Some(client) = to.client {
        draft = draft.client(client);
        aggregate = client.as_uuid();
    }
    app.refusals.record(bucket, aggregate, draft, personal).await
}
