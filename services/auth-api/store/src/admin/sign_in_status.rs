//! How a person's sign-in with the password stands.

use credo_ids::{TenantId, UserId};
use time::OffsetDateTime;
use tracing::instrument;

use crate::{Fault, Store};

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInStatus {
    /// Whether they have a password.
    pub has_password: bool,
    /// Failures in a row of devices that are not known.
    pub failures: i32,
    /// No attempt of such a device is let through before; nothing if one is now.
    pub next_at: Option<OffsetDateTime>,
}

impl Store {
    /// How sign-in of a person stands; `account` names their attempts.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%user))]
    pub async fn find_sign_in_status(
        &self,
        (tenant, user): (TenantId, UserId),
        account: &[u8; 32],
    ) -> Result<SignInStatus, Fault> {
        let status = sqlx::query_file_as!(
            SignInStatus,
            "sql/admin_sign_in_status.sql",
            tenant.as_uuid(),
            user.as_uuid(),
            &account[..]
        )
        .fetch_one(&self.cold)
        .await?;
        Ok(status)
    }
}
