//! auth-api as its callers see it: the production wiring over a database of the test's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test may panic, spawn and look at the clock"
)]

mod access_token;
mod account;
mod admin;
mod authorization_code;
mod authorize_requests;
mod authorize_steps;
mod bounds;
mod browser_races;
mod browser_session;
mod cancellation;
mod client_auth;
mod client_credentials;
mod code_replay;
mod concurrency;
mod consent;
mod cors;
mod costs;
mod errors;
mod feed;
mod id_token;
mod input;
mod introspect;
mod key_rotation;
mod limits;
mod locks;
mod logout;
mod lost_connection;
mod metadata;
mod metadata_truth;
mod openapi;
mod refresh_replay;
mod refresh_token;
mod refusals;
mod revoke;
mod routes;
mod second_level;
mod secrets;
mod session_limits;
mod sessions;
mod sign_in;
mod sign_in_attempts;
mod signing_keys;
mod statements;
mod support;
mod tenants;
mod userinfo;
mod verified_tokens;
