//! The admin API of the audit trail.

mod event;
mod page_token;
mod reader;
mod request;
mod server;
mod service;

pub(crate) use self::{reader::Reader, server::serve, service::Audit};
