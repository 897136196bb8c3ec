//! The rules of the authorization server, free of I/O, of waiting and of clocks.
//!
//! One file per noun. Decisions are functions from state and `now` to an enum; the SQL of the store says the same again
//! over locked rows, and a test walks both side by side.

pub mod access_token;
pub mod acr;
pub mod authorization_code;
pub mod authorization_request;
pub mod branding;
pub mod browser_session;
pub mod claims_request;
pub mod client;
pub mod connected_app;
pub mod credential;
pub mod denial;
pub mod email_address;
pub mod grant_type;
pub mod lifetime;
pub mod opaque_token;
pub mod origin;
pub mod password;
pub mod pkce;
pub mod profile;
pub mod prompt;
pub mod rate_limit;
pub mod redirect_uri;
pub mod refresh_token;
pub mod response_mode;
pub mod scope;
pub mod session;
pub mod sign_in;
pub mod signing_algorithm;
pub mod signing_key;
pub mod tenant;
pub mod user;

pub use denial::Denial;
