//! Case DS-03: what the metadata lists works, and what it does not list does not.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{
    Answer, BASE_URL, Browser, CHALLENGE, Call, ClientSpec, REDIRECT_URI, Replica, Tokens, World, claims, full_profile,
    header_of, sign_in_body,
};

async fn metadata(replica: &Replica) -> Value {
    let answer = replica
        .send(Call::get("/t/demo/.well-known/openid-configuration"))
        .await;
    answer.ok()
}

#[track_caller]
fn list<'a>(document: &'a Value, name: &str) -> Vec<&'a str> {
    let values = document[name].as_array().unwrap_or_else(|| panic!("{name} is no list"));
    let texts: Vec<_> = values.iter().map(|value| value.as_str().unwrap()).collect();
    let distinct: BTreeSet<_> = texts.iter().collect();
    assert_eq!(distinct.len(), texts.len(), "{name} says something twice");
    texts
}

/// An authorization request that is right, but for what the test says.
async fn authorize(world: &World, replica: &Replica, parameters: &[(&str, &str)]) -> Answer {
    let id = world.client.id.to_string();
    let usual = [
        ("client_id", id.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "s"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual
        .iter()
        .filter(|(name, _)| !parameters.iter().any(|(given, _)| given == name));
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept.chain(parameters))
        .finish();
    Browser::new(replica).open(&format!("/auth/authorize?{query}")).await
}

/// The error that an authorization response tells, by whichever mode.
fn error_of(answer: &Answer) -> Option<String> {
    let text = answer
        .header("location")
        .map_or_else(|| answer.text(), ToOwned::to_owned);
    let known = [
        "login_required",
        "invalid_request",
        "invalid_scope",
        "unsupported_response_type",
        "request_not_supported",
        "request_uri_not_supported",
    ];
    known
        .into_iter()
        .find(|error| text.contains(error))
        .map(ToOwned::to_owned)
}

#[tokio::test]
async fn ds_03_urls_are_https_and_the_flags_are_true() {
    let world = World::new().await;
    let replica = world.replica().await;
    let document = metadata(&replica).await;
    for (name, value) in document.as_object().unwrap() {
        if let Some(text) = value.as_str() {
            assert!(text.starts_with("https://"), "{name}: {text}");
        }
    }
    assert_eq!(document["end_session_endpoint"], format!("{BASE_URL}/auth/logout"));
    for flag in [
        "claims_parameter_supported",
        "authorization_response_iss_parameter_supported",
    ] {
        assert_eq!(document[flag], true, "{flag}");
    }
    assert_eq!(list(&document, "code_challenge_methods_supported"), ["S256"]);
    assert_eq!(list(&document, "subject_types_supported"), ["public"]);
    let plain = authorize(&world, &replica, &[("code_challenge_method", "plain")]).await;
    assert_eq!(error_of(&plain).as_deref(), Some("invalid_request"));
    for (flag, parameter) in [
        ("request_parameter_supported", "request"),
        ("request_uri_parameter_supported", "request_uri"),
    ] {
        assert_eq!(document[flag], false, "{flag}");
        let answer = authorize(&world, &replica, &[(parameter, "https://app.example/r")]).await;
        assert_eq!(error_of(&answer), Some(format!("{parameter}_not_supported")));
    }
}

#[tokio::test]
async fn ds_03_authorization_takes_what_is_listed() {
    let world = World::new().await;
    let replica = world.replica().await;
    let document = metadata(&replica).await;
    let modes = list(&document, "response_modes_supported");
    assert_eq!(modes, ["query", "form_post"]);
    for mode in modes {
        let answer = authorize(&world, &replica, &[("prompt", "none"), ("response_mode", mode)]).await;
        assert_eq!(
            error_of(&answer).as_deref(),
            Some("login_required"),
            "{mode}: {}",
            answer.text()
        );
        assert_eq!(answer.status, if mode == "query" { 303 } else { 200 });
    }
    for mode in ["fragment", "query.jwt", "web_message"] {
        let answer = authorize(&world, &replica, &[("response_mode", mode)]).await;
        assert_eq!(error_of(&answer).as_deref(), Some("invalid_request"), "{mode}");
    }
    for kind in ["token", "id_token", "code id_token", "none"] {
        assert!(!list(&document, "response_types_supported").contains(&kind));
        let answer = authorize(&world, &replica, &[("response_type", kind)]).await;
        assert_eq!(
            error_of(&answer).as_deref(),
            Some("unsupported_response_type"),
            "{kind}"
        );
    }
    for prompt in list(&document, "prompt_values_supported") {
        let answer = authorize(&world, &replica, &[("prompt", prompt)]).await;
        let expected = (prompt == "none").then_some("login_required");
        assert_eq!(error_of(&answer).as_deref(), expected, "{prompt}");
    }
    let unlisted = authorize(&world, &replica, &[("prompt", "create")]).await;
    assert_eq!(error_of(&unlisted).as_deref(), Some("invalid_request"));
    for display in list(&document, "display_values_supported") {
        assert_eq!(authorize(&world, &replica, &[("display", display)]).await.status, 200);
    }
    for locale in list(&document, "ui_locales_supported") {
        let page = authorize(&world, &replica, &[("ui_locales", locale)]).await;
        assert!(page.text().contains(&format!("lang=\"{locale}\"")), "{}", page.text());
    }
}

#[tokio::test]
async fn ds_03_every_grant_method_and_algorithm_that_is_listed_works() {
    let world = World::new().await;
    let replica = world.replica().await;
    let document = metadata(&replica).await;
    assert_eq!(
        list(&document, "token_endpoint_auth_methods_supported"),
        ["client_secret_basic", "client_secret_post", "none"]
    );
    let introspection = list(&document, "introspection_endpoint_auth_methods_supported");
    assert_eq!(introspection, ["client_secret_basic", "client_secret_post"]);
    for spec in [ClientSpec::BASIC, ClientSpec::post()] {
        let client = world.add_client(spec).await;
        let own = replica.client_credentials(&client, None).await.ok();
        let token = own["access_token"].as_str().unwrap();
        assert!(replica.is_active(&client, token).await);
        assert_eq!(replica.revoke(&client, token).await.status, 200);
    }
    for algorithm in list(&document, "id_token_signing_alg_values_supported") {
        let client = world
            .add_client(ClientSpec {
                id_token_signed_response_alg: if algorithm == "RS256" { "RS256" } else { "ES256" },
                ..ClientSpec::public()
            })
            .await;
        let tokens = replica.tokens(&client, &world.user).await;
        assert_eq!(header_of(tokens.id.as_ref().unwrap())["alg"], algorithm);
        let tokens = replica.rotate(&client, &tokens).await;
        assert_eq!(replica.introspect(&client, &tokens.access).await.status, 401);
        assert_eq!(replica.revoke(&client, &tokens.refresh).await.status, 200);
    }
    let revocation = list(&document, "revocation_endpoint_auth_methods_supported");
    assert_eq!(revocation, list(&document, "token_endpoint_auth_methods_supported"));
    let grants = list(&document, "grant_types_supported");
    assert_eq!(grants, ["authorization_code", "refresh_token", "client_credentials"]);
    replica.client_credentials(&world.client, None).await.ok();
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code"] {
        let call = Call::form("/auth/token", [("grant_type", grant)]).client(&world.client);
        replica.send(call).await.refuses(400, "unsupported_grant_type");
    }
}

#[tokio::test]
async fn ds_03_every_scope_and_claim_that_is_listed_is_given_and_no_other() {
    let world = World::new().await;
    let replica = world.replica().await;
    world.set_profile(&world.user, &full_profile()).await;
    let document = metadata(&replica).await;
    let scopes = list(&document, "scopes_supported");
    let client = world
        .add_client(ClientSpec {
            scope: "openid profile email phone address offline_access credo.sessions",
            ..ClientSpec::BASIC
        })
        .await;
    let mut body = sign_in_body(&client, &world.user.email);
    body["scopes"] = json!(scopes);
    let code = replica.authorize(&client, body).await.ok()["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let tokens = Tokens::from(&replica.exchange(&client, &code).await);
    let granted: BTreeSet<_> = claims(&tokens.access)["scope"]
        .as_str()
        .unwrap()
        .split(' ')
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(granted, scopes.iter().map(|scope| (*scope).to_owned()).collect());
    let (id_token, userinfo) = (
        claims(tokens.id.as_ref().unwrap()),
        replica.userinfo(&tokens.access).await.ok(),
    );
    let given: BTreeSet<_> = [&id_token, &userinfo]
        .into_iter()
        .flat_map(|told| told.as_object().unwrap().keys())
        .map(String::as_str)
        .collect();
    assert_eq!(given, list(&document, "claims_supported").into_iter().collect());
    assert!(list(&document, "acr_values_supported").contains(&id_token["acr"].as_str().unwrap()));
    assert_eq!(list(&document, "acr_values_supported"), ["urn:credo:acr:password"]);
}
