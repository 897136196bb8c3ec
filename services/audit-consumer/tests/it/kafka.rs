//! From the topic into the database, with consumers that come and go.

use credo_ids::TenantId;
use credo_testkit::eventually;
use sqlx::AssertSqlSafe;

use crate::{
    running::Stage,
    support::{DEADLINE, Sent, Story, Trail, stored, tenant_in_shard},
};

/// Events of twenty tenants, as one relay numbers them.
fn mixed(trail: &mut Trail, stories: &[Story], count: usize) -> Vec<Sent> {
    (0..count)
        .map(|place| trail.next(stories[place * place % stories.len()]))
        .collect()
}

fn stories() -> Vec<Story> {
    (0..20).map(|_| Story::of(TenantId::now_v7())).collect()
}

async fn assert_stored_exactly(stage: &Stage, sent: &[Sent]) {
    let mut expected: Vec<(u8, i64, uuid::Uuid)> = sent
        .iter()
        .map(|sent| (sent.headers.shard.get(), sent.headers.seq, sent.event_id()))
        .collect();
    expected.sort_unstable();
    let rows = stored(&stage.database).await;
    let found: Vec<(i64, uuid::Uuid)> = rows.iter().map(|row| (row.seq, row.event_id)).collect();
    assert_eq!(
        found,
        expected.into_iter().map(|(_, seq, id)| (seq, id)).collect::<Vec<_>>()
    );
    assert!(rows.iter().all(|row| row.quarantine.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_topic_read_three_times_is_stored_once() {
    let stage = Stage::new().await;
    let sent = mixed(&mut Trail::default(), &stories(), 600);
    stage.send(&sent);
    let first = stage.start().await;
    stage.wait_for_count(600).await;
    first.stop().await.unwrap();
    for _ in 0..3 {
        sqlx::query("DELETE FROM kafka_position")
            .execute(stage.database.owner_pool())
            .await
            .unwrap();
        let again = stage.start().await;
        eventually(DEADLINE, async || {
            again.metric("credo_audit_duplicates_total").await == 600
        })
        .await;
        assert_eq!(again.metric("credo_audit_stored_total").await, 0);
        again.stop().await.unwrap();
    }
    assert_stored_exactly(&stage, &sent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_restart_goes_on_where_the_database_stands() {
    let stage = Stage::new().await;
    let (mut trail, stories) = (Trail::default(), stories());
    let mut sent = mixed(&mut trail, &stories, 200);
    stage.send(&sent);
    let first = stage.start().await;
    stage.wait_for_count(200).await;
    first.stop().await.unwrap();
    let more = mixed(&mut trail, &stories, 200);
    stage.send(&more);
    sent.extend(more);
    let second = stage.start().await;
    stage.wait_for_count(400).await;
    assert_eq!(
        second.metric("credo_audit_duplicates_total").await,
        0,
        "nothing is read twice"
    );
    second.stop().await.unwrap();
    assert_stored_exactly(&stage, &sent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn consumers_that_come_and_go_store_everything_once() {
    let stage = Stage::new().await;
    let (mut trail, stories) = (Trail::default(), stories());
    let mut sent = vec![];
    let mut running = vec![stage.start().await];
    for round in 0..8 {
        let more = mixed(&mut trail, &stories, 150);
        stage.send(&more);
        sent.extend(more);
        match round % 4 {
            0 | 1 => running.push(stage.start().await),
            2 => running.remove(0).stop().await.unwrap(),
            // Not stopped: gone.
            _ => drop(running.remove(0)),
        }
    }
    stage.wait_for_count(sent.len()).await;
    for consumer in running {
        consumer.stop().await.unwrap();
    }
    assert_stored_exactly(&stage, &sent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_is_away_is_waited_for() {
    let stage = Stage::new().await;
    let (mut trail, stories) = (Trail::default(), stories());
    let mut sent = mixed(&mut trail, &stories, 50);
    stage.send(&sent);
    let running = stage.start().await;
    stage.wait_for_count(50).await;
    let name: String = sqlx::query_scalar("SELECT quote_ident(current_database())")
        .fetch_one(stage.database.owner_pool())
        .await
        .unwrap();
    let revoke = format!(
        "REVOKE CONNECT ON DATABASE {name} FROM credo_audit_consumer;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND usename = 'credo_audit_consumer'"
    );
    sqlx::raw_sql(AssertSqlSafe(revoke))
        .execute(stage.database.owner_pool())
        .await
        .unwrap();
    let more = mixed(&mut trail, &stories, 50);
    stage.send(&more);
    sent.extend(more);
    let degraded = async || {
        running
            .get("/readyz?verbose")
            .await
            .1
            .contains(r#""postgres":{"state":"degraded""#)
    };
    eventually(DEADLINE, degraded).await;
    assert_eq!(stage.count().await, 50);
    let grant = format!("GRANT CONNECT ON DATABASE {name} TO credo_audit_consumer");
    sqlx::raw_sql(AssertSqlSafe(grant))
        .execute(stage.database.owner_pool())
        .await
        .unwrap();
    stage.wait_for_count(100).await;
    let up = async || {
        running
            .get("/readyz?verbose")
            .await
            .1
            .contains(r#""postgres":{"state":"up""#)
    };
    eventually(DEADLINE, up).await;
    running.stop().await.unwrap();
    assert_stored_exactly(&stage, &sent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_gap_is_told_and_heals_when_the_record_is_sent_again() {
    let stage = Stage::new().await;
    let mut trail = Trail::default();
    let (gapped, neighbour) = (Story::of(tenant_in_shard(1)), Story::of(tenant_in_shard(13))); // one partition
    let one = trail.many(gapped, 5);
    let two = trail.many(neighbour, 3);
    stage.send(one[..1].iter().chain(&one[2..]).chain(&two));
    stage.send_stray(1);
    let running = stage.start().await;
    stage.wait_for_count(4).await;
    let wanted = async || running.metric("credo_audit_wanted_seq{shard=\"1\"}").await == 2;
    eventually(DEADLINE, wanted).await;
    assert_eq!(running.metric("credo_audit_seq_lag").await, 4);
    assert!(
        running
            .get("/readyz?verbose")
            .await
            .1
            .contains(r#""trail":{"state":"degraded""#)
    );
    assert_eq!(stage.count().await, 4);

    stage.send(&one[1..2]);
    stage.wait_for_count(8).await;
    eventually(DEADLINE, async || {
        running.metric("credo_audit_wanted_seq{shard=\"1\"}").await == 0
    })
    .await;
    assert_eq!(running.metric("credo_audit_seq_lag").await, 0);
    eventually(DEADLINE, async || {
        running
            .get("/readyz?verbose")
            .await
            .1
            .contains(r#""trail":{"state":"up""#)
    })
    .await;
    running.stop().await.unwrap();
    assert_stored_exactly(&stage, &[one, two].concat()).await;
}
