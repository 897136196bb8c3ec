//! The admin gRPC as its callers see it: over a real connection, through every layer.

mod clients;
mod console;
mod events;
mod faults;
mod pages;
mod permissions;
mod registration;
mod standing;
mod tenants;
mod users;

use console::{ALL_SCOPES, Console, Refused};
