//! Which events this service writes: one constant each, in the file of its class (DESIGN section 7).
//!
//! An event is added here and where it happens, nowhere else.

pub mod compliance;
mod context;
mod refusals;
pub mod security;

pub use context::RequestContext;
pub use refusals::{Bucket, Refusals};
