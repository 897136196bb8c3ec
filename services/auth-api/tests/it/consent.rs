//! `/auth/consent`: what a person is asked, and what their answer changes.

use credo_proto::events::v1::core::Details;
use futures::future::join_all;
use serde_json::json;

use crate::support::{
    Answer, AuthorizeRequest, BASE_URL, Browser, Call, Client, ClientSpec, PASSWORD, REDIRECT_URI, Replica, World,
};

/// A world with a third-party client, and a browser that is signed in.
async fn third_party(world: &World) -> Client {
    let spec = ClientSpec {
        first_party: false,
        ..ClientSpec::default()
    };
    world.add_client(spec).await
}

async fn signed_in<'a>(world: &World, replica: &'a Replica) -> Browser<'a> {
    let browser = Browser::new(replica);
    browser.sign_in_to("demo", &world.user).await;
    browser
}

async fn decide(browser: &Browser<'_>, page: &Answer, decision: &str) -> Answer {
    let form = page.form_to("/auth/consent");
    let answer = browser.send_form(&form, &[("decision", decision)]).await;
    browser.follow(answer).await
}

async fn consents(world: &World) -> i64 {
    world.number("SELECT count(*) FROM consent").await
}

#[tokio::test]
async fn allowed_once_is_remembered_and_told_in_the_trail() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = third_party(&world).await;
    let browser = signed_in(&world, &replica).await;
    let request = AuthorizeRequest::of(&client);
    let page = browser.authorize(&request).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    for shown in [
        "A client",
        &world.user.email,
        "consent-allow",
        "consent-deny",
        "app.example",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let callback = decide(&browser, &page, "allow").await.callback(REDIRECT_URI);
    replica.exchange(&client, &callback["code"]).await.ok();
    assert_eq!(callback["state"], "a state");
    let events = world.events().await;
    let granted: Vec<_> = events.iter().filter(|event| event.is("consent_granted")).collect();
    let [event] = granted[..] else {
        panic!("{} events", granted.len())
    };
    assert_eq!(event.class, 1);
    assert_eq!(event.core.client_id, client.id.as_bytes());
    assert_eq!(event.core.actor.as_ref().unwrap().id, world.user.id.as_bytes());
    let Some(Details::Consent(details)) = &event.core.details else {
        panic!("{:?}", event.core.details)
    };
    assert_eq!(details.scope, "email openid");
    // The same and less is not asked for again, also where nothing may be shown.
    browser.code_for(&request).await;
    browser
        .code_for(&request.clone().with("prompt", "none").with("scope", "openid"))
        .await;
    assert_eq!(
        (consents(&world).await, world.events().await.len()),
        (1, events.len() + 2)
    );
}

#[tokio::test]
async fn new_scopes_are_asked_for_beside_those_that_were_allowed() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = third_party(&world).await;
    let browser = signed_in(&world, &replica).await;
    let page = browser.authorize(&AuthorizeRequest::of(&client)).await;
    decide(&browser, &page, "allow").await.callback(REDIRECT_URI);
    let more = AuthorizeRequest::of(&client).with("scope", "openid read offline_access");
    browser
        .authorize(&more.clone().with("prompt", "none"))
        .await
        .tells_client("consent_required");
    let page = browser.authorize(&more).await;
    assert!(page.text().contains("read"), "{}", page.text());
    decide(&browser, &page, "allow").await.callback(REDIRECT_URI);
    let all = "SELECT count(*) FROM consent WHERE scope = 'email offline_access openid read'";
    assert_eq!(world.number(all).await, 1);
    // A claim asks for the scope that governs it.
    let claims = json!({ "userinfo": { "name": null } }).to_string();
    let by_claim = AuthorizeRequest::of(&client)
        .with("scope", "openid")
        .and("claims", &claims);
    browser
        .authorize(&by_claim.clone().with("prompt", "none"))
        .await
        .tells_client("consent_required");
    let page = browser.authorize(&by_claim).await;
    decide(&browser, &page, "allow").await.callback(REDIRECT_URI);
    browser.code_for(&by_claim).await;
    assert_eq!(
        world
            .number("SELECT count(*) FROM consent WHERE scope LIKE '% profile %'")
            .await,
        1
    );
}

#[tokio::test]
async fn az_26_denied_is_told_to_the_client_and_changes_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = third_party(&world).await;
    let browser = signed_in(&world, &replica).await;
    let before = world.footprint().await;
    let page = browser.authorize(&AuthorizeRequest::of(&client)).await;
    let callback = decide(&browser, &page, "deny").await.tells_client("access_denied");
    assert_eq!(callback["state"], "a state");
    assert_eq!(callback["iss"], format!("{BASE_URL}/t/demo"));
    assert_eq!(world.footprint().await, before);
    // The back button: the page is asked again and may be allowed.
    decide(&browser, &page, "allow").await.callback(REDIRECT_URI);
    assert_eq!(consents(&world).await, 1);
}

#[tokio::test]
async fn a_form_that_the_person_did_not_send_changes_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = third_party(&world).await;
    let other = world
        .add_user_of(&world.tenant, "bob@demo.example", Some(PASSWORD))
        .await;
    let browser = signed_in(&world, &replica).await;
    let page = browser.authorize(&AuthorizeRequest::of(&client)).await;
    let form = page.form_to("/auth/consent");
    let field = |name: &str| form.hidden.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let (request, csrf) = (field("request"), field("csrf"));
    let before = world.footprint().await;
    let post = |csrf: &str, origin: &str| {
        Call::form(
            "/auth/consent",
            [("request", &request), ("csrf", csrf), ("decision", "allow")],
        )
        .header("origin", origin)
    };
    for (csrf, origin) in [
        ("", BASE_URL),
        ("forged", BASE_URL),
        (csrf.as_str(), "https://evil.example"),
        (&csrf, "null"),
    ] {
        assert_eq!(browser.send(post(csrf, origin)).await.status, 403, "{csrf} {origin}");
    }
    // Another browser with the whole form, signed in or not.
    let stranger = Browser::new(&replica);
    let answer = stranger.send(post(&csrf, BASE_URL)).await;
    assert!(answer.header("location").unwrap().starts_with("/auth/continue"));
    assert_eq!(world.footprint().await, before);
    stranger.sign_in_to("demo", &other).await;
    let before = world.footprint().await;
    assert_eq!(stranger.send(post(&csrf, BASE_URL)).await.status, 403);
    // A decision that is none, and a request that is none.
    browser
        .send_form(&form, &[("decision", "maybe")])
        .await
        .is_error_page(400);
    browser
        .send_form(&form, &[("decision", "allow"), ("request", "x")])
        .await
        .is_error_page(400);
    assert_eq!(world.footprint().await, before);
    // Whoever signed in again since answers a form of theirs, not this one.
    browser.sign_in_to("demo", &other).await;
    let before = world.footprint().await;
    assert_eq!(browser.send(post(&csrf, BASE_URL)).await.status, 403);
    assert_eq!((world.footprint().await, consents(&world).await), (before, 0));
}

#[tokio::test]
async fn prompt_consent_asks_again_and_a_fresh_sign_in_goes_before_consent() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = third_party(&world).await;
    let browser = signed_in(&world, &replica).await;
    let again = AuthorizeRequest::of(&client).with("prompt", "consent");
    for _ in 0..2 {
        let page = browser.authorize(&again).await;
        decide(&browser, &page, "allow").await.callback(REDIRECT_URI);
    }
    let own = AuthorizeRequest::of(&world.client).with("prompt", "consent");
    let page = browser.authorize(&own).await;
    decide(&browser, &page, "allow").await.callback(REDIRECT_URI);
    // A form from before the sign-in grew too old does not consent.
    let page = browser.authorize(&again.with("max_age", "600")).await;
    world
        .sql("UPDATE browser_session SET auth_time = now() - interval '1 hour'")
        .await;
    let before = world.footprint().await;
    let form = page.form_to("/auth/consent");
    let answer = browser.send_form(&form, &[("decision", "allow")]).await;
    assert!(answer.header("location").unwrap().starts_with("/auth/sign-in"));
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn a_revoked_consent_is_asked_for_again_and_does_not_come_back_with_the_next() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = third_party(&world).await;
    let browser = signed_in(&world, &replica).await;
    let request = AuthorizeRequest::of(&client);
    let page = browser
        .authorize(&request.clone().with("scope", "openid email read"))
        .await;
    decide(&browser, &page, "allow").await.callback(REDIRECT_URI);
    world.sql("UPDATE consent SET revoked_at = now()").await;
    browser
        .authorize(&request.clone().with("prompt", "none"))
        .await
        .tells_client("consent_required");
    let page = browser.authorize(&request).await;
    decide(&browser, &page, "allow").await.callback(REDIRECT_URI);
    assert_eq!(
        world
            .number("SELECT count(*) FROM consent WHERE scope = 'email openid'")
            .await,
        1
    );
}

#[tokio::test]
async fn consent_is_of_one_person_for_one_client() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (client, another) = (third_party(&world).await, third_party(&world).await);
    let bob = world
        .add_user_of(&world.tenant, "bob@demo.example", Some(PASSWORD))
        .await;
    let browser = signed_in(&world, &replica).await;
    let page = browser.authorize(&AuthorizeRequest::of(&client)).await;
    decide(&browser, &page, "allow").await.callback(REDIRECT_URI);
    let silent = |client| AuthorizeRequest::of(client).with("prompt", "none");
    browser
        .authorize(&silent(&another))
        .await
        .tells_client("consent_required");
    let other = Browser::new(&replica);
    other.sign_in_to("demo", &bob).await;
    other.authorize(&silent(&client)).await.tells_client("consent_required");
    browser.code_for(&silent(&client)).await;
}

#[tokio::test]
async fn somebody_else_may_answer_instead() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = third_party(&world).await;
    let bob = world
        .add_user_of(&world.tenant, "bob@demo.example", Some(PASSWORD))
        .await;
    let browser = signed_in(&world, &replica).await;
    let page = browser.authorize(&AuthorizeRequest::of(&client)).await;
    let text = page.text();
    let link = text
        .split("href=\"")
        .find(|rest| rest.starts_with("/auth/sign-in?request="));
    let link = link.unwrap().split('"').next().unwrap();
    let page = browser.get(link).await;
    // The page's other form stays with whoever is signed in.
    let form = page.forms().into_iter().rfind(|form| !form.action.is_empty()).unwrap();
    let typed = [("email", bob.email.as_str()), ("password", PASSWORD)];
    let answer = browser.send_form(&form, &typed).await;
    let page = browser.follow(answer).await;
    assert!(page.text().contains(&bob.email), "{}", page.text());
    decide(&browser, &page, "allow").await.callback(REDIRECT_URI);
    let whose = format!("SELECT count(*) FROM consent WHERE user_id = '{}'", bob.id);
    assert_eq!((world.number(&whose).await, consents(&world).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cc_03_consent_given_twice_at_once_is_one() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let granted = async || {
        world
            .event_types()
            .await
            .iter()
            .filter(|kind| *kind == "consent_granted")
            .count()
    };
    for round in 0..10 {
        let client = third_party(&world).await;
        let browser = signed_in(&world, &one).await;
        let tab = browser.at(&two);
        let other_scope = if round % 2 == 0 { "openid email" } else { "openid read" };
        let request = AuthorizeRequest::of(&client);
        let first = browser.authorize(&request).await;
        let second = tab.authorize(&request.with("scope", other_scope)).await;
        let before = granted().await;
        let decisions = [decide(&browser, &first, "allow"), decide(&tab, &second, "allow")];
        for (answer, replica) in join_all(decisions).await.iter().zip([&one, &two]) {
            let callback = answer.callback(REDIRECT_URI);
            replica.exchange(&client, &callback["code"]).await.ok();
        }
        let scope = if round % 2 == 0 {
            "email openid"
        } else {
            "email openid read"
        };
        let whole = format!(
            "SELECT count(*) FROM consent WHERE client_id = '{}' AND scope = '{scope}'",
            client.id
        );
        assert_eq!(
            (world.number(&whole).await, consents(&world).await),
            (1, round + 1),
            "{scope}"
        );
        // Each of the two was the person's word, and is told once.
        assert_eq!(granted().await, before + 2);
    }
}
