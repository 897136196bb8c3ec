//! The test server, as its superuser.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use url::Url;

const VARIABLE: &str = "CREDO_TEST_POSTGRES_URL";

/// The URL of the test server.
#[expect(clippy::disallowed_methods, reason = "a test has no settings")]
pub(crate) fn url() -> Url {
    let Ok(text) = std::env::var(VARIABLE) else {
        panic!("{VARIABLE} is not set: this test needs the test stack, run it with `make test`");
    };
    text.parse()
        .unwrap_or_else(|error| panic!("{VARIABLE} is not a URL: {error}"))
}

/// The same server, another database.
pub(crate) fn url_of(database: &str) -> Url {
    let mut url = url();
    url.set_path(database);
    url
}

pub(crate) async fn connect(url: &Url) -> PgConnection {
    PgConnection::connect(url.as_str()).await.unwrap_or_else(|error| {
        panic!("{VARIABLE}: the test stack's Postgres does not answer ({error}); run `make test`")
    })
}

/// Runs a statement made of names that the testkit itself chose.
pub(crate) async fn execute(connection: &mut PgConnection, statement: String) {
    let text = statement.clone();
    if let Err(error) = sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await {
        panic!("{text}: {error}");
    }
}
