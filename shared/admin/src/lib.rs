//! The admin APIs' server: who calls, whether they may, and the bounds of every call.
//!
//! Owns the check of access tokens with audience `credo-admin` (RFC 9068), the permissions of the methods and the wall
//! between tenants, and the server around all of it. Refuses by default: a method without a permission, a token without a scope, a tenant that is not the
//! caller's. Invariant: [`AdminPrincipal`] and [`TenantScope`] can only be made here, so holding one is the proof.

mod debug;
mod issuer;
mod keys;
mod layer;
mod permissions;
mod principal;
mod problem;
mod refusal;
mod remote_jwks;
mod server;
mod token;

pub use self::{
    debug::debug_service,
    keys::{InvalidKey, KeysUnavailable, VerificationKey, VerificationKeys},
    layer::{AdminLayer, AdminService},
    permissions::{InvalidDescriptors, Permissions},
    principal::{AdminPrincipal, TenantScope},
    problem::{ErrorReason, Problem},
    remote_jwks::{RemoteJwks, RemoteJwksError, RemoteJwksSpec},
    server::{
        AdminServer, CallContext, CallMetrics, GrpcTls, MAX_DEADLINE, MAX_MESSAGE_BYTES, ServeError, Services, TlsError,
    },
};

/// The audience of the tokens that the admin APIs take.
pub const AUDIENCE: &str = "credo-admin";

/// The tenant whose clients act on all tenants.
pub const SYSTEM_SLUG: &str = "system";
