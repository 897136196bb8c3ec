//! outbox-relay: from the outbox to Kafka, in order, nothing lost, nothing doubled under another number.
//!
//! Owns the publishing; what the order is, `credo-outbox` knows. Refuses to know what an event says. Any error on the way
//! leads to one place: drop the producer, read progress again, go on from there.

mod app;
mod grpc;
mod kafka_probe;
mod leadership;
mod metrics;
mod pause;
mod pending;
mod publisher;
mod relay;
mod settings;
mod status;
mod trace;

pub use self::{
    app::{App, AppError},
    settings::{SPEC, Settings},
};
