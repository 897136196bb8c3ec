//! People as administrators see them.

use credo_auth_domain::{email_address::EmailAddress, profile::Profile};
use credo_ids::{TenantId, UserId};
use credo_postgres::{Failure, classify};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{PgConnection, types::Json};
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use super::{
    ComplianceEvent, Mutated, Mutation, PageQuery, Status, Taken, Unmade,
    mutation::{Opened, attempt},
};
use crate::{Fault, Store, outbox::shard};

/// The constraint that keeps a tenant's addresses apart.
const EMAIL_CONSTRAINT: &str = "app_user_email_unique";

/// A person, whole but for the password.
#[derive(Clone)]
pub struct UserRecord {
    /// The `sub`.
    pub id: UserId,
    /// Their tenant.
    pub tenant_id: TenantId,
    /// Normalised.
    pub email: String,
    /// Whether it was proved to be theirs.
    pub email_verified: bool,
    /// Their name, if known.
    pub display_name: Option<String>,
    /// What else they say of themself.
    pub profile: Json<Profile>,
    /// Whether they are served at all.
    pub active: bool,
    /// What they may do with the admin APIs, space-delimited.
    pub admin_scope: String,
    /// Rises when everything issued for them must die.
    pub epoch: i64,
    /// Rises at every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
}

/// A person who is to be made known.
pub struct NewUser {
    /// The `sub`.
    pub id: UserId,
    /// Their tenant.
    pub tenant_id: TenantId,
    /// The name of the account.
    pub email: EmailAddress,
    /// Whether it was proved to be theirs.
    pub email_verified: bool,
    /// Their name, if known.
    pub display_name: Option<String>,
    /// What else they say of themself.
    pub profile: Profile,
    /// The PHC string of their password, if they have one.
    pub password_hash: Option<SecretString>,
    /// What they may do with the admin APIs, space-delimited.
    pub admin_scope: String,
}

/// Which people of a tenant are wanted: every condition that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Whether they are served.
    pub status: Option<Status>,
    /// How their address begins, normalised.
    pub email_prefix: Option<String>,
}

impl Store {
    /// Makes a user. Refused as `Taken` if the tenant has one of that address; `NotFound`: there is no such tenant.
    ///
    /// # Errors
    /// If they were not made.
    #[instrument(skip_all, fields(user = %new.id))]
    pub async fn create_user(
        &self,
        mutation: &Mutation,
        new: &NewUser,
        event: &ComplianceEvent,
    ) -> Result<Mutated<UserRecord>, Unmade<Taken>> {
        let make = || async {
            let mut open = match self.open(mutation, new.id.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { object, effect } => {
                    let thing = self.find_user_record(new.tenant_id, object.into()).await?;
                    let thing = thing.ok_or(Unmade::NotFound)?;
                    return Ok(Mutated { thing, effect });
                }
            };
            let made = self.insert_user(&mut open.transaction, new, event).await;
            let made = made.map_err(|error| match classify(&error) {
                Failure::UniqueViolation(name) if name == EMAIL_CONSTRAINT => Unmade::Refused(Taken { field: "email" }),
                _ => error.into(),
            })?;
            open.close(made.ok_or(Unmade::NotFound)?).await
        };
        attempt(|| Box::pin(make())).await
    }

    async fn insert_user(
        &self,
        transaction: &mut PgConnection,
        new: &NewUser,
        event: &ComplianceEvent,
    ) -> Result<Option<UserRecord>, sqlx::Error> {
        sqlx::query_file_as!(
            UserRecord,
            "sql/admin_user_insert.sql",
            new.id.as_uuid(),
            new.tenant_id.as_uuid(),
            new.email.as_str(),
            new.email_verified,
            new.display_name.as_deref() as Option<&str>,
            Json(&new.profile) as Json<&Profile>,
            new.password_hash.as_ref().map(ExposeSecret::expose_secret) as Option<&str>,
            self.slot(),
            shard(new.tenant_id),
            event.encoded.event_id.as_uuid(),
            event.encoded.core,
            event.personal.as_bytes(),
            new.admin_scope
        )
        .fetch_optional(transaction)
        .await
    }

    /// A user of a tenant, whatever their state.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%user))]
    pub async fn find_user_record(&self, tenant: TenantId, user: UserId) -> Result<Option<UserRecord>, Fault> {
        let record = sqlx::query_file_as!(UserRecord, "sql/admin_user_get.sql", tenant.as_uuid(), user.as_uuid())
            .fetch_optional(&self.cold)
            .await?;
        Ok(record)
    }

    /// The user of that address in a tenant, whatever their state.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn look_up_user_record(
        &self,
        tenant: TenantId,
        email: &EmailAddress,
    ) -> Result<Option<UserRecord>, Fault> {
        let record = sqlx::query_file_as!(
            UserRecord,
            "sql/admin_user_look_up.sql",
            tenant.as_uuid(),
            email.as_str()
        )
        .fetch_optional(&self.cold)
        .await?;
        Ok(record)
    }

    /// A page of a tenant's people.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn list_user_records(
        &self,
        tenant: TenantId,
        filter: &UserFilter,
        page: PageQuery<UserId>,
    ) -> Result<Vec<UserRecord>, Fault> {
        let (tenant, after) = (tenant.as_uuid(), page.after.map(|user| user.as_uuid()));
        let status = filter
            .status
            .map(|status| if status == Status::Active { 1 } else { 2_i16 });
        let records = match filter.email_prefix.as_deref() {
            None => {
                sqlx::query_file_as!(
                    UserRecord,
                    "sql/admin_user_list.sql",
                    tenant,
                    after as Option<Uuid>,
                    status as Option<i16>,
                    page.limit
                )
                .fetch_all(&self.cold)
                .await?
            }
            Some(prefix) => {
                sqlx::query_file_as!(
                    UserRecord,
                    "sql/admin_user_list_by_prefix.sql",
                    tenant,
                    after as Option<Uuid>,
                    status as Option<i16>,
                    page.limit,
                    prefix
                )
                .fetch_all(&self.cold)
                .await?
            }
        };
        Ok(records)
    }
}

impl std::fmt::Debug for UserRecord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "UserRecord({})", self.id)
    }
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "NewUser({})", self.id)
    }
}
