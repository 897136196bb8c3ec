//! The names of a person's counted sign-ins: their account's, and that of each device that they signed in with.

use credo_auth_store::admin::UserRecord;

use super::{AdminRefusal, find_users::address_of};
use crate::{app::App, flows::proof::account_hash};

/// Whose attempts a change resets or removes.
pub(super) async fn accounts_of(app: &App, user: &UserRecord) -> Result<Vec<[u8; 32]>, AdminRefusal> {
    let email = address_of(user)?;
    let devices = app.store.list_devices(user.tenant_id, user.id).await?;
    let devices = devices.into_iter().map(Some);
    let names = [None].into_iter().chain(devices);
    Ok(names
        .map(|device| account_hash(app, user.tenant_id, (&email, device)))
        .collect())
}
