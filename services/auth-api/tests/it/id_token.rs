//! ID tokens (OpenID Connect Core section 2): cases ID of the case list, and what is published of the keys.

use std::collections::HashSet;

use auth_api::{
    flows::id_token_hint::{IdTokenHint, verify_id_token_hint},
    keys::TokenType,
};
use aws_lc_rs::{
    digest::{SHA256, digest},
    rsa,
    signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_testkit::eventually;
use serde_json::{Value, json};

use crate::support::{
    BASE_URL, Call, Client, ClientSpec, PASSWORD, Replica, Tenant, Tokens, World, claims, header_of, sign_in_body,
};

const RS256: ClientSpec = ClientSpec {
    id_token_signed_response_alg: "RS256",
    ..ClientSpec::BASIC
};

async fn jwks(replica: &Replica, tenant: &Tenant) -> Vec<Value> {
    let answer = replica.send(Call::get(format!("/t/{}/jwks.json", tenant.slug))).await;
    answer.ok()["keys"].as_array().unwrap().clone()
}

/// Whether a token verifies by just one key of a JWKS, which is for its algorithm.
fn verifies(token: &str, keys: &[Value]) -> bool {
    let header = header_of(token);
    let named: Vec<_> = keys.iter().filter(|key| key["kid"] == header["kid"]).collect();
    assert_eq!(named.len(), 1, "the key is there exactly once");
    let (key, bytes) = (named[0], |member: &str, key: &Value| {
        URL_SAFE_NO_PAD.decode(key[member].as_str().unwrap()).unwrap()
    });
    assert_eq!(
        (key["alg"].clone(), key["use"].clone()),
        (header["alg"].clone(), json!("sig"))
    );
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    match key["kty"].as_str().unwrap() {
        "EC" => {
            assert_eq!(key["crv"], "P-256");
            let point = [vec![4], bytes("x", key), bytes("y", key)].concat();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            key.verify(message.as_bytes(), &signature).is_ok()
        }
        "RSA" => {
            let key = rsa::PublicKeyComponents {
                n: bytes("n", key),
                e: bytes("e", key),
            };
            assert!(key.n.len() >= 256, "2048 bits");
            key.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature)
                .is_ok()
        }
        other => panic!("{other}"),
    }
}

async fn tokens(replica: &Replica, client: &Client, world: &World, nonce: Option<&str>) -> (Value, String) {
    let mut body = sign_in_body(client, &world.user.email);
    body["nonce"] = nonce.into();
    let code = replica.authorize(client, body).await.ok()["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer = replica.exchange(client, &code).await.ok();
    let id_token = answer["id_token"].as_str().unwrap().to_owned();
    (answer, id_token)
}

#[tokio::test]
async fn id_01_every_claim_is_there_and_the_nonce_only_if_it_was_sent() {
    let world = World::new().await;
    let replica = world.replica().await;
    let nonce = "n-0S6_WzA2Mj é \"\\ x";
    let (_, first) = tokens(&replica, &world.client, &world, Some(nonce)).await;
    let first = claims(&first);
    assert_eq!(first["iss"], format!("{BASE_URL}/t/demo"));
    assert_eq!(first["sub"], json!(world.user.id));
    assert_eq!(first["aud"], json!(world.client.id.to_string()));
    assert_eq!(first["nonce"], nonce);
    assert_eq!(first["acr"], "urn:credo:acr:password");
    assert_eq!(first["amr"], json!(["pwd"]));
    let (iat, exp, auth_time) = (&first["iat"], &first["exp"], &first["auth_time"]);
    let [iat, exp, auth_time] = [iat, exp, auth_time].map(|instant| instant.as_i64().unwrap());
    assert!(auth_time <= iat && iat < exp && exp - iat <= 3_600, "{first}");
    assert!(first["sid"].is_string() && first["at_hash"].is_string());
    assert!(first.get("azp").is_none(), "there is one audience");
    let (_, second) = tokens(&replica, &world.client, &world, None).await;
    assert!(claims(&second).get("nonce").is_none());
}

#[tokio::test]
async fn id_02_at_hash_is_the_left_half_of_the_access_tokens_hash_for_each_algorithm() {
    let world = World::new().await;
    let replica = world.replica().await;
    for spec in [ClientSpec::BASIC, RS256] {
        let client = world.add_client(spec).await;
        let (answer, id_token) = tokens(&replica, &client, &world, None).await;
        let access_token = answer["access_token"].as_str().unwrap();
        let hash = digest(&SHA256, access_token.as_bytes());
        assert_eq!(
            claims(&id_token)["at_hash"],
            URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
        );
        // Access tokens are ES256, whatever signs the ID token.
        assert_eq!(header_of(access_token)["alg"], "ES256");
    }
}

#[tokio::test]
async fn id_03_the_header_names_a_published_key_of_the_registered_algorithm() {
    let world = World::new().await;
    let (replica, other) = (world.replica().await, world.replica().await);
    assert_eq!(jwks(&other, &world.tenant).await.len(), 1);
    let metadata = replica
        .send(Call::get("/t/demo/.well-known/openid-configuration"))
        .await
        .ok();
    for spec in [
        ClientSpec::BASIC,
        RS256,
        ClientSpec {
            method: "none",
            grant_types: &["authorization_code", "refresh_token"],
            ..RS256
        },
    ] {
        let client = world.add_client(spec).await;
        let (answer, id_token) = tokens(&replica, &client, &world, None).await;
        let header = header_of(&id_token);
        assert_eq!(header["alg"], spec.id_token_signed_response_alg);
        assert_eq!(header["typ"], "JWT");
        assert_eq!(header.as_object().unwrap().len(), 3, "{header}");
        let listed = metadata["id_token_signing_alg_values_supported"].as_array().unwrap();
        assert!(listed.contains(&header["alg"]));
        let keys = jwks(&replica, &world.tenant).await;
        assert!(verifies(&id_token, &keys));
        assert!(verifies(answer["access_token"].as_str().unwrap(), &keys));
        // A replica that had read the keys before publishes the new one too, within a second.
        eventually(std::time::Duration::from_secs(3), || async {
            jwks(&other, &world.tenant).await == keys
        })
        .await;
        let refreshed = replica
            .refresh(&client, answer["refresh_token"].as_str().unwrap())
            .await
            .ok();
        let refreshed = refreshed["id_token"].as_str().unwrap();
        assert_eq!(header_of(refreshed), header);
        assert!(verifies(refreshed, &keys));
    }
    for listed in metadata["id_token_signing_alg_values_supported"].as_array().unwrap() {
        let text = listed.as_str().unwrap();
        assert!(text != "none" && !text.starts_with("HS"), "{text}");
    }
}

#[tokio::test]
async fn an_id_token_comes_with_a_refresh_only_if_openid_was_granted() {
    let world = World::new().await;
    let replica = world.replica().await;
    let first = replica.tokens(&world.client, &world.user).await;
    let first_claims = claims(first.id.as_ref().unwrap());
    let second = claims(replica.rotate(&world.client, &first).await.id.as_ref().unwrap());
    for same in ["iss", "sub", "aud", "sid", "auth_time", "acr", "amr"] {
        assert_eq!(first_claims[same], second[same], "{same}");
    }
    assert!(second.get("nonce").is_none());
    assert_ne!(first_claims["at_hash"], second["at_hash"]);
    let without = replica.tokens_for(&world.client, &world.user, &["read"]).await;
    assert!(without.id.is_none());
    assert!(replica.rotate(&world.client, &without).await.id.is_none());
}

#[tokio::test]
async fn ds_04_keys_are_public_unique_and_strong() {
    let world = World::new().await;
    let replicas = [world.replica().await, world.replica().await];
    let clients = [world.add_client(RS256).await, world.add_client(RS256).await];
    // Two replicas need the tenant's first RSA key at one time.
    let (one, two) = tokio::join!(
        tokens(&replicas[0], &clients[0], &world, None),
        tokens(&replicas[1], &clients[1], &world, None)
    );
    assert_eq!(header_of(&one.1)["kid"], header_of(&two.1)["kid"]);
    assert_eq!(
        world
            .number("SELECT count(*) FROM signing_key WHERE algorithm = 'RS256'")
            .await,
        1
    );
    let answer = replicas[0].send(Call::get("/t/demo/jwks.json")).await;
    assert_eq!(answer.header("content-type"), Some("application/jwk-set+json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let keys = jwks(&replicas[0], &world.tenant).await;
    let names: HashSet<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!((names.len(), keys.len()), (2, 2));
    for key in &keys {
        let mut members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        if key["kty"] == "EC" {
            assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        } else {
            assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
            assert_eq!((&key["alg"], &key["e"]), (&json!("RS256"), &json!("AQAB")));
            assert_eq!(URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap().len(), 256);
        }
        assert_eq!(key["use"], "sig");
    }
    assert!(verifies(&one.1, &keys) && verifies(&two.1, &keys));
}

#[tokio::test]
async fn a_hint_is_an_id_token_that_this_tenant_signed_however_old() {
    let world = World::new().await;
    let (replica, other) = (world.replica().await, world.replica().await);
    let foreign = world.add_tenant("foreign").await;
    let app = &other.app;
    let demo = app.directory.resolve_tenant("demo").await.unwrap().unwrap();
    let elsewhere = app.directory.resolve_tenant("foreign").await.unwrap().unwrap();
    other.send(Call::get("/t/demo/jwks.json")).await; // has read the keys before the RSA key is made
    for spec in [ClientSpec::BASIC, RS256] {
        let client = world.add_client(spec).await;
        let (answer, token) = tokens(&replica, &client, &world, None).await;
        let claimed = claims(&token);
        let expected = IdTokenHint {
            user: world.user.id,
            session: claimed["sid"].as_str().unwrap().parse().unwrap(),
            client: client.id,
        };
        eventually(std::time::Duration::from_secs(3), || async {
            verify_id_token_hint(app, &demo, &token).await.unwrap().is_some()
        })
        .await;
        assert_eq!(verify_id_token_hint(app, &demo, &token).await.unwrap(), Some(expected));
        let mut old = claimed.clone();
        (old["iat"], old["exp"]) = (1.into(), 2.into());
        let old = replica.sign(&world.tenant, TokenType::IdToken, &old).await;
        assert_eq!(verify_id_token_hint(app, &demo, &old).await.unwrap(), Some(expected));
        let mut elsewhere_claims = claimed.clone();
        elsewhere_claims["iss"] = format!("{BASE_URL}/t/foreign").into();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, body) = message.split_once('.').unwrap();
        let with_header = |header: Value| format!("{}.{body}.{signature}", URL_SAFE_NO_PAD.encode(header.to_string()));
        let kid = &header_of(&token)["kid"];
        for bad in [
            replica.sign(&world.tenant, TokenType::AccessToken, &claimed).await, // another type
            answer["access_token"].as_str().unwrap().to_owned(),
            replica.sign(&foreign, TokenType::IdToken, &claimed).await, // another tenant's key
            replica.sign(&world.tenant, TokenType::IdToken, &elsewhere_claims).await, // another issuer
            with_header(json!({ "typ": "JWT", "alg": "none", "kid": kid })),
            with_header(json!({ "typ": "JWT", "alg": "HS256", "kid": kid })),
            with_header(
                json!({ "typ": "JWT", "alg": if spec.id_token_signed_response_alg == "ES256" { "RS256" } else { "ES256" }, "kid": kid }),
            ),
            with_header(json!({ "typ": "JWT", "alg": spec.id_token_signed_response_alg, "kid": "x" })),
            with_header(json!({ "typ": "JWT", "alg": spec.id_token_signed_response_alg, "kid": kid, "crit": [] })),
            format!("{header}.{body}."),
            format!("{header}.{body}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
            format!("{header}..{signature}"),
            "x".repeat(9_000),
            String::new(),
        ] {
            assert_eq!(verify_id_token_hint(app, &demo, &bad).await.unwrap(), None, "{bad}");
        }
        assert_eq!(verify_id_token_hint(app, &elsewhere, &token).await.unwrap(), None);
    }
}

#[tokio::test]
async fn id_04_reserved_claims_cannot_be_set_by_what_a_person_says_of_themself() {
    let world = World::new().await;
    let replica = world.replica().await;
    let reserved = json!({
        "iss": "x", "sub": "x", "aud": "x", "exp": 1, "iat": 1, "sid": "x", "tid": "x", "tenant": "x", "acr": "x", "amr": ["x"],
        "auth_time": 1, "nonce": "x", "at_hash": "x", "azp": "x", "client_id": "x", "scope": "x", "ep": [9], "jti": "x",
        "email": "x@evil.example", "email_verified": false, "name": "x", "updated_at": 1, "nickname": "Ann",
    });
    let asked: serde_json::Map<_, _> = reserved
        .as_object()
        .unwrap()
        .keys()
        .map(|name| (name.clone(), json!({})))
        .collect();
    world.set_profile(&world.user, &reserved).await;
    let mut body = sign_in_body(&world.client, &world.user.email);
    body["nonce"] = "a nonce".into();
    let code = replica.authorize(&world.client, body).await.ok()["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let request = json!({ "userinfo": asked, "id_token": asked });
    world.sql(&format!("UPDATE session SET claims = '{request}'")).await;
    let tokens = Tokens::from(&replica.exchange(&world.client, &code).await);
    let (id_token, access_token) = (claims(tokens.id.as_ref().unwrap()), claims(&tokens.access));
    let userinfo = replica.userinfo(&tokens.access).await.ok();
    for told in [&id_token, &access_token, &userinfo] {
        for (name, value) in reserved.as_object().unwrap() {
            assert!(name == "nickname" || told.get(name) != Some(value), "{name} in {told}");
        }
    }
    for told in [&id_token, &userinfo] {
        assert_eq!(told["sub"], json!(world.user.id));
        assert_eq!(
            (&told["email"], &told["nickname"]),
            (&json!(world.user.email), &json!("Ann"))
        );
        assert_eq!(told["email_verified"], true);
    }
    replica.rotate(&world.client, &tokens).await;
}

#[tokio::test]
async fn id_05_a_subject_is_stable_no_address_and_never_given_again() {
    let world = World::new().await;
    let replica = world.replica().await;
    let subject = |tokens: &Tokens| claims(tokens.id.as_ref().unwrap())["sub"].as_str().unwrap().to_owned();
    let first = subject(&replica.tokens(&world.client, &world.user).await);
    assert_eq!(first, subject(&replica.tokens(&world.client, &world.user).await));
    assert_eq!(uuid::Uuid::parse_str(&first).unwrap().get_version_num(), 4);
    // The same person in another tenant is somebody else there.
    let other = world.add_tenant("other").await;
    let shop = world.add_client_of(&other, ClientSpec::BASIC).await;
    let there = world.add_user_of(&other, &world.user.email, Some(PASSWORD)).await;
    assert_ne!(first, subject(&replica.tokens(&shop, &there).await));
    // Deleted and made again, the address is a new subject, and nothing of the old one works.
    let old = replica.tokens(&world.client, &world.user).await;
    let user = world.user.id;
    world.disable_user(user).await;
    world
        .sql(&format!(
            "DELETE FROM password WHERE user_id = '{user}'; DELETE FROM app_user WHERE id = '{user}'"
        ))
        .await;
    let again = world
        .add_user_of(&world.tenant, &world.user.email, Some(PASSWORD))
        .await;
    assert_ne!(user, again.id);
    let fresh = world.replica().await;
    assert_ne!(first, subject(&fresh.tokens(&world.client, &again).await));
    fresh
        .refresh(&world.client, &old.refresh)
        .await
        .refuses(400, "invalid_grant");
    fresh.userinfo(&old.access).await.challenges(401, "invalid_token");
}

#[tokio::test]
async fn id_06_an_address_is_verified_only_if_somebody_verified_it() {
    let world = World::new().await;
    let replica = world.replica().await;
    let user = world.user.id;
    world
        .sql(&format!(
            "UPDATE app_user SET email_verified = false WHERE id = '{user}'"
        ))
        .await;
    // The person's own words and the client's wishes do not change it.
    world
        .set_profile(
            &world.user,
            &json!({ "email_verified": true, "phone_number": "+41446681800" }),
        )
        .await;
    let client = world
        .add_client(ClientSpec {
            scope: "openid email phone",
            ..ClientSpec::BASIC
        })
        .await;
    let tokens = replica
        .tokens_for(&client, &world.user, &["openid", "email", "phone"])
        .await;
    let told = replica.userinfo(&tokens.access).await.ok();
    assert_eq!(
        (&told["email_verified"], &told["phone_number_verified"]),
        (&json!(false), &json!(false))
    );
}
