//! Administrators end sessions: one, or everything of a user, a client or a tenant. Proved on two replicas, without Redis.

use std::time::Duration;

use credo_proto::{
    admin::v1::{
        RevokeClientSessionsRequest, RevokeSessionRequest, RevokeSessionResponse, RevokeSessionsIssuedBeforeRequest,
        RevokeUserSessionsRequest, Session, SessionState,
    },
    events::v1::core::Details,
};
use credo_testkit::eventually;
use prost_types::Timestamp;
use serde_json::{Value, json};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{Console, Refused as _};
use crate::support::{Browser, Client, ClientSpec, Replica, Tokens};

/// Within which every replica refuses an access token whose end was committed.
const FELT: Duration = Duration::from_secs(1);

fn revoke_session(console: &Console, session: Uuid) -> RevokeSessionRequest {
    RevokeSessionRequest {
        tenant_id: console.world.tenant.id.to_string(),
        session_id: session.to_string(),
        ..Default::default()
    }
}

async fn revoke(console: &Console, request: RevokeSessionRequest) -> Result<Session, Status> {
    let answer: RevokeSessionResponse = console.call("SessionService/RevokeSession", request).await?;
    Ok(answer.session.unwrap())
}

/// Asserts that a replica refuses all of a session's tokens: the refresh token at once, the access token in time.
async fn assert_ended(replica: &Replica, client: &Client, tokens: &Tokens) {
    eventually(FELT, || async { replica.userinfo(&tokens.access).await.status == 401 }).await;
    replica.assert_dead(client, tokens).await;
    replica.sessions(&tokens.access).await.challenges(401, "invalid_token");
}

/// Before and after of the last event, which must be of that type.
async fn told(console: &Console, name: &str) -> (Value, Value) {
    let events = console.world.events().await;
    let event = events.last().unwrap();
    assert_eq!((event.class, event.core.r#type.as_str()), (1, name));
    assert_eq!(event.core.actor.as_ref().unwrap().id, console.admin.id.as_bytes());
    let Some(Details::Change(details)) = &event.core.details else {
        panic!("{:?}", event.core);
    };
    let parsed = |text: &str| serde_json::from_str(text).unwrap();
    (parsed(&details.before_json), parsed(&details.after_json))
}

#[tokio::test]
async fn a_revoked_session_is_dead_on_every_replica_and_others_go_on() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let elsewhere = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let other = replica.tokens(&world.client, &world.user).await;
    elsewhere.userinfo(&tokens.access).await.ok();
    let ended = revoke(&console, revoke_session(&console, tokens.session))
        .await
        .unwrap();
    assert_eq!(ended.state(), SessionState::Revoked);
    assert_eq!(ended.revoke_reason, "administrator");
    assert!(ended.revoke_time.is_some());
    for replica in [replica, &elsewhere] {
        assert_ended(replica, &world.client, &tokens).await;
        replica.userinfo(&other.access).await.ok();
    }
    replica.rotate(&world.client, &other).await;

    let (before, after) = told_of_session(&console, &tokens).await;
    assert_eq!(before, json!({ "state": "active" }));
    assert_eq!(after, json!({ "state": "revoked", "revoke_reason": "administrator" }));
    let events = world.events().await.len();
    assert_eq!(
        revoke(&console, revoke_session(&console, tokens.session))
            .await
            .unwrap(),
        ended
    );
    assert_eq!(world.events().await.len(), events);
}

async fn told_of_session(console: &Console, tokens: &Tokens) -> (Value, Value) {
    let events = console.world.events().await;
    let event = events
        .iter()
        .find(|event| event.is("session_revoked_by_admin"))
        .unwrap();
    assert_eq!(event.aggregate, tokens.session);
    assert_eq!(
        event.core.subject.as_ref().unwrap().id,
        console.world.user.id.as_bytes()
    );
    let Some(Details::Change(details)) = &event.core.details else {
        panic!("{:?}", event.core);
    };
    assert_eq!(
        (details.object.as_str(), details.object_id.as_slice()),
        ("session", &tokens.session.as_bytes()[..])
    );
    let parsed = |text: &str| serde_json::from_str(text).unwrap();
    (parsed(&details.before_json), parsed(&details.after_json))
}

#[tokio::test]
async fn the_same_call_again_changes_nothing_more_and_a_question_changes_nothing() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let tokens = replica.tokens(&world.client, &world.user).await;
    let footprint = world.footprint().await;
    let question = RevokeSessionRequest {
        validate_only: true,
        ..revoke_session(&console, tokens.session)
    };
    assert_eq!(revoke(&console, question).await.unwrap().state(), SessionState::Revoked);
    assert_eq!(world.footprint().await, footprint);
    replica.userinfo(&tokens.access).await.ok();

    let once = RevokeSessionRequest {
        request_id: Uuid::new_v4().to_string(),
        ..revoke_session(&console, tokens.session)
    };
    let ended = revoke(&console, once.clone()).await.unwrap();
    let footprint = world.footprint().await;
    assert_eq!(revoke(&console, once.clone()).await.unwrap(), ended);
    let reused = RevokeSessionRequest {
        session_id: Uuid::now_v7().to_string(),
        ..once
    };
    revoke(&console, reused).await.refused(Code::NotFound);
    revoke(&console, revoke_session(&console, Uuid::now_v7()))
        .await
        .refused(Code::NotFound);
    assert_eq!(world.footprint().await, footprint);

    let user = RevokeUserSessionsRequest {
        tenant_id: world.tenant.id.to_string(),
        user_id: world.user.id.to_string(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let call = |request: RevokeUserSessionsRequest| console.call::<()>("SessionService/RevokeUserSessions", request);
    call(user.clone()).await.unwrap();
    let epoch = "SELECT epoch FROM app_user WHERE email LIKE 'ann%'";
    assert_eq!(world.number(epoch).await, 2);
    call(user.clone()).await.unwrap();
    assert_eq!(world.number(epoch).await, 2);
    let other = RevokeUserSessionsRequest {
        user_id: Uuid::new_v4().to_string(),
        ..user
    };
    call(other).await.refused(Code::InvalidArgument);
}

#[tokio::test]
async fn all_of_a_user_ends_their_browsers_too_and_they_may_sign_in_again() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let elsewhere = world.replica().await;
    let browser = Browser::new(replica);
    browser.sign_in_to("demo", &world.user).await;
    let (tokens, pending) = (
        replica.tokens(&world.client, &world.user).await,
        replica.code(&world.client, &world.user).await,
    );
    let request = RevokeUserSessionsRequest {
        tenant_id: world.tenant.id.to_string(),
        user_id: world.user.id.to_string(),
        ..Default::default()
    };
    console
        .call::<()>("SessionService/RevokeUserSessions", request)
        .await
        .unwrap();
    let tell = |number| json!({ "epoch": number, "version": number });
    assert_eq!(told(&console, "user_sessions_revoked").await, (tell(1), tell(2)));
    for replica in [replica, &elsewhere] {
        assert_ended(replica, &world.client, &tokens).await;
        replica
            .exchange(&world.client, &pending)
            .await
            .refuses(400, "invalid_grant");
    }
    let alive = "SELECT count(*) FROM browser_session b JOIN app_user u ON u.id = b.user_id
                 WHERE b.user_epoch = u.epoch AND b.ended_at IS NULL";
    assert_eq!(world.number(alive).await, 0);
    elsewhere.tokens(&world.client, &world.user).await;
}

#[tokio::test]
async fn all_of_a_client_ends_its_own_tokens_too_and_it_may_ask_again() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let elsewhere = world.replica().await;
    let untouched = world.add_client(ClientSpec::default()).await;
    let own = replica.client_credentials(&world.client, None).await.ok();
    let own = own["access_token"].as_str().unwrap();
    let tokens = replica.tokens(&world.client, &world.user).await;
    let spared = replica.tokens(&untouched, &world.user).await;
    let request = RevokeClientSessionsRequest {
        tenant_id: world.tenant.id.to_string(),
        client_id: world.client.id.to_string(),
        ..Default::default()
    };
    console
        .call::<()>("SessionService/RevokeClientSessions", request)
        .await
        .unwrap();
    let tell = |number| json!({ "epoch": number, "version": number });
    assert_eq!(told(&console, "client_sessions_revoked").await, (tell(1), tell(2)));
    for replica in [replica, &elsewhere] {
        assert_ended(replica, &world.client, &tokens).await;
        assert!(!replica.is_active(&world.client, own).await);
        replica.userinfo(&spared.access).await.ok();
    }
    elsewhere.tokens(&world.client, &world.user).await;
    elsewhere.client_credentials(&world.client, None).await.ok();
}

#[tokio::test]
async fn all_of_a_tenant_ends_and_the_reason_is_told() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let elsewhere = world.replica().await;
    let own = replica.client_credentials(&world.client, None).await.ok();
    let own = own["access_token"].as_str().unwrap();
    let tokens = replica.tokens(&world.client, &world.user).await;
    let seconds = world.number("SELECT floor(extract(epoch FROM now()))::bigint").await;
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let request = RevokeSessionsIssuedBeforeRequest {
        tenant_id: world.tenant.id.to_string(),
        before_time: at(seconds),
        reason: "a backup was restored".to_owned(),
        ..Default::default()
    };
    let call = |request| console.call::<()>("SessionService/RevokeSessionsIssuedBefore", request);
    let spoils: [&dyn Fn(&mut RevokeSessionsIssuedBeforeRequest); 6] = [
        &|request| request.before_time = None,
        &|request| request.before_time = at(seconds + 60),
        &|request| request.before_time = at(i64::MAX),
        &|request| request.reason.clear(),
        &|request| request.reason = "x".repeat(501),
        &|request| request.reason.push('\u{0}'),
    ];
    for spoil in spoils {
        let mut bad = request.clone();
        spoil(&mut bad);
        call(bad).await.refused(Code::InvalidArgument);
    }
    replica.userinfo(&tokens.access).await.ok();
    call(request).await.unwrap();
    let (before, after) = told(&console, "tenant_sessions_revoked").await;
    assert_eq!(before, json!({ "epoch": 1, "version": 1 }));
    assert_eq!(
        after,
        json!({ "epoch": 2, "version": 2, "before_time_unix_seconds": seconds })
    );
    for replica in [replica, &elsewhere] {
        assert_ended(replica, &world.client, &tokens).await;
        assert!(!replica.is_active(&world.client, own).await);
    }
    elsewhere.tokens(&world.client, &world.user).await;
}

/// A refresh and the end of its session at the same time: whoever wins, nothing is alive afterwards.
#[tokio::test]
async fn a_refresh_that_races_the_end_of_its_session_leaves_nothing_alive() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    for _ in 0..8 {
        let tokens = replica.tokens(&world.client, &world.user).await;
        let (refreshed, ended) = tokio::join!(
            replica.refresh(&world.client, &tokens.refresh),
            revoke(&console, revoke_session(&console, tokens.session))
        );
        assert_eq!(ended.unwrap().state(), SessionState::Revoked);
        let last = if refreshed.status == 200 {
            Tokens::from(&refreshed)
        } else {
            tokens
        };
        replica.assert_dead(&world.client, &last).await;
    }
}
