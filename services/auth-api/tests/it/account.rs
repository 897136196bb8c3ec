//! A person's own page: sessions, connected apps, password.

use futures::future::join;
use uuid::Uuid;

use crate::support::{Answer, Browser, Call, Client, ClientSpec, PASSWORD, PageForm, Replica, Tokens, User, World};

const ACCOUNT: &str = "/t/demo/account";
const NEW_PASSWORD: &str = "a quite different phrase";

/// A person's browser, signed in.
async fn signed_in<'a>(replica: &'a Replica, user: &User) -> Browser<'a> {
    let browser = Browser::new(replica);
    browser.sign_in_to("demo", user).await;
    browser
}

/// Tokens of a client, authorized with the browser.
async fn tokens_of(world: &World, browser: &Browser<'_>, replica: &Replica, scopes: &[&str]) -> Tokens {
    let tokens = replica.tokens_for(&world.client, &world.user, scopes).await;
    let device = browser.cookie("__Host-credo-device").unwrap();
    let statement = format!(
        "UPDATE session SET device_id = '{device}', browser_session_id =
           (SELECT id FROM browser_session WHERE device_id = '{device}' AND ended_at IS NULL)
         WHERE id = '{}'",
        tokens.session
    );
    world.sql(&statement).await;
    tokens
}

async fn consent(world: &World, user: &User, client: &Client) {
    let statement = format!(
        "INSERT INTO consent (tenant_id, user_id, client_id, scope) VALUES ('{}', '{}', '{}', 'openid email')",
        world.tenant.id, user.id, client.id
    );
    world.sql(&statement).await;
}

/// The id of the session of a browser.
async fn session_id(world: &World, browser: &Browser<'_>) -> Uuid {
    let device = browser.cookie("__Host-credo-device").unwrap();
    let statement = format!("SELECT id FROM browser_session WHERE device_id = '{device}' AND ended_at IS NULL");
    credo_testkit::sqlx::query_scalar(credo_testkit::sqlx::AssertSqlSafe(statement))
        .fetch_one(world.owner())
        .await
        .unwrap()
}

/// The form of the page that ends that.
fn form(page: &Answer, action: &str, field: &str) -> Option<PageForm> {
    let forms = page.forms().into_iter();
    let mut forms = forms.filter(|form| form.action == format!("{ACCOUNT}/{action}"));
    forms.find(|form| form.hidden.iter().any(|(_, value)| value == field))
}

async fn change_password(browser: &Browser<'_>, current: &str, new: &str) -> Answer {
    let form = password_form(browser).await;
    send_change(browser, &form, (current, new)).await
}

async fn password_form(browser: &Browser<'_>) -> PageForm {
    browser.get(ACCOUNT).await.form_to(&format!("{ACCOUNT}/password"))
}

async fn send_change(browser: &Browser<'_>, form: &PageForm, (current, new): (&str, &str)) -> Answer {
    let filled = [("current_password", current), ("new_password", new)];
    browser.send_form(form, &filled).await
}

#[tokio::test]
async fn se_08_person_sees_and_ends_their_own_browsers_and_app_sessions() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (here, there) = (
        signed_in(&replica, &world.user).await,
        signed_in(&replica, &world.user).await,
    );
    let of_app = tokens_of(&world, &there, &replica, &["openid"]).await;
    let lasting = tokens_of(&world, &there, &replica, &["openid", "offline_access"]).await;
    let mine = replica.tokens(&world.client, &world.user).await;
    let (this, other) = (session_id(&world, &here).await, session_id(&world, &there).await);
    let page = here.get(ACCOUNT).await;
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")));
    assert!(page.text().contains("Firefox") && page.text().contains("A client"));
    assert!(
        form(&page, "sessions/revoke", &format!("browser-{this}")).is_none(),
        "this one is marked"
    );
    // Another browser, and what was authorized with it, but for offline_access.
    let end = form(&page, "sessions/revoke", &format!("browser-{other}")).unwrap();
    let answer = here.send_form(&end, &[]).await;
    assert_eq!(answer.header("location"), Some("/t/demo/account?done=session-ended"));
    assert_eq!(there.get(ACCOUNT).await.status, 303);
    replica.assert_dead(&world.client, &of_app).await;
    replica.rotate(&world.client, &lasting).await;
    // A session with an app.
    let page = here.follow(answer).await;
    let end = form(&page, "sessions/revoke", &format!("session-{}", mine.session)).unwrap();
    assert_eq!(here.send_form(&end, &[]).await.status, 303);
    replica.assert_dead(&world.client, &mine).await;
    let reasons: Vec<_> = world
        .events()
        .await
        .into_iter()
        .map(|event| (event.core.r#type, event.core.reason))
        .collect();
    assert!(reasons.contains(&("browser_signed_out".to_owned(), "from_elsewhere".to_owned())));
    assert_eq!(reasons.iter().filter(|(kind, _)| kind == "session_revoked").count(), 1);
}

#[tokio::test]
async fn se_08_what_is_somebody_elses_is_not_there() {
    let world = World::new().await;
    let replica = world.replica().await;
    let bob = world
        .add_user_of(&world.tenant, "bob@demo.example", Some(PASSWORD))
        .await;
    let (ann, of_bob) = (signed_in(&replica, &world.user).await, signed_in(&replica, &bob).await);
    let tokens = replica.tokens(&world.client, &bob).await;
    consent(&world, &bob, &world.client).await;
    let browser_of_bob = session_id(&world, &of_bob).await;
    let page = ann.get(ACCOUNT).await;
    let csrf = page.forms()[0].hidden[0].1.clone();
    let before = world.footprint().await;
    let mut bodies = Vec::new();
    for (action, field, value) in [
        ("sessions/revoke", "session", format!("browser-{browser_of_bob}")),
        ("sessions/revoke", "session", format!("browser-{}", Uuid::now_v7())),
        ("sessions/revoke", "session", format!("session-{}", tokens.session)),
        ("sessions/revoke", "session", format!("session-{}", Uuid::now_v7())),
        ("sessions/revoke", "session", "nonsense".to_owned()),
        ("sessions/revoke", "session", String::new()),
        ("apps/revoke", "client", world.client.id.to_string()),
        ("apps/revoke", "client", Uuid::now_v7().to_string()),
        ("apps/forget", "client", world.client.id.to_string()),
        ("apps/forget", "client", "nonsense".to_owned()),
    ] {
        let form = PageForm {
            action: format!("{ACCOUNT}/{action}"),
            hidden: vec![("csrf".to_owned(), csrf.clone())],
        };
        let answer = ann.send_form(&form, &[(field, &value)]).await;
        assert_eq!(answer.status, 404, "{action} {value}");
        let id = answer.header("x-request-id").unwrap().to_owned();
        bodies.push(answer.text().replace(&id, "").replace(action, ""));
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "one answer for all: {bodies:?}");
    assert_eq!(world.footprint().await, before);
    assert_eq!(of_bob.get(ACCOUNT).await.status, 200);
    assert!(replica.is_active(&world.client, &tokens.access).await);
}

#[tokio::test]
async fn se_04_account_forms_of_another_session_or_site_are_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (browser, other) = (
        signed_in(&replica, &world.user).await,
        signed_in(&replica, &world.user).await,
    );
    let page = browser.get(ACCOUNT).await;
    let genuine = page.forms()[0].hidden[0].1.clone();
    let foreign = other.get(ACCOUNT).await.forms()[0].hidden[0].1.clone();
    let sign_in = browser.get("/t/demo/sign-in").await.forms()[0].hidden[0].1.clone();
    for action in ["sign-out", "sessions/revoke", "apps/revoke", "apps/forget", "password"] {
        let form = PageForm {
            action: format!("{ACCOUNT}/{action}"),
            hidden: Vec::new(),
        };
        for token in ["", "AAAA", &foreign, &sign_in] {
            assert_eq!(
                browser.send_form(&form, &[("csrf", token)]).await.status,
                403,
                "{action}"
            );
        }
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let call = crate::support::Call::form(&form.action, [("csrf", genuine.as_str())]);
            assert_eq!(
                browser.send(call.header(name, value)).await.status,
                403,
                "{action} {value}"
            );
        }
    }
    // A form from before a sign-in is one of another session.
    browser.sign_in_to("demo", &world.user).await;
    let stale = page.form_to(&format!("{ACCOUNT}/sign-out"));
    assert_eq!(browser.send_form(&stale, &[]).await.status, 403);
    assert_eq!(browser.get(ACCOUNT).await.status, 200);
    assert!(!world.event_types().await.contains(&"browser_signed_out".to_owned()));
}

#[tokio::test]
async fn iv_01_texts_that_are_no_slug_are_no_tenant() {
    let world = World::new().await;
    let replica = world.replica().await;
    for slug in ["%00", "%0d%0a", "%20", "..%2fdemo", "demo%00", "%f0%9f%a6%80"] {
        for page in ["account", "sign-in"] {
            let answer = replica.send(Call::get(format!("/t/{slug}/{page}"))).await;
            assert_eq!(answer.status, 404, "{slug} {page}");
        }
        let answer = replica.send(Call::get(format!("/auth/signed-out?tenant={slug}"))).await;
        assert!([200, 400].contains(&answer.status), "{slug}: {}", answer.status);
    }
}

#[tokio::test]
async fn sign_out_of_the_page_ends_this_browser() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&replica, &world.user).await;
    let tokens = tokens_of(&world, &browser, &replica, &["openid"]).await;
    let form = browser.get(ACCOUNT).await.form_to(&format!("{ACCOUNT}/sign-out"));
    let answer = browser.send_form(&form, &[]).await;
    assert_eq!(answer.header("location"), Some("/auth/signed-out?tenant=demo"));
    assert_eq!(browser.session("demo"), None);
    replica.assert_dead(&world.client, &tokens).await;
}

#[tokio::test]
async fn connected_app_loses_its_access_and_is_forgotten() {
    let world = World::new().await;
    let replica = world.replica().await;
    let other = world.add_client(ClientSpec::default()).await;
    let browser = signed_in(&replica, &world.user).await;
    let tokens = replica
        .tokens_for(&world.client, &world.user, &["openid", "offline_access"])
        .await;
    let untouched = replica.tokens(&other, &world.user).await;
    consent(&world, &world.user, &world.client).await;
    consent(&world, &world.user, &other).await;
    let id = world.client.id.to_string();
    let page = browser.get(ACCOUNT).await;
    assert!(form(&page, "apps/forget", &id).is_none());
    let answer = browser.send_form(&form(&page, "apps/revoke", &id).unwrap(), &[]).await;
    assert_eq!(answer.header("location"), Some("/t/demo/account?done=app-revoked"));
    replica.assert_dead(&world.client, &tokens).await;
    replica.rotate(&other, &untouched).await;
    let page = browser.follow(answer).await;
    let forget = form(&page, "apps/forget", &id).unwrap();
    assert!(form(&page, "apps/revoke", &id).is_none());
    assert_eq!(browser.send_form(&forget, &[]).await.status, 303);
    assert_eq!(browser.send_form(&forget, &[]).await.status, 404);
    assert_eq!(world.number("SELECT count(*) FROM consent").await, 1);
    let events = world.events().await;
    for (kind, class) in [("consent_revoked", 1), ("consent_deleted", 1)] {
        let found: Vec<_> = events.iter().filter(|event| event.is(kind)).collect();
        assert_eq!((found.len(), found[0].class), (1, class));
        assert_eq!(found[0].core.client_id, world.client.id.as_bytes());
        assert_eq!(found[0].core.actor.as_ref().unwrap().id, world.user.id.as_bytes());
    }
}

#[tokio::test]
async fn se_07_password_change_ends_everything_else_and_keeps_this_browser() {
    let world = World::new().await;
    let (replica, second) = (world.replica().await, world.replica().await);
    let (here, there) = (
        signed_in(&replica, &world.user).await,
        signed_in(&replica, &world.user).await,
    );
    let tokens = tokens_of(&world, &here, &replica, &["openid", "offline_access"]).await;
    let code = replica.code(&world.client, &world.user).await;
    let before = here.session("demo").unwrap();
    let answer = change_password(&here, PASSWORD, NEW_PASSWORD).await;
    assert_eq!(
        answer.header("location"),
        Some("/t/demo/account?done=password-changed"),
        "{}",
        answer.text()
    );
    let after = here.session("demo").unwrap();
    assert_ne!(after, before);
    assert_eq!(here.follow(answer).await.status, 200);
    assert_eq!(here.at(&second).get(ACCOUNT).await.status, 200);
    here.set_cookie("__Host-credo_demo", &before);
    assert_eq!(here.get(ACCOUNT).await.status, 303, "the old cookie is dead");
    assert_eq!(there.get(ACCOUNT).await.status, 303);
    replica.assert_dead(&world.client, &tokens).await;
    replica
        .exchange(&world.client, &code)
        .await
        .refuses(400, "invalid_grant");
    let old = replica.sign_in(&world.client, &world.user.email, PASSWORD).await;
    old.refuses(400, "invalid_grant");
    replica
        .sign_in(&world.client, &world.user.email, NEW_PASSWORD)
        .await
        .ok();
    let events = world.events().await;
    let changed: Vec<_> = events.iter().filter(|event| event.is("password_changed")).collect();
    assert_eq!((changed.len(), changed[0].class), (1, 1));
    for event in &events {
        let text = String::from_utf8_lossy(&event.bytes);
        assert!(!text.contains(PASSWORD) && !text.contains(NEW_PASSWORD));
    }
}

#[tokio::test]
async fn pw_03_password_change_says_what_is_wrong_and_changes_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&replica, &world.user).await;
    for (current, new, text) in [
        (
            "a wrong password, surely",
            NEW_PASSWORD,
            "The current password is wrong",
        ),
        (PASSWORD, "too short", "at least 15 characters"),
        (PASSWORD, "passwordpassword", "often tried first"),
        (PASSWORD, "ann@demo.example 1", "little more than"),
        (PASSWORD, &"long ".repeat(1_000), "too long"),
        ("", NEW_PASSWORD, "Enter your current password"),
        (PASSWORD, "", "Enter a new password"),
    ] {
        let answer = change_password(&browser, current, new).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(text), "{text}: {}", answer.text());
        assert!(!answer.text().contains(NEW_PASSWORD));
    }
    assert_eq!(world.number("SELECT max(version) FROM password").await, 1);
    assert_eq!(browser.get(ACCOUNT).await.status, 200);
    replica.sign_in(&world.client, &world.user.email, PASSWORD).await.ok();
}

#[tokio::test]
async fn pw_07_password_change_counts_as_an_attempt() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&replica, &world.user).await;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(
            change_password(&browser, "a wrong password, surely", NEW_PASSWORD)
                .await
                .status,
        );
    }
    assert_eq!((statuses[0], statuses[11]), (400, 429));
    assert_eq!(change_password(&browser, PASSWORD, NEW_PASSWORD).await.status, 429);
}

#[tokio::test]
async fn sign_in_against_password_change_has_one_outcome() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let browser = signed_in(&one, &world.user).await;
    let other = Browser::new(&two);
    let page = other.get("/t/demo/sign-in").await;
    let (changed, signed) = join(
        change_password(&browser, PASSWORD, NEW_PASSWORD),
        other.fill_sign_in(&page, &world.user.email, PASSWORD),
    )
    .await;
    assert_eq!(
        changed.header("location"),
        Some("/t/demo/account?done=password-changed")
    );
    assert!([303, 400].contains(&signed.status), "{}", signed.status);
    // Whichever came first: the old password keeps nobody signed in.
    assert_eq!(other.get(ACCOUNT).await.status, 303);
    assert_eq!(browser.get(ACCOUNT).await.status, 200);
}

#[tokio::test]
async fn two_password_changes_at_once_have_one_winner() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let browser = signed_in(&one, &world.user).await;
    let same = browser.at(&two);
    let (left, right) = (password_form(&browser).await, password_form(&same).await);
    let (first, second) = join(
        send_change(&browser, &left, (PASSWORD, NEW_PASSWORD)),
        send_change(&same, &right, (PASSWORD, "an even more different phrase")),
    )
    .await;
    let winners = [&first, &second]
        .into_iter()
        .filter(|answer| answer.header("location") == Some("/t/demo/account?done=password-changed"));
    assert_eq!(winners.count(), 1, "{} {}", first.status, second.status);
    assert_eq!(world.number("SELECT max(version) FROM password").await, 2);
}
