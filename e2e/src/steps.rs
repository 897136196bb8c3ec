//! What the sentences of the features do, by what they speak of.
#![expect(
    clippy::unused_async,
    reason = "a step may wait: that is how the runner calls it, whether it does or not"
)]

mod access_tokens;
mod administration;
mod answers;
mod browser;
mod codes;
mod directory;
mod ends;
mod examples;
mod faults;
mod floods;
mod identity;
mod loads;
mod openapi;
mod operator;
mod pages;
mod pipeline;
mod races;
mod redis;
mod refresh_tokens;
mod requests;
mod resilience;
mod revocation;
mod sessions;
mod strangers;
mod telemetry;
mod topic;
mod trail;
mod userinfo;
