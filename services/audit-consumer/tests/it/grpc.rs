//! Reading the trail, as its callers do.

use credo_ids::TenantId;
use credo_proto::admin::v1::{AuditEvent, QueryEventsRequest};
use tonic::Code;

use crate::{
    scene::{Scene, reason},
    support::{Sent, Story, Trail},
};

const READ: &str = "credo.audit.read";
const READ_PERSONAL: &str = "credo.audit.read credo.audit.personal";

fn of(tenant: TenantId) -> QueryEventsRequest {
    QueryEventsRequest {
        tenant_id: tenant.to_string(),
        ..QueryEventsRequest::default()
    }
}

/// Makes a request bad in one way.
type Change = fn(&mut QueryEventsRequest);

fn changed(tenant: TenantId, change: impl Fn(&mut QueryEventsRequest)) -> QueryEventsRequest {
    let mut request = of(tenant);
    change(&mut request);
    request
}

fn instant(seconds: i64, nanos: i32) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos }
}

fn event_ids(events: &[AuditEvent]) -> Vec<String> {
    events.iter().map(|event| event.event_id.clone()).collect()
}

fn sent_ids<'a>(sent: impl IntoIterator<Item = &'a Sent>) -> Vec<String> {
    sent.into_iter().map(|sent| sent.event_id().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_is_shown_with_its_place_and_proof() {
    let story = Story::of(TenantId::now_v7());
    let sent = Trail::default().many(story, 2);
    let scene = Scene::new(&sent).await;
    let token = scene.token("mine", story.tenant, READ);
    let event = scene
        .get(&token, &story.tenant.to_string(), &sent[1].event_id().to_string())
        .await
        .unwrap();
    assert_eq!(event.event_id, sent[1].event_id().to_string());
    assert_eq!((event.tenant_seq, event.epoch, event.seq), (2, 1, 2));
    assert_eq!(event.shard, i32::from(sent[1].headers.shard.get()));
    assert_eq!(
        (event.r#type.as_str(), event.event_class.as_str()),
        ("token_refreshed", "security")
    );
    assert_eq!((event.severity.as_str(), event.outcome.as_str()), ("info", "success"));
    assert_eq!(
        (event.actor_kind.as_str(), event.actor_id),
        ("user", story.user.to_string())
    );
    assert_eq!(
        (event.subject_kind.as_str(), event.subject_id),
        ("session", story.session.to_string())
    );
    assert_eq!(
        (event.client_id, event.session_id),
        (story.client.to_string(), story.session.to_string())
    );
    assert!(event.occur_time.is_some() && event.store_time.is_some() && !event.quarantined);
    assert_eq!(event.core, credo_kafka::split_value(&sent[1].value).unwrap().core);
    assert_eq!(event.leaf_hash, audit_consumer::decode::leaf_hash(&event.core));
    assert_eq!(event.personal, None, "not without its scope");
    let token = scene.token("mine", story.tenant, READ_PERSONAL);
    let event = scene
        .get(&token, &story.tenant.to_string(), &sent[1].event_id().to_string())
        .await
        .unwrap();
    assert_eq!(event.personal.unwrap().address, "192.0.2.7");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_lead_through_all_events_in_order() {
    let story = Story::of(TenantId::now_v7());
    let sent = Trail::default().many(story, 25);
    let scene = Scene::new(&sent).await;
    let token = scene.token("mine", story.tenant, READ);
    for size in [1, 7, 24, 25, 26] {
        let mut found = vec![];
        let mut page_token = String::new();
        loop {
            let request = QueryEventsRequest {
                page_size: size,
                page_token,
                ..of(story.tenant)
            };
            let (events, next) = scene.query(&token, request).await.unwrap();
            assert!(events.len() <= usize::try_from(size).unwrap() && !events.is_empty());
            found.extend(event_ids(&events));
            page_token = next;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(found, sent_ids(&sent), "{size}");
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_filter_filters() {
    let tenant = TenantId::now_v7();
    let (one, two) = (Story::of(tenant), Story::of(tenant));
    let mut trail = Trail::default();
    let sent: Vec<Sent> = (0..12)
        .map(|n| trail.typed(if n % 2 == 0 { one } else { two }, n % 3 == 0))
        .collect();
    let scene = Scene::new(&sent).await;
    let token = scene.token("mine", tenant, READ);
    let of_one = || sent.iter().step_by(2);
    let reused = || sent.iter().step_by(3);
    let middle = scene
        .get(&token, &tenant.to_string(), &sent[5].event_id().to_string())
        .await
        .unwrap()
        .occur_time;
    let with = |change: &dyn Fn(&mut QueryEventsRequest)| changed(tenant, change);
    let reuse = || "token_reuse_detected".to_owned();
    let cases = [
        (of(tenant), sent_ids(&sent)),
        (with(&|query| query.actor_id = one.user.to_string()), sent_ids(of_one())),
        (
            with(&|query| query.subject_id = one.session.to_string()),
            sent_ids(of_one()),
        ),
        (
            with(&|query| query.session_id = one.session.to_string()),
            sent_ids(of_one()),
        ),
        (with(&|query| query.r#type = reuse()), sent_ids(reused())),
        (with(&|query| query.r#type = "no_such".to_owned()), vec![]),
        (with(&|query| query.start_time = middle), sent_ids(&sent[5..])),
        (with(&|query| query.end_time = middle), sent_ids(&sent[..5])),
        (
            with(&|query| (query.actor_id, query.r#type, query.start_time) = (one.user.to_string(), reuse(), middle)),
            sent_ids(&sent[6..7]),
        ),
    ];
    for (request, expected) in cases {
        let (events, next) = scene.query(&token, request.clone()).await.unwrap();
        assert_eq!((event_ids(&events), next), (expected, String::new()), "{request:?}");
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_tenant_is_as_unknown_as_a_random_one() {
    let (mine, theirs) = (Story::of(TenantId::now_v7()), Story::of(TenantId::now_v7()));
    let mut trail = Trail::default();
    let sent = [trail.next(mine), trail.next(theirs)];
    let scene = Scene::new(&sent).await;
    let token = scene.token("mine", mine.tenant, READ_PERSONAL);
    let their_event = sent[1].event_id().to_string();
    let of_theirs = scene
        .get(&token, &theirs.tenant.to_string(), &their_event)
        .await
        .unwrap_err();
    let of_random = scene
        .get(&token, &TenantId::now_v7().to_string(), &their_event)
        .await
        .unwrap_err();
    let under_mine = scene
        .get(&token, &mine.tenant.to_string(), &their_event)
        .await
        .unwrap_err();
    assert_eq!(
        (of_theirs.code(), of_theirs.message()),
        (of_random.code(), of_random.message())
    );
    assert_eq!((of_theirs.code(), under_mine.code()), (Code::NotFound, Code::NotFound));
    assert_eq!(
        scene.query(&token, of(theirs.tenant)).await.unwrap_err().code(),
        Code::NotFound
    );
    let system = scene.token("system", TenantId::now_v7(), READ);
    assert_eq!(
        scene
            .get(&system, &theirs.tenant.to_string(), &their_event)
            .await
            .unwrap()
            .event_id,
        their_event
    );
    assert_eq!(scene.query(&system, of(mine.tenant)).await.unwrap().0.len(), 1);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_read_without_the_permission() {
    let story = Story::of(TenantId::now_v7());
    let scene = Scene::new(&[Trail::default().next(story)]).await;
    let wrong_scope = scene.token("mine", story.tenant, "credo.audit.personal credo.outbox.read");
    assert_eq!(
        scene.query(&wrong_scope, of(story.tenant)).await.unwrap_err().code(),
        Code::PermissionDenied
    );
    assert_eq!(
        scene.query("x.y.z", of(story.tenant)).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    let bare = scene.client.clone().query_events(of(story.tenant)).await.unwrap_err();
    assert_eq!(bare.code(), Code::Unauthenticated);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bad_requests_are_refused_by_field() {
    let story = Story::of(TenantId::now_v7());
    let sent = Trail::default().many(story, 2);
    let scene = Scene::new(&sent).await;
    let token = scene.token("mine", story.tenant, READ);
    let one_page = QueryEventsRequest {
        page_size: 1,
        ..of(story.tenant)
    };
    let next = scene.query(&token, one_page).await.unwrap().1;
    let cases: [(&str, Change); 14] = [
        ("tenant_id", |query| query.tenant_id = String::new()),
        ("tenant_id", |query| query.tenant_id = query.tenant_id.to_uppercase()),
        ("actor_id", |query| query.actor_id = "x".to_owned()),
        ("subject_id", |query| query.subject_id = "x".to_owned()),
        ("session_id", |query| query.session_id = "x".to_owned()),
        ("type", |query| query.r#type = "x".repeat(101)),
        ("type", |query| query.r#type = "a\0b".to_owned()),
        ("start_time", |query| query.start_time = instant(0, -1).into()),
        ("start_time", |query| query.start_time = instant(i64::MIN, 0).into()),
        ("end_time", |query| query.end_time = instant(0, 1_000_000_000).into()),
        ("end_time", |query| query.end_time = instant(-300_000_000_000, 0).into()),
        ("page_size", |query| query.page_size = -1),
        ("page_size", |query| query.page_size = 1_001),
        ("page_token", |query| query.page_token = "AAAA".to_owned()),
    ];
    let another_query = QueryEventsRequest {
        page_token: next,
        r#type: "x".to_owned(),
        ..of(story.tenant)
    };
    let requests = cases
        .into_iter()
        .map(|(field, change)| (field, changed(story.tenant, change)));
    for (field, request) in requests.chain([("page_token", another_query)]) {
        let refusal = scene.query(&token, request).await.unwrap_err();
        let expected = if field == "page_token" {
            "INVALID_PAGE_TOKEN"
        } else {
            "INVALID_FIELD"
        };
        assert_eq!(
            (refusal.code(), refusal.message()),
            (Code::InvalidArgument, format!("{field}: is not valid").as_str())
        );
        assert_eq!(reason(&refusal), expected);
    }
    let refusal = scene.get(&token, &story.tenant.to_string(), "x").await.unwrap_err();
    assert_eq!(refusal.message(), "event_id: is not valid");
    assert_eq!(scene.stage.count().await, 2);
    scene.end().await;
}
