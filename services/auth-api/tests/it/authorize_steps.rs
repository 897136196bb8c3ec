//! The way of a browser through an authorization: when somebody must sign in, what is never shown, where it may lead.

use credo_testkit::sqlx;
use serde_json::{Value, json};

use crate::support::{
    AuthorizeRequest, BASE_URL, Browser, Call, ClientSpec, PASSWORD, REDIRECT_URI, Replica, Tokens, World, claims,
};

const SIGN_IN: &str = "/auth/sign-in?request=";
const CONSENT: &str = "/auth/consent?request=";

/// Asks, and returns where the first answer leads.
async fn leads_to(browser: &Browser<'_>, request: &AuthorizeRequest) -> String {
    let answer = browser.get(&request.target()).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").unwrap().to_owned()
}

/// The claims of the ID token that a request leads to.
async fn id_token(world: &World, replica: &Replica, browser: &Browser<'_>, request: &AuthorizeRequest) -> Value {
    let code = browser.code_for(request).await;
    let tokens = Tokens::from(&replica.exchange(&world.client, &code).await);
    claims(tokens.id.as_deref().unwrap())
}

#[tokio::test]
async fn signed_in_browser_gets_a_code_at_once_with_its_own_auth_time() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    let request = AuthorizeRequest::of(&world.client);
    assert!(leads_to(&browser, &request).await.starts_with(SIGN_IN));
    browser.sign_in_to("demo", &world.user).await;
    world
        .sql("UPDATE browser_session SET auth_time = date_trunc('second', now()) - interval '100 seconds'")
        .await;
    let callback = browser.authorize(&request).await.callback(REDIRECT_URI);
    assert_eq!(callback["state"], "a state");
    assert_eq!(callback["iss"], format!("{BASE_URL}/t/demo"));
    assert_eq!(callback.len(), 3, "{callback:?}");
    let answer = replica.exchange(&world.client, &callback["code"]).await;
    let token = claims(answer.ok()["id_token"].as_str().unwrap());
    let since = world
        .number("SELECT extract(epoch FROM auth_time)::bigint FROM browser_session")
        .await;
    assert_eq!(token["auth_time"], since);
    assert_eq!(token["amr"], json!(["pwd"]));
    assert_eq!(token["sub"], json!(world.user.id));
    let tied = "SELECT count(*) FROM session s JOIN browser_session b ON b.id = s.browser_session_id AND b.device_id = s.device_id";
    assert_eq!(world.number(tied).await, 1);
    assert_eq!(
        world.event_types().await,
        ["browser_signed_in", "session_created", "token_issued"]
    );
}

#[tokio::test]
async fn az_09_what_was_asked_cannot_be_changed_on_the_way() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    let location = leads_to(&browser, &AuthorizeRequest::of(&world.client)).await;
    browser.sign_in_to("demo", &world.user).await;
    let sealed = location.strip_prefix(SIGN_IN).unwrap();
    let resumed = |more: &str| format!("/auth/continue?request={sealed}{more}");
    for more in [
        "&response_type=token",
        "&response_mode=fragment",
        "&redirect_uri=https://evil.example/",
        "&scope=openid%20write",
        "&state=other",
    ] {
        let callback = browser.get(&resumed(more)).await.callback(REDIRECT_URI);
        assert_eq!(callback["state"], "a state");
        assert!(callback.contains_key("code") && !callback.contains_key("access_token"));
    }
    assert_eq!(world.number("SELECT count(DISTINCT scope) FROM session").await, 1);
    let before = world.footprint().await;
    let mut changed = sealed.to_owned();
    let letter = if changed.as_bytes()[40] == b'A' { "B" } else { "A" };
    changed.replace_range(40..41, letter);
    for request in [changed.as_str(), "", "x", &sealed[..60], &sealed.repeat(40)] {
        let target = format!("/auth/continue?request={request}");
        browser.get(&target).await.is_error_page(400);
        let target = format!("/auth/consent?request={request}");
        browser.get(&target).await.is_error_page(400);
    }
    browser.get("/auth/continue").await.is_error_page(400);
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn a_request_that_took_too_long_is_told_to_begin_again() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    let location = leads_to(&browser, &AuthorizeRequest::of(&world.client)).await;
    browser.sign_in_to("demo", &world.user).await;
    let target = location.replace("/auth/sign-in", "/auth/continue");
    browser.get(&target).await.callback(REDIRECT_URI);
    // The clock of this process stands still until the test moves it.
    replica.clock.advance(std::time::Duration::from_secs(3_700));
    browser.get(&target).await.is_error_page(400);
}

#[tokio::test]
async fn az_16_a_post_from_another_site_leads_to_our_own_get_and_changes_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    let before = world.footprint().await;
    // A cross-site POST carries no cookie that is `SameSite=Lax`.
    let answer = replica.send(AuthorizeRequest::of(&world.client).post()).await;
    assert_eq!(answer.status, 303);
    assert!(
        answer
            .header("location")
            .unwrap()
            .starts_with("/auth/continue?request=")
    );
    assert_eq!(world.footprint().await, before);
    let callback = browser.follow(answer).await.callback(REDIRECT_URI);
    assert!(callback.contains_key("code"));
}

#[tokio::test]
async fn az_17_prompt_none_shows_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    let third_party = world.add_client(third_party()).await;
    let silent = AuthorizeRequest::of(&world.client).with("prompt", "none");
    let before = world.footprint().await;
    browser.authorize(&silent).await.tells_client("login_required");
    let posted = browser.send(silent.post()).await;
    browser.follow(posted).await.tells_client("login_required");
    assert_eq!(world.footprint().await, before);

    browser.sign_in_to("demo", &world.user).await;
    browser.code_for(&silent).await;
    let before = world.footprint().await;
    let consentless = AuthorizeRequest::of(&third_party).with("prompt", "none");
    let callback = browser.authorize(&consentless).await.tells_client("consent_required");
    assert_eq!(callback["state"], "a state");
    world
        .sql("UPDATE browser_session SET auth_time = now() - interval '1 hour'")
        .await;
    let too_old = silent.clone().with("max_age", "60");
    browser.authorize(&too_old).await.tells_client("login_required");
    browser
        .authorize(&silent.clone().with("max_age", "0"))
        .await
        .tells_client("login_required");
    assert_eq!(world.footprint().await, before);
    browser.code_for(&silent.clone().with("max_age", "4000")).await;
    world.sql("UPDATE browser_session SET ended_at = now()").await;
    browser.authorize(&silent).await.tells_client("login_required");
}

#[tokio::test]
async fn az_17_a_fault_is_told_to_the_client_where_nothing_may_be_shown() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    let silent = AuthorizeRequest::of(&world.client).with("prompt", "none");
    browser.code_for(&silent).await;
    // Nobody can write a session until this transaction ends; the database gives up waiting after a second.
    let mut lock = world.owner().begin().await.unwrap();
    let statement = sqlx::raw_sql("LOCK TABLE session IN ACCESS EXCLUSIVE MODE");
    statement.execute(&mut *lock).await.unwrap();
    browser.authorize(&silent).await.tells_client("temporarily_unavailable");
    let interactive = AuthorizeRequest::of(&world.client);
    browser.get(&interactive.target()).await.is_error_page(503);
    lock.rollback().await.unwrap();
    browser.code_for(&interactive).await;
}

fn third_party() -> ClientSpec {
    ClientSpec {
        first_party: false,
        ..ClientSpec::default()
    }
}

#[tokio::test]
async fn az_19_prompt_login_and_max_age_really_ask_again() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    let base = AuthorizeRequest::of(&world.client);
    browser.sign_in_to("demo", &world.user).await;
    let first = id_token(&world, &replica, &browser, &base).await;
    for request in [
        base.clone().with("prompt", "login"),
        base.clone().with("prompt", "select_account"),
        base.clone().with("max_age", "0"),
    ] {
        // A sign-in of just before the request does not do.
        let location = leads_to(&browser, &request).await;
        assert!(location.starts_with(SIGN_IN), "{location}");
        let resumed = location.replace("/auth/sign-in", "/auth/continue");
        assert!(
            browser
                .get(&resumed)
                .await
                .header("location")
                .unwrap()
                .starts_with(SIGN_IN)
        );
        // A new one does, for this request alone.
        browser.sign_in_to("demo", &world.user).await;
        browser.get(&resumed).await.callback(REDIRECT_URI);
        assert!(leads_to(&browser, &request).await.starts_with(SIGN_IN));
    }
    world
        .sql("UPDATE browser_session SET auth_time = now() - interval '3 seconds'")
        .await;
    let strict = base.clone().with("max_age", "1");
    assert!(leads_to(&browser, &strict).await.starts_with(SIGN_IN));
    browser.code_for(&base.clone().with("max_age", "1000")).await;
    browser.sign_in_to("demo", &world.user).await;
    let last = id_token(&world, &replica, &browser, &base.with("max_age", "1000")).await;
    assert!(last["auth_time"].as_i64().unwrap() >= first["auth_time"].as_i64().unwrap());
    assert!(last["auth_time"].is_i64());
}

#[tokio::test]
async fn az_20_a_hint_asks_for_one_person_and_an_invalid_one_for_nobody() {
    let world = World::new().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let other = world
        .add_user_of(&world.tenant, "bob@demo.example", Some(PASSWORD))
        .await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    let silent = AuthorizeRequest::of(&world.client).with("prompt", "none");
    let code = browser.code_for(&silent).await;
    let mine = replica.exchange(&world.client, &code).await.ok()["id_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let theirs = replica.tokens(&world.client, &other).await.id.unwrap();

    let hinted = |hint: &str| silent.clone().with("id_token_hint", hint);
    browser.code_for(&hinted(&mine)).await;
    browser.authorize(&hinted(&theirs)).await.tells_client("login_required");
    // Old ones still say whom the client means.
    let mut old = claims(&theirs);
    for claim in ["iat", "exp"] {
        old[claim] = (old[claim].as_i64().unwrap() - 1_000_000).into();
    }
    let sign = |tenant, claims: Value| {
        let replica = &replica;
        async move { replica.sign(tenant, auth_api::keys::TokenType::IdToken, &claims).await }
    };
    let expired = sign(&world.tenant, old).await;
    browser
        .authorize(&hinted(&expired))
        .await
        .tells_client("login_required");
    // What this tenant did not sign as an ID token is as if it had not been sent.
    let foreign = sign(&there, claims(&theirs)).await;
    let (head, signature) = theirs.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    let none = format!("eyJhbGciOiJub25lIn0.{}.", theirs.split('.').nth(1).unwrap());
    let access = replica.tokens(&world.client, &other).await.access;
    for hint in [foreign.as_str(), &forged, &none, &access, "nothing", &"x".repeat(9_000)] {
        browser.code_for(&hinted(hint)).await;
    }
    // Where a page may be shown, somebody else signs in; if that is still not the one, the client is told.
    let location = leads_to(&browser, &hinted(&theirs).without("prompt")).await;
    assert!(location.starts_with(SIGN_IN));
    let resumed = location.replace("/auth/sign-in", "/auth/continue");
    browser.sign_in_to("demo", &world.user).await;
    browser.get(&resumed).await.tells_client("login_required");
    browser.sign_in_to("demo", &other).await;
    browser.get(&resumed).await.callback(REDIRECT_URI);
    // The same by `claims`.
    let wanted = json!({ "id_token": { "sub": { "value": world.user.id } } }).to_string();
    browser
        .authorize(&silent.clone().with("claims", &wanted))
        .await
        .tells_client("login_required");
}

#[tokio::test]
async fn a_browser_of_one_tenant_is_nobody_in_another() {
    let world = World::new().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let foreign = world.add_client_of(&there, ClientSpec::default()).await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    let request = AuthorizeRequest::of(&foreign);
    assert!(leads_to(&browser, &request).await.starts_with(SIGN_IN));
    // Nor under the other tenant's name.
    browser.set_cookie("__Host-credo_there", &browser.session("demo").unwrap());
    assert!(leads_to(&browser, &request).await.starts_with(SIGN_IN));
    browser
        .authorize(&request.with("prompt", "none"))
        .await
        .tells_client("login_required");
}

#[tokio::test]
async fn whoever_is_disabled_in_the_middle_gets_no_code() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    let request = AuthorizeRequest::of(&world.client);
    browser.code_for(&request).await;
    world.disable_user(world.user.id).await;
    assert!(leads_to(&browser, &request).await.starts_with(SIGN_IN));
    world.enable("app_user", world.user.id.as_uuid()).await;
    assert!(leads_to(&browser, &request).await.starts_with(SIGN_IN));
    let location = leads_to(&browser, &request).await;
    world
        .sql("UPDATE client SET redirect_uris = '{https://app.example/new}', version = version + 1")
        .await;
    replica.app.directory.forget_client(world.client.id).await;
    let resumed = location.replace("/auth/sign-in", "/auth/continue");
    browser.get(&resumed).await.is_error_page(400);
}

#[tokio::test]
async fn form_post_answers_by_a_page_that_posts_to_the_client_alone() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    browser.sign_in_to("demo", &world.user).await;
    let state = "a \"state\" & <more>";
    let request = AuthorizeRequest::of(&world.client)
        .with("response_mode", "form_post")
        .with("state", state);
    let page = browser.authorize(&request).await;
    assert!(page.status == 200 && page.is_html(), "{}", page.text());
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' https://app.example"), "{policy}");
    let form = page.form_to(REDIRECT_URI);
    assert_eq!(form.action, REDIRECT_URI);
    let field = |name: &str| {
        form.hidden
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(field("state"), Some(state));
    assert_eq!(field("iss"), Some(format!("{BASE_URL}/t/demo").as_str()));
    replica.exchange(&world.client, field("code").unwrap()).await.ok();
    let refused = browser.authorize(&request.with("scope", "nothing")).await;
    let form = refused.form_to(REDIRECT_URI);
    assert!(form.hidden.contains(&("error".to_owned(), "invalid_scope".to_owned())));
}

#[tokio::test]
async fn az_25_no_request_makes_an_account() {
    let world = World::new().await;
    world.sql("UPDATE tenant SET create_unknown_users = true").await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    let request = AuthorizeRequest::of(&world.client).with("login_hint", "new@demo.example");
    let page = browser.get("/t/demo/sign-in").await;
    let wrong = browser.fill_sign_in(&page, &world.user.email, "not the password").await;
    let unknown = browser
        .fill_sign_in(&page, "new@demo.example", "not the password")
        .await;
    assert_eq!(unknown.status, wrong.status);
    assert_eq!(
        unknown.text().replace("new@demo.example", ""),
        wrong.text().replace(&world.user.email, "")
    );
    assert!(leads_to(&browser, &request).await.starts_with(SIGN_IN));
    assert_eq!(world.number("SELECT count(*) FROM app_user").await, 1);
}

#[tokio::test]
async fn hd_05_no_parameter_of_ours_leads_elsewhere() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    let request = AuthorizeRequest::of(&world.client);
    let evil = "https://evil.example/";
    let names = [
        "next",
        "return_to",
        "continue",
        "redirect",
        "url",
        "logo",
        "post_logout_redirect_uri",
        "language",
    ];
    for name in names {
        let location = leads_to(&browser, &request.clone().and(name, evil)).await;
        assert!(
            location.starts_with(SIGN_IN) && !location.contains("evil"),
            "{name}: {location}"
        );
        for path in ["/auth/continue", "/auth/consent"] {
            let target = format!("{}&{name}={evil}", location.replace("/auth/sign-in", path));
            let answer = browser.get(&target).await;
            let location = answer.header("location").unwrap_or_default();
            assert!(
                location.starts_with(SIGN_IN) && !location.contains("evil"),
                "{name}: {location}"
            );
        }
    }
    for target in [
        format!("/auth/continue?request={evil}"),
        format!("//evil.example{}", request.target()),
    ] {
        let answer = browser.send(Call::get(target)).await;
        assert!(answer.header("location").is_none(), "{}", answer.status);
        assert!(
            !answer.text().contains("\"//evil"),
            "a link of the page leads elsewhere"
        );
    }
}

#[tokio::test]
async fn az_16_what_was_typed_is_never_sent_on() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    let page = browser.authorize(&AuthorizeRequest::of(&world.client)).await;
    let form = page.form_to("/auth/sign-in");
    assert!(
        form.action.starts_with("/auth/sign-in"),
        "each page has a URL of its own"
    );
    let wrong = browser.fill_sign_in(&page, &world.user.email, "not the password").await;
    assert!(wrong.status == 400 && wrong.text().contains(&world.user.email));
    let answer = browser.fill_sign_in(&wrong, &world.user.email, PASSWORD).await;
    // 307 and 308 would send the form to the next URL.
    assert_eq!(answer.status, 303);
    let location = answer.header("location").unwrap();
    assert!(location.starts_with("/auth/continue?request=") && !location.contains("password"));
    let callback = browser.follow(answer).await.callback(REDIRECT_URI);
    replica.exchange(&world.client, &callback["code"]).await.ok();
}

#[tokio::test]
async fn two_tabs_a_reload_and_the_back_button_work() {
    let world = World::new().await;
    let replica = world.replica().await;
    let other_client = world.add_client(third_party()).await;
    let browser = Browser::new(&replica);
    let one = browser
        .authorize(&AuthorizeRequest::of(&world.client).with("state", "one"))
        .await;
    let two = browser
        .authorize(&AuthorizeRequest::of(&other_client).with("state", "two"))
        .await;
    let signed_in = browser.fill_sign_in(&two, &world.user.email, PASSWORD).await;
    let resumed = signed_in.own_location().unwrap();
    let consent = browser.follow(signed_in).await;
    // The first tab's form still works, and so does its page on a reload.
    let first = browser.fill_sign_in(&one, &world.user.email, PASSWORD).await;
    assert_eq!(browser.follow(first).await.callback(REDIRECT_URI)["state"], "one");
    let again = browser
        .authorize(&AuthorizeRequest::of(&world.client).with("state", "one"))
        .await;
    assert_eq!(again.callback(REDIRECT_URI)["state"], "one");
    // The consent that was shown before the other tab signed in again belongs to a browser session that is gone.
    let stale = browser
        .send_form(&consent.form_to("/auth/consent"), &[("decision", "allow")])
        .await;
    assert_eq!(stale.status, 403);
    let consent = browser.open(&resumed).await;
    let allowed = browser
        .send_form(&consent.form_to("/auth/consent"), &[("decision", "allow")])
        .await;
    let first = allowed.callback(REDIRECT_URI);
    // Back to the form, and sent again: another code, of its own.
    let allowed = browser
        .send_form(&consent.form_to("/auth/consent"), &[("decision", "allow")])
        .await;
    let second = allowed.callback(REDIRECT_URI);
    assert!(first["state"] == "two" && first["code"] != second["code"]);
    for callback in [first, second] {
        replica.exchange(&other_client, &callback["code"]).await.ok();
    }
}

#[tokio::test]
async fn az_26_only_the_page_that_asks_is_shown_to_a_third_partys_visitor() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = Browser::new(&replica);
    let client = world.add_client(third_party()).await;
    browser.sign_in_to("demo", &world.user).await;
    assert!(
        leads_to(&browser, &AuthorizeRequest::of(&client))
            .await
            .starts_with(CONSENT)
    );
}
