//! The guard: each test changes one thing about a call that is let through.

use std::{convert::Infallible, sync::Arc};

use credo_admin::{AdminLayer, AdminPrincipal, Permissions};
use credo_clock::ManualClock;
use credo_ids::TenantId;
use credo_proto::DESCRIPTOR_SET;
use http::{Request, Response};
use serde_json::{Value, json};
use tonic::{Code, Status};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use crate::support::{Issuer, NOW, OwnKeys, claims};

const METHOD: &str = "/credo.admin.v1.TenantService/GetTenant";
const SCOPE: &str = "credo.tenant.read";

/// Calls `path` with these authorization fields; the principal that the service saw, or the refusal.
async fn call(keys: OwnKeys, path: &str, fields: &[&str]) -> Result<Option<AdminPrincipal>, Status> {
    let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET).unwrap();
    let layer = AdminLayer::new(Arc::new(keys), permissions, ManualClock::new(NOW));
    let inner = service_fn(async |request: Request<()>| {
        let mut response = Response::new(());
        let principal = request.extensions().get::<AdminPrincipal>().cloned();
        response.extensions_mut().insert(principal);
        Ok::<_, Infallible>(response)
    });
    let service = ServiceBuilder::new().layer(layer).service(inner);
    let mut request = Request::builder().uri(path);
    for field in fields {
        request = request.header("authorization", *field);
    }
    let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
    match Status::from_header_map(response.headers()) {
        Some(status) => Err(status),
        None => Ok(response.extensions().get::<Option<AdminPrincipal>>().unwrap().clone()),
    }
}

async fn call_with(issuer: &Issuer, header: &Value, claims: &Value) -> Result<AdminPrincipal, Code> {
    let token = issuer.sign(&header.to_string(), &claims.to_string());
    call(OwnKeys::of(issuer), METHOD, &[&format!("Bearer {token}")])
        .await
        .map(|principal| principal.expect("a principal"))
        .map_err(|status| status.code())
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

#[tokio::test]
async fn good_token_is_let_through_as_its_client() {
    let (issuer, tenant) = (Issuer::new("k"), TenantId::now_v7());
    let claims = claims("acme", tenant, "credo.tenant.read credo.audit.read");
    let principal = call_with(&issuer, &issuer.header(), &claims).await.unwrap();
    assert_eq!(principal.tenant_id(), tenant);
    assert_eq!(json!(principal.client_id()), claims["client_id"]);
    assert!(!principal.is_system());
    assert!(principal.has("credo.audit.read") && !principal.has("credo.audit") && !principal.has(""));
}

#[tokio::test]
async fn call_without_one_bearer_token_is_unauthenticated() {
    let issuer = Issuer::new("k");
    let token = issuer.sign(
        &issuer.header().to_string(),
        &claims("acme", TenantId::now_v7(), SCOPE).to_string(),
    );
    let (bearer, basic, bare) = (format!("Bearer {token}"), format!("Basic {token}"), token.clone());
    let cases: [&[&str]; 6] = [&[], &[&basic], &[&bare], &["Bearer"], &["Bearer "], &[&bearer, &bearer]];
    for fields in cases {
        let refusal = call(OwnKeys::of(&issuer), METHOD, fields).await.unwrap_err();
        assert_eq!(refusal.code(), Code::Unauthenticated, "{fields:?}");
    }
    for scheme in ["bearer", "BEARER"] {
        assert!(
            call(OwnKeys::of(&issuer), METHOD, &[&format!("{scheme} {token}")])
                .await
                .is_ok()
        );
    }
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
        with(good.clone(), "sid", json!("0")),
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
        with(good.clone(), "nbf", json!(now + 11)),
        with(good.clone(), "iss", json!("http://credo.example/t/ACME")),
        with(good.clone(), "iss", json!("system")),
        with(good.clone(), "tid", json!("not-a-uuid")),
        with(good.clone(), "client_id", json!("not-a-uuid")),
        with(good.clone(), "scope", json!([SCOPE])),
    ];
    let absent = ["iss", "aud", "exp", "iat", "client_id", "scope", "tid"].map(|name| without(good.clone(), name));
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

#[tokio::test]
async fn scope_of_the_method_is_needed() {
    let issuer = Issuer::new("k");
    for scope in [
        "",
        "credo.tenant.write",
        "credo.tenant.rea",
        "credo.tenant.read.x",
        "CREDO.TENANT.READ",
    ] {
        let claims = claims("system", TenantId::now_v7(), scope);
        assert_eq!(
            call_with(&issuer, &issuer.header(), &claims).await.unwrap_err(),
            Code::PermissionDenied,
            "{scope}"
        );
    }
}

#[tokio::test]
async fn method_without_a_permission_is_denied_to_everybody_and_hidden_from_nobody() {
    let issuer = Issuer::new("k");
    let all: Vec<String> = Permissions::from_descriptor_set(DESCRIPTOR_SET)
        .unwrap()
        .iter()
        .map(|(_, scope)| scope.to_owned())
        .collect();
    let token = issuer.sign(
        &issuer.header().to_string(),
        &claims("system", TenantId::now_v7(), &all.join(" ")).to_string(),
    );
    let paths = [
        "/credo.admin.v1.TenantService/Nothing",
        "/credo.admin.v1.Nothing/GetTenant",
        "/",
        "/grpc.health.v1.HealthX/Check",
    ];
    for path in paths {
        let with_token = call(OwnKeys::of(&issuer), path, &[&format!("Bearer {token}")])
            .await
            .unwrap_err();
        assert_eq!(with_token.code(), Code::PermissionDenied, "{path}");
        let without = call(OwnKeys::of(&issuer), path, &[]).await.unwrap_err();
        assert_eq!(without.code(), Code::Unauthenticated, "{path}");
    }
}

#[tokio::test]
async fn health_and_reflection_need_no_token_and_get_no_principal() {
    let paths = [
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ];
    for path in paths {
        assert!(
            call(OwnKeys::of(&Issuer::new("k")), path, &[]).await.unwrap().is_none(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_no_refusal_of_the_token() {
    let issuer = Issuer::new("k");
    let token = issuer.sign(
        &issuer.header().to_string(),
        &claims("acme", TenantId::now_v7(), SCOPE).to_string(),
    );
    let refusal = call(OwnKeys(Err("down")), METHOD, &[&format!("Bearer {token}")])
        .await
        .unwrap_err();
    assert_eq!(refusal.code(), Code::Unavailable);
    assert!(!refusal.message().contains("down"));
}

#[tokio::test]
async fn another_tenant_does_not_exist_for_its_neighbour_but_for_system() {
    let (issuer, own, other) = (Issuer::new("k"), TenantId::now_v7(), TenantId::now_v7());
    let neighbour = call_with(&issuer, &issuer.header(), &claims("acme", own, SCOPE))
        .await
        .unwrap();
    assert_eq!(neighbour.tenant(own).unwrap().id(), own);
    assert_eq!(neighbour.tenant(other).unwrap_err().code(), Code::NotFound);

    let system = call_with(&issuer, &issuer.header(), &claims("system", own, SCOPE))
        .await
        .unwrap();
    assert!(system.is_system());
    assert_eq!(system.tenant(other).unwrap().id(), other);
}

#[test]
fn request_that_did_not_pass_the_layer_has_no_principal() {
    assert_eq!(
        AdminPrincipal::of(&tonic::Request::new(())).unwrap_err().code(),
        Code::Unauthenticated
    );
}
