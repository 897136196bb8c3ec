//! Refresh (RFC 6749 section 6, RFC 9700 section 4.14.2): cases RT of the case list.

use serde_json::json;

use crate::support::{Call, ClientSpec, PASSWORD, Tokens, World, claims};

#[tokio::test]
async fn rt_08_token_of_another_client_is_refused_and_stays_good() {
    let world = World::new().await;
    let replica = world.replica().await;
    let thieves = [
        world.add_client(ClientSpec::default()).await,
        world.add_client(ClientSpec::public()).await,
    ];
    let tokens = replica.tokens(&world.client, &world.user).await;
    for thief in &thieves {
        replica
            .refresh(thief, &tokens.refresh)
            .await
            .refuses(400, "invalid_grant");
    }
    let call = Call::form(
        "/auth/token",
        [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)],
    );
    let unproved = call.param("client_id", &world.client.id.to_string());
    replica.send(unproved).await.refuses(401, "invalid_client");
    replica.rotate(&world.client, &tokens).await;
    let events = world.events().await;
    let thefts: Vec<_> = events.iter().filter(|event| event.is("token_wrong_client")).collect();
    assert_eq!(thefts.len(), 2);
    assert!(thefts.iter().all(|event| event.core.severity == 3));
    assert_eq!(thefts[0].core.actor.as_ref().unwrap().id, thieves[0].id.as_bytes());
}

#[tokio::test]
async fn token_is_nothing_in_another_tenant() {
    let world = World::new().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let foreign = world.add_client_of(&there, ClientSpec::default()).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let before = world.footprint().await;
    replica
        .refresh(&foreign, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    assert!(!replica.is_active(&foreign, &tokens.refresh).await);
    assert_eq!(world.footprint().await, before, "it cost a statement that writes");
    replica.rotate(&world.client, &tokens).await;
}

#[tokio::test]
async fn rt_10_what_was_taken_from_the_client_is_not_issued_again() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let tokens = one.tokens(&world.client, &world.user).await;
    let tokens = two.rotate(&world.client, &tokens).await; // both have read the client
    let change = |what: &str| format!("UPDATE client SET {what}, version = version + 1");
    world.sql(&change("scope = 'email read'")).await;
    let next = one.refresh(&world.client, &tokens.refresh).await;
    assert_eq!(next.ok()["scope"], "email");
    assert!(next.ok().get("id_token").is_none(), "openid was taken away");
    let next = Tokens::from(&next);
    world.sql(&change("grant_types = '{authorization_code}'")).await;
    two.refresh(&world.client, &next.refresh)
        .await
        .refuses(400, "unauthorized_client");
    assert!(
        one.is_active(&world.client, &next.refresh).await,
        "the session itself goes on"
    );
}

#[tokio::test]
async fn rt_10_a_secret_that_is_gone_is_refused_on_every_replica() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let tokens = one.tokens(&world.client, &world.user).await;
    let tokens = two.rotate(&world.client, &tokens).await;
    world
        .sql("DELETE FROM client_secret; UPDATE client SET version = version + 1")
        .await;
    for replica in [&one, &two] {
        replica
            .refresh(&world.client, &tokens.refresh)
            .await
            .refuses(401, "invalid_client");
    }
}

#[tokio::test]
async fn rt_10_narrower_scope_is_given_and_wider_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let refresh = |scope: &'static str, token: &Tokens| {
        let parameters = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &token.refresh),
            ("scope", scope),
        ];
        let call = Call::form("/auth/token", parameters);
        replica.send(call.client(&world.client))
    };
    for wider in ["openid read", "admin", "credo.tenant.write"] {
        refresh(wider, &tokens).await.refuses(400, "invalid_scope");
    }
    let narrow = refresh("email", &tokens).await;
    assert_eq!(narrow.ok()["scope"], "email");
    // Narrower once is not narrower for ever.
    let all = replica.refresh(&world.client, &Tokens::from(&narrow).refresh).await;
    assert_eq!(all.ok()["scope"], "email openid profile");
}

#[tokio::test]
async fn rt_11_rt_12_disabled_means_disabled_at_once_on_every_replica() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let there = world.add_tenant("there").await;
    let foreign = world.add_client_of(&there, ClientSpec::default()).await;
    let stranger = world.add_user_of(&there, "bob@there.example", Some(PASSWORD)).await;
    let off = world.add_client(ClientSpec::default()).await;
    let mut of_user = one.tokens(&world.client, &world.user).await;
    let mut of_client = one.tokens(&off, &world.user).await;
    let mut of_tenant = one.tokens(&foreign, &stranger).await;
    of_user = two.rotate(&world.client, &of_user).await;
    of_client = two.rotate(&off, &of_client).await;
    of_tenant = two.rotate(&foreign, &of_tenant).await;

    world.disable_client(off.id).await;
    for replica in [&one, &two] {
        replica
            .refresh(&off, &of_client.refresh)
            .await
            .refuses(401, "invalid_client");
    }
    world.disable_user(world.user.id).await;
    for replica in [&one, &two] {
        replica
            .refresh(&world.client, &of_user.refresh)
            .await
            .refuses(400, "invalid_grant");
    }
    world.suspend_tenant(there.id).await;
    for replica in [&one, &two] {
        replica
            .refresh(&foreign, &of_tenant.refresh)
            .await
            .refuses(401, "invalid_client");
    }
    for table_and_id in [
        ("app_user", world.user.id.as_uuid()),
        ("client", off.id.as_uuid()),
        ("tenant", there.id.as_uuid()),
    ] {
        world.enable(table_and_id.0, table_and_id.1).await;
    }
    for (client, tokens) in [(&world.client, &of_user), (&off, &of_client), (&foreign, &of_tenant)] {
        one.refresh(client, &tokens.refresh).await.refuses(400, "invalid_grant");
    }
    one.tokens(&foreign, &stranger).await;
}

#[tokio::test]
async fn rt_14_kinds_of_tokens_are_not_mixed_up() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let code = replica.code(&world.client, &world.user).await;
    let before = world.footprint().await;
    for bearer in [&tokens.refresh, &code, tokens.id.as_ref().unwrap()] {
        replica.userinfo(bearer).await.challenges(401, "invalid_token");
    }
    let relabelled = [
        code.replacen("crc_", "crt_", 1),
        tokens.refresh.replacen("crt_", "crc_", 1),
    ];
    for refresh in [&tokens.access, &code, tokens.id.as_ref().unwrap(), &relabelled[0]] {
        replica
            .refresh(&world.client, refresh)
            .await
            .refuses(400, "invalid_grant");
    }
    for code in [&tokens.access, &tokens.refresh, &relabelled[1]] {
        replica
            .exchange(&world.client, code)
            .await
            .refuses(400, "invalid_grant");
    }
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn rt_16_id_token_of_a_refresh_tells_of_the_same_sign_in() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    world
        .sql("UPDATE session SET auth_time = auth_time - interval '1 hour'")
        .await;
    let next = replica.rotate(&world.client, &tokens).await;
    let (first, second) = (claims(tokens.id.as_ref().unwrap()), claims(next.id.as_ref().unwrap()));
    for claim in ["iss", "sub", "aud", "sid", "amr"] {
        assert_eq!(first[claim], second[claim], "{claim}");
    }
    let hour = first["auth_time"].as_i64().unwrap() - second["auth_time"].as_i64().unwrap();
    assert_eq!(hour, 3_600);
    assert!(second.get("nonce").is_none());
    assert!(second["iat"].as_i64() >= first["iat"].as_i64());
    assert_eq!(first["nonce"], "a nonce");
    assert_eq!(first["amr"], json!(["pwd"]));
}

#[tokio::test]
async fn rt_17_any_other_spelling_is_another_token() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let token = &tokens.refresh;
    let before = world.footprint().await;
    let swapped = |at: usize| {
        let mut text = token.clone();
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        text.replace_range(at..=at, other);
        text
    };
    let mut others = vec![
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        format!("{token}="),
        format!(" {token}"),
        token.to_lowercase(),
        token.to_uppercase(),
        token.replacen("crt_", "CRT_", 1),
        token[4..].to_owned(),
        "crt_".to_owned(),
        "x".repeat(10_240),
    ];
    // A changed bit in each part: version, key, session, generation, secret, MAC.
    others.extend([4, 6, 10, 29, 40, 70, token.len() - 3].map(swapped));
    for other in &others {
        let answer = replica.refresh(&world.client, other).await;
        answer.refuses(400, "invalid_grant");
    }
    assert_eq!(world.footprint().await, before);
    replica.rotate(&world.client, &tokens).await;
}

#[tokio::test]
async fn session_that_is_too_old_or_idle_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let lives = "SELECT extract(epoch FROM expires_at - created_at)::bigint + extract(epoch FROM idle_ttl)::bigint FROM session";
    assert_eq!(world.number(lives).await, (30 + 7) * 24 * 3_600);
    world
        .sql("UPDATE session SET rotated_at = now() - interval '7 days 1 second'")
        .await;
    replica
        .refresh(&world.client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    assert!(!replica.is_active(&world.client, &tokens.refresh).await);
    world
        .sql("UPDATE session SET rotated_at = now(), expires_at = now() - interval '1 second'")
        .await;
    replica
        .refresh(&world.client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    assert!(!replica.is_active(&world.client, &tokens.refresh).await);
    world
        .sql("UPDATE session SET expires_at = now() + interval '1 hour'")
        .await;
    replica.rotate(&world.client, &tokens).await;
}

#[tokio::test]
async fn token_of_the_future_is_refused_and_revokes_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    world.sql("CREATE TABLE before AS SELECT * FROM session").await;
    let next = replica.rotate(&world.client, &tokens).await;
    // The database went back: a genuine token is newer than its row.
    world
        .sql("DELETE FROM session; INSERT INTO session SELECT * FROM before")
        .await;
    let before = world.footprint().await;
    replica
        .refresh(&world.client, &next.refresh)
        .await
        .refuses(400, "invalid_grant");
    assert_eq!(world.footprint().await, before);
    replica.rotate(&world.client, &tokens).await;
}
