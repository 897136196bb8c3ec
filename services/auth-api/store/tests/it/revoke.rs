//! Ending sessions: by their client, by their person, one and all; and what the feed then says.

use credo_auth_domain::{
    refresh_token::Rotation,
    session::{EndReason, Revocation},
};
use credo_auth_store::{EndAll, EventRow, Revoke, RevokedKind, SessionOwner};
use credo_ids::{ClientId, EventId, SessionId, TenantId, UserId};

use crate::fixture::{World, core, personal};

fn revoke(world: &World, session: SessionId, owner: SessionOwner) -> Revoke {
    Revoke {
        session_id: session,
        tenant_id: world.tenant,
        owner,
        reason: EndReason::Client,
        attempt_id: EventId::now_v7(),
        event: EventRow {
            core: core("revoked"),
            personal: personal(),
        },
    }
}

#[tokio::test]
async fn session_ends_once_for_its_owners_alone() {
    let world = World::new().await;
    let session = world.active().await;
    for stranger in [
        SessionOwner::Client(ClientId::now_v7()),
        SessionOwner::User(UserId::random_v4()),
    ] {
        let outcome = world
            .store
            .revoke_session(revoke(&world, session, stranger))
            .await
            .unwrap();
        assert_eq!(outcome, Revocation::WrongOwner);
    }
    let mut foreign = revoke(&world, session, SessionOwner::Client(world.client));
    foreign.tenant_id = TenantId::now_v7();
    assert_eq!(
        world.store.revoke_session(foreign.clone()).await.unwrap(),
        Revocation::Unknown
    );
    assert_eq!(world.session(session).await, (1, 1, None));
    for outcome in [Revocation::Revoked, Revocation::AlreadyEnded] {
        let item = revoke(&world, session, SessionOwner::Client(world.client));
        assert_eq!(world.store.revoke_session(item.clone()).await.unwrap(), outcome);
    }
    assert_eq!(world.session(session).await, (2, 1, Some(2)));
    assert_eq!(world.feed_rows(session).await, 1);
    assert_eq!(world.events(session.as_uuid()).await, ["created", "issued", "revoked"]);
}

#[tokio::test]
async fn pending_session_can_be_ended_by_its_person() {
    let world = World::new().await;
    let session = world.pending().await;
    let item = revoke(&world, session, SessionOwner::User(world.user));
    assert_eq!(
        world.store.revoke_session(item.clone()).await.unwrap(),
        Revocation::Revoked
    );
    let redeemed = world.redeem_as(&world.redeem(session)).await;
    assert_eq!(
        redeemed.outcome,
        credo_auth_domain::authorization_code::Redemption::Revoked
    );
}

fn end_all(world: &World, except: Option<SessionId>) -> EndAll {
    EndAll {
        tenant_id: world.tenant,
        user_id: world.user,
        except,
        event_id: EventId::now_v7(),
        event: EventRow {
            core: core("all"),
            personal: personal(),
        },
    }
}

#[tokio::test]
async fn ending_all_but_one_leaves_that_one_alone() {
    let world = World::new().await;
    let (kept, other) = (world.active().await, world.active().await);
    let (epoch, survivor) = world
        .store
        .revoke_user_sessions(&end_all(&world, Some(kept)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((epoch, survivor), (2, Some(kept)));
    assert_eq!(world.rotate_as(&world.rotate(kept, 1)).await.outcome, Rotation::Rotated);
    assert_eq!(
        world.rotate_as(&world.rotate(other, 1)).await.outcome,
        Rotation::Revoked
    );
    assert_eq!(world.events(world.user.as_uuid()).await, ["all"]);
    let poll = world.store.poll_revocations(None).await.unwrap();
    let row = poll.rows.iter().find(|row| row.kind == RevokedKind::User).unwrap();
    assert_eq!((row.epoch, row.except_sid), (Some(2), Some(kept.as_uuid())));
}

#[tokio::test]
async fn a_session_that_was_dead_is_not_revived_by_being_the_exception() {
    let world = World::new().await;
    let dead = world.active().await;
    world
        .store
        .revoke_user_sessions(&end_all(&world, None))
        .await
        .unwrap()
        .unwrap();
    let (_, survivor) = world
        .store
        .revoke_user_sessions(&end_all(&world, Some(dead)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(survivor, None);
    assert_eq!(world.rotate_as(&world.rotate(dead, 1)).await.outcome, Rotation::Revoked);
}

#[tokio::test]
async fn strangers_session_is_never_the_exception() {
    let world = World::new().await;
    let other = UserId::random_v4();
    world.insert_user(world.tenant, other, "b@one.example").await;
    let mut item = world.authorize();
    item.user_id = other;
    world.store.insert_authorization(item.clone()).await.unwrap();
    let (_, survivor) = world
        .store
        .revoke_user_sessions(&end_all(&world, Some(item.session_id)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(survivor, None);
}

#[tokio::test]
async fn feed_gives_late_commits_in_the_next_look() {
    let world = World::new().await;
    let first = world.store.poll_revocations(None).await.unwrap();
    let mut late = world.owner().begin().await.unwrap();
    let insert =
        "INSERT INTO revocation (kind, tenant_id, id, expires_at) VALUES (2, $1, $2, now() + interval '1 min')";
    let (slow, quick) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
    sqlx::query(insert)
        .bind(world.tenant.as_uuid())
        .bind(slow)
        .execute(&mut *late)
        .await
        .unwrap();
    sqlx::query(insert)
        .bind(world.tenant.as_uuid())
        .bind(quick)
        .execute(world.owner())
        .await
        .unwrap();
    let second = world.store.poll_revocations(Some(&first.snapshot)).await.unwrap();
    assert_eq!(second.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [quick]);
    late.commit().await.unwrap();
    let third = world.store.poll_revocations(Some(&second.snapshot)).await.unwrap();
    assert_eq!(third.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [slow]);
    let fourth = world.store.poll_revocations(Some(&third.snapshot)).await.unwrap();
    assert!(fourth.rows.is_empty());
}
