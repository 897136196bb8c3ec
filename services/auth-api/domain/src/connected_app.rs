//! What a person allowed a client, as the person sees it.

use credo_ids::ClientId;
use time::OffsetDateTime;

use crate::scope::Scope;

/// A client that was allowed something.
#[derive(Clone, Debug)]
pub struct ConnectedApp {
    /// The client.
    pub client_id: ClientId,
    /// Its name.
    pub client_name: String,
    /// What it may.
    pub scope: Scope,
    /// Since when.
    pub granted_at: OffsetDateTime,
    /// When the person took it back.
    pub revoked_at: Option<OffsetDateTime>,
}
