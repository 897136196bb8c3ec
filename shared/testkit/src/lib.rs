//! What tests share: a database of their own, and waiting without sleeping.
//!
//! A development dependency only. Everything here panics with a plain word instead of returning an error. Needs the test
//! stack, whose Postgres `CREDO_TEST_POSTGRES_URL` names (a superuser's URL) and whose Kafka `CREDO_TEST_KAFKA_BROKERS`.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a test may panic")]

mod database;
mod eventually;
mod kafka;
mod metrics;
mod redis;
mod server;
mod template;

/// For tests of crates that must not depend on it themselves: they look at rows, and prepare some.
pub use sqlx;

pub use self::{
    database::TestDatabase,
    eventually::{Probe, eventually},
    kafka::kafka_brokers,
    metrics::assert_documented,
    redis::redis_url,
};

/// The password that every serving role has on the test server.
pub const ROLE_PASSWORD: &str = "credo-test-role";
