//! The testkit keeps its own promises.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::time::Duration;

use credo_postgres::roles;
use credo_testkit::{TestDatabase, eventually};
use sqlx::{Connection as _, PgConnection};

#[tokio::test]
async fn databases_are_migrated_and_apart() {
    let (one, two) = tokio::join!(TestDatabase::auth(), TestDatabase::auth());
    sqlx::query("INSERT INTO incarnation (epoch, reason) VALUES (2, 'test')")
        .execute(one.owner_pool())
        .await
        .unwrap();
    let counts = [one.owner_pool(), two.owner_pool()].map(|pool| async move {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM incarnation")
            .fetch_one(pool)
            .await
            .unwrap()
    });
    let [one, two] = counts;
    assert_eq!((one.await, two.await), (2, 1));
}

#[tokio::test]
async fn serving_roles_connect_to_their_own_database_alone() {
    let (auth, audit) = tokio::join!(TestDatabase::auth(), TestDatabase::audit());
    for (database, role, expected) in [
        (&auth, roles::AUTH_API, true),
        (&auth, roles::OUTBOX_RELAY, true),
        (&auth, roles::AUDIT_CONSUMER, false),
        (&audit, roles::AUDIT_CONSUMER, true),
        (&audit, roles::AUDIT_READER, true),
        (&audit, roles::AUTH_API, false),
    ] {
        let connected = PgConnection::connect(&database.url_as(role)).await;
        assert_eq!(connected.is_ok(), expected, "{role}");
    }
}

#[tokio::test]
async fn database_is_gone_with_its_value_although_somebody_is_connected() {
    let database = TestDatabase::auth().await;
    let url = database.owner_url();
    let _connected = PgConnection::connect(&url).await.unwrap();
    drop(database);
    assert!(PgConnection::connect(&url).await.is_err());
}

#[tokio::test]
async fn eventually_asks_until_it_is_so() {
    let mut asked = 0;
    let answer = eventually(Duration::from_secs(5), || {
        asked += 1;
        let answer = (asked == 3).then_some("there");
        async move { answer }
    });
    assert_eq!(answer.await, "there");
}

#[tokio::test]
#[should_panic(expected = "not within 0ns")]
async fn eventually_gives_up() {
    eventually(Duration::ZERO, || async { false }).await;
}
