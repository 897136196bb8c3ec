//! What this replica takes at once of a change that it has just made, without waiting for its next look at the feed.

use std::time::Duration;

use credo_auth_domain::lifetime::REVOCATION_TTL;
use credo_auth_store::{FeedRow, RevokedKind};
use credo_ids::{ClientId, TenantId, UserId};
use uuid::Uuid;

use crate::app::App;

/// As in the statements that tell the feed.
const SETTLING: Duration = Duration::from_secs(5);

/// What was issued for a user below `epoch` has ended.
pub(super) async fn user_ended(app: &App, (tenant, user): (TenantId, UserId), epoch: i64) {
    learn(app, tenant, (RevokedKind::User, user.as_uuid()), epoch);
    app.directory.forget_user(tenant, user).await;
}

/// What was issued to a client below `epoch` has ended.
pub(super) async fn client_ended(app: &App, (tenant, client): (TenantId, ClientId), epoch: i64) {
    learn(app, tenant, (RevokedKind::Client, client.as_uuid()), epoch);
    app.directory.forget_client(client).await;
}

/// What was issued in a tenant below `epoch` has ended.
pub(super) fn tenant_ended(app: &App, tenant: TenantId, epoch: i64) {
    learn(app, tenant, (RevokedKind::Tenant, tenant.as_uuid()), epoch);
}

/// A tenant, or a client of it, is another now. What is read in the next moments may have been read before the commit.
pub(super) fn read_again(app: &App, tenant: TenantId, id: Uuid) {
    let instant = app.feed.database_now() + SETTLING;
    let micros = i64::try_from(instant.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX);
    learn(app, tenant, (RevokedKind::Read, id), micros);
}

fn learn(app: &App, tenant_id: TenantId, (kind, id): (RevokedKind, Uuid), epoch: i64) {
    app.feed.learn(FeedRow {
        kind,
        tenant_id,
        id,
        epoch: Some(epoch),
        except_sid: None,
        expires_at: app.feed.database_now() + REVOCATION_TTL,
    });
}
