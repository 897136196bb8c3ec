//! Tenants are walls: cases TN of the case list. What is one tenant's is, shown to another, as unknown as a made-up value.

use std::time::Duration;

use credo_testkit::{eventually, sqlx};
use uuid::Uuid;

use crate::support::{
    Answer, AuthorizeRequest, Browser, Call, Client, ClientSpec, PASSWORD, Replica, Tenant, Tokens, User, World, claims,
};

const FEED_DEADLINE: Duration = Duration::from_secs(5);
const THIRD_PARTY: ClientSpec = ClientSpec {
    first_party: false,
    ..ClientSpec::BASIC
};

/// Another tenant with a client and a person of its own.
async fn other_tenant(world: &World) -> (Tenant, Client, User) {
    let tenant = world.add_tenant("there").await;
    let client = world.add_client_of(&tenant, ClientSpec::BASIC).await;
    let user = world.add_user_of(&tenant, "bob@there.example", Some(PASSWORD)).await;
    (tenant, client, user)
}

#[track_caller]
fn assert_same(one: &Answer, other: &Answer) {
    assert_eq!((one.status, &one.body), (other.status, &other.body));
}

#[tokio::test]
async fn tn_01_codes_tokens_clients_and_people_of_another_tenant_are_as_unknown_as_random_ones() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (_, there, _) = other_tenant(&world).await;
    let mine = replica.tokens(&world.client, &world.user).await;
    let code = replica.code(&world.client, &world.user).await;
    // The right form, and never issued: the last character is of the MAC.
    let random = |token: &str| {
        format!(
            "{}{}",
            &token[..token.len() - 4],
            if token.ends_with("AAAA") { "BBBB" } else { "AAAA" }
        )
    };
    assert_same(
        &replica.exchange(&there, &code).await,
        &replica.exchange(&there, &random(&code)).await,
    );
    assert_same(
        &replica.refresh(&there, &mine.refresh).await,
        &replica.refresh(&there, &random(&mine.refresh)).await,
    );
    for token in [&mine.access, &mine.refresh, mine.id.as_ref().unwrap(), &code] {
        assert_same(
            &replica.introspect(&there, token).await,
            &replica.introspect(&there, &random(token)).await,
        );
        assert_same(
            &replica.revoke(&there, token).await,
            &replica.revoke(&there, &random(token)).await,
        );
    }
    // A client of one tenant with the secret of the other's, and one that does not exist.
    let with_id = |id| Client { id, ..there.clone() };
    let nobody = with_id(credo_ids::ClientId::now_v7());
    let ours = with_id(world.client.id);
    assert_same(
        &replica.client_credentials(&ours, None).await,
        &replica.client_credentials(&nobody, None).await,
    );
    assert_same(
        &replica.sign_in(&there, &world.user.email, PASSWORD).await,
        &replica.sign_in(&there, "nobody@demo.example", PASSWORD).await,
    );
    // None of that was noticed where it belongs.
    replica.userinfo(&mine.access).await.ok();
    replica.rotate(&world.client, &mine).await;
    Tokens::from(&replica.exchange(&world.client, &code).await);
}

/// What a client that asks in silence is told, its texts included.
async fn silent(browser: &Browser<'_>, client: &Client, hint: Option<&str>) -> String {
    let mut request = AuthorizeRequest::of(client).with("prompt", "none");
    if let Some(hint) = hint {
        request = request.and("id_token_hint", hint);
    }
    let answer = browser.authorize(&request).await;
    answer
        .header("location")
        .map_or_else(|| answer.text(), ToOwned::to_owned)
}

#[tokio::test]
async fn tn_01_a_browsers_cookie_of_another_tenant_signs_nobody_in() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (_, there, _) = other_tenant(&world).await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    let cookie = browser.session("demo").unwrap();
    let nothing = silent(&Browser::new(&replica), &there, None).await;
    assert!(nothing.contains("login_required"), "{nothing}");
    assert_eq!(silent(&browser, &there, None).await, nothing);
    // Under the other tenant's name, as a made-up one.
    for value in [
        cookie.as_str(),
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let thief = Browser::new(&replica);
        thief.set_cookie("__Host-credo_there", value);
        assert_eq!(silent(&thief, &there, None).await, nothing);
    }
    browser
        .code_for(&AuthorizeRequest::of(&world.client).with("prompt", "none"))
        .await;
}

#[tokio::test]
async fn tn_01_a_hint_of_another_tenant_says_as_much_as_a_made_up_one() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (tenant, there, bob) = other_tenant(&world).await;
    let mine = replica.tokens(&world.client, &world.user).await;
    let foreign = mine.id.unwrap();
    let made_up = replica
        .sign(&tenant, auth_api::keys::TokenType::AccessToken, &claims(&foreign))
        .await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("there", &bob).await;
    assert_eq!(
        silent(&browser, &there, Some(&foreign)).await.contains("error="),
        silent(&browser, &there, Some(&made_up)).await.contains("error=")
    );
    let nobody = Browser::new(&replica);
    assert_eq!(
        silent(&nobody, &there, Some(&foreign)).await,
        silent(&nobody, &there, Some(&made_up)).await
    );
    for hint in [&foreign, &made_up] {
        let target = format!("/auth/logout?client_id={}&id_token_hint={hint}", there.id);
        let answer = browser.get(&target).await;
        assert!(
            answer
                .header("location")
                .is_none_or(|location| !location.contains("example/")),
            "{hint}"
        );
        assert!(browser.session("there").is_some(), "nobody was signed out");
    }
}

#[tokio::test]
async fn tn_01_a_consent_of_one_tenant_is_none_in_another() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (here, there) = (world.add_client(THIRD_PARTY).await, world.add_tenant("there").await);
    let theirs = world.add_client_of(&there, THIRD_PARTY).await;
    // The same address, the same password, the same name of the client.
    let namesake = world.add_user_of(&there, &world.user.email, Some(PASSWORD)).await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    browser.sign_in_to("there", &namesake).await;
    let page = browser.authorize(&AuthorizeRequest::of(&here)).await;
    let form = page.form_to("/auth/consent");
    browser.send_form(&form, &[("decision", "allow")]).await;
    assert!(silent(&browser, &here, None).await.contains("code="));
    assert!(silent(&browser, &theirs, None).await.contains("consent_required"));
}

#[tokio::test]
async fn tn_03_ids_are_unique_across_tenants_and_what_is_kept_is_kept_apart() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (tenant, there, _) = other_tenant(&world).await;
    // No id can be in two tenants: what is kept under an id alone is one tenant's.
    for (table, columns) in [
        (
            "client",
            "id, tenant_id, display_name, token_endpoint_auth_method, grant_types, redirect_uris, scope",
        ),
        ("app_user", "id, tenant_id, email"),
        (
            "signing_key",
            "id, tenant_id, kid, algorithm, state, public_key, sealed_key, master_key_id",
        ),
    ] {
        replica.tokens(&world.client, &world.user).await;
        let moved = columns.replacen("tenant_id", &format!("'{}'", tenant.id), 1);
        let statement = format!(
            "INSERT INTO {table} ({columns}) SELECT {moved} FROM {table} WHERE tenant_id = '{}' LIMIT 1",
            world.tenant.id
        );
        let failure = sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(world.owner())
            .await
            .unwrap_err();
        let code = failure.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "23505", "{table}: {failure}");
    }
    // What may be equal is told apart by the tenant, on a replica that has both warm.
    let namesake = world.add_user_of(&tenant, &world.user.email, Some(PASSWORD)).await;
    for _ in 0..2 {
        for (client, user) in [(&world.client, &world.user), (&there, &namesake)] {
            let tokens = replica.tokens(client, user).await;
            assert_eq!(replica.userinfo(&tokens.access).await.ok()["sub"], user.id.to_string());
        }
    }
}

async fn answers_as_unknown(replica: &Replica, client: &Client, tokens: &Tokens) -> bool {
    let metadata = replica
        .send(Call::get("/t/there/.well-known/openid-configuration"))
        .await;
    let page = replica.send(Call::get("/t/there/sign-in")).await;
    let userinfo = replica.userinfo(&tokens.access).await;
    let refresh = replica.refresh(client, &tokens.refresh).await;
    let authorize = Browser::new(replica).authorize(&AuthorizeRequest::of(client)).await;
    let unknown = Client {
        id: credo_ids::ClientId::now_v7(),
        ..client.clone()
    };
    let nobodys = Browser::new(replica).authorize(&AuthorizeRequest::of(&unknown)).await;
    [metadata.status, page.status, userinfo.status, refresh.status] == [404, 404, 401, 401]
        && authorize.status == nobodys.status
}

#[tokio::test]
async fn tn_06_a_suspended_tenant_is_unknown_everywhere_and_its_tokens_stay_dead() {
    let world = World::new().await;
    let replicas = [world.replica().await, world.replica().await];
    let (tenant, client, user) = other_tenant(&world).await;
    let tokens = replicas[0].tokens(&client, &user).await;
    let code = replicas[0].code(&client, &user).await;
    for replica in &replicas {
        replica.userinfo(&tokens.access).await.ok(); // everything is warm
        assert!(!answers_as_unknown(replica, &world.client, &tokens).await);
    }
    world.suspend_tenant(tenant.id).await;
    for replica in &replicas {
        eventually(FEED_DEADLINE, || answers_as_unknown(replica, &client, &tokens)).await;
        replica.exchange(&client, &code).await.refuses(401, "invalid_client");
        replica
            .client_credentials(&client, None)
            .await
            .refuses(401, "invalid_client");
        assert!(!replica.is_active(&world.client, &tokens.access).await);
    }
    world.enable("tenant", tenant.id.as_uuid()).await;
    for replica in &replicas {
        eventually(FEED_DEADLINE, || async {
            replica.client_credentials(&client, None).await.status == 200
        })
        .await;
        replica.userinfo(&tokens.access).await.challenges(401, "invalid_token");
        replica
            .refresh(&client, &tokens.refresh)
            .await
            .refuses(400, "invalid_grant");
        replica.exchange(&client, &code).await.refuses(400, "invalid_grant");
        replica.tokens(&client, &user).await;
    }
}

#[tokio::test]
async fn tn_07_nothing_of_a_deleted_tenant_comes_back_with_its_slug() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (tenant, client, user) = other_tenant(&world).await;
    let tokens = replica.tokens(&client, &user).await;
    let code = replica.code(&client, &user).await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("there", &user).await;
    let tables = [
        "consent",
        "browser_session",
        "session",
        "password",
        "app_user",
        "client_secret",
        "client",
        "signing_key",
    ];
    for table in tables {
        world
            .sql(&format!("DELETE FROM {table} WHERE tenant_id = '{}'", tenant.id))
            .await;
    }
    world
        .sql(&format!("DELETE FROM tenant WHERE id = '{}'", tenant.id))
        .await;
    let again = world.add_tenant("there").await;
    let new_client = world.add_client_of(&again, ClientSpec::BASIC).await;
    let new_user = world.add_user_of(&again, &user.email, Some(PASSWORD)).await;
    assert_ne!((again.id, new_user.id), (tenant.id, user.id));
    let fresh = world.replica().await;
    fresh.userinfo(&tokens.access).await.challenges(401, "invalid_token");
    fresh
        .refresh(&client, &tokens.refresh)
        .await
        .refuses(401, "invalid_client");
    fresh
        .refresh(&new_client, &tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    fresh.exchange(&new_client, &code).await.refuses(400, "invalid_grant");
    assert!(!fresh.is_active(&new_client, &tokens.access).await);
    let told = silent(&browser.at(&fresh), &new_client, None).await;
    assert!(told.contains("login_required"), "{told}");
    let subject = claims(&fresh.tokens(&new_client, &new_user).await.access)["sub"].clone();
    assert_ne!(subject, user.id.to_string());
}

/// Every series by its name and labels, and the whole of what is shown.
fn metrics(replica: &Replica) -> (Vec<String>, String) {
    let families = replica.app.metrics.registry.gather();
    let series = families.iter().flat_map(|family| {
        family.get_metric().iter().map(|metric| {
            let labels = metric
                .get_label()
                .iter()
                .map(|label| format!("{}={}", label.name(), label.value()));
            format!("{}{:?}", family.name(), labels.collect::<Vec<_>>())
        })
    });
    let series: Vec<_> = series.collect();
    let text = series.join("\n");
    (series, text)
}

#[tokio::test]
async fn tn_09_metrics_and_errors_name_no_tenant_and_do_not_grow_with_them() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (before, _) = metrics(&replica);
    for number in 0..5 {
        let tenant = world.add_tenant(&format!("tenant-{number}")).await;
        let client = world.add_client_of(&tenant, ClientSpec::BASIC).await;
        let user = world
            .add_user_of(&tenant, &format!("p{number}@x.example"), Some(PASSWORD))
            .await;
        let tokens = replica.tokens(&client, &user).await;
        let refused = [
            replica.refresh(&world.client, &tokens.refresh).await,
            replica.sign_in(&world.client, &user.email, PASSWORD).await,
            replica.end_session(&tokens.access, Uuid::now_v7()).await,
            replica.send(Call::get(format!("/nowhere/{}", tenant.slug))).await,
        ];
        for answer in refused {
            let text = answer.text();
            assert!(answer.status >= 400);
            for private in [
                &tenant.slug,
                &user.email,
                &client.id.to_string(),
                &user.id.to_string(),
                &tenant.id.to_string(),
            ] {
                assert!(!text.contains(private.as_str()), "{text}");
            }
        }
    }
    let (after, text) = metrics(&replica);
    assert_eq!(before, after, "every series is there from the start");
    for private in ["tenant-", "x.example", "=demo\""] {
        assert!(!text.contains(private), "{private} in {text}");
    }
}
