//! The wire definitions of Credo: admin APIs and audit events. Owns nothing but what the `.proto` files say.
#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "everything here is generated; the definitions carry the documentation"
)]

/// The serialised `FileDescriptorSet` of everything in this crate, for reflection and for reading method options.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

/// `credo.admin.v1`: the gRPC APIs.
pub mod admin {
    pub mod v1 {
        tonic::include_proto!("credo.admin.v1");
    }
}

/// `credo.events.v1`: the audit event.
pub mod events {
    pub mod v1 {
        tonic::include_proto!("credo.events.v1");
    }
}
