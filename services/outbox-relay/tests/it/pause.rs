//! The pause: who may, what it changes, and that nothing is lost, doubled or reordered around it.

use credo_kafka::topic::PARTITIONS;
use credo_proto::{
    admin::v1::{GetOutboxStatusRequest, PauseOutboxRequest, ResumeOutboxRequest},
    events::v1::{Core, core::Details},
};
use credo_testkit::{TestDatabase, eventually, kafka_brokers};
use prost::Message as _;
use serde_json::{Value, json};
use tonic::Code;
use uuid::Uuid;

use crate::{
    caller::{Caller, Issuer, because, client, reason},
    support::{
        DEADLINE, Killable, Relay, assert_lock_order_of, assert_sound, committed, database_with_truth, fresh_topic,
        published, settings, tenant, topic_content, write_many,
    },
};

/// The relay's own events in the outbox, in order.
async fn events(database: &TestDatabase) -> Vec<Core> {
    let cores: Vec<Vec<u8>> = sqlx::query_scalar("SELECT core FROM outbox WHERE class = 1 ORDER BY id")
        .fetch_all(database.owner_pool())
        .await
        .unwrap();
    cores
        .iter()
        .map(|core| Core::decode(core.as_slice()).unwrap())
        .collect()
}

async fn published_count(database: &TestDatabase) -> i64 {
    let count =
        sqlx::query_scalar("SELECT coalesce(sum(next_seq - first_seq), 0)::bigint FROM progress WHERE shard >= 0");
    count.fetch_one(database.owner_pool()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_method_refuses_whom_it_must() {
    let (issuer, database) = (Issuer::new().await, TestDatabase::auth().await);
    let relay = Relay::start(&issuer.trusted_by(settings(&database, &kafka_brokers(), &fresh_topic()))).await;
    let all = "credo.outbox.read credo.outbox.write";
    let wrong = issuer.caller("system", "credo.audit.read credo.tenant.write");
    let (reader, writer) = (
        issuer.caller("system", "credo.outbox.read"),
        issuer.caller("system", "credo.outbox.write"),
    );
    let neighbour = issuer.caller("acme", all);
    let anonymous = [
        client(&relay).get_outbox_status(GetOutboxStatusRequest {}).await.err(),
        client(&relay).pause_outbox(because("x")).await.err(),
        client(&relay).resume_outbox(ResumeOutboxRequest::default()).await.err(),
    ];
    for refusal in anonymous.map(Option::unwrap) {
        assert_eq!(
            (refusal.code(), reason(&refusal).as_str()),
            (Code::Unauthenticated, "UNAUTHENTICATED")
        );
    }
    let resume = ResumeOutboxRequest::default;
    for (caller, expected) in [(&wrong, "SCOPE_MISSING"), (&neighbour, "SYSTEM_ONLY")] {
        let refusals = [
            caller.status(&relay).await.err(),
            caller.pause(&relay, because("x")).await.err(),
            caller.resume(&relay, resume()).await.err(),
        ];
        for refusal in refusals.map(Option::unwrap) {
            assert_eq!(
                (refusal.code(), reason(&refusal).as_str()),
                (Code::PermissionDenied, expected)
            );
        }
    }
    assert_eq!(
        reader.pause(&relay, because("x")).await.unwrap_err().code(),
        Code::PermissionDenied
    );
    assert_eq!(
        reader.resume(&relay, resume()).await.unwrap_err().code(),
        Code::PermissionDenied
    );
    assert_eq!(writer.status(&relay).await.unwrap_err().code(), Code::PermissionDenied);
    assert!(reader.status(&relay).await.unwrap().pause.is_none());
    assert!(events(&database).await.is_empty());
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pause_is_made_once_and_recorded_with_before_and_after() {
    let (issuer, database) = (Issuer::new().await, TestDatabase::auth().await);
    let relay = Relay::start(&issuer.trusted_by(settings(&database, &kafka_brokers(), &fresh_topic()))).await;
    let operator = issuer.operator();
    let request = PauseOutboxRequest {
        reason: "broker is upgraded".to_owned(),
        request_id: Uuid::now_v7().to_string(),
        validate_only: false,
    };
    let asked = PauseOutboxRequest {
        validate_only: true,
        ..request.clone()
    };
    assert_eq!(
        operator.pause(&relay, asked).await.unwrap().unwrap().reason,
        "broker is upgraded"
    );
    assert!(
        operator.status(&relay).await.unwrap().pause.is_none(),
        "it was only asked"
    );

    let made = operator.pause(&relay, request.clone()).await.unwrap();
    assert!(made.is_some());
    assert_eq!(made.as_ref().unwrap().actor_id, operator.client_id.to_string());
    assert_eq!(
        operator.pause(&relay, request.clone()).await.unwrap(),
        made,
        "the same call"
    );
    assert_eq!(
        operator.pause(&relay, because("another")).await.unwrap(),
        made,
        "pausing twice"
    );
    let reused = PauseOutboxRequest {
        reason: "another".to_owned(),
        ..request.clone()
    };
    let refusal = operator.pause(&relay, reused).await.unwrap_err();
    assert_eq!(
        (refusal.code(), reason(&refusal).as_str()),
        (Code::InvalidArgument, "REQUEST_ID_REUSED")
    );
    assert_eq!(operator.status(&relay).await.unwrap().pause, made);

    let resume = ResumeOutboxRequest {
        request_id: Uuid::now_v7().to_string(),
        validate_only: false,
    };
    for _ in 0..2 {
        operator.resume(&relay, resume.clone()).await.unwrap();
    }
    // The call that paused is known still, and does not pause again.
    assert_eq!(operator.pause(&relay, request).await.unwrap(), None);
    assert!(operator.status(&relay).await.unwrap().pause.is_none());

    assert_recorded(&events(&database).await, &operator);
    relay.stop().await.unwrap();
}

fn assert_recorded(events: &[Core], operator: &Caller) {
    let types: Vec<&str> = events.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types, ["outbox_paused", "outbox_resumed"]);
    for event in events {
        assert_eq!(event.tenant_id, operator.tenant.as_bytes());
        assert_eq!(event.actor.as_ref().unwrap().id, operator.client_id.as_bytes());
        assert_eq!(event.request_id.len(), 16);
    }
    let changes: Vec<[Value; 2]> = events.iter().map(before_and_after).collect();
    let actor_id = operator.client_id.to_string();
    assert_eq!(
        changes[0],
        [json!({"paused": false, "pause": null}), json!({"paused": true})]
    );
    assert_eq!(
        changes[1],
        [
            json!({"paused": true, "pause": {"actor_id": actor_id, "reason": "broker is upgraded"}}),
            json!({"paused": false}),
        ]
    );
}

fn before_and_after(event: &Core) -> [Value; 2] {
    let Some(Details::Change(change)) = &event.details else {
        panic!("no change");
    };
    if event.r#type == "outbox_paused" {
        assert_eq!(change.reason, "broker is upgraded");
    }
    [&change.before_json, &change.after_json].map(|text| serde_json::from_str(text).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_cannot_be_a_pause_is_refused_by_field() {
    let (issuer, database) = (Issuer::new().await, TestDatabase::auth().await);
    let relay = Relay::start(&issuer.trusted_by(settings(&database, &kafka_brokers(), &fresh_topic()))).await;
    let operator = issuer.operator();
    let bad_id = PauseOutboxRequest {
        request_id: "1".to_owned(),
        ..because("x")
    };
    let requests = ["", "  ", "a\nb", &"x".repeat(501)].map(because);
    for request in requests.into_iter().chain([bad_id]) {
        let refusal = operator.pause(&relay, request).await.unwrap_err();
        assert_eq!(
            (refusal.code(), reason(&refusal).as_str()),
            (Code::InvalidArgument, "INVALID_FIELD")
        );
    }
    operator.pause(&relay, because(&"ü".repeat(500))).await.unwrap();
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_it_is_paused_events_wait_and_everybody_can_see_why() {
    let (issuer, brokers, topic) = (Issuer::new().await, kafka_brokers(), fresh_topic());
    let (database, writer) = database_with_truth((0..3).map(aggregate)).await;
    let settings = issuer.trusted_by(settings(&database, &brokers, &topic));
    let (first, second) = (Relay::start(&settings).await, Relay::start(&settings).await);
    let operator = issuer.operator();
    write_many(&writer, tenant(1), aggregate(1), 10).await;
    published(&database).await;

    operator.pause(&second, because("a look at the topic")).await.unwrap();
    for relay in [&first, &second] {
        eventually(DEADLINE, async || relay.metric("credo_outbox_paused").await == 1).await;
    }
    let before = published_count(&database).await;
    write_many(&writer, tenant(1), aggregate(1), 10).await;
    let waiting = i64::try_from(committed(&database).await).unwrap() - before;
    assert!(waiting >= 10); // that it was paused may have gone out before the leader saw it
    let status = async || operator.status(&first).await.unwrap();
    eventually(DEADLINE, async || status().await.pending >= waiting).await;
    eventually(DEADLINE, async || {
        i64::try_from(first.metric("credo_outbox_pending_total").await).unwrap() >= waiting
    })
    .await;
    assert!(status().await.oldest_pending_age.is_some());
    assert_eq!(status().await.pause.unwrap().reason, "a look at the topic");
    let (code, report) = first.get("/readyz?verbose").await;
    assert_eq!(code, 200);
    assert!(report.contains("paused since"), "{report}");
    assert_eq!(published_count(&database).await, before);

    operator.resume(&first, ResumeOutboxRequest::default()).await.unwrap();
    published(&database).await;
    eventually(DEADLINE, async || second.metric("credo_outbox_paused").await == 0).await;
    assert!(status().await.oldest_pending_age.is_none());
    first.stop().await.unwrap();
    second.stop().await.unwrap();
    let content = topic_content(&brokers, &topic).await;
    assert_eq!(
        content.len(),
        committed(&database).await,
        "nothing twice, nothing missing"
    );
    assert_lock_order_of(&assert_sound(&content, PARTITIONS), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn au_04_a_pause_outlives_killed_relays_and_nothing_is_lost_doubled_or_reordered() {
    let (issuer, brokers, topic) = (Issuer::new().await, kafka_brokers(), fresh_topic());
    let (database, writer) = database_with_truth((0..5).map(aggregate)).await;
    let settings = issuer.trusted_by(settings(&database, &brokers, &topic));
    let operator = issuer.operator();
    for round in 0..3 {
        let (killed, relay) = (Killable::start(&settings), Relay::start(&settings).await);
        let writing = async {
            for turn in 0..20 {
                write_many(&writer, tenant(turn % 5), aggregate(turn % 5), 7).await;
            }
        };
        let pausing = operator.pause(&relay, because("drill"));
        let ((), paused) = tokio::join!(writing, pausing);
        paused.unwrap();
        killed.kill();
        relay.stop().await.unwrap();
        sqlx::query("UPDATE lease SET expires_at = '-infinity'")
            .execute(database.owner_pool())
            .await
            .unwrap();

        let successor = Relay::start(&settings).await;
        eventually(DEADLINE, async || successor.metric("credo_outbox_leader").await == 1).await;
        eventually(DEADLINE, async || successor.metric("credo_outbox_paused").await == 1).await;
        let before = published_count(&database).await;
        write_many(&writer, tenant(1), aggregate(1), 30).await;
        eventually(DEADLINE, async || {
            operator.status(&successor).await.unwrap().pending >= 30
        })
        .await;
        assert_eq!(
            published_count(&database).await,
            before,
            "round {round}: a restart resumed it"
        );
        operator
            .resume(&successor, ResumeOutboxRequest::default())
            .await
            .unwrap();
        published(&database).await;
        successor.stop().await.unwrap();
    }
    let content = topic_content(&brokers, &topic).await;
    let events = assert_sound(&content, PARTITIONS);
    assert_eq!(events.len(), committed(&database).await);
    assert_lock_order_of(&events, 2);
}

fn aggregate(number: u64) -> Uuid {
    Uuid::from_u128(u128::from(number) + 1_000)
}
