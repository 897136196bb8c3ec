//! What a client of Credo's OAuth endpoints does: discovery, PKCE, the token endpoint, a loopback redirect, reading tokens.

pub mod code;
pub mod decode;
pub mod loopback;
pub mod metadata;
pub mod pkce;
pub mod token;
