//! What a client cannot be registered as, field by field.

use credo_proto::admin::v1::{CreateClientRequest, CreateClientResponse};
use tonic::Code;
use tonic_types::StatusExt as _;

use super::{Console, Refused as _};
use crate::support::REDIRECT_URI;

fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(ToOwned::to_owned).into()
}

/// Each case spoils a registration that is right, and names the field that must be refused.
type Case = (&'static str, fn(&mut CreateClientRequest));

const CASES: &[Case] = &[
    ("tenant_id", |client| client.tenant_id = "x".into()),
    ("display_name", |client| client.display_name.clear()),
    ("display_name", |client| client.display_name = "a\nb".into()),
    ("display_name", |client| client.display_name = "x".repeat(201)),
    ("token_endpoint_auth_method", |client| {
        client.token_endpoint_auth_method = "private_key_jwt".into();
    }),
    ("token_endpoint_auth_method", |client| {
        client.token_endpoint_auth_method = "NONE".into();
    }),
    ("grant_types", |client| client.grant_types = strings(["password"])),
    ("grant_types", |client| {
        client.grant_types = strings(["authorization_code", "authorization_code"]);
    }),
    ("grant_types", |client| {
        client.grant_types = strings(["authorization_code", ""]);
    }),
    ("grant_types", |client| {
        client.token_endpoint_auth_method = "none".into();
        client.grant_types = strings(["authorization_code", "client_credentials"]);
    }),
    ("dangerous_allow_missing_pkce", |client| {
        client.token_endpoint_auth_method = "none".into();
        client.dangerous_allow_missing_pkce = true;
    }),
    ("redirect_uris", |client| client.redirect_uris.clear()),
    ("redirect_uris", |client| {
        client.redirect_uris = strings(["http://app.example/cb"]);
    }),
    ("redirect_uris", |client| {
        client.redirect_uris = strings(["https://app.example/cb#x"]);
    }),
    ("redirect_uris", |client| {
        client.redirect_uris = strings(["javascript:alert(1)"]);
    }),
    ("redirect_uris", |client| {
        client.redirect_uris = strings(["data:text/html,x"]);
    }),
    ("redirect_uris", |client| {
        client.redirect_uris = strings(["vbscript:x"]);
    }),
    ("redirect_uris", |client| {
        client.redirect_uris = strings(["file:///etc/passwd"]);
    }),
    ("redirect_uris", |client| {
        client.redirect_uris = strings([REDIRECT_URI, REDIRECT_URI]);
    }),
    ("redirect_uris", |client| {
        client.redirect_uris = (0..51).map(|number| format!("https://app.example/{number}")).collect();
    }),
    ("redirect_uris", |client| {
        let long = "x".repeat(1_900);
        client.redirect_uris = (0..10)
            .map(|number| format!("https://app.example/{number}{long}"))
            .collect();
    }),
    ("scopes", |client| client.scopes = strings(["openid", "with space"])),
    ("scopes", |client| client.scopes = strings([""])),
    ("scopes", |client| {
        client.scopes = (0..65).map(|number| format!("s{number}")).collect();
    }),
    ("scopes", |client| client.scopes = vec!["x".repeat(1_025)]),
    ("scopes", |client| client.scopes = strings(["credo.tenant.read"])),
    ("scopes", |client| {
        client.grant_types = strings(["client_credentials", "authorization_code"]);
        client.scopes = strings(["openid", "credo.tenant.read"]);
    }),
    ("scopes", |client| {
        client.first_party = true;
        client.grant_types = strings(["client_credentials", "authorization_code"]);
        client.scopes = strings(["credo.tenant.read"]);
    }),
    ("allowed_origins", |client| client.allowed_origins = strings(["*"])),
    ("allowed_origins", |client| {
        client.allowed_origins = strings(["https://*.example"]);
    }),
    ("allowed_origins", |client| client.allowed_origins = strings(["null"])),
    ("allowed_origins", |client| {
        client.allowed_origins = strings(["https://app.example/"]);
    }),
    ("allowed_origins", |client| {
        client.allowed_origins = strings(["http://app.example"]);
    }),
    ("allowed_origins", |client| {
        client.allowed_origins = (0..21).map(|number| format!("https://a{number}.example")).collect();
    }),
    ("refresh_grace_seconds", |client| client.refresh_grace_seconds = -1),
    ("refresh_grace_seconds", |client| client.refresh_grace_seconds = 61),
    ("application_type", |client| client.application_type = "Native".into()),
    ("post_logout_redirect_uris", |client| {
        client.post_logout_redirect_uris = strings(["http://app.example/bye"]);
    }),
    ("post_logout_redirect_uris", |client| {
        client.post_logout_redirect_uris = strings(["https://app.example/bye#x"]);
    }),
    ("post_logout_redirect_uris", |client| {
        client.post_logout_redirect_uris = strings([REDIRECT_URI, REDIRECT_URI]);
    }),
    ("id_token_signed_response_alg", |client| {
        client.id_token_signed_response_alg = "none".into();
    }),
    ("id_token_signed_response_alg", |client| {
        client.id_token_signed_response_alg = "HS256".into();
    }),
];

#[tokio::test]
async fn az_04_az_07_what_cannot_be_registered_is_refused_with_its_field_and_changes_nothing() {
    let console = Console::new().await;
    let right = CreateClientRequest {
        tenant_id: console.world.tenant.id.to_string(),
        display_name: "Shop".to_owned(),
        redirect_uris: strings([REDIRECT_URI]),
        ..Default::default()
    };
    let clients = console.world.number("SELECT count(*) FROM client").await;
    for (field, spoil) in CASES {
        let mut request = right.clone();
        spoil(&mut request);
        let answer = console
            .call::<CreateClientResponse>("ClientService/CreateClient", request.clone())
            .await;
        let status = answer.refused(Code::InvalidArgument);
        let violations = status.get_details_bad_request().unwrap().field_violations;
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, [*field], "{request:?}");
        assert!(status.message().starts_with(field), "{status:?}");
    }
    assert_eq!(console.world.number("SELECT count(*) FROM client").await, clients);
    assert_eq!(
        console
            .world
            .number("SELECT count(*) FROM outbox WHERE class = 1")
            .await,
        0
    );
    console
        .call::<CreateClientResponse>("ClientService/CreateClient", right)
        .await
        .unwrap();
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let console = Console::new().await;
    let request = CreateClientRequest {
        tenant_id: console.world.tenant.id.to_string(),
        grant_types: strings(["password"]),
        refresh_grace_seconds: 600,
        ..Default::default()
    };
    let answer = console
        .call::<CreateClientResponse>("ClientService/CreateClient", request)
        .await;
    let violations = answer
        .refused(Code::InvalidArgument)
        .get_details_bad_request()
        .unwrap()
        .field_violations;
    let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["grant_types", "display_name", "refresh_grace_seconds"]);
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused() {
    let console = Console::new().await;
    let request = CreateClientRequest {
        tenant_id: console.world.tenant.id.to_string(),
        display_name: "x".repeat(300 * 1_024),
        ..Default::default()
    };
    let answer = console
        .call::<CreateClientResponse>("ClientService/CreateClient", request)
        .await;
    answer.refused(Code::OutOfRange);
}
