//! Disabling and enabling users.

use std::convert::Infallible;

use credo_auth_domain::profile::Profile;
use credo_ids::{TenantId, UserId};
use sqlx::{PgConnection, types::Json};
use tracing::instrument;

use super::{
    ComplianceEvent, Mutated, Mutation, Status, Unmade, UserRecord,
    mutation::{Opened, attempt},
};
use crate::{Store, outbox::shard};

macro_rules! change {
    ($file:tt, $store:expr, $user:expr, $event:expr) => {
        sqlx::query_file_as!(
            UserRecord,
            $file,
            $user.tenant_id.as_uuid(),
            $user.id.as_uuid(),
            $store.slot(),
            shard($user.tenant_id),
            $event.encoded.event_id.as_uuid(),
            $event.encoded.core,
            $event.personal.as_bytes()
        )
    };
}

impl Store {
    /// Disables or enables a user; one that is as wanted is left alone, without an event.
    ///
    /// `describe` makes the event of the change from the user as it was.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(%user, ?wanted))]
    pub async fn set_user_status(
        &self,
        mutation: &Mutation,
        (tenant, user): (TenantId, UserId),
        wanted: Status,
        describe: impl Fn(&UserRecord) -> ComplianceEvent,
    ) -> Result<Mutated<UserRecord>, Unmade<Infallible>> {
        let change = || async {
            let mut open = match self.open(mutation, user.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { effect, .. } => {
                    let thing = self.find_user_record(tenant, user).await?;
                    let thing = thing.ok_or(Unmade::NotFound)?;
                    return Ok(Mutated { thing, effect });
                }
            };
            let before = sqlx::query_file_as!(UserRecord, "sql/admin_user_lock.sql", tenant.as_uuid(), user.as_uuid())
                .fetch_optional(&mut *open.transaction)
                .await?
                .ok_or(Unmade::NotFound)?;
            open.check(before.version)?;
            if before.active == (wanted == Status::Active) {
                return open.close(before).await;
            }
            let after = self
                .change_user_status(&mut open.transaction, &before, wanted, &describe(&before))
                .await?;
            open.close(after).await
        };
        attempt(|| Box::pin(change())).await
    }

    async fn change_user_status(
        &self,
        transaction: &mut PgConnection,
        user: &UserRecord,
        wanted: Status,
        event: &ComplianceEvent,
    ) -> Result<UserRecord, sqlx::Error> {
        match wanted {
            Status::Active => {
                change!("sql/admin_user_enable.sql", self, user, event)
                    .fetch_one(transaction)
                    .await
            }
            Status::Disabled => {
                change!("sql/admin_user_disable.sql", self, user, event)
                    .fetch_one(transaction)
                    .await
            }
        }
    }
}
