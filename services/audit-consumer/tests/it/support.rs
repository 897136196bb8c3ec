//! A relay's worth of records without a relay, and a store to put them in.

use std::{ops::Range, time::Duration};

use audit_consumer::{
    Metrics,
    decode::{Incoming, leaf_hash},
    partition::{Batch, Next, Partition, Store},
    sink::{CONNECTION_SETTINGS, Sink, SinkError},
};
use credo_clock::SystemClock;
use credo_events::{EventDraft, EventType, Outcome, PersonalPart, Security, Severity};
use credo_ids::{ClientId, EventId, SessionId, Shard, TenantId, UserId};
use credo_kafka::{EventClass, Record, RecordHeaders, encode_value};
use credo_outbox::Numbering;
use credo_postgres::{PoolSpec, connect_lazy};
use credo_proto::events::v1::Personal;
use credo_testkit::{TestDatabase, eventually};
use rdkafka::message::Headers as _;
use sqlx::{AssertSqlSafe, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

pub const DEADLINE: Duration = Duration::from_mins(1);
pub const TOPIC: &str = "topic";
const REFRESHED: EventType<Security> = EventType::new("token_refreshed", Severity::Info, Outcome::Success);
const REUSED: EventType<Security> = EventType::new("token_reuse_detected", Severity::Critical, Outcome::Refused);

/// An event as it leaves an outbox: its place and its value.
#[derive(Debug, Clone)]
pub struct Sent {
    pub headers: RecordHeaders,
    pub value: Vec<u8>,
}

/// Whose event, and about whom.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    pub tenant: TenantId,
    pub user: UserId,
    pub client: ClientId,
    pub session: SessionId,
}

impl Story {
    pub fn of(tenant: TenantId) -> Self {
        Self {
            tenant,
            user: UserId::random_v4(),
            client: ClientId::now_v7(),
            session: SessionId::now_v7(),
        }
    }
}

/// The numbers that a relay would give.
#[derive(Debug, Default)]
pub struct Trail {
    numbering: Numbering,
}

impl Trail {
    /// The next event of the story.
    pub fn next(&mut self, story: Story) -> Sent {
        self.typed(story, false)
    }

    /// The next event of the story, of type `token_reuse_detected` or else `token_refreshed`.
    pub fn typed(&mut self, story: Story, is_reuse: bool) -> Sent {
        let event = if is_reuse { &REUSED } else { &REFRESHED };
        let event_id = EventId::now_v7();
        let personal = Personal {
            address: "192.0.2.7".to_owned(),
            ..Personal::default()
        };
        let personal = PersonalPart::new(personal).unwrap();
        let encoded = EventDraft::new(event, event_id, story.tenant, now())
            .parties(story.user, story.session)
            .client(story.client)
            .session(story.session)
            .encode(&personal);
        self.number(story, event_id, encode_value(&encoded.core, personal.as_bytes()))
    }

    /// An event with this value, whatever it is.
    pub fn number(&mut self, story: Story, event_id: EventId, value: Vec<u8>) -> Sent {
        let shard = Shard::of(story.tenant);
        let number = self.numbering.number(shard, &value);
        let headers = RecordHeaders {
            tenant: story.tenant,
            shard,
            epoch: 1,
            seq: number.seq,
            running_hash: number.running_hash,
            event_id,
            class: EventClass::Security,
            aggregate: story.session.as_uuid(),
            traceparent: None,
        };
        Sent { headers, value }
    }

    pub fn many(&mut self, story: Story, count: usize) -> Vec<Sent> {
        (0..count).map(|_| self.next(story)).collect()
    }
}

pub fn now() -> OffsetDateTime {
    SystemClock::new().now()
}

/// A tenant in shard `shard`.
pub fn tenant_in_shard(shard: u8) -> TenantId {
    let mut tenants = (0..10_000).map(|_| TenantId::now_v7());
    tenants.find(|tenant| Shard::of(*tenant).get() == shard).unwrap()
}

impl Sent {
    /// The record as it comes out of Kafka at this offset.
    pub fn at(&self, offset: i64) -> Incoming {
        Incoming::of(self.record(offset))
    }

    pub fn record(&self, offset: i64) -> Record {
        let headers = self.headers.to_kafka();
        let pairs = headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.unwrap().to_vec()))
            .collect();
        Record {
            partition: 0,
            offset,
            key: Some(self.headers.aggregate.as_bytes().to_vec()),
            value: self.value.clone(),
            raw_headers: Ok(pairs),
        }
    }

    pub fn event_id(&self) -> Uuid {
        self.headers.event_id.as_uuid()
    }
}

/// A batch of records at offsets from `start` on.
pub fn batch<'a>(start: i64, sent: impl IntoIterator<Item = &'a Sent>) -> Batch {
    incoming(
        start,
        (start..).zip(sent).map(|(offset, sent)| sent.at(offset)).collect(),
    )
}

pub fn incoming(start: i64, records: Vec<Incoming>) -> Batch {
    let next_offset = records.last().map_or(start, |record| record.offset() + 1);
    Batch { records, next_offset }
}

/// What a row of `event` and its leaf say.
#[derive(Debug, sqlx::FromRow)]
pub struct Stored {
    pub tenant_id: Uuid,
    pub tenant_seq: i64,
    pub event_id: Uuid,
    pub seq: i64,
    pub quarantine: Option<String>,
    pub core: Vec<u8>,
    pub hash: Vec<u8>,
}

/// An audit database and the store that the consumer has in it.
pub struct Fixture {
    pub database: TestDatabase,
    pub store: Store,
    pub metrics: Metrics,
}

impl Fixture {
    pub async fn new() -> Self {
        let database = TestDatabase::audit().await;
        let metrics = Metrics::new().unwrap();
        let sink = Sink::new(consumer_pool(&database), TOPIC.to_owned());
        let store = Store {
            sink,
            metrics: metrics.clone(),
            clock: SystemClock::new(),
        };
        Self {
            database,
            store,
            metrics,
        }
    }

    /// Partition 0 as the store knows it.
    pub async fn partition(&self) -> Partition {
        let (number, lanes) = self.store.sink.positions(&[0]).await.unwrap().remove(0);
        Partition::new(number, lanes)
    }

    pub async fn take_in(&self, partition: &mut Partition, batch: Batch) -> Result<Next, SinkError> {
        partition.take_in(&self.store, batch).await
    }

    /// Takes in a batch as a process that has just started.
    pub async fn take_in_fresh(&self, batch: Batch) -> Next {
        self.take_in(&mut self.partition().await, batch).await.unwrap()
    }

    /// Everything stored, by shard and number. Checks that every leaf is its core's, and that `tenant_seq` has no hole.
    pub async fn stored(&self) -> Vec<Stored> {
        stored(&self.database).await
    }

    pub async fn stored_ids(&self) -> Vec<Uuid> {
        self.stored().await.iter().map(|row| row.event_id).collect()
    }

    pub async fn position(&self) -> i64 {
        self.partition().await.lanes().position()
    }

    /// Makes every insert into the table fail as if the disk were full.
    pub async fn break_table(&self, table: &str) {
        self.execute(format!(
            "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'broken' USING ERRCODE = '53100'; END $$;
             CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION broken()"
        ))
        .await;
    }

    pub async fn mend_table(&self, table: &str) {
        self.execute(format!("DROP TRIGGER broken ON {table}")).await;
    }

    async fn execute(&self, statement: String) {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(self.database.owner_pool())
            .await
            .unwrap();
    }
}

/// Waits until this many connections wait for a lock.
pub async fn lock_waiters(database: &TestDatabase, count: i64) {
    let waiters = async || {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(database.owner_pool())
        .await
        .unwrap();
        waiting == count
    };
    eventually(DEADLINE, waiters).await;
}

pub async fn stored(database: &TestDatabase) -> Vec<Stored> {
    let rows: Vec<Stored> = sqlx::query_as(
        "SELECT tenant_id, tenant_seq, e.event_id, seq, quarantine, core, hash
         FROM event e JOIN leaf l USING (tenant_id, tenant_seq) WHERE l.event_id = e.event_id ORDER BY epoch, shard, seq",
    )
    .fetch_all(database.owner_pool())
    .await
    .unwrap();
    let counts: (i64, i64) = sqlx::query_as("SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM leaf)")
        .fetch_one(database.owner_pool())
        .await
        .unwrap();
    let count = i64::try_from(rows.len()).unwrap();
    assert_eq!(counts, (count, count), "an event and a leaf for each");
    for row in &rows {
        assert_eq!(row.hash, leaf_hash(&row.core));
        let of_tenant = rows.iter().filter(|other| other.tenant_id == row.tenant_id);
        let mut seqs: Vec<i64> = of_tenant.map(|other| other.tenant_seq).collect();
        seqs.sort_unstable();
        assert!((1..).zip(&seqs).all(|(expected, seq)| expected == *seq), "{seqs:?}");
    }
    rows
}

pub fn consumer_pool(database: &TestDatabase) -> PgPool {
    connect_lazy(&PoolSpec {
        url: &database.url_as("credo_audit_consumer").into(),
        application_name: "test-consumer",
        max_connections: 4,
        statement_timeout: Duration::from_secs(10),
        lock_timeout: Duration::from_secs(5),
        settings: &CONNECTION_SETTINGS,
    })
    .unwrap()
}

pub fn ids(sent: &[Sent], range: Range<usize>) -> Vec<Uuid> {
    sent[range].iter().map(Sent::event_id).collect()
}
