//! Signed-in browsers.

use std::time::Duration;

use credo_auth_domain::browser_session::{BrowserSignIn, ListedBrowserSession, LiveBrowserSession};
use credo_ids::{BrowserSessionId, DeviceId, EventId, TenantId, UserId};
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use crate::{EventRow, Fault, Store, attempt::attempt, outbox::shard};

/// A sign-in with a browser that is to be recorded.
#[derive(Clone, Debug)]
pub struct NewBrowserSession {
    /// Its id, and that of this attempt.
    pub id: BrowserSessionId,
    /// In which tenant.
    pub tenant_id: TenantId,
    /// Who signs in.
    pub user_id: UserId,
    /// Which password proved it; nothing if another proof did.
    pub password_version: Option<i64>,
    /// The browser.
    pub device_id: DeviceId,
    /// SHA-256 of the cookie's secret.
    pub secret_hash: [u8; 32],
    /// Space-delimited, RFC 8176.
    pub amr: String,
    /// As the browser names itself.
    pub user_agent: Option<String>,
    /// How long it lives.
    pub ttl: Duration,
    /// How long it lives unused.
    pub idle_ttl: Duration,
    /// What the browser had before: it ends.
    pub previous: Option<BrowserSessionId>,
    /// The attempts that the success resets.
    pub accounts: Vec<[u8; 32]>,
    /// The id of the event.
    pub event_id: EventId,
    /// The event's parts.
    pub event: EventRow,
}

/// A row that is alive, and what its cookie must prove.
#[derive(Clone, Debug)]
pub struct StoredBrowserSession {
    /// The row.
    pub live: LiveBrowserSession,
    /// SHA-256 of the cookie's secret.
    pub secret_hash: [u8; 32],
    /// Whether its use was written down too long ago.
    pub unseen: bool,
}

/// A recorded sign-in: when, and whose.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// What the statement decided.
    pub outcome: BrowserSignIn,
    /// The account's name.
    pub email: String,
    /// The person's name, if known.
    pub display_name: Option<String>,
    /// The database's clock.
    pub at: OffsetDateTime,
}

impl Store {
    /// Records a sign-in, its event and the success of the account's attempts, and ends what the browser had before.
    /// Nothing if the person is not of this tenant.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(browser_session = %item.id))]
    pub async fn insert_browser_session(&self, item: &NewBrowserSession) -> Result<Option<SignedIn>, Fault> {
        let accounts: Vec<Vec<u8>> = item.accounts.iter().map(|account| account.to_vec()).collect();
        let row = attempt(|| {
            sqlx::query_file!(
                "sql/browser_session_insert.sql",
                item.id.as_uuid(),
                item.tenant_id.as_uuid(),
                item.user_id.as_uuid(),
                item.password_version as Option<i64>,
                item.device_id.as_uuid(),
                &item.secret_hash[..],
                item.amr,
                item.user_agent as _,
                item.ttl.as_secs_f64(),
                item.idle_ttl.as_secs_f64(),
                item.previous.map(|previous| previous.as_uuid()) as Option<Uuid>,
                &accounts,
                self.slot(),
                shard(item.tenant_id),
                item.event_id.as_uuid(),
                item.event.core,
                item.event.personal.as_bytes()
            )
            .fetch_optional(&self.hot)
        })
        .await?;
        row.map(|row| {
            Ok(SignedIn {
                outcome: BrowserSignIn::find(&row.outcome)
                    .ok_or(Fault::Impossible("browser_session_insert.outcome"))?,
                email: row.email,
                display_name: row.display_name,
                at: row.at,
            })
        })
        .transpose()
    }

    /// A live browser session of a tenant. Its secret is for the caller to compare.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn find_browser_session(
        &self,
        tenant: TenantId,
        id: BrowserSessionId,
    ) -> Result<Option<StoredBrowserSession>, Fault> {
        let row = sqlx::query_file!("sql/browser_session_find.sql", id.as_uuid(), tenant.as_uuid())
            .fetch_optional(&self.hot)
            .await?;
        row.map(|row| {
            Ok(StoredBrowserSession {
                live: LiveBrowserSession {
                    id: row.id.into(),
                    tenant,
                    user: row.user_id.into(),
                    device: row.device_id.into(),
                    email: row.email,
                    display_name: row.display_name,
                    auth_time: row.auth_time,
                    amr: row.amr,
                    at: row.at,
                },
                secret_hash: (row.secret_hash.try_into())
                    .map_err(|_| Fault::Impossible("browser_session.secret_hash"))?,
                unseen: row.unseen,
            })
        })
        .transpose()
    }

    /// A person's browsers that are signed in, the newest first, at most 100.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all, fields(%user))]
    pub async fn list_browser_sessions(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Vec<ListedBrowserSession>, Fault> {
        let rows = sqlx::query_file!("sql/browser_session_list.sql", tenant.as_uuid(), user.as_uuid())
            .fetch_all(&self.cold)
            .await?;
        let listed = rows.into_iter().map(|row| ListedBrowserSession {
            id: row.id.into(),
            user_agent: row.user_agent,
            auth_time: row.auth_time,
            seen_at: row.seen_at,
        });
        Ok(listed.collect())
    }

    /// Writes down that a browser session is used.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn touch_browser_session(&self, tenant: TenantId, id: BrowserSessionId) -> Result<(), Fault> {
        sqlx::query_file!("sql/browser_session_touch.sql", id.as_uuid(), tenant.as_uuid())
            .execute(&self.hot)
            .await?;
        Ok(())
    }
}
