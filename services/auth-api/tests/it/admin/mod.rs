//! The admin gRPC as its callers see it: over a real connection, through every layer.

mod caches;
mod changes;
mod client_changes;
mod clients;
mod consents;
mod console;
mod events;
mod faults;
mod filled;
mod pages;
mod people;
mod permissions;
mod rate_limits;
mod registration;
mod session_ends;
mod sessions;
mod signing_keys;
mod standing;
mod tenant_changes;
mod tenants;
mod user_changes;
mod user_list;
mod users;

use console::{ALL_SCOPES, Console, Refused};
