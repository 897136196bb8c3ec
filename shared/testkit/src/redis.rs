//! Where the test stack's Redis is.

const VARIABLE: &str = "CREDO_TEST_REDIS_URL";

/// The Redis of the test stack. A test touches no key but those of ids of its own.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a test has no settings")]
pub fn redis_url() -> String {
    std::env::var(VARIABLE)
        .unwrap_or_else(|_| panic!("{VARIABLE} is not set: this test needs the test stack, run it with `make test`"))
}
