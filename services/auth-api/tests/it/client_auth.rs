//! How clients say who they are (RFC 6749 section 2.3): cases TK of the case list, at every endpoint that asks.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use credo_auth_domain::credential::hash_client_secret;
use credo_ids::ClientId;
use credo_testkit::sqlx;
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;

use crate::support::{Answer, Call, Client, ClientSpec, Replica, World};

/// Endpoints where a client authenticates with a form.
const ENDPOINTS: [&str; 3] = ["/auth/token", "/auth/introspect", "/auth/revoke"];

/// A request that is good at each of them, but for the client's credentials.
fn call(endpoint: &str) -> Call {
    if endpoint == "/auth/token" {
        Call::form(endpoint, [("grant_type", "client_credentials")])
    } else {
        Call::form(endpoint, [("token", "nothing")])
    }
}

async fn basic(replica: &Replica, endpoint: &str, id: &str, secret: &str) -> Answer {
    replica.send(call(endpoint).basic(id, secret)).await
}

async fn post(replica: &Replica, endpoint: &str, id: &str, secret: &str) -> Answer {
    let call = call(endpoint).param("client_id", id).param("client_secret", secret);
    replica.send(call).await
}

fn id_and_secret(client: &Client) -> (String, &str) {
    (client.id.to_string(), client.secret.as_deref().unwrap_or_default())
}

#[tokio::test]
async fn tk_01_other_methods_than_post_are_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let before = world.footprint().await;
    for endpoint in ENDPOINTS {
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let (id, secret) = id_and_secret(&world.client);
            let answer = replica.send(Call::new(method, endpoint).basic(&id, secret)).await;
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("POST")),
                "{method} {endpoint}"
            );
        }
    }
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn tk_02_only_forms_are_read() {
    let world = World::new().await;
    let replica = world.replica().await;
    let before = world.footprint().await;
    let body = "grant_type=client_credentials&token=x";
    for endpoint in ENDPOINTS {
        for content_type in [
            "application/json",
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded; charset=iso-8859-1",
            "application/x-www-form-urlencoded; charset=utf-8; x=y",
            "application/x-www-form-urlencoded, text/plain",
            "",
        ] {
            let call = Call::raw(endpoint, content_type, body).client(&world.client);
            replica.send(call).await.refuses(400, "invalid_request");
        }
        let (id, secret) = id_and_secret(&world.client);
        let without = replica.send(Call::new("POST", endpoint).basic(&id, secret)).await;
        without.refuses(400, "invalid_request");
    }
    assert_eq!(world.footprint().await, before);
    for content_type in [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-Urlencoded",
        "application/x-www-form-urlencoded;charset=UTF-8",
    ] {
        let call = Call::raw("/auth/token", content_type, body).client(&world.client);
        replica.send(call).await.ok();
    }
}

#[tokio::test]
async fn tk_03_secrets_in_the_query_are_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = world.add_client(ClientSpec::post()).await;
    let (id, secret) = id_and_secret(&client);
    let before = world.footprint().await;
    for endpoint in ENDPOINTS {
        for query in [
            format!("client_id={id}&client_secret={secret}"),
            "refresh_token=crt_x".to_owned(),
            "access_token=x".to_owned(),
            "x".to_owned(),
        ] {
            let target = format!("{endpoint}?{query}");
            let parameters = [
                ("grant_type", "client_credentials"),
                ("token", "x"),
                ("client_id", &id),
                ("client_secret", secret),
            ];
            replica
                .send(Call::form(&target, parameters))
                .await
                .refuses(400, "invalid_request");
        }
    }
    assert_eq!(world.footprint().await, before);
}

#[tokio::test]
async fn tk_04_two_ways_at_once_are_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let post = world.add_client(ClientSpec::post()).await;
    let (id, secret) = id_and_secret(&world.client);
    let before = world.footprint().await;
    for endpoint in ENDPOINTS {
        let both = call(endpoint).client(&world.client).param("client_secret", secret);
        replica.send(both).await.refuses(400, "invalid_request");
        let mixed = call(endpoint).client(&world.client).client(&post);
        replica.send(mixed).await.refuses(400, "invalid_request");
        let other = call(endpoint)
            .client(&world.client)
            .param("client_id", &post.id.to_string());
        replica.send(other).await.refuses(400, "invalid_request");
        let twice = call(endpoint).client(&world.client).client(&world.client);
        replica.send(twice).await.refuses(400, "invalid_request");
        let repeated = call(endpoint).client(&post).client(&post);
        replica.send(repeated).await.refuses(400, "invalid_request");
    }
    assert_eq!(world.footprint().await, before);
    let agreeing = call("/auth/token").client(&world.client).param("client_id", &id);
    replica.send(agreeing).await.ok();
}

#[tokio::test]
async fn tk_05_tk_06_only_the_registered_method_serves() {
    let world = World::new().await;
    let replica = world.replica().await;
    let by_post = world.add_client(ClientSpec::post()).await;
    let public = world.add_client(ClientSpec::public()).await;
    let (basic_id, basic_secret) = id_and_secret(&world.client);
    let (post_id, post_secret) = id_and_secret(&by_post);
    let public_id = public.id.to_string();
    for endpoint in ENDPOINTS {
        post(&replica, endpoint, &basic_id, basic_secret)
            .await
            .refuses(401, "invalid_client");
        basic(&replica, endpoint, &post_id, post_secret)
            .await
            .refuses(401, "invalid_client");
        basic(&replica, endpoint, &public_id, "")
            .await
            .refuses(401, "invalid_client");
        for secret in ["x", basic_secret] {
            basic(&replica, endpoint, &public_id, secret)
                .await
                .refuses(401, "invalid_client");
            post(&replica, endpoint, &public_id, secret)
                .await
                .refuses(401, "invalid_client");
        }
        for id in [&basic_id, &post_id] {
            let bare = replica.send(call(endpoint).param("client_id", id)).await;
            bare.refuses(401, "invalid_client");
            post(&replica, endpoint, id, "").await.refuses(401, "invalid_client");
        }
        let nobody = replica.send(call(endpoint)).await;
        nobody.refuses(401, "invalid_client");
        let good = [
            basic(&replica, endpoint, &basic_id, basic_secret).await,
            post(&replica, endpoint, &post_id, post_secret).await,
        ];
        assert!(good.iter().all(|answer| answer.status == 200), "{endpoint}");
    }
    for endpoint in ["/auth/token", "/auth/revoke"] {
        let answer = replica.send(call(endpoint).client(&public)).await;
        // It is let in; client_credentials is not for it.
        assert!(answer.status == 200 || answer.json()["error"] == "unauthorized_client");
    }
    let answer = replica.send(call("/auth/introspect").client(&public)).await;
    answer.refuses(401, "invalid_client");
}

#[tokio::test]
async fn tk_07_halves_of_basic_are_form_encoded() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (id, _) = id_and_secret(&world.client);
    for secret in ["a:b", "50%+1", "with space", "+", "%41", "s\u{e9}cret \u{20ac}"] {
        let hash = hash_client_secret(&secret.to_owned().into());
        world.sql("DELETE FROM client_secret").await;
        sqlx::query("INSERT INTO client_secret (id, tenant_id, client_id, hash) VALUES ($1, $2, $3, $4)")
            .bind(Uuid::now_v7())
            .bind(world.tenant.id.as_uuid())
            .bind(world.client.id.as_uuid())
            .bind(&hash[..])
            .execute(world.owner())
            .await
            .unwrap();
        let replica = world.replica().await;
        let encoded: String = byte_serialize(secret.as_bytes()).collect();
        basic(&replica, "/auth/token", &id, &encoded).await.ok();
        if secret.contains(['%', '+']) {
            basic(&replica, "/auth/token", &id, secret)
                .await
                .refuses(401, "invalid_client");
        }
    }
    for header in [
        "Basic",
        "Basic ",
        "Basic !!!!",
        &format!("Basic {}", STANDARD.encode("no colon")),
        &format!("Basic {}", STANDARD.encode(b"\xff\xfe:x")),
        &format!("Basic {}", STANDARD.encode("a%00:x")),
        &format!("Basic {}", STANDARD.encode("a:x\r\ny")),
        "Bearer abc",
        "Digest username=\"x\"",
    ] {
        let answer = replica.send(call("/auth/token").header("authorization", header)).await;
        answer.refuses(401, "invalid_client");
    }
}

/// Unknown, disabled, wrong secret, wrong method: one answer. The challenge stands where the header was used.
#[tokio::test]
async fn tk_08_refused_clients_get_one_answer() {
    let world = World::new().await;
    let replica = world.replica().await;
    let off = world.add_client(ClientSpec::default()).await;
    world.disable_client(off.id).await;
    let (id, secret) = id_and_secret(&world.client);
    let (off_id, off_secret) = id_and_secret(&off);
    let unknown = ClientId::now_v7().to_string();
    for endpoint in ENDPOINTS {
        let mut answers = Vec::new();
        for (id, secret) in [
            (id.as_str(), "crs_wrong"),
            (&unknown, secret),
            (&off_id, off_secret),
            (&id.to_uppercase(), secret),
            ("not-a-uuid", secret),
            ("' OR 1=1 --", secret),
        ] {
            let mut answer = basic(&replica, endpoint, id, secret).await;
            answer.refuses(401, "invalid_client");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Basic realm="));
            answer.headers.remove("x-request-id");
            answers.push((answer.headers, answer.body));
            let in_body = post(&replica, endpoint, id, secret).await;
            in_body.refuses(401, "invalid_client");
            assert_eq!(in_body.header("www-authenticate"), None);
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{endpoint}");
    }
}

#[tokio::test]
async fn second_secret_serves_until_it_expires() {
    let world = World::new().await;
    let (id, first) = id_and_secret(&world.client);
    let second = "crs_the-other-of-two";
    let hash = hash_client_secret(&second.to_owned().into());
    sqlx::query(
        "INSERT INTO client_secret (id, tenant_id, client_id, hash, expires_at)
         VALUES ($1, $2, $3, $4, now() + interval '1 hour')",
    )
    .bind(Uuid::now_v7())
    .bind(world.tenant.id.as_uuid())
    .bind(world.client.id.as_uuid())
    .bind(&hash[..])
    .execute(world.owner())
    .await
    .unwrap();
    let replica = world.replica().await;
    for secret in [first, second] {
        basic(&replica, "/auth/token", &id, secret).await.ok();
    }
    world
        .sql("UPDATE client_secret SET expires_at = now() WHERE expires_at IS NOT NULL")
        .await;
    let fresh = world.replica().await;
    basic(&fresh, "/auth/token", &id, first).await.ok();
    basic(&fresh, "/auth/token", &id, second)
        .await
        .refuses(401, "invalid_client");
}
