//! What each request costs the database: the table of DESIGN section 5.

use std::time::Duration;

use credo_testkit::eventually;

use crate::support::{Answer, AuthorizeRequest, Browser, Call, Statements, Tokens, World, statements};

const DEADLINE: Duration = Duration::from_secs(5);

/// The statements of one request that must succeed.
async fn cost(world: &World, request: impl Future<Output = Answer>) -> (Answer, Statements) {
    let (answer, cost) = world.statements_of(request).await;
    assert!(answer.status < 300, "{}: {}", answer.status, answer.text());
    (answer, cost)
}

#[tokio::test]
async fn each_request_costs_what_the_design_says() {
    let world = World::new().await;
    world.count_statements().await;
    let replica = world.replica().await;
    let client = &world.client;
    let none = statements([]);

    // The first requests read the client, the keys and the person.
    let warm = replica.tokens(client, &world.user).await;
    replica.userinfo(&warm.access).await.ok();
    assert!(replica.is_active(client, &warm.access).await);

    let (answer, sign_in) = cost(
        &world,
        replica.sign_in(client, &world.user.email, crate::support::PASSWORD),
    )
    .await;
    assert_eq!(
        sign_in,
        statements([("sign_in_attempt_reserve", 1), ("authorization_insert", 1)])
    );
    let code = answer.json()["code"].as_str().unwrap().to_owned();

    // A browser is looked up by its cookie; then the same statement decides.
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    let request = AuthorizeRequest::of(client).target();
    let (answer, again) = world.statements_of(browser.get(&request)).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(
        again,
        statements([("browser_session_find", 1), ("authorization_insert", 1)])
    );

    let (answer, exchange) = cost(&world, replica.exchange(client, &code)).await;
    assert_eq!(exchange, statements([("authorization_code_redeem", 1)]));
    let tokens = Tokens::from(&answer);

    let (answer, refresh) = cost(&world, replica.refresh(client, &tokens.refresh)).await;
    assert_eq!(refresh, statements([("refresh_token_rotate", 1)]));
    let tokens = Tokens::from(&answer);

    let (_, userinfo) = cost(&world, replica.userinfo(&tokens.access)).await;
    assert_eq!(userinfo, none);
    let (_, introspection) = cost(&world, replica.introspect(client, &tokens.access)).await;
    assert_eq!(introspection, none);
    let (_, introspection) = cost(&world, replica.introspect(client, &tokens.refresh)).await;
    assert_eq!(introspection, statements([("refresh_token_introspect", 1)]));

    let (_, revocation) = cost(&world, replica.revoke(client, &tokens.refresh)).await;
    assert_eq!(revocation, statements([("session_revoke", 1)]));
    let tokens = replica.tokens(client, &world.user).await;
    let (_, revocation) = cost(&world, replica.revoke(client, &tokens.access)).await;
    assert_eq!(revocation, statements([("session_revoke", 1)]));

    let (answer, own) = cost(&world, replica.client_credentials(client, None)).await;
    assert_eq!(own, statements([("client_token_issue", 1)]));
    let own = answer.json()["access_token"].as_str().unwrap().to_owned();
    let (_, revocation) = cost(&world, replica.revoke(client, &own)).await;
    assert_eq!(revocation, statements([("client_token_revoke", 1)]));

    let (list, listing) = cost(&world, replica.sessions(&warm.access)).await;
    assert_eq!(listing, statements([("session_list", 1)]));
    drop(list);
    let other = replica.tokens(client, &world.user).await;
    let (_, ending) = cost(&world, replica.end_session(&warm.access, other.session)).await;
    assert_eq!(ending, statements([("session_revoke", 1)]));
    for except_current in [true, false] {
        let (_, ending) = cost(&world, replica.logout_all(&warm.access, except_current)).await;
        assert_eq!(ending, statements([("user_sessions_revoke", 1)]));
    }
}

#[tokio::test]
async fn what_is_refused_costs_no_more() {
    let world = World::new().await;
    world.count_statements().await;
    let replica = world.replica().await;
    let client = &world.client;
    let none = statements([]);
    let there = world.add_tenant("there").await;
    let foreign = world.add_client_of(&there, crate::support::ClientSpec::default()).await;
    let tokens = replica.tokens(client, &world.user).await;
    replica.client_credentials(&foreign, None).await.ok();
    for path in ["/t/demo/jwks.json", "/t/demo/.well-known/openid-configuration"] {
        replica.send(Call::get(path)).await.ok();
        let (_, metadata) = cost(&world, replica.send(Call::get(path))).await;
        assert_eq!(metadata, none);
    }
    // Made-up tokens and those of another tenant never cost a statement.
    let mut forged = tokens.refresh.clone();
    forged.replace_range(50..52, "AA");
    for (client, token) in [
        (client, &forged),
        (&foreign, &tokens.refresh),
        (client, &"crt_x".to_owned()),
    ] {
        let (answer, refresh) = world.statements_of(replica.refresh(client, token)).await;
        answer.refuses(400, "invalid_grant");
        assert_eq!(refresh, none);
    }
    let mut forged = tokens.access.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    let (answer, userinfo) = world.statements_of(replica.userinfo(&forged)).await;
    assert_eq!((answer.status, userinfo), (401, none.clone()));
    // A wrong secret: one row for the first, none for those that are counted.
    let wrong = || {
        let call = Call::form("/auth/token", [("grant_type", "client_credentials")]);
        replica.send(call.basic(&client.id.to_string(), "crs_wrong"))
    };
    let (answer, first) = world.statements_of(wrong()).await;
    assert_eq!(
        (answer.status, first),
        (401, statements([("security_event_insert", 1)]))
    );
    let (answer, second) = world.statements_of(wrong()).await;
    answer.refuses(401, "invalid_client");
    assert!(second.values().sum::<i64>() <= 1, "{second:?}"); // the count of it may be written meanwhile
    // A replay is one statement, and so is every other use of a dead token.
    replica.refresh(client, &tokens.refresh).await.ok();
    for _ in 0..2 {
        let (answer, replay) = world.statements_of(replica.refresh(client, &tokens.refresh)).await;
        answer.refuses(400, "invalid_grant");
        assert_eq!(replay, statements([("refresh_token_rotate", 1)]));
    }
}

/// What the plans of hot connections must not do without has a price so high that the server would compile each run.
#[tokio::test]
async fn no_statement_is_compiled_each_time() {
    let world = World::new().await;
    world.count_statements().await;
    let replica = world.replica().await;
    let (tokens, _) = world.statements_of(replica.tokens(&world.client, &world.user)).await;
    let next = replica.rotate(&world.client, &tokens).await;
    replica.sessions(&next.access).await.ok();
    replica.logout_all(&next.access, true).await.ok();
    let sum = |column: &str, condition: &str| {
        format!(
            "SELECT coalesce(sum({column}), 0)::bigint FROM pg_stat_statements
             WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND userid = 'credo_auth_api'::regrole AND query LIKE '{condition}'"
        )
    };
    let looks = sum("calls", "/* revocation_poll */%");
    eventually(DEADLINE, || async { world.number(&looks).await >= 2 }).await;
    assert_eq!(world.number(&sum("jit_functions", "%")).await, 0);
}
