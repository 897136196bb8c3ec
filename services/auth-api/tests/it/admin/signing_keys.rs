//! Signing keys by hand.

use std::time::Duration;

use auth_api::keys::TokenType;
use credo_proto::admin::v1::{
    ActivateSigningKeyRequest, ActivateSigningKeyResponse, CreateSigningKeyRequest, CreateSigningKeyResponse,
    EmergencyRevokeSigningKeyRequest, EmergencyRevokeSigningKeyResponse, ListSigningKeysRequest,
    ListSigningKeysResponse, RetireSigningKeyRequest, RetireSigningKeyResponse, SigningKey, SigningKeyState,
};
use credo_testkit::eventually;
use tonic::{Code, Status};
use uuid::Uuid;

use super::{Console, Refused as _};
use crate::support::{Call, claims, header_of};

/// What the design promises.
const REVOCATION_LAG: Duration = Duration::from_secs(1);

async fn list(console: &Console) -> Vec<SigningKey> {
    let request = ListSigningKeysRequest {
        tenant_id: console.world.tenant.id.to_string(),
        show_retired: true,
        ..Default::default()
    };
    let answer: ListSigningKeysResponse = console
        .call("SigningKeyService/ListSigningKeys", request)
        .await
        .unwrap();
    answer.signing_keys
}

async fn create(console: &Console, request_id: &str) -> Result<SigningKey, Status> {
    let request = CreateSigningKeyRequest {
        tenant_id: console.world.tenant.id.to_string(),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    let answer: CreateSigningKeyResponse = console.call("SigningKeyService/CreateSigningKey", request).await?;
    Ok(answer.signing_key.unwrap())
}

async fn activate(console: &Console, key_id: &str) -> Result<SigningKey, Status> {
    let request = ActivateSigningKeyRequest {
        tenant_id: console.world.tenant.id.to_string(),
        key_id: key_id.to_owned(),
        ..Default::default()
    };
    let answer: ActivateSigningKeyResponse = console.call("SigningKeyService/ActivateSigningKey", request).await?;
    Ok(answer.signing_key.unwrap())
}

async fn retire(console: &Console, key_id: &str) -> Result<SigningKey, Status> {
    let request = RetireSigningKeyRequest {
        tenant_id: console.world.tenant.id.to_string(),
        key_id: key_id.to_owned(),
        ..Default::default()
    };
    let answer: RetireSigningKeyResponse = console.call("SigningKeyService/RetireSigningKey", request).await?;
    Ok(answer.signing_key.unwrap())
}

fn emergency(tenant: Uuid, key_id: &str) -> EmergencyRevokeSigningKeyRequest {
    EmergencyRevokeSigningKeyRequest {
        tenant_id: tenant.to_string(),
        key_id: key_id.to_owned(),
        reason: "found in a backup".to_owned(),
        ..Default::default()
    }
}

async fn revoke(
    console: &Console,
    request: EmergencyRevokeSigningKeyRequest,
) -> Result<EmergencyRevokeSigningKeyResponse, Status> {
    console
        .call("SigningKeyService/EmergencyRevokeSigningKey", request)
        .await
}

#[tokio::test]
async fn kr_01_a_key_made_by_hand_goes_through_its_states_no_faster_than_clients_can_follow() {
    let console = Console::new().await;
    let world = &console.world;
    let first = list(&console).await.remove(0);
    let request_id = Uuid::new_v4().to_string();
    let made = create(&console, &request_id).await.unwrap();
    assert_eq!(
        create(&console, &request_id).await.unwrap(),
        made,
        "the same call again"
    );
    assert_eq!(made.state(), SigningKeyState::Pending);
    create(&console, "").await.refused(Code::FailedPrecondition);
    activate(&console, &made.key_id).await.refused(Code::FailedPrecondition);
    retire(&console, &first.key_id).await.refused(Code::FailedPrecondition);
    let back = |state: i16| {
        let minutes = "UPDATE signing_key SET state_at = state_at - interval '18 minutes' WHERE state =";
        format!("{minutes} {state}")
    };
    world.sql(&back(1)).await;
    let active = activate(&console, &made.key_id).await.unwrap();
    assert_eq!(active.state(), SigningKeyState::Active);
    activate(&console, &made.key_id).await.refused(Code::FailedPrecondition);
    retire(&console, &first.key_id).await.refused(Code::FailedPrecondition);
    world.sql(&back(3)).await;
    let retired = retire(&console, &first.key_id).await.unwrap();
    assert_eq!(
        (retired.state(), retired.next_step_time),
        (SigningKeyState::Retired, None)
    );
    let states: Vec<_> = list(&console).await.iter().map(SigningKey::state).collect();
    assert_eq!(states, [SigningKeyState::Active, SigningKeyState::Retired]);
    let events = world.event_types().await;
    let steps: Vec<_> = events.iter().filter(|kind| kind.starts_with("signing_key")).collect();
    assert_eq!(
        steps,
        ["signing_key_created", "signing_key_activated", "signing_key_retired"]
    );
}

#[tokio::test]
async fn kr_03_what_a_leaked_key_signed_is_refused_within_a_second_everywhere() {
    let console = Console::new().await;
    let (world, here) = (&console.world, &console.replica);
    let there = world.replica().await;
    let tokens = here.tokens(&world.client, &world.user).await;
    there.userinfo(&tokens.access).await.ok();
    let mut forged = claims(&tokens.access);
    forged["exp"] = 9_999_999_999_i64.into();
    let forged = here.sign(&world.tenant, TokenType::AccessToken, &forged).await;
    there.userinfo(&forged).await.ok();
    let leaked = list(&console).await.remove(0);
    let blank = EmergencyRevokeSigningKeyRequest {
        reason: " ".to_owned(),
        ..emergency(world.tenant.id.as_uuid(), &leaked.key_id)
    };
    revoke(&console, blank).await.refused(Code::InvalidArgument);
    let only_asked = EmergencyRevokeSigningKeyRequest {
        validate_only: true,
        ..emergency(world.tenant.id.as_uuid(), &leaked.key_id)
    };
    revoke(&console, only_asked).await.unwrap();
    here.userinfo(&tokens.access).await.ok();

    let request = emergency(world.tenant.id.as_uuid(), &leaked.key_id);
    let answer = revoke(&console, request.clone()).await.unwrap();
    for token in [&tokens.access, &forged] {
        here.userinfo(token).await.challenges(401, "invalid_token");
    }
    eventually(REVOCATION_LAG, || async { there.userinfo(&forged).await.status == 401 }).await;
    assert!(!there.is_active(&world.client, &tokens.access).await);
    assert_eq!(there.sessions(&tokens.access).await.status, 401);
    // It is no hint and revokes nothing either: its session goes on, and under the successor.
    here.revoke(&world.client, &forged).await;
    let next = here.rotate(&world.client, &tokens).await;
    here.userinfo(&next.access).await.ok();
    let successor = answer.successor.unwrap();
    assert_eq!(successor.state(), SigningKeyState::Active);
    assert_eq!(answer.signing_key.unwrap().state(), SigningKeyState::Revoked);
    for replica in [here, &there] {
        eventually(REVOCATION_LAG * 2, || async {
            let jwks = replica.send(Call::get("/t/demo/jwks.json")).await.text().clone();
            !jwks.contains(&leaked.key_id) && jwks.contains(&successor.key_id)
        })
        .await;
    }
    revoke(&console, request).await.unwrap();
    activate(&console, &leaked.key_id)
        .await
        .refused(Code::FailedPrecondition);
    let events = world.events().await;
    let revoked: Vec<_> = events.iter().filter(|event| event.is("signing_key_revoked")).collect();
    assert_eq!(revoked.len(), 1);
    // Long after, when the feed has forgotten it, the key is still no key.
    world.sql("DELETE FROM revocation").await;
    let later = world.replica().await;
    later.userinfo(&forged).await.challenges(401, "invalid_token");
    // Its name is taken for ever.
    let again = format!(
        "INSERT INTO signing_key (id, tenant_id, kid, algorithm, state, public_key, sealed_key, master_key_id)
         SELECT gen_random_uuid(), tenant_id, kid, algorithm, 1, public_key, 'x', 1 FROM signing_key WHERE kid = '{}'
         ON CONFLICT (kid) DO NOTHING",
        leaked.key_id
    );
    let keys = world.number("SELECT count(*) FROM signing_key").await;
    world.sql(&again).await;
    assert_eq!(world.number("SELECT count(*) FROM signing_key").await, keys);
}

#[tokio::test]
async fn kr_03_a_pending_key_takes_over_from_one_that_leaked_and_admin_tokens_of_it_are_refused() {
    let console = Console::new().await;
    let system = console.system.id.as_uuid();
    let request = CreateSigningKeyRequest {
        tenant_id: system.to_string(),
        ..Default::default()
    };
    let made: CreateSigningKeyResponse = console
        .call("SigningKeyService/CreateSigningKey", request)
        .await
        .unwrap();
    let leaked: Uuid = {
        let query = format!("SELECT count(*) FROM signing_key WHERE tenant_id = '{system}' AND state = 2");
        assert_eq!(console.world.number(&query).await, 1);
        let kid = header_of(&console.token)["kid"].as_str().unwrap().to_owned();
        kid.parse().unwrap()
    };
    let answer = revoke(&console, emergency(system, &leaked.to_string())).await.unwrap();
    assert_eq!(answer.successor.unwrap().key_id, made.signing_key.unwrap().key_id);
    let request = ListSigningKeysRequest {
        tenant_id: system.to_string(),
        ..Default::default()
    };
    let refused: Result<ListSigningKeysResponse, _> = console.call("SigningKeyService/ListSigningKeys", request).await;
    refused.refused(Code::Unauthenticated);
}

/// The private part is looked for in everything that leaves the process and in every row of the keys.
#[tokio::test]
async fn kr_05_no_answer_and_no_row_shows_a_private_key() {
    let console = Console::new().await;
    let world = &console.world;
    let made = create(&console, "").await.unwrap();
    let stored = console
        .replica
        .app
        .store
        .list_signing_keys(world.tenant.id)
        .await
        .unwrap();
    let jwks = console.get("/t/demo/jwks.json").await.text().clone();
    let refusal = activate(&console, &made.key_id).await.unwrap_err();
    let listed = format!("{:?}", list(&console).await);
    let events: Vec<u8> = world.events().await.into_iter().flat_map(|event| event.bytes).collect();
    for key in &stored.keys {
        // PKCS#8 holds the public point and the scalar: a row in the clear would show the point, too.
        let point = &key.public_key[1..33];
        assert!(
            !key.sealed_key.windows(32).any(|window| window == point),
            "the row is not sealed"
        );
        let sealed = &key.sealed_key[..];
        assert!(
            !events.windows(sealed.len()).any(|window| window == sealed),
            "an event holds it"
        );
    }
    for text in [jwks, listed, format!("{refusal:?}"), format!("{made:?}")] {
        assert!(!text.contains("\"d\"") && !text.contains("sealed"), "{text}");
    }
}
