//! People at their browsers: signing in, being signed in.

pub mod end;
pub mod session;
