//! Who may do what in the audit database.

use credo_ids::TenantId;
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::{Fixture, Story, Trail, batch, consumer_pool};

const TABLES: [&str; 6] = [
    "event",
    "personal",
    "leaf",
    "position",
    "kafka_position",
    "stray_record",
];

async fn is_refused(pool: &PgPool, statement: String) -> bool {
    let error = sqlx::raw_sql(AssertSqlSafe(statement)).execute(pool).await.err();
    error.is_some_and(|error| error.to_string().contains("permission denied"))
}

#[tokio::test]
async fn the_consumer_changes_and_removes_nothing() {
    let fixture = Fixture::new().await;
    let pool = consumer_pool(&fixture.database);
    for table in TABLES {
        for statement in [
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {table} ADD COLUMN x integer"),
        ] {
            let error = sqlx::raw_sql(AssertSqlSafe(statement.clone()))
                .execute(&pool)
                .await
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("permission denied") || error.contains("must be owner"),
                "{statement}: {error}"
            );
        }
    }
    assert!(is_refused(&pool, "UPDATE event SET core = ''".to_owned()).await);
    assert!(
        is_refused(
            &pool,
            "INSERT INTO event_security_default SELECT * FROM event".to_owned()
        )
        .await
    );
}

#[tokio::test]
async fn the_reader_sees_one_tenant_and_writes_nothing() {
    let fixture = Fixture::new().await;
    let mut trail = Trail::default();
    let (mine, other) = (TenantId::now_v7(), TenantId::now_v7());
    let sent = [trail.next(Story::of(mine)), trail.next(Story::of(other))];
    fixture.take_in_fresh(batch(0, &sent)).await;
    let reader = PgPool::connect_lazy(&fixture.database.url_as("credo_audit_reader")).unwrap();
    for table in ["event", "personal", "leaf"] {
        for (tenant, expected) in [(mine.to_string(), vec![mine.as_uuid()]), (String::new(), vec![])] {
            let mut transaction = reader.begin().await.unwrap();
            sqlx::query("SELECT set_config('credo.tenant_id', $1, true)")
                .bind(tenant)
                .execute(&mut *transaction)
                .await
                .unwrap();
            let tenants: Vec<uuid::Uuid> = sqlx::query_scalar(AssertSqlSafe(format!("SELECT tenant_id FROM {table}")))
                .fetch_all(&mut *transaction)
                .await
                .unwrap();
            assert_eq!(tenants, expected, "{table}");
        }
        assert!(is_refused(&reader, format!("DELETE FROM {table}")).await);
    }
    for statement in [
        "SELECT FROM position",
        "SELECT FROM event_security_default",
        "SELECT audit_create_partitions(1)",
    ] {
        assert!(is_refused(&reader, statement.to_owned()).await, "{statement}");
    }
}

#[tokio::test]
async fn months_are_made_once_and_rows_lie_in_theirs() {
    let fixture = Fixture::new().await;
    assert_eq!(
        fixture.store.sink.create_partitions(3).await.unwrap(),
        0,
        "the migration made them"
    );
    assert_eq!(fixture.store.sink.create_partitions(4).await.unwrap(), 6);
    assert_eq!(fixture.store.sink.create_partitions(4).await.unwrap(), 0);
    let sent = Trail::default().next(Story::of(TenantId::now_v7()));
    fixture.take_in_fresh(batch(0, [&sent])).await;
    let partition: String = sqlx::query_scalar("SELECT tableoid::regclass::text FROM event")
        .fetch_one(fixture.database.owner_pool())
        .await
        .unwrap();
    let expected: String = sqlx::query_scalar("SELECT to_char(now() AT TIME ZONE 'UTC', '\"event_security_\"YYYY_MM')")
        .fetch_one(fixture.database.owner_pool())
        .await
        .unwrap();
    assert_eq!(partition, expected);
}
