//! A connection that is lost inside a statement leaves its outcome unknown: it is found again by the attempt's id.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_testkit::{eventually, sqlx};

use crate::support::{Answer, Loss, PASSWORD, Proxy, Replica, ReplicaSpec, Tokens, World};

const DEADLINE: Duration = Duration::from_secs(5);
/// What may be lost of one request: once, and as often as it is tried.
const LOSSES: [&[Loss]; 7] = [
    &[Loss::Request],
    &[Loss::Midway],
    &[Loss::Answer],
    &[Loss::Answer, Loss::Answer],
    &[Loss::Midway, Loss::Request],
    &[Loss::Answer, Loss::Answer, Loss::Answer],
    &[Loss::Request, Loss::Request, Loss::Request],
];
/// So many runs of a statement there are.
const MAX_RUNS: usize = 3;

struct Wire {
    world: World,
    proxy: Proxy,
    replica: Replica,
}

impl Wire {
    async fn new() -> Self {
        let world = World::new().await;
        let proxy = Proxy::start(&world.database.url_as("credo_auth_api")).await;
        let replica = Replica::start(proxy.url(), ReplicaSpec::default()).await;
        replica.tokens(&world.client, &world.user).await;
        Self { world, proxy, replica }
    }

    /// How many events of a type an aggregate has; ids that stand twice count once, as they do in the audit store.
    async fn told(&self, kind: &str, aggregate: uuid::Uuid) -> usize {
        let events = self.world.events().await;
        let mut ids: Vec<_> = events
            .iter()
            .filter(|event| event.is(kind) && event.aggregate == aggregate)
            .map(|event| event.id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids.len()
    }

    async fn assert_no_alarm(&self) {
        let kinds = self.world.event_types().await;
        assert!(
            !kinds.iter().any(|kind| kind == "token_reuse_detected"),
            "its own retry raised an alarm"
        );
    }
}

/// The session in a code or a refresh token: 16 bytes behind version and key.
fn session_in(token: &str) -> [u8; 16] {
    let bytes = URL_SAFE_NO_PAD.decode(token.split_once('_').unwrap().1).unwrap();
    bytes[2..18].try_into().unwrap()
}

/// Tokens as long as one run got through; else 503, and no other answer.
fn served(answer: &Answer, losses: &[Loss]) -> bool {
    if losses.len() < MAX_RUNS {
        assert_eq!(answer.status, 200, "{losses:?}: {}", answer.text());
        return true;
    }
    answer.refuses(503, "temporarily_unavailable");
    false
}

#[tokio::test]
async fn lost_exchange_is_found_again() {
    let wire = Wire::new().await;
    let (world, replica) = (&wire.world, &wire.replica);
    for losses in LOSSES {
        let code = replica.code(&world.client, &world.user).await;
        let session = uuid::Uuid::from_bytes(session_in(&code));
        wire.proxy.lose(session.as_bytes(), losses);
        let answer = replica.exchange(&world.client, &code).await;
        assert_eq!(wire.proxy.remaining(), 0, "{losses:?}: the wire was not cut");
        if served(&answer, losses) {
            let tokens = Tokens::from(&answer);
            assert_eq!(wire.told("token_issued", session).await, 1, "{losses:?}");
            replica.userinfo(&tokens.access).await.ok();
            replica.refresh(&world.client, &tokens.refresh).await.ok();
        } else {
            let redeemed = usize::from(losses.contains(&Loss::Answer));
            assert_eq!(wire.told("token_issued", session).await, redeemed, "{losses:?}");
        }
        wire.assert_no_alarm().await;
    }
}

#[tokio::test]
async fn fi_04_lost_refresh_is_found_again() {
    let wire = Wire::new().await;
    let (world, replica) = (&wire.world, &wire.replica);
    for losses in LOSSES {
        let tokens = replica.tokens(&world.client, &world.user).await;
        wire.proxy.lose(tokens.session.as_bytes(), losses);
        let answer = replica.refresh(&world.client, &tokens.refresh).await;
        assert_eq!(wire.proxy.remaining(), 0, "{losses:?}: the wire was not cut");
        if served(&answer, losses) {
            let next = Tokens::from(&answer);
            assert_eq!(wire.told("token_refreshed", tokens.session).await, 1, "{losses:?}");
            replica.userinfo(&next.access).await.ok();
            let generation = format!("SELECT generation::bigint FROM session WHERE id = '{}'", tokens.session);
            assert_eq!(world.number(&generation).await, 2, "{losses:?}");
            replica.refresh(&world.client, &next.refresh).await.ok();
        }
        wire.assert_no_alarm().await;
    }
}

#[tokio::test]
async fn lost_revocation_is_carried_out_or_unavailable() {
    let wire = Wire::new().await;
    let (world, replica) = (&wire.world, &wire.replica);
    for losses in LOSSES {
        let (mine, other) = (
            replica.tokens(&world.client, &world.user).await,
            replica.tokens(&world.client, &world.user).await,
        );
        wire.proxy.lose(other.session.as_bytes(), losses);
        let answer = replica.revoke(&world.client, &other.access).await;
        if served(&answer, losses) {
            assert_eq!(wire.told("token_revoked", other.session).await, 1, "{losses:?}");
            replica.userinfo(&other.access).await.challenges(401, "invalid_token");
        }
        wire.proxy.lose(mine.session.as_bytes(), losses);
        let ended = replica.end_session(&mine.access, mine.session).await;
        assert_eq!(
            ended.status,
            if losses.len() < MAX_RUNS { 204 } else { 503 },
            "{losses:?}"
        );
        // Called ended, it is ended.
        assert!(
            ended.status == 503 || replica.userinfo(&mine.access).await.status == 401,
            "{losses:?}"
        );
    }
}

#[tokio::test]
async fn lost_sign_in_and_own_token_are_found_again() {
    let wire = Wire::new().await;
    let (world, replica) = (&wire.world, &wire.replica);
    for losses in LOSSES {
        for marker in ["a nonce", world.user.email.as_str()] {
            wire.proxy.lose(marker.as_bytes(), losses);
            let answer = replica.sign_in(&world.client, &world.user.email, PASSWORD).await;
            assert_eq!(wire.proxy.remaining(), 0, "{marker}");
            if served(&answer, losses) {
                let code = answer.json()["code"].as_str().unwrap().to_owned();
                let session = uuid::Uuid::from_bytes(session_in(&code));
                assert_eq!(wire.told("session_created", session).await, 1, "{losses:?}");
                replica.exchange(&world.client, &code).await.ok();
            }
        }
        wire.proxy.lose(world.client.id.as_bytes(), losses);
        let before = wire.told("token_issued", world.client.id.as_uuid()).await;
        let answer = replica.client_credentials(&world.client, None).await;
        let served = served(&answer, losses);
        let told = wire.told("token_issued", world.client.id.as_uuid()).await - before;
        assert!(if served { told == 1 } else { told <= 1 }, "{losses:?}: {told}");
    }
    // Attempts that were lost and counted twice are forgotten by the next success.
    replica.sign_in(&world.client, &world.user.email, PASSWORD).await.ok();
    assert_eq!(world.number("SELECT failures::bigint FROM sign_in_attempt").await, 0);
}

#[tokio::test]
async fn lost_logout_of_all_is_carried_out_or_unavailable() {
    let wire = Wire::new().await;
    let (world, replica) = (&wire.world, &wire.replica);
    for losses in LOSSES {
        let (mine, other) = (
            replica.tokens(&world.client, &world.user).await,
            replica.tokens(&world.client, &world.user).await,
        );
        wire.proxy.lose(world.user.id.as_bytes(), losses);
        let answer = replica.logout_all(&mine.access, true).await;
        wire.proxy.lose(&[], &[]);
        assert!([200, 503].contains(&answer.status), "{losses:?}: {}", answer.text());
        if answer.status == 200 {
            replica.userinfo(&other.access).await.challenges(401, "invalid_token");
            replica
                .refresh(&world.client, &other.refresh)
                .await
                .refuses(400, "invalid_grant");
        } else if losses == [Loss::Answer] {
            // It was carried out nevertheless: the feed tells.
            eventually(DEADLINE, || async {
                replica.userinfo(&other.access).await.status == 401
            })
            .await;
        }
        replica.userinfo(&mine.access).await.ok();
        replica.refresh(&world.client, &mine.refresh).await.ok();
    }
}

#[tokio::test]
async fn lost_refusal_is_told_once_or_unavailable() {
    let wire = Wire::new().await;
    let (world, replica) = (&wire.world, &wire.replica);
    for (number, losses) in LOSSES.into_iter().enumerate() {
        let email = format!("nobody{number}@demo.example");
        wire.proxy.lose(b"wrong_proof", losses);
        let answer = replica.sign_in(&world.client, &email, PASSWORD).await;
        let events = world.events().await;
        let mut told: Vec<_> = events
            .iter()
            .filter(|event| event.personal.email == email)
            .map(|event| event.id)
            .collect();
        told.sort_unstable();
        told.dedup();
        match answer.status {
            400 => assert_eq!(told.len(), 1, "{losses:?}"),
            503 => assert!(told.len() <= 1, "{losses:?}"),
            status => panic!("{losses:?}: {status}"),
        }
    }
}

/// The server ends the backend that waits for a locked row.
#[tokio::test]
async fn backend_that_is_terminated_while_it_waits_is_replaced() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let code = replica.code(&world.client, &world.user).await;
    for (what, session) in [
        ("exchange", uuid::Uuid::from_bytes(session_in(&code))),
        ("refresh", tokens.session),
    ] {
        let mut transaction = world.owner().begin().await.unwrap();
        let lock = sqlx::query("SELECT id FROM session WHERE id = $1 FOR UPDATE").bind(session);
        lock.execute(&mut *transaction).await.unwrap();
        let request = async {
            if what == "exchange" {
                replica.exchange(&world.client, &code).await
            } else {
                replica.refresh(&world.client, &tokens.refresh).await
            }
        };
        let terminate = async {
            let waiting = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock' AND usename = 'credo_auth_api'";
            eventually(DEADLINE, || async { world.number(waiting).await == 1 }).await;
            transaction.rollback().await.unwrap();
        };
        let (answer, ()) = tokio::join!(request, terminate);
        answer.ok();
        replica.userinfo(&Tokens::from(&answer).access).await.ok();
    }
    let kinds = world.event_types().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "token_issued").count(), 2);
    assert_eq!(kinds.iter().filter(|kind| *kind == "token_refreshed").count(), 1);
    assert!(!kinds.contains(&"token_reuse_detected".to_owned()));
}

#[tokio::test]
async fn row_that_stays_locked_is_unavailable_and_unchanged() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let before = world.footprint().await;
    let mut transaction = world.owner().begin().await.unwrap();
    sqlx::query("SELECT id FROM session FOR UPDATE")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let answers = tokio::join!(
        replica.refresh(&world.client, &tokens.refresh),
        replica.revoke(&world.client, &tokens.refresh),
        replica.end_session(&tokens.access, tokens.session),
    );
    for answer in [answers.0, answers.1, answers.2] {
        answer.refuses(503, "temporarily_unavailable");
    }
    transaction.rollback().await.unwrap();
    assert_eq!(world.footprint().await, before);
    replica.refresh(&world.client, &tokens.refresh).await.ok();
}
