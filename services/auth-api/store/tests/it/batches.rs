//! Requests that share a statement: each gets its own answer, whatever becomes of the others.

use std::time::Duration;

use credo_auth_domain::{
    authorization_code::Redemption,
    refresh_token::Rotation,
    session::{EndReason, Revocation},
};
use credo_auth_store::{Authorization, EventRow, Fault, Issue, IssueOutcome, Revoke, SessionOwner};
use credo_ids::EventId;
use credo_testkit::eventually;
use futures::future::join_all;

use crate::fixture::{World, core, personal};

const CROWD: u32 = 256;
const DEADLINE: Duration = Duration::from_secs(5);

impl World {
    /// Requests of one kind came in a crowd, so statements were few: the first goes alone, the rest in full batches.
    fn assert_shared(&self, kind: &str) {
        let families = self.registry.gather();
        let sizes = families
            .iter()
            .find(|family| family.name() == "credo_batch_size")
            .unwrap();
        let size = (sizes.get_metric().iter())
            .find(|metric| metric.get_label()[0].value() == kind)
            .unwrap()
            .get_histogram();
        assert_eq!(size.get_sample_sum().to_bits(), f64::from(CROWD).to_bits(), "{kind}");
        assert!(
            size.get_sample_count() <= u64::from(CROWD / 16),
            "{kind}: {}",
            size.get_sample_count()
        );
    }

    pub async fn add_users(&self) -> Vec<credo_ids::UserId> {
        let users: Vec<_> = (0..CROWD).map(|_| credo_ids::UserId::random_v4()).collect();
        for user in &users {
            self.insert_user(self.tenant, *user, &format!("{user}@one.example"))
                .await;
        }
        users
    }
}

#[tokio::test]
async fn crowd_shares_statements_from_authorization_to_revocation() {
    let world = World::new().await;
    let users = world.add_users().await;
    let items: Vec<_> = users
        .iter()
        .map(|user| {
            let mut item = world.authorize();
            item.user_id = *user;
            item
        })
        .collect();
    let sessions: Vec<_> = items.iter().map(|item| item.session_id).collect();
    let made = join_all(items.into_iter().map(|item| world.store.insert_authorization(item))).await;
    assert!(
        made.into_iter()
            .all(|outcome| outcome.unwrap() == Authorization::Authorized)
    );
    world.assert_shared("authorization_insert");

    let redeemed = join_all(sessions.iter().map(|session| {
        let item = world.redeem(*session);
        world.store.redeem_authorization_code(item)
    }));
    for (answer, user) in redeemed.await.into_iter().zip(&users) {
        let answer = answer.unwrap().unwrap();
        assert_eq!((answer.outcome, answer.user_id), (Redemption::Redeemed, *user));
    }
    world.assert_shared("authorization_code_redeem");

    let rotated = join_all(
        sessions
            .iter()
            .map(|session| world.store.rotate_refresh_token(world.rotate(*session, 1))),
    );
    for (answer, user) in rotated.await.into_iter().zip(&users) {
        let answer = answer.unwrap().unwrap();
        assert_eq!(
            (answer.outcome, answer.generation, answer.user_id),
            (Rotation::Rotated, 2, *user)
        );
    }
    world.assert_shared("refresh_token_rotate");

    let ended = join_all(sessions.iter().map(|session| {
        world.store.revoke_session(Revoke {
            session_id: *session,
            tenant_id: world.tenant,
            owner: SessionOwner::Client(world.client),
            reason: EndReason::Client,
            attempt_id: EventId::now_v7(),
            event: EventRow {
                core: core("revoked"),
                personal: personal(),
            },
        })
    }));
    assert!(
        ended
            .await
            .into_iter()
            .all(|outcome| outcome.unwrap() == Revocation::Revoked)
    );
    world.assert_shared("session_revoke");
    for session in &sessions[..5] {
        let events = world.events(session.as_uuid()).await;
        assert_eq!(events, ["created", "issued", "rotated", "revoked"]);
    }
}

#[tokio::test]
async fn crowd_of_one_client_shares_statements() {
    let world = World::new().await;
    let issued = join_all((0..CROWD).map(|_| {
        world.store.issue_client_token(Issue {
            tenant_id: world.tenant,
            client_id: world.client,
            client_version: 1,
            event_id: EventId::now_v7(),
            event: EventRow {
                core: core("issued"),
                personal: personal(),
            },
        })
    }));
    assert!(
        issued
            .await
            .into_iter()
            .all(|token| token.unwrap().unwrap().outcome == IssueOutcome::Issued)
    );
    world.assert_shared("client_token_issue");
    assert_eq!(world.events(world.client.as_uuid()).await.len(), CROWD as usize);
}

/// The server refuses the whole statement for it: a text cannot hold a zero byte.
#[tokio::test]
async fn row_that_the_server_refuses_fails_alone() {
    let world = World::new().await;
    let mut sessions = Vec::new();
    for _ in 0..20 {
        sessions.push(world.pending().await);
    }
    let answers = join_all(sessions.iter().enumerate().map(|(number, session)| {
        let mut item = world.redeem(*session);
        if number == 7 {
            item.redirect_uri = Some("https://app.example/\0".to_owned());
        }
        world.store.redeem_authorization_code(item)
    }));
    for (number, answer) in answers.await.into_iter().enumerate() {
        if number == 7 {
            assert!(matches!(answer, Err(Fault::Refused(_))), "{answer:?}");
        } else {
            assert_eq!(answer.unwrap().unwrap().outcome, Redemption::Redeemed, "{number}");
        }
    }
    for (number, session) in sessions.iter().enumerate() {
        let expected: &[&str] = if number == 7 {
            &["created"]
        } else {
            &["created", "issued"]
        };
        assert_eq!(world.events(session.as_uuid()).await, expected, "{number}");
    }
}

/// A row that somebody holds is passed over: its batch does not wait, it alone does.
#[tokio::test]
async fn locked_row_waits_alone() {
    let world = World::new().await;
    let mut sessions = Vec::new();
    for _ in 0..20 {
        sessions.push(world.active().await);
    }
    let mut holder = world.owner().begin().await.unwrap();
    let lock = sqlx::query("SELECT id FROM session WHERE id = $1 FOR UPDATE").bind(sessions[3].as_uuid());
    lock.execute(&mut *holder).await.unwrap();
    let held = world.store.rotate_refresh_token(world.rotate(sessions[3], 1));
    let free = sessions.iter().enumerate().filter(|(number, _)| *number != 3);
    let others = join_all(free.map(|(_, session)| world.store.rotate_refresh_token(world.rotate(*session, 1))));
    let others = async {
        for answer in others.await {
            assert_eq!(answer.unwrap().unwrap().outcome, Rotation::Rotated);
        }
        holder.rollback().await.unwrap();
    };
    let (held, ()) = tokio::join!(held, others);
    assert_eq!(held.unwrap().unwrap().outcome, Rotation::Rotated);
}

/// Every worker's backend is ended at once, between two statements: nobody notices.
#[tokio::test]
async fn connections_that_died_while_they_rested_are_replaced() {
    let world = World::new().await;
    for _ in 0..3 {
        let mut sessions = Vec::new();
        for _ in 0..40 {
            sessions.push(world.active().await);
        }
        let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                         WHERE datname = current_database() AND usename = 'credo_auth_api'";
        let ended: i64 = sqlx::query_scalar(terminate).fetch_one(world.owner()).await.unwrap();
        assert!(ended >= 1);
        let gone = "SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND usename = 'credo_auth_api'";
        eventually(DEADLINE, || async {
            sqlx::query_scalar::<_, i64>(gone)
                .fetch_one(world.owner())
                .await
                .unwrap()
                == 0
        })
        .await;
        let rotated = join_all(
            sessions
                .iter()
                .map(|session| world.store.rotate_refresh_token(world.rotate(*session, 1))),
        );
        for answer in rotated.await {
            assert_eq!(answer.unwrap().unwrap().outcome, Rotation::Rotated);
        }
    }
}
