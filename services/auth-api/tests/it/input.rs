//! Input of any kind gets the right refusal and changes nothing: cases IV of the case list.

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::{BASE_URL, Call, ClientSpec, REDIRECT_URI, VERIFIER, World, sign_in_body};

/// The largest body that is read.
const MAX_BODY_BYTES: usize = 64 * 1_024;

/// Encoded texts that no parameter may hold: NUL, line ends, other controls, and bytes that are no UTF-8: alone, overlong,
/// a surrogate, beyond Unicode, cut.
const POISONS: [&str; 10] = [
    "%00",
    "a%00b",
    "%0d%0aSet-Cookie:%20x",
    "%0a",
    "%1b[31m",
    "%ff",
    "%c0%80",
    "%ed%a0%80",
    "%f5%80%80%80",
    "%e2%82",
];

#[tokio::test]
async fn iv_01_poisoned_forms_are_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let by_post = world
        .add_client(ClientSpec {
            method: "client_secret_post",
            ..ClientSpec::default()
        })
        .await;
    let code = replica.code(&world.client, &world.user).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let (id, secret) = (by_post.id.to_string(), by_post.secret.as_deref().unwrap());
    let client = [("client_id", id.as_str()), ("client_secret", secret)];
    let exchange = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
        ("scope", "openid"),
        ("unknown", "x"),
    ];
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &tokens.refresh),
        ("scope", "openid"),
    ];
    let hinted = [("token", tokens.access.as_str()), ("token_type_hint", "access_token")];
    let before = world.footprint().await;
    for (endpoint, parameters) in [
        ("/auth/token", &exchange[..]),
        ("/auth/token", &refresh[..]),
        ("/auth/introspect", &hinted[..]),
        ("/auth/revoke", &hinted[..]),
    ] {
        let parameters: Vec<_> = parameters.iter().chain(&client).collect();
        for poisoned in 0..parameters.len() {
            for poison in POISONS {
                let pairs = parameters.iter().enumerate().map(|(position, (name, value))| {
                    let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                    if position == poisoned {
                        format!("{name}={value}{poison}")
                    } else {
                        format!("{name}={value}")
                    }
                });
                let body = pairs.collect::<Vec<_>>().join("&");
                let call = Call::raw(endpoint, "application/x-www-form-urlencoded", body);
                replica.send(call).await.refuses(400, "invalid_request");
            }
        }
        let call = Call::raw(
            endpoint,
            "application/x-www-form-urlencoded",
            &b"token=\xff\x00&grant_type=x"[..],
        );
        replica.send(call).await.refuses(400, "invalid_request");
    }
    let call = Call::raw(
        "/auth/userinfo",
        "application/x-www-form-urlencoded",
        "access_token=%00",
    );
    replica.send(call).await.challenges(400, "invalid_request");
    assert_eq!(world.footprint().await, before);
    replica.exchange(&world.client, &code).await.ok();
}

#[tokio::test]
async fn iv_01_poisoned_json_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let public = world.add_client(ClientSpec::public()).await;
    let good = sign_in_body(&world.client, &world.user.email);
    let before = world.footprint().await;
    let escaped = ["\\u0000", "\\r\\n", "\\u001b", "\\u007f"];
    let no_text: [&[u8]; 5] = [b"\\ud800", b"\\udc00\\ud800", b"\xff", b"\xc0\x80", b"\x00"];
    let fields = [
        "email",
        "client_id",
        "redirect_uri",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    ];
    let with = |field: &str, poison: &[u8]| {
        let mut body = good.clone();
        body[field] = match &good[field] {
            Value::String(text) => json!(format!("{text}POISON")),
            Value::Array(_) => json!(["POISON"]),
            _ => json!({ "type": "password", "password": "POISON" }),
        };
        let text = body.to_string();
        let at = text.find("POISON").unwrap();
        [&text.as_bytes()[..at], poison, &text.as_bytes()[at + 6..]].concat()
    };
    for field in fields.into_iter().chain(["scopes", "proof"]) {
        for poison in escaped
            .map(str::as_bytes)
            .into_iter()
            .filter(|_| field != "proof")
            .chain(no_text)
        {
            let body = with(field, poison);
            for client in [&world.client, &public] {
                let call = Call::raw("/auth/authorize", "application/json", body.clone());
                let call = if client.secret.is_some() {
                    call.client(client)
                } else {
                    call
                };
                let answer = replica.send(call).await;
                assert_eq!(
                    answer.status,
                    400,
                    "{field}: {:?}: {}",
                    String::from_utf8_lossy(poison),
                    answer.text()
                );
            }
        }
    }
    for body in [
        "",
        "null",
        "[]",
        "{",
        "{}",
        "\"x\"",
        "5",
        "{\"email\":\"a@b.example\"}",
        "\u{feff}{}",
    ] {
        let call = Call::raw("/auth/authorize", "application/json", body).client(&world.client);
        replica.send(call).await.refuses(400, "invalid_request");
    }
    let twice = good.to_string().replacen('{', "{\"email\":\"a@b.example\",", 1);
    let call = Call::raw("/auth/authorize", "application/json", twice).client(&world.client);
    replica.send(call).await.refuses(400, "invalid_request");
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn iv_02_what_is_too_large_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let before = world.footprint().await;
    let form = "application/x-www-form-urlencoded";
    for endpoint in ["/auth/token", "/auth/introspect", "/auth/revoke", "/auth/userinfo"] {
        let body = format!("token={}", "x".repeat(MAX_BODY_BYTES));
        let answer = replica.send(Call::raw(endpoint, form, body)).await;
        assert_eq!(answer.status, 413, "{endpoint}");
        // Without a length in front, it is noticed while it is read.
        let chunks = (0..80).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1_024]));
        let body = Body::from_stream(futures::stream::iter(chunks));
        let answer = replica.send(Call::raw(endpoint, form, body)).await;
        assert_eq!(answer.status, 413, "{endpoint}");
        for count in [65, 100, 10_000] {
            let body = (0..count)
                .map(|number| format!("{number}="))
                .collect::<Vec<_>>()
                .join("&");
            let answer = replica.send(Call::raw(endpoint, form, body)).await;
            assert_eq!(answer.status, 400, "{endpoint}: {count} parameters");
        }
    }
    let long = "x".repeat(MAX_BODY_BYTES);
    for field in ["email", "state", "nonce", "client_id", "redirect_uri"] {
        let mut body = sign_in_body(&world.client, &world.user.email);
        body[field] = json!(long);
        assert_eq!(replica.authorize(&world.client, body).await.status, 413, "{field}");
    }
    let deep = "[".repeat(60_000);
    let call = Call::raw("/auth/authorize", "application/json", deep).client(&world.client);
    replica.send(call).await.refuses(400, "invalid_request");
    let many = json!(vec!["read"; 10_000]);
    let mut body = sign_in_body(&world.client, &world.user.email);
    body["scopes"] = many;
    assert!([400, 413].contains(&replica.authorize(&world.client, body).await.status));
    // Nothing is unpacked: packed bytes are no form.
    let packed = Call::raw("/auth/token", form, vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0]).header("content-encoding", "gzip");
    replica
        .send(packed.client(&world.client))
        .await
        .refuses(400, "invalid_request");
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn iv_04_names_are_compared_exactly() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (id, secret) = (world.client.id.to_string(), world.client.secret.as_deref().unwrap());
    let form = || Call::form("/auth/token", [("grant_type", "client_credentials")]);
    for id in [
        id.to_uppercase(),
        format!("{{{id}}}"),
        id.replace('-', ""),
        format!("urn:uuid:{id}"),
        format!("{id} "),
    ] {
        replica
            .send(form().basic(&id, secret))
            .await
            .refuses(401, "invalid_client");
    }
    replica
        .send(form().basic(&id, &secret.to_uppercase()))
        .await
        .refuses(401, "invalid_client");
    let shouted = Call::form("/auth/token", [("GRANT_TYPE", "client_credentials")]);
    replica
        .send(shouted.client(&world.client))
        .await
        .refuses(400, "invalid_request");
    replica
        .client_credentials(&world.client, Some("Read"))
        .await
        .refuses(400, "invalid_scope");
    assert_eq!(replica.send(Call::get("/t/DEMO/jwks.json")).await.status, 404);
    replica.client_credentials(&world.client, Some("read")).await.ok();
}

#[tokio::test]
async fn iv_05_iv_06_injections_have_no_effect_and_are_not_reflected() {
    let world = World::new().await;
    let replica = world.replica().await;
    for injection in [
        "'; DROP TABLE session; --",
        "' OR '1'='1",
        "$1",
        "{{7*7}}${7*7}",
        "*)(uid=*))(|(uid=*",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "%s%s%n",
        "\u{202e}\u{2028}\u{feff}",
    ] {
        for endpoint in ["/auth/token", "/auth/introspect", "/auth/revoke"] {
            for parameter in [
                "grant_type",
                "token",
                "code",
                "refresh_token",
                "redirect_uri",
                "code_verifier",
                "scope",
                "client_id",
            ] {
                let mut call = Call::form(endpoint, [(parameter, injection)]);
                if parameter != "grant_type" && endpoint == "/auth/token" {
                    let grant = if parameter == "refresh_token" {
                        "refresh_token"
                    } else {
                        "authorization_code"
                    };
                    call = call.param("grant_type", grant);
                }
                let answer = replica.send(call.client(&world.client)).await;
                assert!(
                    answer.status == 400 || endpoint != "/auth/token",
                    "{parameter}={injection}: {}",
                    answer.status
                );
                assert!(!answer.text().contains(injection), "{endpoint} reflects {parameter}");
            }
        }
        for field in [
            "email",
            "client_id",
            "redirect_uri",
            "code_challenge",
            "code_challenge_method",
            "device_id",
        ] {
            let mut body = sign_in_body(&world.client, &world.user.email);
            body[field] = json!(injection);
            let answer = replica.authorize(&world.client, body).await;
            assert_eq!(answer.status, 400, "{field}={injection}");
            assert!(!answer.text().contains(injection), "{field} is reflected");
        }
        let mut body = sign_in_body(&world.client, &world.user.email);
        body["state"] = json!(injection);
        body["nonce"] = json!(injection);
        let call = Call::json("/auth/authorize", body)
            .client(&world.client)
            .header("user-agent", "'; DROP TABLE outbox; --");
        let answer = replica.send(call).await.ok();
        assert_eq!(
            (&answer["state"], &answer["iss"]),
            (&json!(injection), &json!(format!("{BASE_URL}/t/demo")))
        );
    }
    let long = Call::json("/auth/authorize", sign_in_body(&world.client, &world.user.email));
    let agent = "x".repeat(5_000);
    replica
        .send(long.client(&world.client).header("user-agent", &agent))
        .await
        .ok();
    let events = world.events().await;
    let kept = &events.last().unwrap().personal.user_agent;
    assert!(!kept.is_empty() && kept.len() <= 256, "{}", kept.len());
    assert_eq!(events.last().unwrap().personal.address, "192.0.2.1");
}
