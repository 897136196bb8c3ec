use crate::support::*;
#[tokio::test]
async fn smoke() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    replica.userinfo(&tokens.access).await.ok();
    assert!(replica.is_active(&world.client, &tokens.access).await);
    let next = Tokens::from(&replica.refresh(&world.client, &tokens.refresh).await);
    replica.refresh(&world.client, &tokens.refresh).await.refuses(400, "invalid_grant");
    replica.assert_dead(&world.client, &next).await;
    assert_eq!(world.event_types().await, ["session_created", "token_issued", "token_refreshed", "token_reuse_detected"]);
}
