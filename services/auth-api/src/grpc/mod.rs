//! Admin gRPC: parse, call one flow, shape the answer.
//!
//! Refuses by default: a call comes through the layers of [`serve`] or not at all. `status.rs` is the one place where
//! refusals become answers.

mod caches;
mod call;
mod change;
mod clients;
mod consents;
mod database_clock;
mod keys;
mod mask;
mod page;
mod parse;
mod profile;
mod rate_limits;
mod server;
mod sessions;
mod signing_keys;
mod standing;
mod status;
mod tenants;
mod user_shape;
mod users;

pub use server::{ServeError, serve};
