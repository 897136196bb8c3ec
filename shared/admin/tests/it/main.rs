//! The admin guard from outside: tokens that are good but for one thing, and where keys come from.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod docs;
mod layer;
mod permissions;
mod remote_jwks;
mod server;
mod support;
mod token;
