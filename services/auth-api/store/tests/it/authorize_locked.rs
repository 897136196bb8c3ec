//! An authorization whose browser, consent or attempts are locked elsewhere waits alone.

use std::time::Duration;

use credo_auth_store::{Authorization, Authorize, ConsentGrant};
use futures::future::join_all;

use crate::{
    authorize_browser::{browser, grant},
    fixture::{World, hash},
};

/// Longer than 19 insertions take, shorter than the lock time-out.
const NEIGHBOURS: Duration = Duration::from_millis(900);

/// Holds a row by `lock`, sends `item` among 19 neighbours, and lets the row go when those are through.
async fn among_neighbours(world: &World, lock: &'static str, item: Authorize) -> Authorization {
    let users = world.add_users().await;
    let mut holder = world.owner().begin().await.unwrap();
    let held = sqlx::query(lock).execute(&mut *holder).await.unwrap();
    assert_eq!(held.rows_affected(), 1, "{lock}");
    let neighbours = users[..19].iter().map(|user| {
        let mut item = world.authorize();
        item.user_id = *user;
        world.store.insert_authorization(item)
    });
    let neighbours = async {
        let made = tokio::time::timeout(NEIGHBOURS, join_all(neighbours)).await;
        let made = made.expect("neighbours do not wait for the lock");
        assert!(made.into_iter().all(|made| made.unwrap() == Authorization::Authorized));
        holder.rollback().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(world.store.insert_authorization(item), neighbours);
    outcome.unwrap()
}

#[tokio::test]
async fn locked_browser_holds_nobody_else_up() {
    let world = World::new().await;
    let item = Authorize {
        browser_session_id: Some(browser(&world).await),
        ..world.authorize()
    };
    let lock = "SELECT id FROM browser_session FOR UPDATE";
    assert_eq!(among_neighbours(&world, lock, item).await, Authorization::Authorized);
}

#[tokio::test]
async fn locked_consent_holds_nobody_else_up() {
    let world = World::new().await;
    let browser = browser(&world).await;
    let granted = world.store.grant_consent(&grant(&world, browser, "openid")).await;
    assert_eq!(granted.unwrap(), ConsentGrant::Granted);
    let item = Authorize {
        browser_session_id: Some(browser),
        consent_scope: Some("openid".to_owned()),
        ..world.authorize()
    };
    let lock = "SELECT user_id FROM consent FOR UPDATE";
    assert_eq!(among_neighbours(&world, lock, item).await, Authorization::Authorized);
}

#[tokio::test]
async fn locked_attempts_hold_nobody_else_up_and_are_reset() {
    for device in [false, true] {
        let world = World::new().await;
        let insert = "INSERT INTO sign_in_attempt (tenant_id, account, failures, attempted_at, next_at)
                      VALUES ($1, $2, 7, now(), now())";
        let insert = sqlx::query(insert).bind(world.tenant.as_uuid()).bind(hash(9));
        insert.execute(world.owner()).await.unwrap();
        let mut item = world.authorize();
        let account = if device {
            &mut item.device_account
        } else {
            &mut item.account
        };
        *account = Some(hash(9));
        let lock = "SELECT account FROM sign_in_attempt FOR UPDATE";
        assert_eq!(among_neighbours(&world, lock, item).await, Authorization::Authorized);
        let failures: i32 = sqlx::query_scalar("SELECT failures FROM sign_in_attempt")
            .fetch_one(world.owner())
            .await
            .unwrap();
        assert_eq!(failures, 0);
    }
}
