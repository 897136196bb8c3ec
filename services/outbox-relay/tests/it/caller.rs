//! Callers of the admin API: an issuer that the relay trusts, and its tokens.

use std::time::Duration;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_clock::SystemClock;
use credo_ids::{ClientId, TenantId};
use credo_proto::admin::v1::{
    GetOutboxStatusRequest, GetOutboxStatusResponse, OutboxPause, PauseOutboxRequest, ResumeOutboxRequest,
    outbox_service_client::OutboxServiceClient,
};
use outbox_relay::Settings;
use serde_json::json;
use tokio::task::JoinSet;
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt as _;

use crate::support::Relay;

/// An issuer; its keys are served until it is dropped.
pub struct Issuer {
    pair: EcdsaKeyPair,
    url: String,
    _jwks: JoinSet<()>,
}

/// A caller with one token.
#[derive(Clone)]
pub struct Caller {
    pub client_id: ClientId,
    pub tenant: TenantId,
    token: String,
}

impl Issuer {
    pub async fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let key = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "key", "x": encode(x), "y": encode(y)});
        let keys = json!({ "keys": [key] }).to_string();
        let app = axum::Router::new().route("/t/{slug}/jwks.json", axum::routing::get(async || keys));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut jwks = JoinSet::new();
        jwks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { pair, url, _jwks: jwks }
    }

    pub fn trusted_by(&self, mut settings: Settings) -> Settings {
        settings.admin.auth_api_url.clone_from(&self.url);
        settings
    }

    /// A client of the tenant with this slug.
    pub fn caller(&self, slug: &str, scope: &str) -> Caller {
        let (client_id, tenant) = (ClientId::now_v7(), TenantId::now_v7());
        let now = SystemClock::new().now().unix_timestamp();
        let header = json!({"typ": "at+jwt", "alg": "ES256", "kid": "key"});
        let claims = json!({
            "iss": format!("http://127.0.0.1:1/t/{slug}"), "sub": client_id, "aud": "credo-admin", "exp": now + 300,
            "iat": now, "jti": "1", "client_id": client_id, "scope": scope, "tid": tenant, "ep": [1, 1],
        });
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        Caller {
            client_id,
            tenant,
            token,
        }
    }

    /// One who may read and pause.
    pub fn operator(&self) -> Caller {
        self.caller("system", "credo.outbox.read credo.outbox.write")
    }
}

impl Caller {
    fn bearing<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let field = format!("Bearer {}", self.token).parse().unwrap();
        request.metadata_mut().insert("authorization", field);
        request
    }

    pub async fn pause(&self, relay: &Relay, request: PauseOutboxRequest) -> Result<Option<OutboxPause>, Status> {
        let answer = client(relay).pause_outbox(self.bearing(request)).await?;
        Ok(answer.into_inner().pause)
    }

    pub async fn resume(&self, relay: &Relay, request: ResumeOutboxRequest) -> Result<(), Status> {
        client(relay).resume_outbox(self.bearing(request)).await.map(drop)
    }

    pub async fn status(&self, relay: &Relay) -> Result<GetOutboxStatusResponse, Status> {
        let answer = client(relay)
            .get_outbox_status(self.bearing(GetOutboxStatusRequest {}))
            .await?;
        Ok(answer.into_inner())
    }
}

pub fn client(relay: &Relay) -> OutboxServiceClient<Channel> {
    let endpoint = Channel::from_shared(format!("http://{}", relay.grpc)).unwrap();
    OutboxServiceClient::new(endpoint.timeout(Duration::from_secs(20)).connect_lazy())
}

/// The reason in a refusal's google.rpc.ErrorInfo.
pub fn reason(refusal: &Status) -> String {
    refusal.get_details_error_info().expect("an ErrorInfo").reason
}

pub fn because(reason: &str) -> PauseOutboxRequest {
    PauseOutboxRequest {
        reason: reason.to_owned(),
        ..PauseOutboxRequest::default()
    }
}
