//! audit-consumer against a real Postgres, a real Kafka and real tokens.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod grpc;
mod kafka;
mod process;
mod roles;
mod running;
mod scene;
mod sql_files;
mod stopping;
mod store;
mod support;
mod tail;
