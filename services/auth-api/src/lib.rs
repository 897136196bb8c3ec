//! The authorization server: every OAuth endpoint and the admin gRPC of tenants, clients and users.
//!
//! A request goes in a straight line: `http` or `grpc` → `flows` → domain and store → `keys` → answer.

pub mod app;
pub mod audit;
pub mod budget;
pub mod cache_metrics;
pub mod directory;
pub mod feed;
pub mod flows;
pub mod grpc;
pub mod http;
pub mod keys;
pub mod limiter;
pub mod memory;
pub mod metrics;
pub mod pages;
pub mod passwords;
mod purge;
pub mod refusal;
mod request_purge;
pub mod second_level;
pub mod settings;
pub mod verified_tokens;
