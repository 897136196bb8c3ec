//! People at their browsers: signing in, being signed in.

pub mod account;
pub mod end;
pub mod password;
pub mod session;
