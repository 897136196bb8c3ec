//! What the server says of itself, and its keys.

use serde_json::json;

use crate::support::{BASE_URL, Call, World};

fn paths(slug: &str) -> [String; 3] {
    [
        format!("/t/{slug}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server/t/{slug}"),
        format!("/t/{slug}/jwks.json"),
    ]
}

#[tokio::test]
async fn ds_01_both_documents_say_the_same_of_the_tenant() {
    let world = World::new().await;
    let replica = world.replica().await;
    let [oidc, oauth, jwks] = paths("demo");
    let (oidc, oauth) = (
        replica.send(Call::get(oidc)).await,
        replica.send(Call::get(oauth)).await,
    );
    let document = oidc.ok();
    for answer in [&oidc, &oauth] {
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    }
    assert_eq!(document, oauth.ok());
    assert_eq!(document["issuer"], format!("{BASE_URL}/t/demo"));
    assert_eq!(document["jwks_uri"], format!("{BASE_URL}{jwks}"));
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    // Whatever is listed is there: another method than its own is refused, and not "not found".
    for (name, value) in document.as_object().unwrap() {
        if let Some(path) = value
            .as_str()
            .and_then(|url| url.strip_prefix(BASE_URL))
            .filter(|_| name.ends_with("_endpoint"))
        {
            assert_eq!(replica.send(Call::new("PATCH", path)).await.status, 405, "{name}");
        }
    }
    let keys = replica.send(Call::get(&jwks)).await;
    assert_eq!(keys.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(keys.header("content-type"), Some("application/jwk-set+json"));
    for key in keys.ok()["keys"].as_array().unwrap() {
        let mut members: Vec<_> = key.as_object().unwrap().keys().cloned().collect();
        members.sort();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"], "a private part");
    }
}

#[tokio::test]
async fn ds_05_unknown_suspended_and_misspelt_tenants_get_one_answer() {
    let world = World::new().await;
    let replica = world.replica().await;
    let off = world.add_tenant("off").await;
    for path in paths("off") {
        replica.send(Call::get(path)).await.ok();
    }
    let keys = world.number("SELECT count(*) FROM signing_key").await;
    world.suspend_tenant(off.id).await;
    credo_testkit::eventually(std::time::Duration::from_secs(5), || async {
        replica.send(Call::get("/t/off/jwks.json")).await.status == 404
    })
    .await;
    for slug in [
        "off",
        "nobody",
        "Demo",
        "DEMO",
        "demo.",
        "demo%00",
        "demo%2f",
        "d%65mo%20",
        "",
        "..",
        "%2e%2e",
        "demo%2f..%2foff",
        "%2e%2e%2fsystem",
        "demo;x=y",
        "%ff",
        "demo%0d%0aSet-Cookie:x",
        "'--",
    ] {
        for path in paths(slug) {
            let answer = replica.send(Call::get(&path)).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
            assert_eq!(
                answer.json(),
                json!({ "type": "about:blank", "title": "Not found", "status": 404 })
            );
        }
    }
    assert_eq!(
        world.number("SELECT count(*) FROM signing_key").await,
        keys,
        "keys are made for tenants alone"
    );
}

#[tokio::test]
async fn replicas_that_make_a_tenants_first_key_agree() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    world.sql("DELETE FROM signing_key").await;
    let path = "/t/demo/jwks.json";
    let (first, second) = tokio::join!(one.send(Call::get(path)), two.send(Call::get(path)));
    assert_eq!(first.ok(), second.ok());
    let tokens = one.tokens(&world.client, &world.user).await;
    two.userinfo(&tokens.access).await.ok();
    assert_eq!(world.number("SELECT count(*) FROM signing_key").await, 1);
    assert_eq!(world.event_types().await[0], "signing_key_created");
    let events = world.event_types().await;
    let made = events.iter().filter(|kind| *kind == "signing_key_created");
    assert_eq!(made.count(), 1, "the loser's event went with its key");
}

#[tokio::test]
async fn ds_02_forged_headers_change_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let [oidc, oauth, jwks] = paths("demo");
    for path in [oidc, oauth, jwks, "/t/demo/sign-in".to_owned()] {
        let plain = replica.send(Call::get(&path)).await;
        for (name, value) in [
            ("host", "evil.example"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-port", "1"),
            ("x-forwarded-prefix", "/evil.example"),
            ("forwarded", "host=evil.example;proto=http"),
            ("x-original-url", "https://evil.example/"),
            ("x-rewrite-url", "https://evil.example/"),
        ] {
            let forged = replica.send(Call::get(&path).header(name, value)).await;
            assert_eq!(forged.status, plain.status, "{name}");
            assert!(!forged.text().contains("evil.example"), "{name}: {}", forged.text());
            for value in forged.headers.values() {
                assert!(!value.to_str().unwrap().contains("evil.example"), "{name}");
            }
            if !path.ends_with("sign-in") {
                assert_eq!(forged.body, plain.body, "{name}"); // a page differs in its secret against forgery
            }
        }
    }
    // A request in absolute form does not either.
    let absolute = format!("https://evil.example{}", paths("demo")[0]);
    let document = replica.send(Call::get(absolute)).await.ok();
    assert_eq!(document["issuer"], format!("{BASE_URL}/t/demo"));
}
