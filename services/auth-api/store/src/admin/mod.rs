//! What administrators change and see: whole rows, every change with its compliance event in the same commit.
//!
//! Refuses to change anything without an event: each mutating call takes one, and goes through `mutation.rs`. Every call
//! names the tenant; another's rows are as absent as rows that do not exist. Locks are taken in the order tenant, client, user.

mod caches;
mod client_changes;
mod client_status;
mod clients;
mod consents;
mod mutation;
mod rate_limits;
mod requests;
mod session_ends;
mod sessions;
mod sign_in_status;
mod signing_keys;
mod tenant_changes;
mod tenants;
mod user_changes;
mod user_status;
mod users;

use credo_events::{Encoded, PersonalPart};

pub use self::{
    caches::ReadAgain,
    client_changes::ClientSecretRecord,
    clients::{ClientRecord, NewClient, NewClientSecret},
    consents::ConsentRecord,
    mutation::{Effect, Mutated, Mutation, Unmade},
    rate_limits::{LimitOwner, SetLimit},
    session_ends::TenantEpoch,
    sessions::{SessionFilter, SessionRecord},
    sign_in_status::SignInStatus,
    signing_keys::{EmergencyEvents, KeyRefusal, KeyStep, RevokedKey},
    tenant_changes::{TenantChange, TenantUpdate},
    tenants::{NewBranding, NewTenant, TenantKey, TenantRecord},
    user_changes::{NewPassword, UserChange, UserState},
    users::{NewUser, UserFilter, UserRecord},
};

/// A compliance event, ready for the outbox.
#[derive(Clone, Debug)]
pub struct ComplianceEvent {
    /// Its id and its core.
    pub encoded: Encoded,
    /// The part that can be erased.
    pub personal: PersonalPart,
}

/// A name is taken; nothing changed.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Whose value is another's.
    pub field: &'static str,
}

/// Whether something is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Active,
    /// It is not.
    Disabled,
}

/// Some rows of a list, in order of their ids.
#[derive(Clone, Copy, Debug)]
pub struct PageQuery<Id> {
    /// The last id of the page before.
    pub after: Option<Id>,
    /// The most rows.
    pub limit: i64,
}
