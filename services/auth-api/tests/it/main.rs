//! auth-api as its callers see it: the production wiring over a database of the test's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test may panic, spawn and look at the clock"
)]

mod admin;
mod sign_in;
mod sign_in_attempts;
mod support;
