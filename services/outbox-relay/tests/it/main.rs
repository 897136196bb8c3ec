//! outbox-relay as it runs in production, against a real Postgres and a real Kafka; faults that a real broker cannot be made
//! to have come from the client library's mock cluster.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod caller;
mod faults;
mod pause;
mod process;
mod publishing;
mod support;
