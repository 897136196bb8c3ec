//! The outbox: how committed events are read from the database in the order in which they were decided.
//!
//! Owns the reading by snapshot difference (ticks), the numbers of events and their running hash, progress and its fence,
//! and the lease. Refuses to know what an event says or where it is published.
//!
//! Invariant: the rows of an epoch have one order, (tick, id), which depends on the stored ticks alone. So whoever reads
//! them, in chunks of whatever size, gives every row the same number and the same running hash.
//!
//! The modules without I/O come first ([`snapshot`], [`numbering`], [`advance`], [`prefix`]); property tests drive them
//! through random interleavings. The others are one statement each.

pub mod advance;
pub mod batch;
mod error;
pub mod lease;
pub mod numbering;
pub mod pending;
pub mod prefix;
pub mod progress;
mod running_hash;
pub mod snapshot;
pub mod tick;

/// What a connection that runs these statements sets: a plan that was made when the tables were empty stays right when they
/// are full.
pub const CONNECTION_SETTINGS: [(&str, &str); 5] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

pub use self::{
    advance::{Advance, Place, ShardAdvance},
    batch::{OutboxRow, read_batch},
    error::OutboxError,
    lease::{Lease, Term},
    numbering::{FIRST_SEQ, Head, Number, Numbering},
    pending::{oldest_pending, pending},
    prefix::Prefix,
    progress::{Fence, Resume, record_advance, resume},
    running_hash::{InvalidHash, RunningHash},
    snapshot::{InvalidSnapshot, Snapshot, batch_contains},
    tick::{Window, take_tick, window_after},
};
