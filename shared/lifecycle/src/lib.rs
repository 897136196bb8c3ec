//! The life of a process: it starts, becomes ready, is asked to stop, drains, ends.
//!
//! Owns signals, the tasks of the process, its health, its HTTP listeners and the management port. Refuses to let a task die unnoticed: one
//! that ends before shutdown was requested ends the process with an error.

mod bind;
mod health;
mod http;
pub mod management;
mod shutdown;
mod tasks;

pub use self::{
    bind::{BindError, bind},
    health::{Component, Health},
    http::{ConnectionMetrics, Full, HttpLimits, HttpServer, Slot, Slots, raise_descriptor_limit},
    shutdown::Shutdown,
    tasks::{Drained, TaskError, TaskOutcome, Tasks},
};
