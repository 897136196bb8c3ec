//! Disabling and enabling users.

use credo_auth_domain::profile::Profile;
use credo_ids::{TenantId, UserId};
use sqlx::{PgConnection, types::Json};
use tracing::instrument;

use super::{ComplianceEvent, Status, UserRecord, attempt::attempt};
use crate::{Fault, Store, outbox::shard};

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
    /// Disables or enables a user; one that is as wanted is left alone, without an event. Nothing if the tenant has no
    /// such user.
    ///
    /// `describe` makes the event of the change from the user as it was.
    ///
    /// # Errors
    /// If the database gives no answer, or the lock is not to be had.
    #[instrument(skip_all, fields(%user, ?wanted))]
    pub async fn set_user_status(
        &self,
        (tenant, user): (TenantId, UserId),
        wanted: Status,
        describe: impl Fn(&UserRecord) -> ComplianceEvent,
    ) -> Result<Option<UserRecord>, Fault> {
        let change = || async {
            let mut transaction = self.cold.begin().await?;
            let locked = sqlx::query_file_as!(UserRecord, "sql/admin_user_lock.sql", tenant.as_uuid(), user.as_uuid())
                .fetch_optional(&mut *transaction)
                .await?;
            let before = match locked {
                Some(before) if before.active != (wanted == Status::Active) => before,
                unchanged => return Ok(unchanged),
            };
            let after = self
                .change_user_status(&mut transaction, &before, wanted, &describe(&before))
                .await?;
            transaction.commit().await?;
            Ok(Some(after))
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
