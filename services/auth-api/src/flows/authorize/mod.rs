//! The authorization endpoint's use cases: by a browser, step by step, and headless.
//!
//! A browser's request is validated once, sealed, and travels through our own pages; nothing is stored for it, so that the
//! back button, a reload and two tabs work.

mod begin;
mod consent;
mod draft;
pub mod headless;
mod response;
mod sealed_request;
mod step;

pub use begin::{Begun, begin};
pub use consent::{allow, deny};
pub use response::AuthorizationResponse;
pub use sealed_request::{SealedRequest, Unreadable};
pub use step::{ConsentQuestion, Step, find_client, next_step};
