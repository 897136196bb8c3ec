//! `/auth/authorize` in a browser: what a request may say, and who is told when it may not.

use serde_json::json;

use crate::support::{
    AuthorizeRequest, BASE_URL, Browser, CHALLENGE, Client, ClientSpec, REDIRECT_URI, Replica, World,
};

/// A signed-in browser in front of a first-party client: a right request is answered with a code at once.
async fn signed_in<'a>(world: &World, replica: &'a Replica) -> Browser<'a> {
    let browser = Browser::new(replica);
    browser.sign_in_to("demo", &world.user).await;
    browser
}

fn right(client: &Client) -> AuthorizeRequest {
    AuthorizeRequest::of(client)
}

#[tokio::test]
async fn az_01_unknown_empty_or_missing_client_id_is_a_page_and_writes_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let disabled = world.add_client(ClientSpec::default()).await;
    world.disable_client(disabled.id).await;
    let before = world.footprint().await;
    let unknown = uuid::Uuid::now_v7().to_string();
    for request in [
        right(&world.client).with("client_id", &unknown),
        right(&world.client).with("client_id", ""),
        right(&world.client).with("client_id", "no id\u{0}"),
        right(&world.client).with("client_id", "demo"),
        right(&world.client).without("client_id"),
        right(&disabled),
    ] {
        browser.authorize(&request).await.is_error_page(400);
        browser.send(request.post()).await.is_error_page(400);
        let silent = request.with("prompt", "none");
        browser.authorize(&silent).await.is_error_page(400);
    }
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn az_02_az_03_az_04_only_the_registered_string_is_redirected_to() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let registered = "https://good.example/cb?keep=1";
    let client = world
        .add_client(ClientSpec {
            redirect_uris: &["https://good.example/cb?keep=1"],
            ..ClientSpec::default()
        })
        .await;
    let good = right(&client).with("redirect_uri", registered);
    let callback = browser.authorize(&good).await.callback(registered);
    assert_eq!(callback["keep"], "1");
    let before = world.footprint().await;
    for other in [
        "https://good.example/cb",
        "https://good.example/cb?keep=1&x=2",
        "https://good.example/cb?keep=2",
        "https://good.example/cb/?keep=1",
        "https://good.example/cb/x?keep=1",
        "https://good.example/CB?keep=1",
        "http://good.example/cb?keep=1",
        "https://good.example:443/cb?keep=1",
        "https://good.example:8443/cb?keep=1",
        "https://good.example/%63b?keep=1",
        "https://good.example/x/%2e%2e/cb?keep=1",
        "https://good.example%2fcb?keep=1",
        "https://good.example@evil.example/cb?keep=1",
        "https://evil.example\\@good.example/cb?keep=1",
        "https://good.example/\tcb?keep=1",
        "https://good.example/cb?keep=1\n",
        "https://g\u{43e}od.example/cb?keep=1",
        "https://GOOD.example/cb?keep=1",
        "https://good.example/cb?keep=1#",
        "https://good.example/cb?keep=1#fragment",
        "javascript:alert(1)",
        "//good.example/cb?keep=1",
    ] {
        let request = good.clone().with("redirect_uri", other);
        browser.authorize(&request).await.is_error_page(400);
        browser.send(request.post()).await.is_error_page(400);
    }
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn az_05_redirect_uri_is_always_required() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let single = world
        .add_client(ClientSpec {
            redirect_uris: &[REDIRECT_URI],
            ..ClientSpec::default()
        })
        .await;
    for client in [&world.client, &single] {
        browser
            .authorize(&right(client).without("redirect_uri"))
            .await
            .is_error_page(400);
        browser
            .authorize(&right(client).with("redirect_uri", ""))
            .await
            .is_error_page(400);
    }
}

#[tokio::test]
async fn az_06_only_the_port_of_a_native_clients_loopback_address_varies() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let spec = ClientSpec {
        method: "none",
        grant_types: &["authorization_code"],
        application_type: "native",
        redirect_uris: &["http://127.0.0.1/cb", "http://localhost/cb"],
        ..ClientSpec::default()
    };
    let native = world.add_client(spec).await;
    let web = world
        .add_client(ClientSpec {
            application_type: "web",
            ..spec
        })
        .await;
    let any_port = "http://127.0.0.1:49152/cb";
    let callback = browser.authorize(&right(&native).with("redirect_uri", any_port)).await;
    let code = callback.callback(any_port)["code"].clone();
    let verifier = Some(crate::support::VERIFIER);
    // The exchange names the port that was asked for.
    let other = replica
        .exchange_with(&native, &code, Some("http://127.0.0.1/cb"), verifier)
        .await;
    other.refuses(400, "invalid_grant");
    replica
        .exchange_with(&native, &code, Some(any_port), verifier)
        .await
        .ok();
    for (client, other) in [
        (&native, "http://localhost:49152/cb"),
        (&native, "http://127.0.0.1:49152/cb2"),
        (&native, "http://127.0.0.1:49152/cb?x=1"),
        (&native, "http://[::1]:49152/cb"),
        (&native, "https://127.0.0.1:49152/cb"),
        (&web, any_port),
    ] {
        let request = right(client).with("redirect_uri", other);
        browser.authorize(&request).await.is_error_page(400);
    }
    let exact = right(&web).with("redirect_uri", "http://127.0.0.1/cb");
    browser.authorize(&exact).await.callback("http://127.0.0.1/cb");
}

#[tokio::test]
async fn az_08_az_28_only_codes_by_registered_modes() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let before = world.footprint().await;
    let request = || right(&world.client);
    for (name, value, error) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "id_token token", "unsupported_response_type"),
        ("response_type", "code id_token", "unsupported_response_type"),
        ("response_type", "code token", "unsupported_response_type"),
        ("response_type", "none", "unsupported_response_type"),
        ("response_type", "Code", "unsupported_response_type"),
        ("response_mode", "fragment", "invalid_request"),
        ("response_mode", "query.jwt", "invalid_request"),
        ("response_mode", "web_message", "invalid_request"),
    ] {
        let callback = browser
            .authorize(&request().with(name, value))
            .await
            .tells_client(error);
        assert_eq!(callback["state"], "a state", "{name}={value}");
        assert_eq!(callback["iss"], format!("{BASE_URL}/t/demo"));
    }
    let missing = request().without("response_type");
    browser.authorize(&missing).await.tells_client("invalid_request");
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn az_10_a_parameter_that_comes_twice_is_refused_wherever_it_stands() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let before = world.footprint().await;
    let request = right(&world.client)
        .and("prompt", "login")
        .and("max_age", "1")
        .and("claims", "{}");
    for name in request.names() {
        let value = request.value(&name);
        let doubled = request.clone().and(&name, &value);
        let split = request.clone().without(&name).and(&name, &value);
        let in_both = crate::support::Call::raw(
            &format!("/auth/authorize?{name}={}", urlencode(&value)),
            "application/x-www-form-urlencoded",
            split.query(),
        );
        for answer in [
            browser.authorize(&doubled).await,
            browser.send(doubled.post()).await,
            browser.send(in_both).await,
        ] {
            if ["client_id", "redirect_uri"].contains(&name.as_str()) {
                answer.is_error_page(400);
            } else {
                let callback = answer.tells_client("invalid_request");
                assert_eq!(callback.contains_key("state"), name != "state", "{name}");
            }
        }
    }
    assert_eq!(world.footprint().await, before);
}

fn urlencode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn az_11_az_30_what_is_unknown_empty_or_only_advises_makes_no_error() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let long = "x".repeat(3_000);
    for (name, value) in [
        ("extra", "foobar"),
        ("extra", ""),
        ("prompt", ""),
        ("max_age", ""),
        ("claims", ""),
        ("request", ""),
        ("request_uri", ""),
        ("resource", ""),
        ("display", "popup"),
        ("display", "holograph"),
        ("ui_locales", "de-CH fr en"),
        ("ui_locales", &long),
        ("claims_locales", "se"),
        ("acr_values", "1 2 urn:x"),
        ("login_hint", "ann@demo.example"),
        ("login_hint", "\u{202e}<script>"),
        ("id_token_hint", ""),
    ] {
        browser.code_for(&right(&world.client).and(name, value)).await;
    }
    let repeated = right(&world.client).and("extra", "1").and("extra", "2");
    browser.code_for(&repeated).await;
    let with_bytes = format!("{}&extra=%ff&login_hint=%ff%00", right(&world.client).target());
    let callback = browser.open(&with_bytes).await.callback(REDIRECT_URI);
    assert!(callback.contains_key("code"), "{callback:?}");
}

#[tokio::test]
async fn az_14_state_comes_back_byte_for_byte_or_not_at_all() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let (long, longest, too_long) = ("s".repeat(512), "\u{fc}".repeat(2_048), "s".repeat(4_097));
    for state in [
        "x",
        &long,
        &longest,
        "\u{1f511} a&b#c%20d+e=\"'<\\/>;",
        "%",
        "%C3%BC",
        " ",
        "  a  ",
        "\u{2028}",
    ] {
        let request = right(&world.client).with("state", state);
        let callback = browser.authorize(&request).await.callback(REDIRECT_URI);
        assert_eq!(callback["state"], state);
        assert!(callback.contains_key("code"));
        // By another way: through the pages, by form, and in an error.
        let posted = browser.send(request.post()).await;
        assert_eq!(browser.follow(posted).await.callback(REDIRECT_URI)["state"], state);
        let refused = browser.authorize(&request.with("prompt", "none login")).await;
        assert_eq!(refused.tells_client("invalid_request")["state"], state);
    }
    for state in [too_long.as_str(), "a\nb", "a\u{0}"] {
        let request = right(&world.client).with("state", state);
        let callback = browser.authorize(&request).await.tells_client("invalid_request");
        assert!(!callback.contains_key("state"));
    }
    let none = right(&world.client).without("state");
    assert!(
        !browser
            .authorize(&none)
            .await
            .callback(REDIRECT_URI)
            .contains_key("state")
    );
}

#[tokio::test]
async fn az_15_nonce_comes_back_whole_or_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    for length in [1, 64, 384, 512] {
        let nonce = "n".repeat(length);
        let code = browser.code_for(&right(&world.client).with("nonce", &nonce)).await;
        let tokens = replica.exchange(&world.client, &code).await.ok();
        let claims = crate::support::claims(tokens["id_token"].as_str().unwrap());
        assert_eq!(claims["nonce"], nonce);
    }
    let request = right(&world.client).with("nonce", &"n".repeat(513));
    browser.authorize(&request).await.tells_client("invalid_request");
}

#[tokio::test]
async fn az_18_prompt_is_one_that_we_know() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    for prompt in [
        "none login",
        "login none",
        "none consent",
        "none select_account",
        "create",
        "NONE",
        "login,consent",
    ] {
        let request = right(&world.client).with("prompt", prompt);
        browser.authorize(&request).await.tells_client("invalid_request");
    }
    for max_age in ["-1", "1.5", "soon", "1e3", "0x1", "+1"] {
        let request = right(&world.client).with("max_age", max_age);
        browser.authorize(&request).await.tells_client("invalid_request");
    }
}

#[tokio::test]
async fn az_21_scope_beyond_the_clients_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let before = world.footprint().await;
    let admin = world
        .add_client(ClientSpec {
            scope: "openid credo.tenant.read",
            first_party: false,
            ..ClientSpec::default()
        })
        .await;
    for (client, scope) in [
        (&world.client, "openid phone"),
        (&world.client, "openid nothing"),
        (&world.client, "OpenID"),
        (&world.client, "openid \u{fc}"),
        (&world.client, ""),
        (&admin, "credo.tenant.read"),
        (&admin, "openid credo.tenant.read"),
    ] {
        let request = right(client).with("scope", scope);
        browser.authorize(&request).await.tells_client("invalid_scope");
    }
    assert_eq!(world.footprint().await, before);
    let code = browser
        .code_for(&right(&world.client).with("scope", "openid read openid"))
        .await;
    assert_eq!(
        replica.exchange(&world.client, &code).await.ok()["scope"],
        "openid read"
    );
}

#[tokio::test]
async fn az_22_a_resource_is_the_tenants_own() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let own = format!("{BASE_URL}/t/demo");
    browser.code_for(&right(&world.client).and("resource", &own)).await;
    for resource in [
        "https://api.example",
        "/relative",
        "api",
        &format!("{own}#fragment"),
        &format!("{own}/"),
        &format!("{BASE_URL}/t/system"),
    ] {
        let request = right(&world.client).and("resource", resource);
        browser.authorize(&request).await.tells_client("invalid_target");
    }
    let two = right(&world.client)
        .and("resource", &own)
        .and("resource", "https://api.example");
    browser.authorize(&two).await.tells_client("invalid_target");
}

#[tokio::test]
async fn az_23_requests_by_jwt_or_reference_are_refused_and_never_fetched() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    // A listener of our own would see a request: nobody ever connects.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/request.jwt", listener.local_addr().unwrap());
    for (name, value, error) in [
        ("request", "e30.e30.x", "request_not_supported"),
        ("request", "x", "request_not_supported"),
        ("request_uri", uri.as_str(), "request_uri_not_supported"),
        (
            "request_uri",
            "urn:ietf:params:oauth:request_uri:x",
            "request_uri_not_supported",
        ),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let request = right(&world.client).and(name, value);
        browser.authorize(&request).await.tells_client(error);
        browser.send(request.post()).await.tells_client(error);
    }
    let silence = std::time::Duration::from_millis(100);
    assert!(
        tokio::time::timeout(silence, listener.accept()).await.is_err(),
        "request_uri was fetched"
    );
}

#[tokio::test]
async fn az_29_claims_are_bounded_json() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let deep = format!("{}1{}", "[".repeat(3_000), "]".repeat(3_000));
    let many: Vec<_> = (0..1_500).map(|number| format!("\"c{number}\":null")).collect();
    let huge = format!("{{\"userinfo\":{{{}}}}}", many.join(","));
    for claims in [
        "{",
        "[]",
        "5",
        "null",
        r#"{"userinfo":[]}"#,
        r#"{"id_token":{"name":7}}"#,
        &deep,
        &huge,
    ] {
        let request = right(&world.client).and("claims", claims);
        browser.authorize(&request).await.tells_client("invalid_request");
    }
    let padded = format!("{{\"x\":\"{}\"}}", "x".repeat(60_000));
    let posted = browser.send(right(&world.client).and("claims", &padded).post()).await;
    posted.tells_client("invalid_request");
    // What cannot be had is no error, essential or not.
    let claims = json!({ "userinfo": { "phone_number": { "essential": true }, "unheard_of": { "essential": true }, "email": null } });
    let code = browser
        .code_for(&right(&world.client).and("claims", &claims.to_string()))
        .await;
    replica.exchange(&world.client, &code).await.ok();
    let stored = "SELECT count(*) FROM session WHERE claims = '{\"userinfo\":{\"email\":{},\"unheard_of\":{\"essential\":true}}}'";
    assert_eq!(world.number(stored).await, 1);
}

#[tokio::test]
async fn pk_01_pk_02_pk_03_pk_06_a_challenge_by_s256_is_required() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let public = world.add_client(ClientSpec::public()).await;
    let before = world.footprint().await;
    let long = "a".repeat(129);
    for client in [&world.client, &public] {
        let stripped = right(client).without("code_challenge").without("code_challenge_method");
        browser.authorize(&stripped).await.tells_client("invalid_request");
        for (name, value) in [
            ("code_challenge", ""),
            ("code_challenge", &CHALLENGE[1..]),
            ("code_challenge", &format!("{CHALLENGE}A")),
            ("code_challenge", &format!("{CHALLENGE}=")),
            ("code_challenge", &CHALLENGE.replace('M', "+")),
            ("code_challenge", &long),
            ("code_challenge_method", ""),
            ("code_challenge_method", "plain"),
            ("code_challenge_method", "S512"),
        ] {
            let request = right(client).with(name, value);
            browser.authorize(&request).await.tells_client("invalid_request");
        }
    }
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn pk_05_pk_07_a_verifier_answers_its_challenge_and_nothing_else() {
    let world = World::new().await;
    let replica = world.replica().await;
    let browser = signed_in(&world, &replica).await;
    let exempt = world
        .add_client(ClientSpec {
            require_pkce: false,
            ..ClientSpec::default()
        })
        .await;
    let stripped = right(&exempt)
        .without("code_challenge")
        .without("code_challenge_method");
    let code = browser.code_for(&stripped).await;
    let downgraded = replica
        .exchange_with(&exempt, &code, Some(REDIRECT_URI), Some(crate::support::VERIFIER))
        .await;
    downgraded.refuses(400, "invalid_grant");
    replica
        .exchange_with(&exempt, &code, Some(REDIRECT_URI), None)
        .await
        .ok();

    let code = browser.code_for(&right(&exempt)).await;
    let (short, long) = ("v".repeat(42), "v".repeat(129));
    for (verifier, error) in [
        (None, "invalid_grant"),
        (Some("w".repeat(43)), "invalid_grant"),
        (Some(short), "invalid_request"),
        (Some(long), "invalid_request"),
        (Some(format!("{}+", "v".repeat(43))), "invalid_request"),
    ] {
        let answer = replica
            .exchange_with(&exempt, &code, Some(REDIRECT_URI), verifier.as_deref())
            .await;
        answer.refuses(400, error);
    }
    replica.exchange(&exempt, &code).await.ok();
}
