//! What the statement that inserts an authorization asks of a browser and of a consent: each rule alone refuses.

use credo_auth_domain::scope::Scope;
use credo_auth_store::{Authorization, Authorize, ConsentGrant, EventRow, GrantConsent};
use credo_ids::{BrowserSessionId, EventId, SessionId};

use crate::fixture::{World, core, personal};

pub async fn browser(world: &World) -> BrowserSessionId {
    let id = BrowserSessionId::now_v7();
    sqlx::query(
        "INSERT INTO browser_session (id, tenant_id, user_id, device_id, secret_hash, tenant_epoch, user_epoch, auth_time,
                                      amr, expires_at, idle_ttl)
         SELECT $1, u.tenant_id, u.id, gen_random_uuid(), decode(repeat('00', 32), 'hex'), t.epoch, u.epoch,
                now() - interval '5 minutes', 'pwd otp', now() + interval '1 hour', interval '10 minutes'
         FROM app_user u JOIN tenant t ON t.id = u.tenant_id WHERE u.id = $2",
    )
    .bind(id.as_uuid())
    .bind(world.user.as_uuid())
    .execute(world.owner())
    .await
    .unwrap();
    id
}

fn by_browser(world: &World, browser: BrowserSessionId, consent_scope: Option<&str>) -> Authorize {
    Authorize {
        session_id: SessionId::now_v7(),
        event_id: EventId::now_v7(),
        browser_session_id: Some(browser),
        consent_scope: consent_scope.map(ToOwned::to_owned),
        claims: Some("{}".to_owned()),
        ..world.authorize()
    }
}

async fn outcome(world: &World, browser: BrowserSessionId, consent_scope: Option<&str>) -> Authorization {
    let item = by_browser(world, browser, consent_scope);
    world.store.insert_authorization(item.clone()).await.unwrap()
}

pub fn grant(world: &World, browser: BrowserSessionId, scope: &str) -> GrantConsent {
    GrantConsent {
        tenant_id: world.tenant,
        browser_session_id: browser,
        client_id: world.client,
        scope: scope.parse().unwrap(),
        event_id: EventId::now_v7(),
        event: EventRow {
            core: core("granted"),
            personal: personal(),
        },
    }
}

#[tokio::test]
async fn a_browser_that_is_signed_out_by_any_rule_gets_nothing() {
    let world = World::new().await;
    let signed_in = browser(&world).await;
    assert_eq!(outcome(&world, signed_in, None).await, Authorization::Authorized);
    let taken = "SELECT count(*) FROM session WHERE amr = 'pwd otp' AND claims = '{}' AND auth_time < now() - interval '4 minutes'";
    let taken: i64 = sqlx::query_scalar(taken).fetch_one(world.owner()).await.unwrap();
    assert_eq!(taken, 1, "who signed in and when comes from the browser's row");
    for change in [
        "ended_at = now()",
        "expires_at = now()",
        "seen_at = now() - interval '10 minutes'",
        "tenant_epoch = tenant_epoch + 1",
        "user_epoch = user_epoch + 1",
        "user_id = gen_random_uuid()",
        "tenant_id = gen_random_uuid()",
    ] {
        let id = browser(&world).await;
        let statement = format!("UPDATE browser_session SET {change} WHERE id = '{id}'");
        let changed = sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(world.owner());
        assert_eq!(changed.await.unwrap().rows_affected(), 1);
        assert_eq!(outcome(&world, id, None).await, Authorization::SignedOut, "{change}");
        let granted = world.store.grant_consent(&grant(&world, id, "openid")).await.unwrap();
        // A row of another person is another's consent; the statement takes the person from the row alone.
        assert_eq!(granted, ConsentGrant::SignedOut, "{change}");
    }
    assert_eq!(
        outcome(&world, BrowserSessionId::now_v7(), None).await,
        Authorization::SignedOut
    );
    let consents: i64 = sqlx::query_scalar("SELECT count(*) FROM consent")
        .fetch_one(world.owner())
        .await
        .unwrap();
    assert_eq!(consents, 0);
}

#[tokio::test]
async fn a_consent_covers_what_it_names_until_it_is_revoked() {
    let world = World::new().await;
    let id = browser(&world).await;
    let ask = |scope: &'static str| outcome(&world, id, Some(scope));
    assert_eq!(ask("openid").await, Authorization::ConsentMissing);
    let grant_of = |scope: &'static str| {
        let item = grant(&world, id, scope);
        let store = &world.store;
        async move { store.grant_consent(&item).await.unwrap() }
    };
    assert_eq!(grant_of("email openid").await, ConsentGrant::Granted);
    assert_eq!(ask("openid").await, Authorization::Authorized);
    assert_eq!(ask("email openid").await, Authorization::Authorized);
    assert_eq!(ask("email openid read").await, Authorization::ConsentMissing);
    assert_eq!(ask("open").await, Authorization::ConsentMissing);
    assert_eq!(grant_of("read").await, ConsentGrant::Granted);
    assert_eq!(ask("email openid read").await, Authorization::Authorized);
    let asked: Scope = "openid read write".parse().unwrap();
    let known = world
        .store
        .find_consent((world.tenant, world.client), world.user, &asked)
        .await
        .unwrap();
    assert_eq!(known.to_string(), "openid read");
    world.sql("UPDATE consent SET revoked_at = now()").await;
    assert_eq!(ask("openid").await, Authorization::ConsentMissing);
    let known = world
        .store
        .find_consent((world.tenant, world.client), world.user, &asked)
        .await
        .unwrap();
    assert!(known.is_empty());
    world.sql("UPDATE client SET status = 2").await;
    assert_eq!(grant_of("openid").await, ConsentGrant::ClientDisabled);
    world.sql("UPDATE tenant SET status = 2").await;
    assert_eq!(grant_of("openid").await, ConsentGrant::TenantSuspended);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_that_allow_at_once_lose_nothing() {
    let world = World::new().await;
    let id = browser(&world).await;
    let scopes = ["a", "b", "c", "d", "e", "f"];
    let grants = scopes.map(|scope| {
        let (item, store) = (grant(&world, id, scope), std::sync::Arc::clone(&world.store));
        tokio::spawn(async move { store.grant_consent(&item).await.unwrap() })
    });
    for granted in futures::future::join_all(grants).await {
        assert_eq!(granted.unwrap(), ConsentGrant::Granted);
    }
    let scope: String = sqlx::query_scalar("SELECT scope FROM consent")
        .fetch_one(world.owner())
        .await
        .unwrap();
    assert_eq!(scope, "a b c d e f");
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox WHERE class = 1")
        .fetch_one(world.owner())
        .await
        .unwrap();
    assert_eq!(events, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_is_being_signed_out_is_waited_for() {
    let world = std::sync::Arc::new(World::new().await);
    let id = browser(&world).await;
    let mut logout = world.owner().begin().await.unwrap();
    let end = sqlx::query("UPDATE browser_session SET ended_at = now() WHERE id = $1").bind(id.as_uuid());
    end.execute(&mut *logout).await.unwrap();
    let authorizing = {
        let world = std::sync::Arc::clone(&world);
        tokio::spawn(async move { outcome(&world, id, None).await })
    };
    let waiting = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   OR NOT granted AND locktype = 'transactionid'";
    credo_testkit::eventually(std::time::Duration::from_secs(5), || async {
        let waits: bool = sqlx::query_scalar(waiting).fetch_one(world.owner()).await.unwrap();
        waits || authorizing.is_finished()
    })
    .await;
    logout.commit().await.unwrap();
    assert_eq!(authorizing.await.unwrap(), Authorization::SignedOut);
}

#[tokio::test]
async fn what_opens_the_admin_apis_is_the_persons_own_whoever_asks() {
    let world = World::new().await;
    let signed_in = browser(&world).await;
    let hold = async |scope: &str| {
        let statement = format!(
            "UPDATE app_user SET admin_scope = '{scope}' WHERE id = '{}'",
            world.user
        );
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(world.owner());
        done.await.unwrap();
    };
    let ask = async |scope: &str| {
        let item = Authorize {
            scope: scope.to_owned(),
            ..by_browser(&world, signed_in, None)
        };
        world.store.insert_authorization(item).await.unwrap()
    };
    for (held, asked, outcome) in [
        ("", "openid credo.sessions", Authorization::Authorized),
        ("", "credo.user.read", Authorization::AdminScopeMissing),
        ("credo.user.read", "credo.user.read", Authorization::Authorized),
        ("credo.user.read", "openid credo.user.read", Authorization::Authorized),
        (
            "credo.user.read",
            "credo.user.read credo.user.write",
            Authorization::AdminScopeMissing,
        ),
        (
            "credo.user.readers",
            "credo.user.read",
            Authorization::AdminScopeMissing,
        ),
    ] {
        hold(held).await;
        assert_eq!(ask(asked).await, outcome, "{held}: {asked}");
    }
}
