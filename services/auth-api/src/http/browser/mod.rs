//! What browsers ask for: one file a page, and the ways between the pages.
//!
//! Every step is a URL of its own, reached by GET and left by POST; a redirect after a POST is a 303, so that nothing that
//! was typed is sent on (RFC 9700 section 4.12).

pub(super) mod account;
pub(super) mod assets;
pub(super) mod authorize;
pub(super) mod branding;
pub(super) mod consent;
pub(super) mod cookies;
pub(super) mod csrf;
mod entrance;
mod error;
pub(super) mod logout;
pub(super) mod not_found;
pub(super) mod page;
mod person;
pub(super) mod redirect;
pub(super) mod sign_in;
pub(super) mod step;
pub(super) mod visit;
