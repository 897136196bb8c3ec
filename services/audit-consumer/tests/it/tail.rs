//! Tails, and how the way into the store stands.

use std::time::Duration;

use credo_ids::TenantId;
use credo_proto::admin::v1::{
    AuditEvent, GetConsumerStatusRequest, GetConsumerStatusResponse, TailEventsRequest, TailEventsResponse,
    audit_service_client::AuditServiceClient,
};
use credo_testkit::eventually;
use tokio::time::{Instant, timeout};
use tonic::{Code, Status, Streaming, transport::Endpoint};

use crate::{
    scene::{Scene, bearing, reason, resume_token},
    support::{DEADLINE, Sent, Story, Trail, tenant_in_shard},
};

const READ: &str = "credo.audit.read";

fn from_start(tenant: TenantId) -> TailEventsRequest {
    TailEventsRequest {
        tenant_id: tenant.to_string(),
        from_start: true,
        ..TailEventsRequest::default()
    }
}

fn from_token(tenant: TenantId, token: &str) -> TailEventsRequest {
    TailEventsRequest {
        from_start: false,
        resume_token: token.to_owned(),
        ..from_start(tenant)
    }
}

impl Scene {
    async fn tail(&self, token: &str, request: TailEventsRequest) -> Result<Streaming<TailEventsResponse>, Status> {
        let answer = self.client.clone().tail_events(bearing(token, request)).await?;
        Ok(answer.into_inner())
    }

    async fn status(&self, token: &str) -> Result<GetConsumerStatusResponse, Status> {
        let request = bearing(token, GetConsumerStatusRequest {});
        Ok(self.client.clone().get_consumer_status(request).await?.into_inner())
    }
}

async fn next(tail: &mut Streaming<TailEventsResponse>) -> Result<TailEventsResponse, Status> {
    let answer = timeout(DEADLINE, tail.message()).await.expect("an answer in time")?;
    Ok(answer.expect("a tail has no end"))
}

/// Reads until `count` events are there; they and the last token.
async fn read(tail: &mut Streaming<TailEventsResponse>, count: usize) -> (Vec<AuditEvent>, String) {
    let (mut events, mut token) = (vec![], String::new());
    while events.len() < count {
        let answer = next(tail).await.unwrap();
        events.extend(answer.events);
        token = answer.resume_token;
    }
    (events, token)
}

async fn end_of(tail: &mut Streaming<TailEventsResponse>) -> Status {
    loop {
        if let Err(end) = next(tail).await {
            return end;
        }
    }
}

fn assert_whole(events: &[AuditEvent], sent: &[Sent]) {
    let numbers: Vec<i64> = events.iter().map(|event| event.tenant_seq).collect();
    assert_eq!(numbers, (1..).take(sent.len()).collect::<Vec<_>>());
    let ids: Vec<&str> = events.iter().map(|event| event.event_id.as_str()).collect();
    let expected: Vec<String> = sent.iter().map(|sent| sent.event_id().to_string()).collect();
    assert_eq!(ids, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tail_shows_what_is_stored_and_then_what_comes() {
    let story = Story::of(TenantId::now_v7());
    let mut trail = Trail::default();
    let mut sent = trail.many(story, 5);
    let scene = Scene::new(&sent).await;
    let token = scene.token("mine", story.tenant, READ);
    let mut all = scene.tail(&token, from_start(story.tenant)).await.unwrap();
    let mut new = scene.tail(&token, from_token(story.tenant, "")).await.unwrap();
    assert!(
        next(&mut new).await.unwrap().events.is_empty(),
        "it begins with a token"
    );
    let (mut events, _) = read(&mut all, 5).await;
    assert!(events.iter().all(|event| event.personal.is_none()));

    sent.extend(trail.many(story, 3));
    scene.stage.send(&sent[5..]);
    events.extend(read(&mut all, 3).await.0);
    assert_whole(&events, &sent);
    let (events, _) = read(&mut new, 3).await;
    assert_eq!(events[0].event_id, sent[5].event_id().to_string());

    let personal = scene.token("mine", story.tenant, "credo.audit.read credo.audit.personal");
    let mut stream = scene.tail(&personal, from_start(story.tenant)).await.unwrap();
    assert_eq!(
        read(&mut stream, 1).await.0[0].personal.as_ref().unwrap().address,
        "192.0.2.7"
    );
    drop((all, new, stream));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tail_that_breaks_again_and_again_has_no_gap_and_no_duplicate() {
    let story = Story::of(TenantId::now_v7());
    let sent = Trail::default().many(story, 1_200);
    let scene = Scene::new(&sent[..1]).await;
    let token = scene.token("mine", story.tenant, READ);
    let reading = async {
        let (mut events, mut request) = (vec![], from_start(story.tenant));
        for breaks in 1.. {
            let mut stream = scene.tail(&token, request.clone()).await.unwrap();
            let (more, resume) = read(&mut stream, ((breaks * 7) % 90).min(sent.len() - events.len())).await;
            events.extend(more);
            if !resume.is_empty() {
                request = from_token(story.tenant, &resume);
            }
            if events.len() >= sent.len() {
                break;
            }
        }
        events
    };
    let writing = async {
        for batch in sent[1..].chunks(37) {
            tokio::task::block_in_place(|| scene.stage.send(batch));
            tokio::task::yield_now().await;
        }
    };
    let (events, ()) = tokio::join!(reading, writing);
    assert_whole(&events, &sent);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_filtered_tail_skips_the_rest_and_its_token_belongs_to_it() {
    let tenant = TenantId::now_v7();
    let (one, two) = (Story::of(tenant), Story::of(tenant));
    let mut trail = Trail::default();
    let sent: Vec<Sent> = (0..40)
        .map(|n| trail.next(if n % 8 == 0 { one } else { two }))
        .collect();
    let scene = Scene::new(&sent).await;
    let token = scene.token("mine", tenant, READ);
    let of_one = |mut request: TailEventsRequest| {
        request.actor_id = one.user.to_string();
        request
    };
    let mut stream = scene.tail(&token, of_one(from_start(tenant))).await.unwrap();
    let (events, resume) = read(&mut stream, 5).await;
    let expected: Vec<String> = sent.iter().step_by(8).map(|sent| sent.event_id().to_string()).collect();
    assert_eq!(
        events.iter().map(|event| event.event_id.clone()).collect::<Vec<_>>(),
        expected
    );
    let bad = [
        from_token(tenant, &resume),
        from_token(tenant, "AAAA"),
        from_token(tenant, &"x".repeat(1_000)),
    ];
    for request in bad {
        let refusal = scene.tail(&token, request).await.unwrap_err();
        assert_eq!(
            (refusal.code(), reason(&refusal).as_str()),
            (Code::InvalidArgument, "INVALID_PAGE_TOKEN")
        );
    }
    let both = TailEventsRequest {
        from_start: true,
        ..of_one(from_token(tenant, &resume))
    };
    assert_eq!(reason(&scene.tail(&token, both).await.unwrap_err()), "INVALID_FIELD");
    scene.tail(&token, of_one(from_token(tenant, &resume))).await.unwrap();
    drop(stream);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_may_not_read_may_not_tail_and_only_system_sees_the_consumer() {
    let (mine, theirs) = (Story::of(TenantId::now_v7()), Story::of(TenantId::now_v7()));
    let mut trail = Trail::default();
    let sent = [trail.next(mine), trail.next(theirs)];
    let scene = Scene::new(&sent).await;
    let bare = scene
        .client
        .clone()
        .tail_events(from_start(mine.tenant))
        .await
        .unwrap_err();
    assert_eq!(reason(&bare), "UNAUTHENTICATED");
    let bare = scene
        .client
        .clone()
        .get_consumer_status(GetConsumerStatusRequest {})
        .await
        .unwrap_err();
    assert_eq!(reason(&bare), "UNAUTHENTICATED");
    let wrong = scene.token("system", mine.tenant, "credo.audit.personal credo.outbox.read");
    let refusal = scene.tail(&wrong, from_start(mine.tenant)).await.unwrap_err();
    assert_eq!(
        (refusal.code(), reason(&refusal).as_str()),
        (Code::PermissionDenied, "SCOPE_MISSING")
    );
    assert_eq!(reason(&scene.status(&wrong).await.unwrap_err()), "SCOPE_MISSING");

    let own = scene.token("mine", mine.tenant, "credo.audit.read credo.audit.status");
    let refusal = scene.tail(&own, from_start(theirs.tenant)).await.unwrap_err();
    assert_eq!(
        (refusal.code(), reason(&refusal).as_str()),
        (Code::NotFound, "NOT_FOUND")
    );
    let refusal = scene.status(&own).await.unwrap_err();
    assert_eq!(
        (refusal.code(), reason(&refusal).as_str()),
        (Code::PermissionDenied, "SYSTEM_ONLY")
    );
    let system = scene.token("system", TenantId::now_v7(), READ);
    let mut stream = scene.tail(&system, from_start(theirs.tenant)).await.unwrap();
    assert_eq!(read(&mut stream, 1).await.0[0].event_id, sent[1].event_id().to_string());
    drop(stream);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_silent_tail_has_heartbeats_and_ends_with_its_token_and_with_the_process() {
    let story = Story::of(TenantId::now_v7());
    let scene = Scene::new(&Trail::default().many(story, 2)).await;
    let token = scene.token("mine", story.tenant, READ);
    let mut stream = scene.tail(&token, from_start(story.tenant)).await.unwrap();
    let (_, reached) = read(&mut stream, 2).await;
    let since = Instant::now();
    let heartbeat = next(&mut stream).await.unwrap();
    assert!(heartbeat.events.is_empty() && since.elapsed() < Duration::from_secs(10));
    assert_eq!(heartbeat.resume_token, reached);

    let short = scene.token_for(2, "mine", story.tenant, READ);
    let mut ending = scene.tail(&short, from_token(story.tenant, &reached)).await.unwrap();
    let end = end_of(&mut ending).await;
    assert_eq!(
        (end.code(), reason(&end).as_str()),
        (Code::Unauthenticated, "UNAUTHENTICATED")
    );
    assert_eq!(resume_token(&end), reached);

    let (end, ()) = tokio::join!(end_of(&mut stream), scene.end());
    assert_eq!((end.code(), reason(&end).as_str()), (Code::Unavailable, "UNAVAILABLE"));
    assert_eq!(resume_token(&end), reached);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn there_are_only_so_many_tails_for_one_tenant() {
    let story = Story::of(TenantId::now_v7());
    let scene = Scene::new(&[Trail::default().next(story)]).await;
    let token = scene.token("mine", story.tenant, READ);
    let mut tails = vec![];
    for _ in 0..16 {
        tails.push(scene.tail(&token, from_start(story.tenant)).await.unwrap());
    }
    let refusal = scene.tail(&token, from_start(story.tenant)).await.unwrap_err();
    assert_eq!(
        (refusal.code(), reason(&refusal).as_str()),
        (Code::ResourceExhausted, "TOO_MANY_CALLS")
    );
    let system = scene.token("system", TenantId::now_v7(), READ);
    tails.push(scene.tail(&system, from_start(story.tenant)).await.unwrap());
    drop(tails);
    eventually(DEADLINE, async || {
        scene.tail(&token, from_start(story.tenant)).await.ok()
    })
    .await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_reader_is_cut_off_and_told_from_where_to_go_on() {
    let story = Story::of(TenantId::now_v7());
    let sent = Trail::default().many(story, 1_500);
    let scene = Scene::new(&sent).await;
    let token = scene.token("mine", story.tenant, READ);
    let channel = Endpoint::from_shared(format!("http://{}", scene.running.grpc))
        .unwrap()
        .initial_stream_window_size(65_535)
        .initial_connection_window_size(65_535);
    let mut narrow = AuditServiceClient::new(channel.connect().await.unwrap());
    let request = bearing(&token, from_start(story.tenant));
    let mut stream = narrow.tail_events(request).await.unwrap().into_inner();
    let cut = async || scene.running.metric("credo_audit_slow_readers_total").await == 1;
    eventually(DEADLINE, cut).await;
    let mut events = vec![];
    let end = loop {
        match next(&mut stream).await {
            Ok(answer) => events.extend(answer.events),
            Err(end) => break end,
        }
    };
    assert_eq!((end.code(), reason(&end).as_str()), (Code::OutOfRange, "SLOW_READER"));
    assert!(!events.is_empty() && events.len() < sent.len());
    let mut rest = scene
        .tail(&token, from_token(story.tenant, &resume_token(&end)))
        .await
        .unwrap();
    events.extend(read(&mut rest, sent.len() - events.len()).await.0);
    assert_whole(&events, &sent);
    drop((stream, rest));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_consumer_tells_of_its_positions_its_lag_and_what_stopped() {
    let (whole, gapped) = (Story::of(tenant_in_shard(1)), Story::of(tenant_in_shard(2)));
    let mut trail = Trail::default();
    let (sent, rest) = (trail.many(whole, 3), trail.many(gapped, 3));
    let scene = Scene::new(&sent).await;
    let token = scene.token("system", TenantId::now_v7(), "credo.audit.status");
    let status = async || scene.status(&token).await.unwrap();
    eventually(DEADLINE, async || status().await.lag == 0).await;
    let quiet = status().await;
    assert!(quiet.last_store_time.is_some() && quiet.last_error.is_empty());
    assert_eq!(quiet.shards.len(), 1);
    assert_eq!(
        (quiet.shards[0].shard, quiet.shards[0].epoch, quiet.shards[0].next_seq),
        (1, 1, 4)
    );

    scene.stage.send([&rest[0], &rest[2]]);
    let of_gapped = async || status().await.shards.into_iter().find(|shard| shard.shard == 2);
    let stopped = async || {
        of_gapped()
            .await
            .is_some_and(|shard| shard.stopped == "gap" && shard.next_seq == 2)
    };
    eventually(DEADLINE, stopped).await;
    assert_eq!(status().await.lag, 1);
    scene.stage.send([&rest[1]]);
    let healed = async || {
        of_gapped()
            .await
            .is_some_and(|shard| shard.stopped.is_empty() && shard.next_seq == 4)
    };
    eventually(DEADLINE, healed).await;
    eventually(DEADLINE, async || status().await.lag == 0).await;
    scene.end().await;
}
