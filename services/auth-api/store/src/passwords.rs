//! A person's change of their own password, and a stronger hash of the one they have.

use credo_ids::{BrowserSessionId, EventId, TenantId, UserId};
use secrecy::{ExposeSecret as _, SecretString};
use tracing::instrument;

use crate::{EventRow, Fault, Store, outbox::shard};

/// A change that the person proved to be theirs.
#[derive(Debug)]
pub struct PasswordChange {
    /// In which tenant.
    pub tenant_id: TenantId,
    /// Whose.
    pub user_id: UserId,
    /// The browser that asks: it must still be signed in, and is replaced.
    pub browser: BrowserSessionId,
    /// The PHC string of the new password.
    pub password_hash: SecretString,
    /// Which password the proof was checked against.
    pub password_version: i64,
    /// The id under which the browser stays signed in.
    pub new_browser: BrowserSessionId,
    /// SHA-256 of its cookie's secret.
    pub new_secret_hash: [u8; 32],
    /// Space-delimited, RFC 8176.
    pub amr: String,
    /// As the browser names itself.
    pub user_agent: Option<String>,
    /// The attempts that the success resets.
    pub accounts: Vec<[u8; 32]>,
    /// The id of the event.
    pub event_id: EventId,
    /// The event's parts.
    pub event: EventRow,
}

impl Store {
    /// Changes a password, ends everything that rests on the old one, and keeps the browser that asked signed in. Gives
    /// the person's new epoch; nothing if the browser is signed out by now or the password is another one: then nothing
    /// changed.
    ///
    /// # Errors
    /// If the database gives no answer. Whether the change was made is then open.
    #[instrument(skip_all, fields(user = %item.user_id))]
    pub async fn change_password(&self, item: &PasswordChange) -> Result<Option<i64>, Fault> {
        let accounts: Vec<Vec<u8>> = item.accounts.iter().map(|account| account.to_vec()).collect();
        let epoch = sqlx::query_file_scalar!(
            "sql/password_change.sql",
            item.user_id.as_uuid(),
            item.tenant_id.as_uuid(),
            item.browser.as_uuid(),
            item.password_hash.expose_secret(),
            item.password_version,
            item.new_browser.as_uuid(),
            &item.new_secret_hash[..],
            item.amr,
            item.user_agent as _,
            &accounts,
            self.slot(),
            shard(item.tenant_id),
            item.event_id.as_uuid(),
            item.event.core,
            item.event.personal.as_bytes()
        );
        Ok(epoch.fetch_optional(&self.cold).await?)
    }

    /// Keeps the password that `version` names under another hash. Nothing else changes, and nothing at all if the
    /// password is another one by now.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(user = %user))]
    pub async fn rehash_password(
        &self,
        tenant: TenantId,
        user: UserId,
        (version, hash): (i64, &SecretString),
    ) -> Result<(), Fault> {
        let (user, tenant, hash) = (user.as_uuid(), tenant.as_uuid(), hash.expose_secret());
        sqlx::query_file!("sql/password_rehash.sql", user, tenant, version, hash)
            .execute(&self.cold)
            .await?;
        Ok(())
    }
}
