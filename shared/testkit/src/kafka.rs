//! Where the test stack's Kafka is.

const VARIABLE: &str = "CREDO_TEST_KAFKA_BROKERS";

/// The brokers of the test stack, as `host:port,…`. A test makes topics and groups with names of its own.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a test has no settings")]
pub fn kafka_brokers() -> String {
    std::env::var(VARIABLE)
        .unwrap_or_else(|_| panic!("{VARIABLE} is not set: this test needs the test stack, run it with `make test`"))
}
