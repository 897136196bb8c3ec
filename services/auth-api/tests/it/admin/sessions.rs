//! Sessions as administrators see them.

use credo_ids::{SessionId, TenantId};
use credo_proto::admin::v1::{
    GetSessionRequest, GetSessionResponse, ListSessionsRequest, ListSessionsResponse, Session, SessionState,
};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{Console, Refused as _};
use crate::support::ClientSpec;

async fn get(console: &Console, session: Uuid) -> Result<Session, Status> {
    let request = GetSessionRequest {
        tenant_id: console.world.tenant.id.to_string(),
        session_id: session.to_string(),
    };
    let answer: GetSessionResponse = console.call("SessionService/GetSession", request).await?;
    Ok(answer.session.unwrap())
}

fn request(console: &Console) -> ListSessionsRequest {
    ListSessionsRequest {
        tenant_id: console.world.tenant.id.to_string(),
        ..Default::default()
    }
}

async fn list(console: &Console, request: ListSessionsRequest) -> Vec<String> {
    let (mut sessions, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListSessionsRequest {
            page_token,
            page_size: 2,
            ..request.clone()
        };
        let page: ListSessionsResponse = console.call("SessionService/ListSessions", request).await.unwrap();
        assert!(page.sessions.len() <= 2);
        sessions.extend(page.sessions.into_iter().map(|session| session.session_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return sessions;
        }
    }
}

#[tokio::test]
async fn a_sessions_state_is_what_its_tokens_are_worth() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let state = |session: Uuid| {
        let console = &console;
        async move {
            let session = get(console, session).await.unwrap();
            (session.state(), session.revoke_reason)
        }
    };
    let told = |state: SessionState, reason: &str| (state, reason.to_owned());

    replica.code(&world.client, &world.user).await;
    let pending = console.session_of("state = 0").await;
    assert_eq!(state(pending).await, told(SessionState::Pending, ""));
    world
        .sql("UPDATE session SET code_expires_at = now() WHERE state = 0")
        .await;
    assert_eq!(state(pending).await, told(SessionState::Expired, ""));

    let tokens = replica.tokens(&world.client, &world.user).await;
    replica.rotate(&world.client, &tokens).await;
    let session = get(&console, tokens.session).await.unwrap();
    assert_eq!(session.state(), SessionState::Active);
    assert_eq!(session.user_id, world.user.id.to_string());
    assert_eq!(session.client_id, world.client.id.to_string());
    assert_eq!(session.scopes, ["email", "openid", "profile"]);
    assert_eq!((session.amr, session.generation), (vec!["pwd".to_owned()], 2));
    assert!(session.last_use_time.is_some() && session.revoke_time.is_none() && session.expire_time.is_some());

    world
        .sql("UPDATE session SET rotated_at = now() - idle_ttl WHERE state = 1")
        .await;
    assert_eq!(state(tokens.session).await, told(SessionState::Expired, ""));
    world
        .sql("UPDATE session SET rotated_at = now(), expires_at = now() WHERE state = 1")
        .await;
    assert_eq!(state(tokens.session).await, told(SessionState::Expired, ""));

    let replayed = replica.tokens(&world.client, &world.user).await;
    replica.rotate(&world.client, &replayed).await;
    replica
        .refresh(&world.client, &replayed.refresh)
        .await
        .refuses(400, "invalid_grant");
    assert_eq!(state(replayed.session).await, told(SessionState::Revoked, "replay"));
    let revoked = replica.tokens(&world.client, &world.user).await;
    replica.revoke(&world.client, &revoked.refresh).await;
    assert_eq!(state(revoked.session).await, told(SessionState::Revoked, "client"));
    let ended = replica.tokens(&world.client, &world.user).await;
    replica.end_session(&ended.access, ended.session).await;
    assert_eq!(state(ended.session).await, told(SessionState::Revoked, "user"));
    let by_epoch = replica.tokens(&world.client, &world.user).await;
    world.disable_user(world.user.id).await;
    world.enable("app_user", world.user.id.as_uuid()).await;
    assert_eq!(state(by_epoch.session).await, told(SessionState::Revoked, "epoch"));
    assert!(get(&console, by_epoch.session).await.unwrap().revoke_time.is_none());
}

#[tokio::test]
async fn lists_hold_what_the_filters_say_in_order_of_creation() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let client = world.add_client(ClientSpec::default()).await;
    let bob = world
        .add_user_of(&world.tenant, "bob@demo.example", Some(crate::support::PASSWORD))
        .await;
    let mut all = Vec::new();
    for (client, user) in [
        (&world.client, &world.user),
        (&client, &bob),
        (&world.client, &bob),
        (&client, &world.user),
        (&world.client, &world.user),
    ] {
        all.push(replica.tokens(client, user).await.session.to_string());
    }
    let pick = |numbers: &[usize]| numbers.iter().map(|number| all[*number].clone()).collect::<Vec<_>>();
    let with = |change: &dyn Fn(&mut ListSessionsRequest)| {
        let mut request = request(&console);
        change(&mut request);
        list(&console, request)
    };
    assert_eq!(with(&|_| {}).await, all);
    let (ann, robot) = (world.user.id.to_string(), client.id.to_string());
    assert_eq!(
        with(&|request| request.user_id.clone_from(&ann)).await,
        pick(&[0, 3, 4])
    );
    assert_eq!(
        with(&|request| request.client_id.clone_from(&robot)).await,
        pick(&[1, 3])
    );
    let both = |request: &mut ListSessionsRequest| {
        request.user_id.clone_from(&ann);
        request.client_id.clone_from(&robot);
    };
    assert_eq!(with(&both).await, pick(&[3]));

    world.disable_user(bob.id).await;
    let end = format!(
        "UPDATE session SET state = 2, refresh_hash = NULL, ended_at = now() WHERE id = '{}'",
        all[0]
    );
    world.sql(&end).await;
    world
        .sql(&format!(
            "UPDATE session SET expires_at = now() WHERE id = '{}'",
            all[3]
        ))
        .await;
    assert_eq!(with(&|_| {}).await, pick(&[4]));
    assert_eq!(with(&|request| request.user_id.clone_from(&ann)).await, pick(&[4]));
    assert_eq!(with(&|request| request.client_id.clone_from(&robot)).await, pick(&[]));
    assert_eq!(with(&|request| request.show_ended = true).await, all);
    let ended = |request: &mut ListSessionsRequest| {
        request.show_ended = true;
        request.client_id.clone_from(&robot);
    };
    assert_eq!(with(&ended).await, pick(&[1, 3]));
}

#[tokio::test]
async fn tn_01_sessions_of_another_tenant_are_not_there() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let tokens = replica.tokens(&world.client, &world.user).await;
    let other = world.add_tenant("other").await;
    let (_, token) = console.tenant_admin(&other).await;
    let get = |tenant: TenantId, session: Uuid| {
        let request = GetSessionRequest {
            tenant_id: tenant.to_string(),
            session_id: session.to_string(),
        };
        console.call_as::<GetSessionResponse>(&token, "SessionService/GetSession", request)
    };
    get(other.id, tokens.session).await.refused(Code::NotFound);
    get(world.tenant.id, tokens.session).await.refused(Code::NotFound);
    get(other.id, SessionId::now_v7().as_uuid())
        .await
        .refused(Code::NotFound);
    let list = |tenant: TenantId, user: &str| {
        let request = ListSessionsRequest {
            tenant_id: tenant.to_string(),
            user_id: user.to_owned(),
            show_ended: true,
            ..Default::default()
        };
        console.call_as::<ListSessionsResponse>(&token, "SessionService/ListSessions", request)
    };
    let user = world.user.id.to_string();
    assert!(list(other.id, &user).await.unwrap().sessions.is_empty());
    assert!(list(other.id, "").await.unwrap().sessions.is_empty());
    list(world.tenant.id, &user).await.refused(Code::NotFound);
}

#[tokio::test]
async fn a_page_token_is_bound_to_the_filters() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    for _ in 0..3 {
        replica.tokens(&world.client, &world.user).await;
    }
    let first = ListSessionsRequest {
        page_size: 1,
        ..request(&console)
    };
    let call = |request| console.call::<ListSessionsResponse>("SessionService/ListSessions", request);
    let page_token = call(first.clone()).await.unwrap().next_page_token;
    let next = ListSessionsRequest { page_token, ..first };
    call(next.clone()).await.unwrap();
    let changes: [&dyn Fn(&mut ListSessionsRequest); 4] = [
        &|request| request.user_id = world.user.id.to_string(),
        &|request| request.client_id = world.client.id.to_string(),
        &|request| request.show_ended = true,
        &|request| request.user_id = "a\u{0}".to_owned(),
    ];
    for change in changes {
        let mut request = next.clone();
        change(&mut request);
        call(request).await.refused(Code::InvalidArgument);
    }
}
