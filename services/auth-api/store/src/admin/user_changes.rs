//! Changing people, their passwords and their counted sign-ins; removing them.

use std::convert::Infallible;

use credo_auth_domain::profile::Profile;
use credo_ids::{DeviceId, TenantId, UserId};
use credo_postgres::{Failure, classify};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{PgConnection, types::Json};
use tracing::instrument;

use super::{
    ComplianceEvent, Mutated, Mutation, Taken, Unmade, UserRecord,
    mutation::{Open, Opened, attempt},
};
use crate::{Fault, Store, outbox::shard};

/// The constraint that keeps a tenant's addresses apart.
const EMAIL_CONSTRAINT: &str = "app_user_email_unique";

/// What of a user can be changed, as it is to be.
#[derive(Clone, PartialEq, Eq)]
pub struct UserState {
    /// Normalised.
    pub email: String,
    /// Whether it was proved to be theirs.
    pub email_verified: bool,
    /// Their name, if known.
    pub display_name: Option<String>,
    /// What else they say of themself.
    pub profile: Profile,
    /// What they may do with the admin APIs, space-delimited.
    pub admin_scope: String,
}

/// A change of a user that is to be made.
pub struct UserChange {
    /// As they are to be.
    pub state: UserState,
    /// Whether what was issued for them ends.
    pub ends: bool,
    /// The event.
    pub event: ComplianceEvent,
}

/// A password that is to be, and whose counted sign-ins begin anew with it.
#[derive(Debug)]
pub struct NewPassword {
    /// The PHC string; nothing if there is to be none.
    pub hash: Option<SecretString>,
    /// The names of their attempts.
    pub accounts: Vec<[u8; 32]>,
}

impl Store {
    /// Changes a user; if `decide` gives nothing, nothing is to change, and there is no event.
    ///
    /// # Errors
    /// If it was not made; also for what `decide` refuses, and an address that is another's.
    #[instrument(skip_all, fields(%user))]
    pub async fn update_user<R: From<Taken>>(
        &self,
        mutation: &Mutation,
        (tenant, user): (TenantId, UserId),
        decide: impl Fn(&UserRecord) -> Result<Option<UserChange>, R>,
    ) -> Result<Mutated<UserRecord>, Unmade<R>> {
        let change = || async {
            let mut open = match self.open_user(mutation, (tenant, user)).await? {
                Ok(open) => open,
                Err(repeated) => return Ok(repeated),
            };
            let before = lock(&mut open, (tenant, user)).await?;
            let Some(change) = decide(&before).map_err(Unmade::Refused)? else {
                return open.close(before).await;
            };
            let after = self.write_user(&mut open.transaction, &before, &change).await;
            match after {
                Err(error) if classify(&error) == Failure::UniqueViolation(EMAIL_CONSTRAINT.to_owned()) => {
                    Err(Unmade::Refused(Taken { field: "email" }.into()))
                }
                after => open.close(after?).await,
            }
        };
        attempt(|| Box::pin(change())).await
    }

    async fn write_user(
        &self,
        connection: &mut PgConnection,
        user: &UserRecord,
        change: &UserChange,
    ) -> Result<UserRecord, sqlx::Error> {
        let state = &change.state;
        sqlx::query_file_as!(
            UserRecord,
            "sql/admin_user_update.sql",
            user.tenant_id.as_uuid(),
            user.id.as_uuid(),
            self.slot(),
            shard(user.tenant_id),
            change.event.encoded.event_id.as_uuid(),
            change.event.encoded.core,
            change.event.personal.as_bytes(),
            state.email,
            state.email_verified,
            state.display_name.as_deref() as Option<&str>,
            Json(&state.profile) as Json<&Profile>,
            state.admin_scope,
            change.ends
        )
        .fetch_one(connection)
        .await
    }

    /// Sets or removes a password and ends what was issued for the user.
    ///
    /// `describe` makes the event of the change from the user as it was, or refuses it.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(%user))]
    pub async fn set_password<R>(
        &self,
        mutation: &Mutation,
        (tenant, user): (TenantId, UserId),
        password: &NewPassword,
        describe: impl Fn(&UserRecord) -> Result<ComplianceEvent, R>,
    ) -> Result<Mutated<UserRecord>, Unmade<R>> {
        let accounts = bytes(&password.accounts);
        let change = || async {
            let mut open = match self.open_user(mutation, (tenant, user)).await? {
                Ok(open) => open,
                Err(repeated) => return Ok(repeated),
            };
            let event = describe(&lock(&mut open, (tenant, user)).await?).map_err(Unmade::Refused)?;
            let after = sqlx::query_file_as!(
                UserRecord,
                "sql/admin_user_password_set.sql",
                tenant.as_uuid(),
                user.as_uuid(),
                self.slot(),
                shard(tenant),
                event.encoded.event_id.as_uuid(),
                event.encoded.core,
                event.personal.as_bytes(),
                password.hash.as_ref().map(ExposeSecret::expose_secret) as Option<&str>,
                &accounts
            )
            .fetch_one(&mut *open.transaction)
            .await?;
            open.close(after).await
        };
        attempt(|| Box::pin(change())).await
    }

    /// Forgets the counted sign-ins of `accounts`, which are the user's.
    ///
    /// `describe` makes the event of the change from the user as it is.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(%user))]
    pub async fn unlock_user(
        &self,
        mutation: &Mutation,
        (tenant, user): (TenantId, UserId),
        accounts: &[[u8; 32]],
        describe: impl Fn(&UserRecord) -> ComplianceEvent,
    ) -> Result<Mutated<UserRecord>, Unmade<Infallible>> {
        let accounts = bytes(accounts);
        let change = || async {
            let mut open = match self.open_user(mutation, (tenant, user)).await? {
                Ok(open) => open,
                Err(repeated) => return Ok(repeated),
            };
            let record = lock(&mut open, (tenant, user)).await?;
            let event = describe(&record);
            sqlx::query_file!(
                "sql/admin_user_unlock.sql",
                tenant.as_uuid(),
                user.as_uuid(),
                self.slot(),
                shard(tenant),
                event.encoded.event_id.as_uuid(),
                event.encoded.core,
                event.personal.as_bytes(),
                &accounts
            )
            .execute(&mut *open.transaction)
            .await?;
            open.close(record).await
        };
        attempt(|| Box::pin(change())).await
    }

    /// Removes a user with everything that tells of them, the counted sign-ins of `accounts` too. Gives the epoch that is
    /// above all that was issued for them; nothing if an earlier run or call did it.
    ///
    /// `describe` makes the event of the change from the user as it was.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(%user))]
    pub async fn delete_user(
        &self,
        mutation: &Mutation,
        (tenant, user): (TenantId, UserId),
        accounts: &[[u8; 32]],
        describe: impl Fn(&UserRecord) -> ComplianceEvent,
    ) -> Result<Mutated<Option<i64>>, Unmade<Infallible>> {
        let accounts = bytes(accounts);
        let change = || async {
            let mut open = match self.open(mutation, user.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => return Ok(Mutated { thing: None, effect }),
            };
            let before = lock(&mut open, (tenant, user)).await?;
            let event = describe(&before);
            sqlx::query_file!(
                "sql/admin_user_delete.sql",
                tenant.as_uuid(),
                user.as_uuid(),
                self.slot(),
                shard(tenant),
                event.encoded.event_id.as_uuid(),
                event.encoded.core,
                event.personal.as_bytes()
            )
            .execute(&mut *open.transaction)
            .await?;
            let (tenant, user) = (tenant.as_uuid(), user.as_uuid());
            sqlx::query_file!("sql/admin_user_traces_delete.sql", tenant, user, &accounts)
                .execute(&mut *open.transaction)
                .await?;
            open.close(Some(before.epoch + 1)).await
        };
        attempt(|| Box::pin(change())).await
    }

    /// The devices that a person signed in with.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%user))]
    pub async fn list_devices(&self, tenant: TenantId, user: UserId) -> Result<Vec<DeviceId>, Fault> {
        let devices = sqlx::query_file_scalar!("sql/admin_user_devices.sql", tenant.as_uuid(), user.as_uuid())
            .fetch_all(&self.cold)
            .await?;
        Ok(devices.into_iter().map(Into::into).collect())
    }

    /// Opens a change of a user; the user as they are, if an earlier run or call made it.
    async fn open_user<R>(
        &self,
        mutation: &Mutation,
        (tenant, user): (TenantId, UserId),
    ) -> Result<Result<Open, Mutated<UserRecord>>, Unmade<R>> {
        match self.open(mutation, user.as_uuid()).await? {
            Opened::New(open) => Ok(Ok(open)),
            Opened::Before { effect, .. } => {
                let thing = self.find_user_record(tenant, user).await?.ok_or(Unmade::NotFound)?;
                Ok(Err(Mutated { thing, effect }))
            }
        }
    }
}

/// The user as the change finds them, in the version that the caller saw.
async fn lock<R>(open: &mut Open, (tenant, user): (TenantId, UserId)) -> Result<UserRecord, Unmade<R>> {
    let locked = sqlx::query_file_as!(UserRecord, "sql/admin_user_lock.sql", tenant.as_uuid(), user.as_uuid())
        .fetch_optional(&mut *open.transaction)
        .await?
        .ok_or(Unmade::NotFound)?;
    open.check(locked.version)?;
    Ok(locked)
}

fn bytes(accounts: &[[u8; 32]]) -> Vec<Vec<u8>> {
    accounts.iter().map(|account| account.to_vec()).collect()
}

impl std::fmt::Debug for UserChange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("UserChange")
    }
}
