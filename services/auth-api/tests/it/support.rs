//! A world to test in: a database with tenants, clients and people, and replicas of the service over it.
//!
//! Everything panics instead of returning an error. What every answer must have is checked where answers are taken.

mod answer;
mod authorize;
mod browser;
mod call;
mod events;
mod fixtures;
mod flows;
mod listener;
mod proxy;
mod redis;
mod replica;
mod statements;
mod world;

pub use self::{
    answer::Answer,
    authorize::AuthorizeRequest,
    browser::{Browser, PageForm},
    call::Call,
    events::{Event, hex},
    fixtures::{Client, ClientSpec, PASSWORD, REDIRECT_URI, Tenant, User, full_profile, insert_signing_key},
    flows::{CHALLENGE, Tokens, VERIFIER, claims, header_of, sign_in_body},
    proxy::{Loss, Proxy},
    redis::Redis,
    replica::{BASE_URL, Replica, ReplicaSpec},
    statements::{Statements, statements},
    world::World,
};
