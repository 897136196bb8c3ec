//! What people allowed, as administrators see it.

use std::time::Duration;

use credo_ids::UserId;
use credo_proto::{
    admin::v1::{ListConsentsRequest, ListConsentsResponse, RevokeConsentRequest, RevokeConsentResponse},
    events::v1::core::Details,
};
use credo_testkit::eventually;
use tonic::Code;
use uuid::Uuid;

use super::{Console, Refused as _};
use crate::support::ClientSpec;

/// Spoils a request that is right, and says what it is refused with.
type Case<'a> = (&'a dyn Fn(&mut ListConsentsRequest), Code);

fn request(console: &Console) -> ListConsentsRequest {
    ListConsentsRequest {
        tenant_id: console.world.tenant.id.to_string(),
        user_id: console.world.user.id.to_string(),
        ..Default::default()
    }
}

#[tokio::test]
async fn pages_hold_what_a_person_allowed_in_order_of_the_clients() {
    let console = Console::new().await;
    let world = &console.world;
    let mut clients = vec![world.client.id];
    for _ in 0..3 {
        clients.push(world.add_client(ClientSpec::default()).await.id);
    }
    for client in clients.iter().rev() {
        let insert = format!(
            "INSERT INTO consent (tenant_id, user_id, client_id, scope) VALUES ('{}', '{}', '{client}', 'email openid')",
            world.tenant.id, world.user.id
        );
        world.sql(&insert).await;
    }
    let revoke = format!(
        "UPDATE consent SET revoked_at = now() WHERE client_id = '{}'",
        clients[1]
    );
    world.sql(&revoke).await;
    for show_revoked in [false, true] {
        let (mut seen, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListConsentsRequest {
                page_size: 1,
                page_token,
                show_revoked,
                ..request(&console)
            };
            let page: ListConsentsResponse = console.call("ConsentService/ListConsents", request).await.unwrap();
            for consent in page.consents {
                assert_eq!(consent.scopes, ["email", "openid"]);
                assert_eq!(consent.user_id, world.user.id.to_string());
                assert_eq!(
                    consent.revoke_time.is_some(),
                    consent.client_id == clients[1].to_string()
                );
                seen.push(consent.client_id);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let expected = clients.iter().filter(|client| show_revoked || **client != clients[1]);
        assert_eq!(seen, expected.map(ToString::to_string).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn malformed_and_foreign_requests_are_refused() {
    let console = Console::new().await;
    let world = &console.world;
    let call = |request| console.call::<ListConsentsResponse>("ConsentService/ListConsents", request);
    assert!(call(request(&console)).await.unwrap().consents.is_empty());
    let cases: [Case<'_>; 5] = [
        (&|request| request.user_id.clear(), Code::InvalidArgument),
        (&|request| request.user_id.push('\u{0}'), Code::InvalidArgument),
        (&|request| request.page_token = "x".to_owned(), Code::InvalidArgument),
        (&|request| request.page_size = -1, Code::InvalidArgument),
        (
            &|request| request.user_id = UserId::random_v4().to_string(),
            Code::NotFound,
        ),
    ];
    for (spoil, code) in cases {
        let mut request = request(&console);
        spoil(&mut request);
        call(request).await.refused(code);
    }
    let other = world.add_tenant("other").await;
    let (_, token) = console.tenant_admin(&other).await;
    for tenant in [other.id, world.tenant.id] {
        let request = ListConsentsRequest {
            tenant_id: tenant.to_string(),
            ..request(&console)
        };
        let answer = console.call_as::<ListConsentsResponse>(&token, "ConsentService/ListConsents", request);
        answer.await.refused(Code::NotFound);
    }
}

#[tokio::test]
async fn a_revoked_consent_ends_what_the_client_had_and_nothing_else() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let elsewhere = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let other = world.add_client(ClientSpec::default()).await;
    let spared = replica.tokens(&other, &world.user).await;
    let insert = format!(
        "INSERT INTO consent (tenant_id, user_id, client_id, scope) VALUES ('{}', '{}', '{}', 'email openid')",
        world.tenant.id, world.user.id, world.client.id
    );
    world.sql(&insert).await;
    let request = RevokeConsentRequest {
        tenant_id: world.tenant.id.to_string(),
        user_id: world.user.id.to_string(),
        client_id: world.client.id.to_string(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let call = |request| console.call::<RevokeConsentResponse>("ConsentService/RevokeConsent", request);
    let footprint = world.footprint().await;
    let question = RevokeConsentRequest {
        validate_only: true,
        request_id: String::new(),
        ..request.clone()
    };
    assert!(call(question).await.unwrap().consent.unwrap().revoke_time.is_some());
    assert_eq!(world.footprint().await, footprint);
    let revoked = call(request.clone()).await.unwrap();
    for replica in [replica, &elsewhere] {
        let refused = || async { replica.userinfo(&tokens.access).await.status == 401 };
        eventually(Duration::from_secs(1), refused).await;
        replica.assert_dead(&world.client, &tokens).await;
        replica.userinfo(&spared.access).await.ok();
    }
    let event = world
        .events()
        .await
        .into_iter()
        .rfind(|event| event.is("consent_revoked"))
        .unwrap();
    assert_eq!((event.class, event.aggregate), (1, world.user.id.as_uuid()));
    let Some(Details::Change(details)) = &event.core.details else {
        panic!("{:?}", event.core);
    };
    assert_eq!(details.before_json, r#"{"scope":"email openid","state":"granted"}"#);
    assert_eq!(details.after_json, r#"{"scope":"email openid","state":"revoked"}"#);
    let reason = format!("SELECT end_reason::bigint FROM session WHERE id = '{}'", tokens.session);
    assert_eq!(world.number(&reason).await, 4);

    let events = world.events().await.len();
    assert_eq!(call(request.clone()).await.unwrap(), revoked);
    let anew = RevokeConsentRequest {
        request_id: String::new(),
        ..request.clone()
    };
    assert_eq!(call(anew.clone()).await.unwrap(), revoked);
    assert_eq!(world.events().await.len(), events);
    let nowhere = RevokeConsentRequest {
        client_id: other.id.to_string(),
        ..anew
    };
    call(nowhere).await.refused(Code::NotFound);
}
