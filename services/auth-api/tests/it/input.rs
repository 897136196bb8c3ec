//! Input of any kind gets the right refusal and changes nothing: cases IV of the case list.

use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use crate::support::{BASE_URL, Call, ClientSpec, REDIRECT_URI, Tokens, VERIFIER, World, claims, sign_in_body};

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

/// Texts that mean something to a database, a template, a directory, a browser, a file system.
const INJECTIONS: [&str; 9] = [
    "'; DROP TABLE session; --",
    "' OR '1'='1",
    "$1",
    "{{7*7}}${7*7}",
    "*)(uid=*))(|(uid=*",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "%s%s%n",
    "\u{202e}\u{2028}\u{feff}",
];

#[tokio::test]
async fn iv_01_poisoned_forms_are_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let by_post = world.add_client(ClientSpec::post()).await;
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
                    let value: String = byte_serialize(value.as_bytes()).collect();
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
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn what_is_not_the_json_of_a_sign_in_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let good = sign_in_body(&world.client, &world.user.email).to_string();
    let twice = good.replacen('{', "{\"email\":\"a@b.example\",", 1);
    let cut = &good[..good.len() - 1];
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
        &twice,
        cut,
    ] {
        let call = Call::raw("/auth/authorize", "application/json", body.to_owned()).client(&world.client);
        replica.send(call).await.refuses(400, "invalid_request");
    }
    assert_eq!(world.footprint().await, 0);
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
async fn iv_05_iv_06_injections_in_forms_have_no_effect_and_are_not_reflected() {
    let world = World::new().await;
    let replica = world.replica().await;
    for (endpoint, parameter, others) in [
        ("/auth/token", "grant_type", ""),
        ("/auth/token", "scope", "grant_type=client_credentials"),
        ("/auth/token", "client_id", "grant_type=client_credentials"),
        ("/auth/token", "code", "grant_type=authorization_code"),
        ("/auth/token", "redirect_uri", "grant_type=authorization_code&code=x"),
        ("/auth/token", "code_verifier", "grant_type=authorization_code&code=x"),
        ("/auth/token", "refresh_token", "grant_type=refresh_token"),
        ("/auth/introspect", "token", "token_type_hint=access_token"),
        ("/auth/introspect", "token_type_hint", "token=x"),
        ("/auth/revoke", "token", "token_type_hint=access_token"),
    ] {
        for injection in INJECTIONS {
            let encoded: String = byte_serialize(injection.as_bytes()).collect();
            let body = format!("{parameter}={encoded}&{others}");
            let call = Call::raw(endpoint, "application/x-www-form-urlencoded", body).client(&world.client);
            let answer = replica.send(call).await;
            let expected = if endpoint == "/auth/token" { 400 } else { 200 };
            assert_eq!(answer.status, expected, "{endpoint}: {parameter}={injection}");
            assert!(!answer.text().contains(injection), "{endpoint} reflects {parameter}");
        }
    }
    assert!(world.event_types().await.is_empty());
}

#[tokio::test]
async fn iv_05_iv_06_injections_in_json_have_no_effect_and_are_not_reflected() {
    let world = World::new().await;
    let replica = world.replica().await;
    for injection in INJECTIONS {
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
        // What the client may choose freely is carried as it is.
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
        let tokens = Tokens::from(&replica.exchange(&world.client, answer["code"].as_str().unwrap()).await);
        assert_eq!(claims(tokens.id.as_ref().unwrap())["nonce"], json!(injection));
    }
}

#[tokio::test]
async fn who_asks_is_kept_and_cut() {
    let world = World::new().await;
    let replica = world.replica().await;
    let call = Call::json("/auth/authorize", sign_in_body(&world.client, &world.user.email)).client(&world.client);
    let call = call
        .header("user-agent", "x".repeat(5_000))
        .header("x-forwarded-for", "203.0.113.9");
    replica.send(call).await.ok();
    let personal = world.events().await.remove(0).personal;
    assert!(
        (1..=256).contains(&personal.user_agent.len()),
        "{}",
        personal.user_agent.len()
    );
    assert_eq!(personal.address, "192.0.2.1", "a header of a stranger is believed");
}
