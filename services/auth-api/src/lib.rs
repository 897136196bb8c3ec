//! The authorization server: every OAuth endpoint and the admin gRPC of tenants, clients and users.
//!
//! A request goes in a straight line: `http` or `grpc` → `flows` → domain and store → `keys` → answer.

pub mod address_attempts;
pub mod app;
pub mod audit;
pub mod directory;
pub mod feed;
pub mod flows;
pub mod grpc;
pub mod http;
pub mod keys;
pub mod metrics;
pub mod pages;
pub mod passwords;
pub mod refusal;
mod request_purge;
pub mod settings;
