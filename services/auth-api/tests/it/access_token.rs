//! Access tokens (RFC 9068) and what is made to look like one: cases AT of the case list.

use auth_api::keys::TokenType;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, jwk::JwkSet};
use serde_json::{Value, json};

use crate::support::{BASE_URL, Call, Replica, Tenant, Tokens, World, claims, header_of};

async fn jwks(replica: &Replica, tenant: &Tenant) -> JwkSet {
    let answer = replica.send(Call::get(format!("/t/{}/jwks.json", tenant.slug))).await;
    serde_json::from_value(answer.ok()).unwrap()
}

/// Refused wherever a bearer shows it, and by introspection.
async fn assert_refused(world: &World, replica: &Replica, token: &str) {
    let answer = replica.userinfo(token).await;
    assert_eq!(answer.status, 401, "{token}: {}", answer.text());
    assert_eq!(replica.sessions(token).await.status, 401, "{token}");
    assert!(!replica.is_active(&world.client, token).await, "{token}");
}

fn joined(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

#[tokio::test]
async fn at_01_access_token_has_the_form_of_rfc_9068() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let header = header_of(&tokens.access);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let body = claims(&tokens.access);
    let issuer = format!("{BASE_URL}/t/demo");
    for (claim, value) in [
        ("iss", json!(issuer)),
        ("aud", json!(issuer)),
        ("sub", json!(world.user.id)),
        ("client_id", json!(world.client.id)),
        ("scope", json!("email openid profile")),
        ("sid", json!(tokens.session)),
        ("tid", json!(world.tenant.id)),
        ("ep", json!([1, 1, 1])),
    ] {
        assert_eq!(body[claim], value, "{claim}");
    }
    assert_eq!(body["exp"].as_i64().unwrap() - body["iat"].as_i64().unwrap(), 900);
    assert!(body["jti"].is_string() && body["auth_time"].is_i64());

    // Another implementation verifies both tokens with the published keys alone.
    let keys = jwks(&replica, &world.tenant).await;
    for (token, audience) in [
        (&tokens.access, issuer.clone()),
        (tokens.id.as_ref().unwrap(), world.client.id.to_string()),
    ] {
        let kid = header_of(token)["kid"].as_str().unwrap().to_owned();
        let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[audience]);
        validation.set_issuer(std::slice::from_ref(&issuer));
        decode::<Value>(token, &key, &validation).unwrap();
    }
    let next = Tokens::from(&replica.refresh(&world.client, &tokens.refresh).await);
    assert_ne!(claims(&next.access)["jti"], body["jti"]);
}

#[tokio::test]
async fn at_02_id_token_and_access_token_are_not_mixed_up() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let id_token = tokens.id.as_ref().unwrap();
    assert_eq!(header_of(id_token)["typ"], "JWT");
    assert_refused(&world, &replica, id_token).await;
    // The very claims of an access token, under the genuine key, are none with the type of an ID token.
    let mistyped = replica
        .sign(&world.tenant, TokenType::IdToken, &claims(&tokens.access))
        .await;
    assert_refused(&world, &replica, &mistyped).await;
    // And an audience that resource servers tell it by.
    assert_ne!(claims(id_token)["aud"], claims(&tokens.access)["aud"]);
}

#[tokio::test]
async fn at_05_at_06_headers_never_choose_the_key() {
    let world = World::new().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let (good, body) = (header_of(&tokens.access), claims(&tokens.access));
    let signature = tokens.access.rsplit('.').next().unwrap();
    let foreign = jwks(&replica, &there).await.keys[0].common.key_id.clone().unwrap();
    let lookups = world.number("SELECT count(*) FROM signing_key").await;
    for kid in [
        Value::Null,
        json!(""),
        json!("unknown"),
        json!(foreign),
        json!("../../../etc/passwd"),
        json!("' OR 1=1; DROP TABLE signing_key --"),
        json!("k".repeat(4_096)),
        json!(5),
        json!([good["kid"]]),
    ] {
        let mut header = good.clone();
        header["kid"] = kid;
        assert_refused(&world, &replica, &joined(&header, &body, signature)).await;
    }
    let mut header = good.clone();
    header.as_object_mut().unwrap().remove("kid");
    assert_refused(&world, &replica, &joined(&header, &body, signature)).await;
    assert_eq!(world.number("SELECT count(*) FROM signing_key").await, lookups);

    for (member, value) in [
        ("jwk", json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" })),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["AA"])),
        ("crit", json!(["exp"])),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES384")),
        ("alg", json!("es256")),
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt\u{0}")),
    ] {
        let mut header = good.clone();
        header[member] = value;
        assert_refused(&world, &replica, &joined(&header, &body, signature)).await;
        assert_refused(&world, &replica, &joined(&header, &body, "")).await;
    }
}

#[tokio::test]
async fn signature_by_anything_but_the_tenants_key_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let there = world.add_tenant("there").await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let (good, body) = (header_of(&tokens.access), claims(&tokens.access));
    // The public key as an HMAC secret.
    let answer = replica.send(Call::get("/t/demo/jwks.json")).await;
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = good["kid"].as_str().map(ToOwned::to_owned);
    let forged = encode(&header, &body, &EncodingKey::from_secret(&answer.body)).unwrap();
    assert_refused(&world, &replica, &forged).await;
    // Another tenant's genuine key, for claims of this tenant, and for its own issuer with this tenant's rows.
    let by_them = replica.sign(&there, TokenType::AccessToken, &body).await;
    assert_refused(&world, &replica, &by_them).await;
    let mut as_them = body.clone();
    as_them["iss"] = json!(format!("{BASE_URL}/t/there"));
    as_them["aud"] = as_them["iss"].clone();
    let by_them = replica.sign(&there, TokenType::AccessToken, &as_them).await;
    assert_refused(&world, &replica, &by_them).await;
    for part in 0..3 {
        let mut parts: Vec<String> = tokens.access.split('.').map(ToOwned::to_owned).collect();
        let middle = parts[part].len() / 2;
        let other = if &parts[part][middle..=middle] == "A" { "B" } else { "A" };
        parts[part].replace_range(middle..=middle, other);
        assert_refused(&world, &replica, &parts.join(".")).await;
    }
    let access = &tokens.access;
    for other in [
        format!("{access}."),
        format!(".{access}"),
        format!("{access}=="),
        format!("{access}.{access}"),
        access.replace('.', ".."),
        access[..access.len() - 2].to_owned(),
        access.to_uppercase(),
    ] {
        assert_refused(&world, &replica, &other).await;
    }
}

#[tokio::test]
async fn at_05_token_of_a_retired_key_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    world.sql("UPDATE signing_key SET state = 3").await;
    let retiring = world.replica().await;
    retiring.userinfo(&tokens.access).await.ok();
    let next = Tokens::from(&retiring.refresh(&world.client, &tokens.refresh).await);
    assert_ne!(header_of(&next.access)["kid"], header_of(&tokens.access)["kid"]);
    assert_eq!(jwks(&retiring, &world.tenant).await.keys.len(), 2);
    world
        .sql("UPDATE signing_key SET state = 4, sealed_key = '' WHERE state = 3")
        .await;
    let retired = world.replica().await;
    assert_refused(&world, &retired, &tokens.access).await;
    retired.userinfo(&next.access).await.ok();
    assert_eq!(jwks(&retired, &world.tenant).await.keys.len(), 1);
}

/// Claims that a genuine key signed and that make no sense: refused without a panic, whatever JSON can say.
#[tokio::test]
async fn at_08_json_tricks_are_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let good = claims(&tokens.access);
    let nested = (0..200).fold(json!(1), |inner, _| json!([inner]));
    for (claim, value) in [
        ("aud", json!(5)),
        ("exp", json!("9999999999")),
        ("exp", json!(1e99)),
        ("exp", json!(-1)),
        ("exp", Value::Null),
        ("iat", json!(good["iat"].as_i64().unwrap() + 60)),
        ("iat", json!(i64::MAX)),
        ("sub", json!("a\u{0}b")),
        ("sub", json!(["x"])),
        ("sub", json!({ "$ne": null })),
        ("jti", json!("")),
        ("sid", json!("not a uuid")),
        ("sid", Value::Null),
        ("tid", json!("00000000-0000-0000-0000-000000000000")),
        ("client_id", json!("*")),
        ("ep", json!([])),
        ("ep", json!([1, 1])),
        ("ep", json!(["1", "1", "1"])),
        ("scope", json!(["openid"])),
        ("scope", nested),
        ("iss", json!("https://id.example/t/")),
        ("iss", json!("https://id.example/t/demo/")),
        ("iss", json!("https://id.example.evil/t/demo")),
        ("iss", json!("https://id.example/t/system")),
        ("iss", json!("https://id.example/t/no-such-tenant")),
    ] {
        let mut body = good.clone();
        body[claim] = value;
        let token = replica.sign(&world.tenant, TokenType::AccessToken, &body).await;
        assert_refused(&world, &replica, &token).await;
    }
    for text in [
        good.to_string().replacen('{', "{\"sub\":\"twice\",", 1),
        "[".repeat(4_000),
        "null".to_owned(),
        "{}".to_owned(),
        String::new(),
    ] {
        let header = tokens.access.split('.').next().unwrap();
        let token = format!("{header}.{}.AAAA", URL_SAFE_NO_PAD.encode(text));
        assert_refused(&world, &replica, &token).await;
    }
    replica.userinfo(&tokens.access).await.ok();
}

#[tokio::test]
async fn expired_token_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let expired = replica.expired(&world.tenant, &tokens.access).await;
    assert_refused(&world, &replica, &expired).await;
    // One second before the end it is good.
    let mut body = claims(&tokens.access);
    body["exp"] = (replica.app.feed.database_now().unix_timestamp() + 2).into();
    let nearly = replica.sign(&world.tenant, TokenType::AccessToken, &body).await;
    replica.userinfo(&nearly).await.ok();
}
