//! A running consumer and its callers.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_ids::{ClientId, TenantId};
use credo_proto::admin::v1::{
    AuditEvent, GetEventRequest, QueryEventsRequest, audit_service_client::AuditServiceClient,
};
use serde_json::json;
use tokio::task::JoinSet;
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt as _;

use crate::{
    running::{Running, Stage},
    support::{Sent, now},
};

/// A running consumer with some stored events, and an issuer that it trusts.
pub struct Scene {
    pub stage: Stage,
    pub running: Running,
    pair: EcdsaKeyPair,
    pub client: AuditServiceClient<Channel>,
    _jwks: JoinSet<()>,
}

impl Scene {
    pub async fn new(sent: &[Sent]) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (jwks, auth_api_url) = serve_jwks(&pair).await;
        let stage = Stage::new().await;
        stage.send(sent);
        let mut settings = stage.settings();
        settings.admin.auth_api_url = auth_api_url;
        let running = Running::start(&settings).await;
        stage.wait_for_count(sent.len()).await;
        let client = AuditServiceClient::connect(format!("http://{}", running.grpc))
            .await
            .unwrap();
        Self {
            stage,
            running,
            pair,
            client,
            _jwks: jwks,
        }
    }

    /// A token of a client of `tenant`, whose slug is `slug`.
    pub fn token(&self, slug: &str, tenant: TenantId, scope: &str) -> String {
        self.token_for(300, slug, tenant, scope)
    }

    /// One that ends after so many seconds.
    pub fn token_for(&self, seconds: i64, slug: &str, tenant: TenantId, scope: &str) -> String {
        let (client, now) = (ClientId::now_v7(), now().unix_timestamp());
        let header = json!({"typ": "at+jwt", "alg": "ES256", "kid": "key"});
        let claims = json!({
            "iss": format!("http://credo.example/t/{slug}"), "sub": client, "aud": "credo-admin", "exp": now + seconds, "iat": now,
            "jti": "1", "client_id": client, "scope": scope, "tid": tenant, "ep": [1, 1],
        });
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub async fn get(&self, token: &str, tenant: &str, event: &str) -> Result<AuditEvent, Status> {
        let request = GetEventRequest {
            tenant_id: tenant.to_owned(),
            event_id: event.to_owned(),
        };
        let answer = self.client.clone().get_event(bearing(token, request)).await?;
        Ok(answer.into_inner().event.unwrap())
    }

    pub async fn query(&self, token: &str, request: QueryEventsRequest) -> Result<(Vec<AuditEvent>, String), Status> {
        let answer = self
            .client
            .clone()
            .query_events(bearing(token, request))
            .await?
            .into_inner();
        Ok((answer.events, answer.next_page_token))
    }

    pub async fn end(self) {
        self.running.stop().await.unwrap();
    }
}

pub fn bearing<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

async fn serve_jwks(pair: &EcdsaKeyPair) -> (JoinSet<()>, String) {
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let key = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "key", "x": encode(x), "y": encode(y)});
    let keys = json!({ "keys": [key] }).to_string();
    let app = axum::Router::new().route("/t/{slug}/jwks.json", axum::routing::get(async || keys));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
    (tasks, format!("http://{address}"))
}

/// The reason in a refusal's google.rpc.ErrorInfo.
pub fn reason(refusal: &Status) -> String {
    refusal.get_details_error_info().expect("an ErrorInfo").reason
}

/// The token by which a tail that ended so goes on.
pub fn resume_token(end: &Status) -> String {
    let info = end.get_details_error_info().expect("an ErrorInfo");
    info.metadata.get("resume_token").expect("a resume token").clone()
}
