//! What the server really answers, and what we take it for.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use credo_postgres::{
    Failure, PoolSpec, RoleError, assert_serving_role, classify, connect_lazy,
    roles::{self, Role},
};
use credo_testkit::{ROLE_PASSWORD, TestDatabase};
use secrecy::SecretString;
use sqlx::{Connection as _, PgPool};

fn pool(url: &str, settings: &[(&str, &str)]) -> PgPool {
    connect_lazy(&PoolSpec {
        url: &SecretString::from(url),
        application_name: "postgres-test",
        max_connections: 2,
        statement_timeout: Duration::from_millis(200),
        lock_timeout: Duration::from_millis(50),
        settings,
    })
    .unwrap()
}

async fn failure_of(pool: &PgPool, statement: &'static str) -> Failure {
    classify(&sqlx::raw_sql(statement).execute(pool).await.unwrap_err())
}

#[tokio::test]
async fn connections_carry_the_settings() {
    let database = TestDatabase::auth().await;
    let pool = pool(
        &database.owner_url(),
        &[
            ("plan_cache_mode", "force_generic_plan"),
            ("search_path", "public, pg_temp"),
        ],
    );
    for (setting, expected) in [
        ("application_name", "postgres-test"),
        ("statement_timeout", "200ms"),
        ("lock_timeout", "50ms"),
        ("plan_cache_mode", "force_generic_plan"),
        ("search_path", "public, pg_temp"),
    ] {
        let value: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(value, expected, "{setting}");
    }
}

#[tokio::test]
async fn connections_that_died_while_idle_are_replaced() {
    let database = TestDatabase::auth().await;
    let pool = pool(&database.owner_url(), &[]);
    let (one, other) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    drop((one, other));
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'postgres-test' AND datname = current_database()";
    let deadline = Instant::now() + Duration::from_secs(5);
    while pool.num_idle() < 2 {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    sqlx::query(kill).execute(database.owner_pool()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await; // idleness itself is what is tested
    for _ in 0..4 {
        let alive: i32 = sqlx::query_scalar("SELECT 1").fetch_one(&pool).await.unwrap();
        assert_eq!(alive, 1);
    }
}

#[tokio::test]
async fn failures_are_told_apart() {
    let database = TestDatabase::auth().await;
    let pool = pool(&database.owner_url(), &[]);
    let mut holder = database.owner_pool().begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE lease").execute(&mut *holder).await.unwrap();
    let cases = [
        ("SELECT pg_sleep(5)", Failure::StatementTimeout),
        ("SELECT FROM lease", Failure::LockTimeout),
        (
            "INSERT INTO incarnation (epoch, reason) VALUES (1, '')",
            Failure::UniqueViolation("incarnation_pkey".to_owned()),
        ),
        ("SET TRANSACTION READ ONLY; DELETE FROM incarnation", Failure::ReadOnly),
        ("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$", Failure::Conflict),
        ("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$", Failure::Conflict),
        ("DO $$ BEGIN RAISE SQLSTATE '57P01'; END $$", Failure::ConnectionLost),
        ("SELECT pg_terminate_backend(pg_backend_pid())", Failure::ConnectionLost),
        ("SELECT 'x'::bigint", Failure::BadValue),
        ("SELECT chr(0)", Failure::BadValue),
        ("INSERT INTO tick VALUES (-1, '1:1:', 0, NULL)", Failure::BadValue),
        ("SELECT 1 FROM nowhere", Failure::Other),
    ];
    for (statement, expected) in cases {
        assert_eq!(failure_of(&pool, statement).await, expected, "{statement}");
    }
}

#[tokio::test]
async fn exhausted_pool_and_absent_server_are_transient() {
    let database = TestDatabase::auth().await;
    let busy = pool(&database.owner_url(), &[]);
    let _held = (busy.acquire().await.unwrap(), busy.acquire().await.unwrap());
    assert_eq!(failure_of(&busy, "SELECT 1").await, Failure::PoolTimeout);

    let nobody = pool("postgres://credo@127.0.0.1:1/credo", &[]);
    assert!(failure_of(&nobody, "SELECT 1").await.is_transient());
}

#[tokio::test]
async fn invalid_url_is_refused_without_its_password() {
    let url = SecretString::from("postgres://credo:hunter2@host:port/db");
    let spec = PoolSpec {
        url: &url,
        application_name: "postgres-test",
        max_connections: 1,
        statement_timeout: Duration::from_secs(1),
        lock_timeout: Duration::from_secs(1),
        settings: &[],
    };
    let refusal = connect_lazy(&spec).unwrap_err().to_string();
    assert!(refusal.contains("port") && !refusal.contains("hunter2"), "{refusal}");
}

#[tokio::test]
async fn every_serving_role_may_serve() {
    let (auth, audit) = tokio::join!(TestDatabase::auth(), TestDatabase::audit());
    for (database, role) in [
        (&auth, roles::AUTH_API),
        (&auth, roles::OUTBOX_RELAY),
        (&audit, roles::AUDIT_CONSUMER),
        (&audit, roles::AUDIT_READER),
    ] {
        assert_serving_role(&pool(&database.url_as(role), &[]))
            .await
            .expect(role);
    }
}

#[tokio::test]
async fn unsafe_roles_may_not_serve() {
    let database = TestDatabase::auth().await;
    let superuser = assert_serving_role(database.owner_pool()).await;
    assert!(matches!(superuser, Err(RoleError::Superuser(_))), "{superuser:?}");

    let hasty = pool(&database.url_as(roles::AUTH_API), &[("synchronous_commit", "off")]);
    let hasty = assert_serving_role(&hasty).await;
    assert!(matches!(hasty, Err(RoleError::MayLoseCommits { .. })), "{hasty:?}");

    let local = pool(&database.url_as(roles::AUTH_API), &[("synchronous_commit", "local")]);
    assert!(matches!(
        assert_serving_role(&local).await,
        Err(RoleError::MayLoseCommits { .. })
    ));

    sqlx::raw_sql("GRANT CREATE ON SCHEMA public TO credo_auth_api")
        .execute(database.owner_pool())
        .await
        .unwrap();
    let creator = assert_serving_role(&pool(&database.url_as(roles::AUTH_API), &[])).await;
    assert!(matches!(creator, Err(RoleError::CanChangeSchema(_))), "{creator:?}");
}

#[tokio::test]
async fn roles_can_be_made_again_and_by_many_at_once() {
    let database = TestDatabase::auth().await;
    let wanted: Vec<Role> = roles::ALL
        .into_iter()
        .map(|name| Role {
            name,
            password: Some(ROLE_PASSWORD.into()),
        })
        .collect();
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (url, wanted) = (database.owner_url(), wanted.clone());
        runs.spawn(async move {
            let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
            roles::ensure(&mut connection, &wanted).await
        });
    }
    for result in runs.join_all().await {
        result.unwrap();
    }
}

#[tokio::test]
async fn owner_without_createrole_goes_on_with_roles_that_exist() {
    let database = TestDatabase::auth().await;
    let mut connection = database.owner_pool().acquire().await.unwrap();
    sqlx::raw_sql("SET ROLE pg_database_owner")
        .execute(&mut *connection)
        .await
        .unwrap();
    let exists = Role {
        name: roles::AUTH_API,
        password: Some("another".into()),
    };
    roles::ensure(&mut connection, &[exists]).await.unwrap();
    let missing = Role {
        name: "credo_no_such_role",
        password: None,
    };
    let refusal = roles::ensure(&mut connection, &[missing]).await.unwrap_err();
    assert!(refusal.to_string().contains("CREATEROLE"), "{refusal}");
}

#[tokio::test]
async fn password_reaches_the_server_as_a_verifier_alone() {
    let database = TestDatabase::auth().await;
    let stored: String = sqlx::query_scalar("SELECT rolpassword FROM pg_authid WHERE rolname = $1")
        .bind(roles::AUTH_API)
        .fetch_one(database.owner_pool())
        .await
        .unwrap();
    assert!(stored.starts_with("SCRAM-SHA-256$4096:") && !stored.contains(ROLE_PASSWORD));
}
