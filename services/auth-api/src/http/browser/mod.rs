//! What people see: pages, forms, cookies.

pub(super) mod assets;
pub(super) mod cookies;
pub(super) mod csrf;
pub(super) mod not_found;
#[allow(dead_code, reason = "the flows that show pages are yet to come")]
pub(super) mod page;
pub(super) mod sign_in;
#[allow(dead_code, reason = "the flows that show pages are yet to come")]
pub(super) mod visit;
