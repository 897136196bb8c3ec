//! The token: each test changes one thing about a good one.

use credo_ids::{SessionId, TenantId, UserId};
use serde_json::{Value, json};
use tonic::Code;

use crate::{
    layer::{METHOD, SCOPE, call, call_with},
    support::{Issuer, NOW, OwnKeys, claims},
};

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

#[tokio::test]
async fn header_must_be_that_of_an_access_token() {
    let issuer = Issuer::new("k");
    let (header, claims) = (issuer.header(), claims("acme", TenantId::now_v7(), SCOPE));
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "application/AT+jwt"] {
        assert!(
            call_with(&issuer, &with(header.clone(), "typ", json!(typ)), &claims)
                .await
                .is_ok(),
            "{typ}"
        );
    }
    let refused = [
        without(header.clone(), "typ"),
        with(header.clone(), "typ", json!("JWT")),
        with(header.clone(), "typ", json!("logout+jwt")),
        without(header.clone(), "alg"),
        with(header.clone(), "alg", json!("none")),
        with(header.clone(), "alg", json!("HS256")),
        with(header.clone(), "alg", json!("RS256")),
        with(header.clone(), "alg", json!("es256")),
        without(header.clone(), "kid"),
        with(header.clone(), "kid", json!("another")),
        with(header.clone(), "crit", json!(["exp"])),
    ];
    for header in refused {
        assert_eq!(
            call_with(&issuer, &header, &claims).await.unwrap_err(),
            Code::Unauthenticated,
            "{header}"
        );
    }
}

#[tokio::test]
async fn claims_must_all_be_there_and_good() {
    let issuer = Issuer::new("k");
    let (header, good) = (issuer.header(), claims("acme", TenantId::now_v7(), SCOPE));
    let now = NOW.unix_timestamp();
    let accepted = [
        with(good.clone(), "aud", json!(["other", "credo-admin"])),
        with(good.clone(), "exp", json!(now - 9)),
        with(good.clone(), "iat", json!(now + 10)),
        with(good.clone(), "nbf", json!(now + 10)),
        with(
            with(good.clone(), "sid", json!(SessionId::now_v7())),
            "sub",
            json!(UserId::random_v4()),
        ),
    ];
    for claims in accepted {
        assert!(call_with(&issuer, &header, &claims).await.is_ok(), "{claims}");
    }
    let refused = [
        with(good.clone(), "aud", json!("credo-admin-x")),
        with(good.clone(), "aud", json!(["other"])),
        with(good.clone(), "aud", json!([])),
        with(good.clone(), "exp", json!(now - 10)),
        with(good.clone(), "exp", json!(i64::MIN)),
        with(good.clone(), "exp", json!("tomorrow")),
        with(good.clone(), "iat", json!(now + 11)),
        with(good.clone(), "exp", json!(now + 301)),
        with(good.clone(), "nbf", json!(now + 11)),
        with(good.clone(), "iss", json!("http://credo.example/t/ACME")),
        with(good.clone(), "iss", json!("system")),
        with(good.clone(), "tid", json!("not-a-uuid")),
        with(good.clone(), "client_id", json!("not-a-uuid")),
        with(good.clone(), "scope", json!([SCOPE])),
        with(good.clone(), "sub", json!(UserId::random_v4())),
        with(good.clone(), "sid", json!("0")),
        with(
            with(good.clone(), "sid", json!(SessionId::now_v7())),
            "sub",
            json!("somebody"),
        ),
    ];
    let absent =
        ["iss", "aud", "exp", "iat", "client_id", "scope", "sub", "tid"].map(|name| without(good.clone(), name));
    for claims in refused.into_iter().chain(absent) {
        assert_eq!(
            call_with(&issuer, &header, &claims).await.unwrap_err(),
            Code::Unauthenticated,
            "{claims}"
        );
    }
}

#[tokio::test]
async fn claim_that_comes_twice_is_refused() {
    let issuer = Issuer::new("k");
    let claims = claims("acme", TenantId::now_v7(), SCOPE).to_string();
    let twice = format!("{},\"scope\":\"{SCOPE}\"}}", claims.trim_end_matches('}'));
    let token = issuer.sign(&issuer.header().to_string(), &twice);
    let refusal = call(OwnKeys::of(&issuer), METHOD, &[&format!("Bearer {token}")])
        .await
        .unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn token_that_is_not_whole_and_signed_by_the_key_is_refused() {
    let (issuer, other) = (Issuer::new("k"), Issuer::new("k"));
    let claims = claims("acme", TenantId::now_v7(), SCOPE).to_string();
    let token = issuer.sign(&issuer.header().to_string(), &claims);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let long = issuer.sign(
        &issuer.header().to_string(),
        &claims.replace('{', &format!("{{\"x\":\"{}\",", "y".repeat(8_000))),
    );
    let refused = [
        other.sign(&other.header().to_string(), &claims),
        format!("{message}."),
        message.to_owned(),
        format!("{message}.{signature}."),
        format!("{header}..{signature}"),
        format!("{payload}.{header}.{signature}"),
        format!("{message}.{signature}="),
        format!("{message}.{}", "A".repeat(86)),
        "..".to_owned(),
        long,
    ];
    for token in refused {
        let refusal = call(OwnKeys::of(&issuer), METHOD, &[&format!("Bearer {token}")])
            .await
            .unwrap_err();
        assert_eq!(refusal.code(), Code::Unauthenticated, "{token}");
    }
}
