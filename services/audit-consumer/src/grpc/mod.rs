//! The admin API of the audit trail.

mod event;
mod page_token;
mod reader;
mod request;
mod service;
mod status;
mod tail;

pub(crate) use self::{
    reader::Reader,
    service::Audit,
    status::Standing,
    tail::{Places, Tails},
};
