//! auth-api as its callers see it: the production wiring over a database of the test's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test may panic, spawn and look at the clock"
)]

mod access_token;
mod admin;
mod authorization_code;
mod client_auth;
mod client_credentials;
mod input;
mod introspect;
mod metadata;
mod refresh_token;
mod revoke;
mod routes;
mod sessions;
mod sign_in;
mod sign_in_attempts;
mod support;
mod userinfo;
