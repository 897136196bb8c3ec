//! A code is redeemed once, and a second use costs what came of the first (RFC 6749 section 4.1.2): cases CD.

use futures::future::join_all;
use serde_json::json;

use crate::support::{ClientSpec, REDIRECT_URI, Tokens, World, claims};

const OTHER_VERIFIER: &str = "another-verifier-of-forty-three-characters-";

#[tokio::test]
async fn cd_01_code_is_redeemed_once() {
    let world = World::new().await;
    let replica = world.replica().await;
    let code = replica.code(&world.client, &world.user).await;
    let answer = replica.exchange(&world.client, &code).await;
    let body = answer.ok();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(900))
    );
    assert_eq!(body["scope"], "email openid profile");
    let id_token = claims(body["id_token"].as_str().unwrap());
    assert_eq!(
        (&id_token["nonce"], &id_token["aud"]),
        (&json!("a nonce"), &json!(world.client.id))
    );

    let again = replica.exchange(&world.client, &code).await;
    again.refuses(400, "invalid_grant");
    let kinds = world.event_types().await;
    assert_eq!(kinds, ["session_created", "token_issued", "token_reuse_detected"]);
}

#[tokio::test]
async fn cd_02_code_replayed_later_revokes_all_that_came_of_it() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let public = world.add_client(ClientSpec::public()).await;
    for client in [&world.client, &public] {
        let code = one.code(client, &world.user).await;
        let first = Tokens::from(&one.exchange(client, &code).await);
        let newest = Tokens::from(&one.refresh(client, &first.refresh).await);
        one.userinfo(&newest.access).await.ok();
        // Long after the code itself has expired.
        world
            .sql("UPDATE session SET code_expires_at = now() - interval '1 hour', redeemed_at = now() - interval '1 hour'")
            .await;
        two.exchange(client, &code).await.refuses(400, "invalid_grant");
        two.userinfo(&first.access).await.challenges(401, "invalid_token");
        two.userinfo(&newest.access).await.challenges(401, "invalid_token");
        assert!(!two.is_active(&world.client, &newest.access).await);
        one.refresh(client, &newest.refresh).await.refuses(400, "invalid_grant");
    }
}

#[tokio::test]
async fn cd_02_code_replayed_without_proof_revokes_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = world.add_client(ClientSpec::public()).await;
    let code = replica.code(&client, &world.user).await;
    let tokens = Tokens::from(&replica.exchange(&client, &code).await);
    for verifier in [Some(OTHER_VERIFIER), None] {
        let answer = replica
            .exchange_with(&client, &code, Some(REDIRECT_URI), verifier)
            .await;
        answer.refuses(400, "invalid_grant");
    }
    replica.userinfo(&tokens.access).await.ok();
    replica.refresh(&client, &tokens.refresh).await.ok();
    let events = world.events().await;
    assert_eq!(events.iter().filter(|event| event.is("token_wrong_client")).count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cd_03_parallel_exchanges_have_one_winner_whose_tokens_die() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    for replicas in [[&one, &one], [&one, &two], [&two, &one]] {
        let code = one.code(&world.client, &world.user).await;
        let exchanges = (0..20).map(|number| replicas[number % 2].exchange(&world.client, &code));
        let answers = join_all(exchanges).await;
        let (winners, losers): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(winners.len(), 1);
        for loser in losers {
            loser.refuses(400, "invalid_grant");
        }
        let tokens = Tokens::from(winners[0]);
        one.refresh(&world.client, &tokens.refresh)
            .await
            .refuses(400, "invalid_grant");
        let ended = format!("SELECT end_reason::bigint FROM session WHERE id = '{}'", tokens.session);
        assert_eq!(world.number(&ended).await, 1, "replay is the reason");
    }
    let kinds = world.event_types().await;
    for kind in ["session_created", "token_issued", "token_reuse_detected"] {
        assert_eq!(
            kinds.iter().filter(|other| *other == kind).count(),
            3,
            "{kind}: {kinds:?}"
        );
    }
}
