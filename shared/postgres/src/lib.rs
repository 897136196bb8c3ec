//! How Credo's processes use Postgres: pools, what an error means, who the roles are and how a database is prepared.
//!
//! Refuses to serve under a role that could change the schema or that may lose a commit that was answered.

mod failure;
mod pool;
pub mod roles;
pub mod schema;
mod scram;
mod serving_role;

pub use self::{
    failure::{Failure, classify},
    pool::{InvalidUrl, PoolSpec, connect_lazy, connect_options},
    serving_role::{RoleError, assert_serving_role},
};
