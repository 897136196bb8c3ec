//! What signs must be there before anything is decided: nobody pays with a code or a token for keys that cannot be read.

use credo_testkit::sqlx;

use crate::support::{Tokens, World};

#[tokio::test]
async fn code_and_token_stay_good_while_the_keys_cannot_be_read() {
    let world = World::new().await;
    let warm = world.replica().await;
    let code = warm.code(&world.client, &world.user).await;
    let tokens = warm.tokens(&world.client, &world.user).await;
    let cold = world.replica().await;
    let mut lock = world.owner().begin().await.unwrap();
    sqlx::query("LOCK TABLE signing_key IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *lock)
        .await
        .unwrap();
    let before = world.footprint().await;
    let exchange = cold.exchange(&world.client, &code).await;
    exchange.refuses(503, "temporarily_unavailable");
    let refresh = cold.refresh(&world.client, &tokens.refresh).await;
    refresh.refuses(503, "temporarily_unavailable");
    assert_eq!(world.footprint().await, before);
    lock.rollback().await.unwrap();
    Tokens::from(&cold.exchange(&world.client, &code).await);
    Tokens::from(&cold.refresh(&world.client, &tokens.refresh).await);
}
