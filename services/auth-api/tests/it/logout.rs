//! Logout that a client begins: who is signed out, who is asked first, and where the browser goes (OpenID Connect
//! RP-Initiated Logout 1.0).

use axum::http::Uri;
use url::form_urlencoded::Serializer;

use crate::support::{
    Answer, AuthorizeRequest, Browser, Call, Client, ClientSpec, PASSWORD, REDIRECT_URI, Replica, Tokens, World,
};

const AFTER: &str = "https://app.example/bye";
const AFTER_WITH_QUERY: &str = "https://app.example/bye?from=credo";

/// A person who is signed in with a browser, and what a client got for it.
struct Signed<'a> {
    browser: Browser<'a>,
    tokens: Tokens,
}

async fn world() -> World {
    let world = World::new().await;
    let register = format!("UPDATE client SET post_logout_redirect_uris = '{{{AFTER},{AFTER_WITH_QUERY}}}'");
    world.sql(&register).await;
    world
}

/// Signs in with a browser and authorizes `client` with it.
async fn sign_in<'a>(world: &World, replica: &'a Replica, client: &Client, scopes: &[&str]) -> Signed<'a> {
    let browser = Browser::new(replica);
    browser.sign_in_to("demo", &world.user).await;
    let tokens = replica.tokens_for(client, &world.user, scopes).await;
    authorized_with(world, &tokens, &browser).await;
    Signed { browser, tokens }
}

/// Signs in on the way of an authorization request, as a person does.
async fn authorized<'a>(world: &World, replica: &'a Replica, scope: &str) -> Signed<'a> {
    let browser = Browser::new(replica);
    let request = AuthorizeRequest::of(&world.client).with("scope", scope);
    let page = browser.authorize(&request).await;
    let answer = browser.fill_sign_in(&page, &world.user.email, PASSWORD).await;
    let callback = browser.follow(answer).await.callback(REDIRECT_URI);
    let tokens = Tokens::from(&replica.exchange(&world.client, &callback["code"]).await);
    Signed { browser, tokens }
}

/// As if a session had been authorized with the browser.
async fn authorized_with(world: &World, tokens: &Tokens, browser: &Browser<'_>) {
    let device = browser.cookie("__Host-credo-device").unwrap();
    let statement = format!(
        "UPDATE session SET device_id = '{device}', browser_session_id =
           (SELECT id FROM browser_session WHERE device_id = '{device}' AND ended_at IS NULL)
         WHERE id = '{}'",
        tokens.session
    );
    world.sql(&statement).await;
}

fn logout(parameters: &[(&str, &str)]) -> String {
    let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/auth/logout?{query}")
}

fn asks(answer: &Answer) -> bool {
    answer.status == 200 && answer.text().contains("id=\"logout-confirm\"")
}

/// Asserts that the browser stays with us, and that it is still signed in.
async fn assert_asked(signed: &Signed<'_>, parameters: &[(&str, &str)]) -> Answer {
    let answer = signed.browser.get(&logout(parameters)).await;
    assert!(asks(&answer), "{parameters:?}: {} {}", answer.status, answer.text());
    assert!(signed.browser.session("demo").is_some());
    answer
}

#[tokio::test]
async fn lo_01_a_hint_of_this_browser_ends_its_session_and_redirects_exactly() {
    let world = world().await;
    let replica = world.replica().await;
    for (uri, state, expected) in [
        (AFTER, None, AFTER.to_owned()),
        (
            AFTER,
            Some("a &=#+\u{fc}"),
            format!("{AFTER}?state=a%20%26%3D%23%2B%C3%BC"),
        ),
        (AFTER_WITH_QUERY, Some("x"), format!("{AFTER_WITH_QUERY}&state=x")),
        (AFTER, Some(""), AFTER.to_owned()),
    ] {
        let signed = sign_in(&world, &replica, &world.client, &["openid"]).await;
        let hint = signed.tokens.id.clone().unwrap();
        let mut parameters = vec![("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", uri)];
        parameters.extend(state.map(|state| ("state", state)));
        let answer = signed.browser.get(&logout(&parameters)).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(expected.as_str()))
        );
        assert_eq!(signed.browser.session("demo"), None);
        replica.assert_dead(&world.client, &signed.tokens).await;
        // Again, as the back button does: the same place, and nothing more to end.
        let before = world.footprint().await;
        let again = signed.browser.get(&logout(&parameters)).await;
        assert_eq!(again.header("location"), Some(expected.as_str()));
        assert_eq!(world.footprint().await, before);
    }
    let alive = "SELECT count(*) FROM browser_session WHERE ended_at IS NULL";
    assert_eq!(world.number(alive).await, 0);
}

#[tokio::test]
async fn lo_01_an_expired_hint_and_a_post_do_as_well() {
    let world = world().await;
    let replica = world.replica().await;
    let signed = sign_in(&world, &replica, &world.client, &["openid"]).await;
    let mut claims = crate::support::claims(signed.tokens.id.as_deref().unwrap());
    for claim in ["iat", "exp"] {
        claims[claim] = (claims[claim].as_i64().unwrap() - 100_000).into();
    }
    let expired = replica
        .sign(&world.tenant, auth_api::keys::TokenType::IdToken, &claims)
        .await;
    // The form of another site: no cookie comes with it, and nothing changes yet.
    let form = Call::form(
        "/auth/logout",
        [("id_token_hint", expired.as_str()), ("post_logout_redirect_uri", AFTER)],
    )
    .header("origin", "https://app.example")
    .header("sec-fetch-site", "cross-site");
    let answer = replica.send(form).await;
    let own = answer.own_location().unwrap();
    assert!(own.starts_with("/auth/logout?"));
    assert!(replica.is_active(&world.client, &signed.tokens.access).await);
    let answer = signed.browser.get(&own).await;
    assert_eq!(answer.header("location"), Some(AFTER));
    replica.assert_dead(&world.client, &signed.tokens).await;
}

#[tokio::test]
async fn lo_02_what_is_not_registered_or_not_hinted_never_redirects() {
    let world = world().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let theirs = world.add_client_of(&there, ClientSpec::default()).await;
    let user = world.add_user_of(&there, "ann@there.example", Some(PASSWORD)).await;
    let of_theirs = replica.tokens(&theirs, &user).await.id.unwrap();
    let signed = sign_in(&world, &replica, &world.client, &["openid"]).await;
    let hint = signed.tokens.id.clone().unwrap();
    let other = world.add_client(ClientSpec::default()).await;
    let (id, other_id) = (world.client.id.to_string(), other.id.to_string());
    let (header, rest) = hint.split_once('.').unwrap();
    let payload = rest.split('.').next().unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
    let changed = format!("{header}.{payload}.AAAA");
    let cases: Vec<Vec<(&str, &str)>> = vec![
        vec![("post_logout_redirect_uri", AFTER)],
        vec![("post_logout_redirect_uri", AFTER), ("state", "x")],
        vec![("state", "x")],
        vec![("id_token_hint", &unsigned), ("post_logout_redirect_uri", AFTER)],
        vec![("id_token_hint", &changed), ("post_logout_redirect_uri", AFTER)],
        vec![
            ("id_token_hint", &unsigned),
            ("client_id", &id),
            ("post_logout_redirect_uri", AFTER),
        ],
        vec![("id_token_hint", "nonsense"), ("post_logout_redirect_uri", AFTER)],
        vec![
            ("id_token_hint", &signed.tokens.access),
            ("post_logout_redirect_uri", AFTER),
        ],
        vec![
            ("id_token_hint", &hint),
            ("client_id", &other_id),
            ("post_logout_redirect_uri", AFTER),
        ],
        vec![("client_id", &other_id), ("post_logout_redirect_uri", AFTER)],
        vec![("client_id", "nobody"), ("post_logout_redirect_uri", AFTER)],
    ];
    for parameters in cases {
        let page = assert_asked(&signed, &parameters).await;
        assert!(!page.header("content-security-policy").unwrap().contains("app.example"));
    }
    // Another tenant's hint is about another tenant: nobody is signed in there, and nobody here is signed out.
    let parameters = [
        ("id_token_hint", of_theirs.as_str()),
        ("post_logout_redirect_uri", "https://evil.example/"),
    ];
    let answer = signed.browser.get(&logout(&parameters)).await;
    assert_eq!(answer.header("location"), Some("/auth/signed-out?tenant=there"));
    assert!(signed.browser.session("demo").is_some());
    assert!(replica.is_active(&world.client, &signed.tokens.access).await);
}

#[tokio::test]
async fn lo_02_a_uri_that_is_written_otherwise_never_redirects() {
    let world = world().await;
    let replica = world.replica().await;
    let signed = sign_in(&world, &replica, &world.client, &["openid"]).await;
    let id = world.client.id.to_string();
    for uri in [
        "https://app.example/bye?foo=bar",
        "https://app.example/bye/",
        "https://app.example/bye#x",
        "https://app.example/BYE",
        "https://app.example:443/bye",
        "https://app.example.evil.example/bye",
        "https://evil.example/",
        "javascript:alert(1)",
        "//evil.example",
    ] {
        let page = assert_asked(&signed, &[("client_id", &id), ("post_logout_redirect_uri", uri)]).await;
        assert!(!page.header("content-security-policy").unwrap().contains("example"));
        let fresh = sign_in(&world, &replica, &world.client, &["openid"]).await;
        let hint = fresh.tokens.id.clone().unwrap();
        let answer = fresh
            .browser
            .get(&logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", uri)]))
            .await;
        assert_eq!(answer.header("location"), Some("/auth/signed-out?tenant=demo"), "{uri}");
    }
}

#[tokio::test]
async fn lo_03_without_a_hint_the_person_is_asked_and_may_stay() {
    let world = world().await;
    let replica = world.replica().await;
    let signed = sign_in(&world, &replica, &world.client, &["openid"]).await;
    let id = world.client.id.to_string();
    let page = assert_asked(&signed, &[]).await;
    assert!(page.text().contains(&world.user.email));
    let page = assert_asked(
        &signed,
        &[
            ("client_id", &id),
            ("post_logout_redirect_uri", AFTER),
            ("state", "s&\"<\u{fc}"),
        ],
    )
    .await;
    assert!(replica.is_active(&world.client, &signed.tokens.access).await);
    // Once they said yes, the client's own registered URI is as good as with a hint.
    let answer = signed.browser.submit(&page, &[]).await;
    let expected = format!("{AFTER}?state=s%26%22%3C%C3%BC");
    assert_eq!(answer.header("location"), Some(expected.as_str()));
    assert_eq!(signed.browser.session("demo"), None);
    replica.assert_dead(&world.client, &signed.tokens).await;
}

#[tokio::test]
async fn lo_03_a_hint_of_somebody_elses_sign_in_asks_first() {
    let world = world().await;
    let replica = world.replica().await;
    let (one, other) = (
        sign_in(&world, &replica, &world.client, &["openid"]).await,
        sign_in(&world, &replica, &world.client, &["openid"]).await,
    );
    let hint = other.tokens.id.clone().unwrap();
    assert_asked(&one, &[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER)]).await;
    assert!(replica.is_active(&world.client, &other.tokens.access).await);
    // Nor does a browser that nobody is signed in with end it.
    let nobody = Browser::new(&replica);
    let answer = nobody.get(&logout(&[("id_token_hint", &hint)])).await;
    assert_eq!(answer.status, 303);
    assert!(replica.is_active(&world.client, &other.tokens.access).await);
}

#[tokio::test]
async fn lo_03_logout_of_everything_ends_each_tenant() {
    let world = world().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let user = world.add_user_of(&there, "bob@there.example", Some(PASSWORD)).await;
    let signed = sign_in(&world, &replica, &world.client, &["openid"]).await;
    signed.browser.sign_in_to("there", &user).await;
    let page = assert_asked(&signed, &[]).await;
    assert!(page.text().contains("ann@demo.example") && page.text().contains("bob@there.example"));
    let done = signed.browser.submit(&page, &[]).await;
    let done = signed.browser.follow(done).await;
    assert_eq!((done.status, done.forms().len()), (200, 0));
    assert_eq!(
        (signed.browser.session("demo"), signed.browser.session("there")),
        (None, None)
    );
    let alive = "SELECT count(*) FROM browser_session WHERE ended_at IS NULL";
    assert_eq!(world.number(alive).await, 0);
}

#[tokio::test]
async fn se_04_logout_is_confirmed_by_our_own_page_alone() {
    let world = world().await;
    let replica = world.replica().await;
    let signed = sign_in(&world, &replica, &world.client, &["openid"]).await;
    let stranger = Browser::new(&replica);
    stranger.sign_in_to("demo", &world.user).await;
    let (page, foreign) = (assert_asked(&signed, &[]).await, stranger.get("/auth/logout").await);
    let sign_in_page = signed.browser.get("/t/demo/sign-in").await;
    let sign_in_token = sign_in_page.forms()[0].hidden[0].1.clone();
    let genuine = page.forms()[0].hidden[0].1.clone();
    let browser = &signed.browser;
    let mut answers = vec![
        browser.submit(&foreign, &[]).await,
        browser.submit(&page, &[("csrf", "AAAA")]).await,
        browser.submit(&page, &[("csrf", &sign_in_token)]).await,
    ];
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let form = Call::form("/auth/logout", [("csrf", genuine.as_str())]);
        answers.push(browser.send(form.header(name, value)).await);
    }
    for answer in answers {
        assert_eq!(answer.status, 403);
    }
    assert!(browser.session("demo").is_some());
    assert!(replica.is_active(&world.client, &signed.tokens.access).await);
    // A form without the token is a client's: it leads to the question.
    let answer = browser.send(Call::form("/auth/logout", [("csrf", "")])).await;
    assert_eq!(answer.own_location().as_deref(), Some("/auth/logout"));
}

#[tokio::test]
async fn lo_06_rt_19_after_a_logout_nothing_of_it_works() {
    let world = world().await;
    let (replica, other) = (world.replica().await, world.replica().await);
    let signed = authorized(&world, &replica, "openid").await;
    let request = AuthorizeRequest::of(&world.client).with("scope", "openid offline_access");
    let code = signed.browser.code_for(&request).await;
    let lasting = Tokens::from(&replica.exchange(&world.client, &code).await);
    let elsewhere = authorized(&world, &replica, "openid").await;
    let cookie = signed.browser.session("demo").unwrap();
    let silent = AuthorizeRequest::of(&world.client).with("prompt", "none");
    signed.browser.code_for(&silent).await;
    let page = assert_asked(&signed, &[]).await;
    assert_eq!(page.header("cache-control"), Some("no-store"));
    signed.browser.submit(&page, &[]).await;
    replica.assert_dead(&world.client, &signed.tokens).await;
    other
        .refresh(&world.client, &signed.tokens.refresh)
        .await
        .refuses(400, "invalid_grant");
    // The cookie as somebody copied it.
    signed.browser.set_cookie("__Host-credo_demo", &cookie);
    let answer = signed.browser.at(&other).get("/auth/logout").await;
    assert_eq!(answer.status, 303, "nobody is signed in");
    for replica in [&replica, &other] {
        let browser = signed.browser.at(replica);
        browser.authorize(&silent).await.tells_client("login_required");
        let page = browser.authorize(&AuthorizeRequest::of(&world.client)).await;
        assert!(page.text().contains("id=\"sign-in\""), "{}", page.text());
    }
    elsewhere.browser.code_for(&silent).await;
    // What was meant to outlive it does, and other browsers do not notice.
    replica.rotate(&world.client, &lasting).await;
    replica.rotate(&world.client, &elsewhere.tokens).await;
    assert!(asks(&elsewhere.browser.get("/auth/logout").await));
    let events = world.events().await;
    let ends: Vec<_> = events.iter().filter(|event| event.is("browser_signed_out")).collect();
    assert_eq!((ends.len(), ends[0].core.reason.as_str()), (1, "logout"));
    assert_eq!(ends[0].core.subject.as_ref().unwrap().id, world.user.id.as_bytes());
}

#[tokio::test]
async fn lo_07_no_parameter_makes_this_server_call_anybody() {
    let world = world().await;
    let replica = world.replica().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
    let signed = sign_in(&world, &replica, &world.client, &["openid"]).await;
    let names = [
        "client_session_host",
        "client_session_state",
        "post_logout_redirect_uri",
        "frontchannel_logout_uri",
        "backchannel_logout_uri",
        "request_uri",
        "jwks_uri",
        "logo_uri",
        "initiating_idp",
        "iss",
    ];
    let parameters = names.map(|name| (name, address.as_str()));
    assert_asked(&signed, &parameters).await;
    let authorize = logout(&parameters).replace("/auth/logout", "/auth/authorize");
    assert!(authorize.parse::<Uri>().is_ok());
    signed.browser.get(&authorize).await;
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn client_that_outlives_the_browsers_idle_time_still_logs_out() {
    let world = world().await;
    let replica = world.replica().await;
    let signed = sign_in(&world, &replica, &world.client, &["openid"]).await;
    world
        .sql("UPDATE browser_session SET seen_at = now() - interval '2 hours'")
        .await;
    let hint = signed.tokens.id.clone().unwrap();
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER)];
    let answer = signed.browser.get(&logout(&parameters)).await;
    assert_eq!(answer.header("location"), Some(AFTER));
    replica.assert_dead(&world.client, &signed.tokens).await;
    let events = world.event_types().await;
    assert_eq!(events.iter().filter(|kind| *kind == "browser_signed_out").count(), 1);
}
