//! What people see: pages, forms, cookies.

pub(super) mod cookies;
pub(super) mod csrf;
pub(super) mod sign_in;
