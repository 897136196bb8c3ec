//! Use cases, one a file: each reads as the story of what happens and calls the domain, the store and the keys.

pub mod admin;
pub mod authorize;
pub mod bearer;
pub mod browser;
pub mod client_auth;
pub mod id_token_hint;
pub mod introspect;
mod limits;
pub mod logout;
mod proof;
pub mod revoke;
pub mod sessions;
pub mod token;
pub mod userinfo;
