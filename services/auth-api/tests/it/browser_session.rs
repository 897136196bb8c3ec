//! A browser that is signed in: its cookie, what ends it, and what never makes one.

use uuid::Uuid;

use crate::support::{Browser, Call, PASSWORD, World};

const WRONG: &str = "a wrong password, surely";

#[tokio::test]
async fn se_01_each_sign_in_has_a_new_cookie_and_the_old_one_is_dead() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    let first = browser.session("demo").unwrap();
    browser.sign_in_to("demo", &world.user).await;
    assert_ne!(browser.session("demo").unwrap(), first);
    let alive = "SELECT count(*) FROM browser_session WHERE ended_at IS NULL";
    assert_eq!(world.number(alive).await, 1);
    assert_eq!(world.number("SELECT count(*) FROM browser_session").await, 2);
    assert_eq!(
        world
            .number("SELECT count(DISTINCT device_id) FROM browser_session")
            .await,
        1
    );
    let events = world.event_types().await;
    assert_eq!(events, ["browser_signed_in", "browser_signed_in"]);
}

#[tokio::test]
async fn se_01_cookie_that_was_there_before_is_never_adopted() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (attacker, victim) = (Browser::new(&replica), Browser::new(&replica));
    attacker.sign_in_to("demo", &world.user).await;
    let planted = attacker.session("demo").unwrap();
    for planted in [planted.as_str(), &"A".repeat(64), "nonsense"] {
        victim.set_cookie("__Host-credo_demo", planted);
        victim.sign_in_to("demo", &world.user).await;
        assert_ne!(victim.session("demo").unwrap(), planted);
    }
}

#[tokio::test]
async fn se_02_cookie_holds_nothing_but_random_bytes_and_the_row_their_hash() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica); // checks the flags of each cookie
    browser.sign_in_to("demo", &world.user).await;
    let value = browser.session("demo").unwrap();
    assert_eq!(value.len(), 64);
    for event in world.events().await {
        assert!(!String::from_utf8_lossy(&event.bytes).contains(&value));
    }
    let device: Uuid = browser.cookie("__Host-credo-device").unwrap().parse().unwrap();
    let known = format!("SELECT count(*) FROM browser_session WHERE device_id = '{device}'");
    assert_eq!(world.number(&known).await, 1);
}

#[tokio::test]
async fn wrong_password_keeps_the_address_and_sets_no_session() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    let page = browser.get("/t/demo/sign-in").await;
    let answer = browser.fill_sign_in(&page, "Ann+<x>@demo.example", WRONG).await;
    assert_eq!((answer.status, browser.session("demo")), (400, None));
    assert!(answer.text().contains("value=\"Ann+&#60;x&#62;@demo.example\""));
    assert!(!answer.text().contains(WRONG));
    let answer = browser.fill_sign_in(&answer, &world.user.email, PASSWORD).await;
    assert_eq!(answer.status, 303);
}

#[tokio::test]
async fn se_04_sign_in_form_of_another_browser_or_site_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (browser, other) = (Browser::new(&replica), Browser::new(&replica));
    let page = browser.get("/t/demo/sign-in").await;
    let foreign = other.get("/t/demo/sign-in").await;
    let filled = [("email", world.user.email.as_str()), ("password", PASSWORD)];
    let csrf = page.forms()[0]
        .hidden
        .iter()
        .find(|(name, _)| name == "csrf")
        .unwrap()
        .1
        .clone();
    let mut answers = vec![
        browser.submit(&foreign, &filled).await,
        browser.submit(&page, &[filled[0], filled[1], ("csrf", "")]).await,
        browser.submit(&page, &[filled[0], filled[1], ("csrf", "AAAA")]).await,
    ];
    let form = || Call::form("/t/demo/sign-in", filled).param("csrf", &csrf);
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "https://id.example.evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        answers.push(browser.send(form().header(name, value)).await);
    }
    for answer in answers {
        assert_eq!(answer.status, 403);
    }
    assert_eq!((browser.session("demo"), world.footprint().await), (None, 0));
    // Nothing else was wrong with it.
    assert_eq!(browser.send(form()).await.status, 303);
}

#[tokio::test]
async fn se_06_idle_and_absolute_limits_hold_to_the_second() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    let lives =
        "SELECT extract(epoch FROM expires_at - created_at)::bigint * 10000 + extract(epoch FROM idle_ttl)::bigint
                 FROM browser_session";
    assert_eq!(world.number(lives).await, 86_400 * 10_000 + 3_600);
    for (change, alive) in [
        ("seen_at = now() - idle_ttl + interval '1 second'", true),
        ("seen_at = now() - idle_ttl - interval '1 second'", false),
        ("seen_at = now(), expires_at = now() + interval '1 second'", true),
        ("seen_at = now(), expires_at = now() - interval '1 second'", false),
        ("seen_at = now(), expires_at = now() + interval '1 hour'", true),
    ] {
        world.sql(&format!("UPDATE browser_session SET {change}")).await;
        let status = browser.get("/t/demo/account").await.status;
        assert_eq!(status, if alive { 200 } else { 303 }, "{change}");
    }
}
