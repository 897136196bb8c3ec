//! The end of a signed-in browser, and of what was authorized with it.
//!
//! Two statements in one transaction, because the second must see what was committed while the first waited: an
//! authorization holds the browser's row until it is in.

use credo_auth_domain::browser_session::BrowserOfPerson;
use credo_ids::{BrowserSessionId, EventId, SessionId, TenantId, UserId};
use sqlx::PgConnection;
use tracing::instrument;
use uuid::Uuid;

use crate::{EventRow, Fault, Store, attempt::attempt, outbox::shard};

/// A browser that is to be signed out.
#[derive(Clone, Debug)]
pub struct EndBrowser {
    /// Whose, and which.
    pub browser: BrowserOfPerson,
    /// What keeps the order of its events: the browser session, or the person where it is gone already.
    pub aggregate: Uuid,
    /// The id of the event.
    pub event_id: EventId,
    /// The event's parts.
    pub event: EventRow,
}

impl Store {
    /// Ends every sign-in of a person with a browser, and what was authorized with it but for `offline_access`. Gives the
    /// sessions that ended now.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn end_browser(&self, item: &EndBrowser) -> Result<Vec<SessionId>, Fault> {
        let ended = attempt(|| async {
            let mut transaction = self.cold.begin().await?;
            let ended = end(&mut transaction, item, self.slot()).await?;
            transaction.commit().await?;
            Ok(ended)
        });
        Ok(ended.await?.into_iter().map(Into::into).collect())
    }

    /// The browser of one of a person's own sign-ins, whether it has ended or not.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn find_browser_of(
        &self,
        (tenant, user): (TenantId, UserId),
        id: BrowserSessionId,
    ) -> Result<Option<BrowserOfPerson>, Fault> {
        let row = sqlx::query_file!(
            "sql/browser_session_device.sql",
            id.as_uuid(),
            tenant.as_uuid(),
            user.as_uuid()
        );
        let row = row.fetch_optional(&self.cold).await?;
        Ok(row.map(|row| BrowserOfPerson {
            tenant,
            user,
            device: row.device_id.into(),
        }))
    }

    /// The person and the browser that authorized a session; nothing if no browser did.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn find_browser_of_session(
        &self,
        tenant: TenantId,
        session: SessionId,
    ) -> Result<Option<BrowserOfPerson>, Fault> {
        let row = sqlx::query_file!("sql/session_browser.sql", session.as_uuid(), tenant.as_uuid());
        let row = row.fetch_optional(&self.cold).await?;
        Ok(row.map(|row| BrowserOfPerson {
            tenant,
            user: row.user_id.into(),
            device: row.device_id.into(),
        }))
    }
}

async fn end(connection: &mut PgConnection, item: &EndBrowser, slot: i16) -> Result<Vec<Uuid>, sqlx::Error> {
    let (tenant, user) = (item.browser.tenant.as_uuid(), item.browser.user.as_uuid());
    let device = item.browser.device.as_uuid();
    let browsers = sqlx::query_file!("sql/browser_session_end.sql", tenant, user, device);
    let browsers = browsers.fetch_all(&mut *connection).await?;
    let grants = sqlx::query_file_scalar!(
        "sql/browser_grants_revoke.sql",
        tenant,
        user,
        device,
        item.aggregate,
        !browsers.is_empty(),
        item.event_id.as_uuid(),
        slot,
        shard(item.browser.tenant),
        item.event.core,
        item.event.personal.as_bytes()
    );
    grants.fetch_all(connection).await
}
