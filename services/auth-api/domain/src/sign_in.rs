//! When a password is not even looked at (`sign_in_attempt_reserve.sql` has the rule whole).

/// From so many failures in a row on, only a device that the person has signed in with before gets through.
pub const FAILURES_UNTIL_KNOWN_DEVICE: i32 = 100;
