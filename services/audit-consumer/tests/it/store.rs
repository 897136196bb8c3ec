//! What a batch leaves in the database.

use audit_consumer::{decode::Incoming, partition::Next, sink::SinkError};
use credo_events::{EventDraft, EventType, Outcome, PersonalPart, Security, Severity};
use credo_ids::{EventId, Shard, TenantId};
use credo_kafka::encode_value;
use credo_proto::events::v1::{Core, Personal};
use prost::Message as _;
use sqlx::Row as _;

use crate::support::{
    Fixture, Sent, Stored, Story, Trail, batch, consumer_pool, ids, incoming, lock_waiters, now, tenant_in_shard,
};

#[tokio::test]
async fn a_partition_replayed_three_times_is_stored_once() {
    let fixture = Fixture::new().await;
    let mut trail = Trail::default();
    let stories = [
        Story::of(tenant_in_shard(1)),
        Story::of(tenant_in_shard(2)),
        Story::of(tenant_in_shard(1)),
    ];
    let sent: Vec<Sent> = (0..30).map(|place| trail.next(stories[place % 3])).collect();
    fixture.take_in_fresh(batch(0, &sent)).await;
    let first = fixture.stored_ids().await;
    assert_eq!(first.len(), 30);
    for size in [30, 7, 1] {
        let mut partition = fixture.partition().await;
        for (place, chunk) in sent.chunks(size).enumerate() {
            let start = i64::try_from(place * size).unwrap();
            assert_eq!(
                fixture.take_in(&mut partition, batch(start, chunk)).await.unwrap(),
                Next::GoOn
            );
        }
    }
    assert_eq!(fixture.stored_ids().await, first);
    assert_eq!(
        (fixture.metrics.stored.get(), fixture.metrics.duplicates.get()),
        (30, 90)
    );
    assert_eq!(fixture.position().await, 30);
}

#[tokio::test]
async fn numbers_of_tenants_do_not_depend_on_batches() {
    let (one, other) = (Fixture::new().await, Fixture::new().await);
    let mut trail = Trail::default();
    let stories = [
        Story::of(tenant_in_shard(5)),
        Story::of(tenant_in_shard(5)),
        Story::of(tenant_in_shard(6)),
    ];
    let sent: Vec<Sent> = (0..40).map(|place| trail.next(stories[place * place % 3])).collect();
    one.take_in_fresh(batch(0, &sent)).await;
    let mut partition = other.partition().await;
    for (start, sent) in (0..).zip(&sent) {
        other.take_in(&mut partition, batch(start, [sent])).await.unwrap();
    }
    let numbers = |rows: Vec<Stored>| -> Vec<_> {
        rows.into_iter()
            .map(|row| (row.event_id, row.tenant_id, row.tenant_seq, row.hash))
            .collect()
    };
    assert_eq!(numbers(one.stored().await), numbers(other.stored().await));
}

#[tokio::test]
async fn of_two_consumers_the_second_stores_nothing() {
    let fixture = Fixture::new().await;
    let sent = Trail::default().many(Story::of(TenantId::now_v7()), 10);
    let (mut owner, mut zombie) = (fixture.partition().await, fixture.partition().await);
    fixture.take_in(&mut owner, batch(0, &sent[..6])).await.unwrap();
    let refused = fixture.take_in(&mut zombie, batch(0, &sent[..4])).await;
    assert!(matches!(refused, Err(SinkError::Fenced(_))), "{refused:?}");
    assert_eq!(fixture.stored_ids().await, ids(&sent, 0..6));
}

#[tokio::test]
async fn the_fence_refuses_a_consumer_that_looked_before_the_other_stored() {
    let fixture = Fixture::new().await;
    let sent = Trail::default().many(Story::of(TenantId::now_v7()), 4);
    let mut owner = fixture.partition().await;
    // Between the zombie's look and its insert the owner stores: the insert waits for the owner, then is refused.
    let mut blocking = fixture.database.owner_pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE position IN SHARE ROW EXCLUSIVE MODE")
        .execute(&mut *blocking)
        .await
        .unwrap();
    let mut zombie = fixture.partition().await;
    let (store, zombie_batch) = (fixture.store.clone(), batch(0, &sent[..3]));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { zombie.take_in(&store, zombie_batch).await });
    lock_waiters(&fixture.database, 1).await;
    let (store, owner_batch) = (fixture.store.clone(), batch(0, &sent));
    tasks.spawn(async move { owner.take_in(&store, owner_batch).await });
    lock_waiters(&fixture.database, 2).await;
    blocking.rollback().await.unwrap();
    let results = tasks.join_all().await;
    let refused = results
        .iter()
        .filter(|result| matches!(result, Err(SinkError::Fenced(_))))
        .count();
    assert_eq!(refused, 1, "{results:?}");
    let stored = fixture.stored_ids().await;
    assert!(
        stored == ids(&sent, 0..3) || stored == ids(&sent, 0..4),
        "one batch, whole"
    );
}

#[tokio::test]
async fn a_transaction_that_fails_between_leaves_nothing() {
    let fixture = Fixture::new().await;
    let sent = Trail::default().many(Story::of(TenantId::now_v7()), 5);
    for table in ["leaf", "personal_security", "event_security", "kafka_position"] {
        fixture.break_table(table).await;
        let failed = fixture.take_in(&mut fixture.partition().await, batch(0, &sent)).await;
        assert!(matches!(failed, Err(SinkError::Unavailable(_))), "{table}: {failed:?}");
        assert_eq!(
            (fixture.stored_ids().await, fixture.position().await),
            (vec![], 0),
            "{table}"
        );
        fixture.mend_table(table).await;
    }
    fixture.take_in_fresh(batch(0, &sent)).await;
    assert_eq!(
        (fixture.stored_ids().await, fixture.position().await),
        (ids(&sent, 0..5), 5)
    );
}

#[tokio::test]
async fn a_known_event_under_a_new_number_is_consumed_and_not_stored_twice() {
    let fixture = Fixture::new().await;
    let (mut trail, story) = (Trail::default(), Story::of(TenantId::now_v7()));
    let first = trail.next(story);
    let again = trail.number(story, first.headers.event_id, first.value.clone());
    let last = trail.next(story);
    let sent = [first, again, last];
    fixture.take_in_fresh(batch(0, &sent)).await;
    assert_eq!(fixture.stored_ids().await, [sent[0].event_id(), sent[2].event_id()]);
    fixture.take_in_fresh(batch(0, &sent)).await;
    assert_eq!(
        (fixture.metrics.repeats.get(), fixture.metrics.duplicates.get()),
        (1, 3)
    );
}

#[tokio::test]
async fn fi_09_what_cannot_be_read_is_stored_raw_with_its_number() {
    let fixture = Fixture::new().await;
    let (mut trail, story) = (Trail::default(), Story::of(tenant_in_shard(9)));
    let other = Story::of(tenant_in_shard(9));
    let id = EventId::now_v7();
    let sent = vec![
        trail.next(story),
        trail.number(story, EventId::now_v7(), vec![]),
        trail.number(story, EventId::now_v7(), b"\xff\xff\xff\xffno such length".to_vec()),
        trail.number(
            story,
            EventId::now_v7(),
            encode_value(b"\xff\xff no protobuf", b"personal"),
        ),
        trail.number(story, EventId::now_v7(), valid_value(story, id)), // another event's core
        trail.number(story, id, valid_value(other, id)),                // another tenant's core
        trail.next(story),
    ];
    fixture.take_in_fresh(batch(0, &sent)).await;
    let rows = fixture.stored().await;
    assert_eq!(
        rows.iter().map(|row| row.event_id).collect::<Vec<_>>(),
        ids(&sent, 0..7)
    );
    let reasons: Vec<Option<&str>> = rows.iter().map(|row| row.quarantine.as_deref()).collect();
    let expected = [
        None,
        Some("the value is too short"),
        Some("the value is too short"),
        Some("the core cannot be decoded"),
        Some("the core's event_id is not the record's"),
        Some("the core's tenant_id is not the record's"),
        None,
    ];
    assert_eq!(reasons, expected);
    assert_eq!(rows[2].core, b"\xff\xff\xff\xffno such length", "raw");
    assert_eq!(rows[3].core, b"\xff\xff no protobuf");
    assert_eq!(fixture.metrics.quarantined.get(), 5);
}

fn valid_value(story: Story, id: EventId) -> Vec<u8> {
    const EVENT: EventType<Security> = EventType::new("token_issued", Severity::Info, Outcome::Success);
    let personal = PersonalPart::new(Personal::default()).unwrap();
    let encoded = EventDraft::new(&EVENT, id, story.tenant, now())
        .parties(story.user, story.session)
        .encode(&personal);
    encode_value(&encoded.core, personal.as_bytes())
}

#[tokio::test]
async fn a_row_that_the_database_refuses_is_found_and_quarantined_and_its_neighbours_are_not() {
    let fixture = Fixture::new().await;
    let (mut trail, story) = (Trail::default(), Story::of(TenantId::now_v7()));
    let mut sent = trail.many(story, 20);
    sent.push(poison(&mut trail, story, "nul\0in_the_type"));
    sent.extend(trail.many(story, 9));
    sent.push(poison(&mut trail, story, &incompressible(20_000))); // no index takes it
    sent.extend(trail.many(story, 3));
    let count = sent.len();
    fixture.take_in_fresh(batch(0, &sent)).await;
    let rows = fixture.stored().await;
    assert_eq!(
        rows.iter().map(|row| row.event_id).collect::<Vec<_>>(),
        ids(&sent, 0..count)
    );
    let quarantined: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.quarantine.is_some())
        .map(|(place, _)| place)
        .collect();
    assert_eq!(quarantined, [20, 30]);
    assert_eq!(rows[20].quarantine.as_deref(), Some("refused by the store"));
    assert_eq!(fixture.position().await, i64::try_from(count).unwrap());
}

fn incompressible(length: usize) -> String {
    let ids = std::iter::repeat_with(|| uuid::Uuid::new_v4().simple().to_string());
    ids.take(length / 32).collect()
}

/// An event that can be decoded and not stored as decoded.
fn poison(trail: &mut Trail, story: Story, event_type: &str) -> Sent {
    let id = EventId::now_v7();
    let value = valid_value(story, id);
    let parts = credo_kafka::split_value(&value).unwrap();
    let core = Core {
        r#type: event_type.to_owned(),
        ..Core::decode(parts.core).unwrap()
    };
    trail.number(story, id, encode_value(&core.encode_to_vec(), parts.personal))
}

#[tokio::test]
async fn a_personal_part_that_the_core_does_not_commit_to_is_quarantined() {
    let fixture = Fixture::new().await;
    let (mut trail, story) = (Trail::default(), Story::of(TenantId::now_v7()));
    let id = EventId::now_v7();
    let value = valid_value(story, id);
    let parts = credo_kafka::split_value(&value).unwrap();
    let sent = [trail.number(story, id, encode_value(parts.core, b"somebody else"))];
    fixture.take_in_fresh(batch(0, &sent)).await;
    let rows = fixture.stored().await;
    assert_eq!(
        rows[0].quarantine.as_deref(),
        Some("the core does not commit to this personal part")
    );
}

#[tokio::test]
async fn a_tenant_in_a_foreign_shard_is_quarantined_and_gets_its_number() {
    let fixture = Fixture::new().await;
    let story = Story::of(tenant_in_shard(1));
    let mut sent = Trail::default().next(story);
    sent.headers.shard = Shard::try_from(2).unwrap();
    fixture.take_in_fresh(batch(0, [&sent])).await;
    let rows = fixture.stored().await;
    assert_eq!(
        rows[0].quarantine.as_deref(),
        Some("the tenant belongs to another shard")
    );
}

#[tokio::test]
async fn a_record_without_a_place_is_kept_apart_once() {
    let fixture = Fixture::new().await;
    let (mut trail, story) = (Trail::default(), Story::of(TenantId::now_v7()));
    let (first, last) = (trail.next(story), trail.next(story));
    let mut stray = trail.next(story).record(1);
    stray.raw_headers = Ok(vec![
        ("tenant".to_owned(), b"\xff\0".to_vec()),
        ("na\0me".to_owned(), vec![]),
    ]);
    let mut bare = stray.clone();
    (bare.offset, bare.key, bare.value, bare.raw_headers) = (2, None, vec![], Ok(vec![]));
    for _ in 0..2 {
        let records = vec![
            first.at(0),
            Incoming::of(stray.clone()),
            Incoming::of(bare.clone()),
            last.at(3),
        ];
        fixture.take_in_fresh(incoming(0, records)).await;
    }
    assert_eq!(fixture.stored_ids().await, [first.event_id(), last.event_id()]);
    let rows = sqlx::query("SELECT reason, header_values, record_value FROM stray_record ORDER BY kafka_offset")
        .fetch_all(fixture.database.owner_pool())
        .await
        .unwrap();
    let reasons: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(reasons, ["bad header tenant", "no header tenant"]);
    assert_eq!(rows[0].get::<Vec<Vec<u8>>, _>(1), [b"\xff\0".to_vec(), vec![]]);
    assert_eq!(rows[0].get::<Vec<u8>, _>(2), stray.value);
    assert_eq!(fixture.position().await, 4);
}

#[tokio::test]
async fn au_05_the_personal_part_lies_apart() {
    let fixture = Fixture::new().await;
    let sent = Trail::default().next(Story::of(TenantId::now_v7()));
    fixture.take_in_fresh(batch(0, [&sent])).await;
    let (event_id, data): (uuid::Uuid, Vec<u8>) = sqlx::query_as("SELECT event_id, data FROM personal")
        .fetch_one(fixture.database.owner_pool())
        .await
        .unwrap();
    assert_eq!(event_id, sent.event_id());
    assert_eq!(data, credo_kafka::split_value(&sent.value).unwrap().personal);
    assert!(
        !fixture.stored().await[0]
            .core
            .windows(9)
            .any(|window| window == b"192.0.2.7")
    );
}

#[tokio::test]
async fn plans_made_on_empty_tables_use_the_indexes() {
    let fixture = Fixture::new().await;
    let pool = consumer_pool(&fixture.database);
    let mut connection = pool.acquire().await.unwrap();
    let lookup = include_str!("../../sql/stored_lookup.sql");
    let statement = format!("PREPARE lookup (bigint[], smallint[], bigint[], smallint[], uuid[]) AS {lookup}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut *connection)
        .await
        .unwrap();
    let explain = "EXPLAIN EXECUTE lookup ('{1}', '{1}', '{1}', '{2}', '{01a19467-e800-7000-8000-000000000000}')";
    let plan: Vec<(String,)> = sqlx::query_as(explain).fetch_all(&mut *connection).await.unwrap();
    let plan = plan.into_iter().map(|(line,)| line).collect::<Vec<_>>().join("\n");
    assert!(!plan.contains("Seq Scan"), "{plan}");
    for condition in [
        "Index Cond: ((epoch = r.epoch) AND (shard = r.shard) AND (seq = r.seq))",
        "Index Cond: ((class = r.class) AND (event_id = r.event_id))",
        "Index Cond: ((tenant_id = e.tenant_id) AND (tenant_seq = e.tenant_seq))",
    ] {
        assert!(plan.contains(condition), "{condition}\n{plan}");
    }
}
