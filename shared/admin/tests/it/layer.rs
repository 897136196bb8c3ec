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

pub const METHOD: &str = "/credo.admin.v1.TenantService/GetTenant";
pub const SCOPE: &str = "credo.tenant.read";

/// Calls `path` with these authorization fields; the principal that the service saw, or the refusal.
pub async fn call(keys: OwnKeys, path: &str, fields: &[&str]) -> Result<Option<AdminPrincipal>, Status> {
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

pub async fn call_with(issuer: &Issuer, header: &Value, claims: &Value) -> Result<AdminPrincipal, Code> {
    let token = issuer.sign(&header.to_string(), &claims.to_string());
    call(OwnKeys::of(issuer), METHOD, &[&format!("Bearer {token}")])
        .await
        .map(|principal| principal.expect("a principal"))
        .map_err(|status| status.code())
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
