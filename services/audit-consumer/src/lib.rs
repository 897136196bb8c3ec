//! audit-consumer: from Kafka into the audit store, each event exactly once, in order, with its proof; and the way to read it.
//!
//! Owns the audit database. Refuses to drop anything that it cannot explain: what cannot be read is stored raw, what does not
//! fit stops its lane. Reading order: `consumer` → `source` → `decode` → `partition` → `lane`, `fence` (pure) → `sink`.

mod app;
mod consumer;
pub mod decode;
mod event_rows;
pub mod fence;
mod grpc;
mod kafka_probe;
pub mod lane;
mod metrics;
mod months;
pub mod partition;
mod progress;
mod settings;
pub mod sink;
mod source;
mod trace;

pub use self::{
    app::{App, AppError},
    metrics::Metrics,
    settings::{SPEC, Settings},
};
