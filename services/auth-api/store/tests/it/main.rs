//! The statements of the store against a real Postgres: one test per guard, with the losing side of each race.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and it may spawn what it waits for"
)]

mod authorize_browser;
mod authorize_locked;
mod batches;
mod fixture;
mod growth;
mod plans;
mod purge;
mod redeem;
mod revoke;
mod rotate;
mod rotate_limits;
mod rotate_races;
mod sign_in;
mod sql_files;
