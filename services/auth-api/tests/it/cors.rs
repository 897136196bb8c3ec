//! Which pages may read what (case HD-03): the CORS protocol as a browser speaks it.

use auth_api::http::ROUTES;

use crate::support::{Answer, Call, Client, ClientSpec, Replica, Tokens, World};

const ORIGIN: &str = "https://app.example";
const OTHER: &str = "https://other.example";
/// The registered one, as an attacker would like it to be read.
const TRICKS: [&str; 12] = [
    "null",
    "https://evil.example",
    "https://app.example.evil.example",
    "https://evil-app.example",
    "https://sub.app.example",
    "http://app.example",
    "https://app.example:8443",
    "https://APP.example",
    "https://app.example/",
    "https://app.example@evil.example",
    "*",
    "",
];

const PAGE: ClientSpec = ClientSpec {
    method: "none",
    grant_types: &["authorization_code", "refresh_token"],
    allowed_origins: &[ORIGIN],
    ..ClientSpec::BASIC
};

async fn preflight(replica: &Replica, path: &str, method: &str, origin: &str) -> Answer {
    let call = Call::new("OPTIONS", path)
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization, content-type");
    replica.send(call).await
}

/// Nobody but the page's own server may read the answer.
#[track_caller]
fn assert_closed(answer: &Answer, described: &str) {
    for name in answer.headers.keys() {
        assert!(!name.as_str().starts_with("access-control-"), "{described}: {name}");
    }
}

/// A page of just that origin may read the answer.
#[track_caller]
fn assert_open(answer: &Answer, origin: &str) {
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some(origin),
        "{}",
        answer.text()
    );
    assert!(answer.header("access-control-allow-credentials").is_none());
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(
        exposed.contains("www-authenticate") && exposed.contains("retry-after"),
        "{exposed}"
    );
    if origin != "*" {
        assert_varies(answer);
    }
}

#[track_caller]
fn assert_varies(answer: &Answer) {
    let mut vary = answer.headers.get_all("vary").iter();
    assert!(vary.any(|value| value.to_str().unwrap().eq_ignore_ascii_case("origin")));
}

/// Every call that a page makes, in the order that uses nothing up too early.
fn calls(client: &Client, tokens: &Tokens) -> Vec<(&'static str, Call)> {
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "crt_x")];
    vec![
        ("userinfo", Call::get("/auth/userinfo").bearer(&tokens.access)),
        ("userinfo", Call::new("POST", "/auth/userinfo").bearer(&tokens.access)),
        (
            "userinfo",
            Call::form("/auth/userinfo", [("access_token", &tokens.access)]),
        ),
        ("refused", Call::form("/auth/token", refresh).client(client)),
        (
            "grant",
            Call::form("/auth/token", [("grant_type", "authorization_code"), ("code", "x")]).client(client),
        ),
        ("revoke", Call::form("/auth/revoke", [("token", "x")]).client(client)),
    ]
}

#[tokio::test]
async fn hd_03_a_registered_page_reads_the_answers_to_its_own_client_errors_too() {
    let world = World::new().await;
    let replica = world.replica().await;
    let page = world.add_client(PAGE).await;
    let elsewhere = world
        .add_client(ClientSpec {
            allowed_origins: &[OTHER],
            ..PAGE
        })
        .await;
    let tokens = replica.tokens(&page, &world.user).await;
    for (name, call) in calls(&page, &tokens) {
        assert_open(&replica.send(call.header("origin", ORIGIN)).await, ORIGIN);
        let _ = name;
    }
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)];
    let answer = replica
        .send(
            Call::form("/auth/token", parameters)
                .client(&page)
                .header("origin", ORIGIN),
        )
        .await;
    answer.ok();
    assert_open(&answer, ORIGIN);
    // Another client's origin is registered, and not here.
    for (name, call) in calls(&page, &tokens) {
        let answer = replica.send(call.header("origin", OTHER)).await;
        assert_closed(&answer, name);
        assert_varies(&answer);
    }
    for (name, call) in calls(&elsewhere, &tokens).into_iter().skip(3) {
        assert_closed(&replica.send(call.header("origin", ORIGIN)).await, name);
    }
    // Without a client in play an error is for every registered page: it tells nothing of anybody.
    let expired = replica.expired(&world.tenant, &tokens.access).await;
    for call in [
        Call::get("/auth/userinfo"),
        Call::get("/auth/userinfo").bearer("x"),
        Call::get("/auth/userinfo").bearer(&expired),
        Call::form("/auth/token", [("grant_type", "password")]),
    ] {
        let answer = replica.send(call.header("origin", ORIGIN)).await;
        assert!(answer.status >= 400);
        assert_open(&answer, ORIGIN);
    }
    // A client that does not exist has no pages.
    let nobody = credo_ids::ClientId::now_v7().to_string();
    for id in [nobody.as_str(), "x"] {
        let call = Call::form("/auth/revoke", [("token", "x"), ("client_id", id)]);
        assert_closed(&replica.send(call.header("origin", ORIGIN)).await, id);
    }
}

#[tokio::test]
async fn hd_03_no_trick_opens_an_answer() {
    let world = World::new().await;
    let replica = world.replica().await;
    let page = world.add_client(PAGE).await;
    let tokens = replica.tokens(&page, &world.user).await;
    for origin in TRICKS {
        for (name, call) in calls(&page, &tokens) {
            assert_closed(
                &replica.send(call.header("origin", origin)).await,
                &format!("{name} {origin}"),
            );
        }
        for path in ["/auth/token", "/auth/userinfo", "/auth/revoke"] {
            let answer = preflight(&replica, path, "POST", origin).await;
            assert_eq!(answer.status, 405, "{origin}");
            assert_closed(&answer, origin);
        }
    }
    for (name, call) in calls(&page, &tokens) {
        let twice = call.header("origin", ORIGIN).header("origin", "https://evil.example");
        assert_closed(&replica.send(twice).await, name);
    }
    for (name, call) in calls(&page, &tokens) {
        let answer = replica.send(call).await; // no page at all
        assert_closed(&answer, name);
        assert_varies(&answer);
    }
}

#[tokio::test]
async fn hd_03_a_preflight_opens_what_pages_may_call_and_nothing_else() {
    let world = World::new().await;
    let replica = world.replica().await;
    world.add_client(PAGE).await;
    for (path, methods) in [
        ("/auth/token", &["POST"][..]),
        ("/auth/revoke", &["POST"]),
        ("/auth/userinfo", &["GET", "POST"]),
    ] {
        for method in methods {
            let answer = preflight(&replica, path, method, ORIGIN).await;
            assert_eq!((answer.status, answer.body.len()), (204, 0), "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
            assert_eq!(
                answer.header("access-control-allow-methods"),
                Some(methods.join(", ").as_str())
            );
            assert_eq!(
                answer.header("access-control-allow-headers"),
                Some("authorization, content-type")
            );
            assert_eq!(answer.header("access-control-max-age"), Some("600"));
            assert!(answer.header("access-control-allow-credentials").is_none());
            assert_varies(&answer);
        }
        for method in ["PUT", "DELETE", "post"] {
            assert_closed(&preflight(&replica, path, method, ORIGIN).await, path);
        }
    }
    // Authorize, introspection, sessions, every page: no page of another origin reads them.
    let open = ["/auth/token", "/auth/revoke", "/auth/userinfo"];
    for route in ROUTES {
        let path = route
            .replace("{slug}", "demo")
            .replace("{id}", "x")
            .replace("{name}", "x");
        if open.contains(&route) || path.contains(".well-known/o") || path.contains("jwks") {
            continue;
        }
        for method in ["GET", "POST", "DELETE"] {
            assert_closed(&preflight(&replica, &path, method, ORIGIN).await, &path);
            assert_closed(
                &replica.send(Call::new(method, &path).header("origin", ORIGIN)).await,
                &path,
            );
        }
    }
}

#[tokio::test]
async fn hd_03_what_is_the_same_for_everybody_is_open_to_every_page_without_credentials() {
    let world = World::new().await;
    let replica = world.replica().await;
    for path in [
        "/t/demo/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/t/demo",
        "/t/demo/jwks.json",
    ] {
        for origin in ["https://anybody.example", "null", ORIGIN] {
            let answer = replica.send(Call::get(path).header("origin", origin)).await;
            answer.ok();
            assert_open(&answer, "*");
        }
        let answer = preflight(&replica, path, "GET", ORIGIN).await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (204, Some("*"))
        );
        assert_closed(&preflight(&replica, path, "POST", ORIGIN).await, path);
    }
}

#[tokio::test]
async fn hd_03_a_disabled_client_opens_nothing() {
    let world = World::new().await;
    let page = world.add_client(PAGE).await;
    world.disable_client(page.id).await;
    let replica = world.replica().await;
    assert_closed(&preflight(&replica, "/auth/token", "POST", ORIGIN).await, "preflight");
    let call = Call::form("/auth/revoke", [("token", "x")]).client(&page);
    assert_closed(&replica.send(call.header("origin", ORIGIN)).await, "revoke");
}
