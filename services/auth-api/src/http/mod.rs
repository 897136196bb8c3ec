//! Public HTTP: parse, call one flow, shape the answer.

mod answer;
mod authorize;
mod bearer;
mod bounded;
mod browser;
mod client_credentials;
mod context;
mod cors;
mod form;
mod introspect;
mod metadata;
mod openapi;
mod proxies;
mod revoke;
mod router;
mod sessions;
mod token;
mod userinfo;

pub use proxies::TrustedProxies;
pub use router::{ROUTES, router};
