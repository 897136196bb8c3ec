//! `credo.admin.v1.SigningKeyService`.

use std::sync::Arc;

use credo_auth_domain::{signing_algorithm::SigningAlgorithm, signing_key::KeyState};
use credo_ids::SigningKeyId;
use credo_proto::admin::v1::{
    ActivateSigningKeyRequest, ActivateSigningKeyResponse, CreateSigningKeyRequest, CreateSigningKeyResponse,
    EmergencyRevokeSigningKeyRequest, EmergencyRevokeSigningKeyResponse, ListSigningKeysRequest,
    ListSigningKeysResponse, RetireSigningKeyRequest, RetireSigningKeyResponse, SigningKey, SigningKeyState,
    signing_key_service_server::SigningKeyService,
};
use tonic::{Request, Response, Status};

use super::{
    call::{admitted, finish},
    change::changing,
    page::List,
    parse,
    status::refused,
};
use crate::{
    app::App,
    flows::admin::{
        AdminRefusal, KeyView, activate_signing_key, create_signing_key, list_signing_keys, retire_signing_key,
        revoke_signing_key,
    },
};

/// The service.
pub(super) struct SigningKeys(Arc<App>);

impl SigningKeys {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self(Arc::clone(app))
    }
}

fn shape(view: KeyView) -> SigningKey {
    let key = view.key;
    SigningKey {
        key_id: key.kid,
        tenant_id: key.tenant_id.to_string(),
        algorithm: key.algorithm,
        state: match key.stage.state {
            KeyState::Pending => SigningKeyState::Pending,
            KeyState::Active => SigningKeyState::Active,
            KeyState::Retiring => SigningKeyState::Retiring,
            KeyState::Retired => SigningKeyState::Retired,
            KeyState::Revoked => SigningKeyState::Revoked,
        }
        .into(),
        create_time: Some(parse::timestamp(key.created_at)),
        state_time: Some(parse::timestamp(key.stage.since)),
        next_step_time: view.next_step_at.map(parse::timestamp),
        master_key_id: key.master_key_id.into(),
        public_jwk: view.public_jwk,
    }
}

#[tonic::async_trait]
impl SigningKeyService for SigningKeys {
    async fn list_signing_keys(
        &self,
        request: Request<ListSigningKeysRequest>,
    ) -> Result<Response<ListSigningKeysResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&self.0, &call, &message.tenant_id).await?;
        let with_gone = message.show_retired;
        let tenant = scope.id();
        let filter: &[&[u8]] = &[tenant.as_bytes(), &[u8::from(with_gone)]];
        let list = List::new(self.0.keyring.masters(), "signing_keys", filter);
        let page = list.page::<SigningKeyId>(message.page_size, &message.page_token)?;
        let page = list_signing_keys(&self.0, scope, with_gone, page)
            .await
            .map_err(refused)?;
        let end = page.items.last().map(|view| view.key.id);
        Ok(Response::new(ListSigningKeysResponse {
            signing_keys: page.items.into_iter().map(shape).collect(),
            next_page_token: list.next_page_token(end, page.has_more),
        }))
    }

    async fn create_signing_key(
        &self,
        request: Request<CreateSigningKeyRequest>,
    ) -> Result<Response<CreateSigningKeyResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let algorithm = match message.algorithm.as_str() {
            "" => SigningAlgorithm::Es256,
            name => SigningAlgorithm::find(name)
                .ok_or_else(|| refused(AdminRefusal::invalid("algorithm", "must be ES256 or RS256")))?,
        };
        let app = Arc::clone(&self.0);
        let making = async move { create_signing_key(&app, &change, scope, algorithm).await };
        let signing_key = Some(shape(finish(&self.0, making).await?));
        Ok(Response::new(CreateSigningKeyResponse { signing_key }))
    }

    async fn activate_signing_key(
        &self,
        request: Request<ActivateSigningKeyRequest>,
    ) -> Result<Response<ActivateSigningKeyResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, key) = (Arc::clone(&self.0), parse::id("key_id", &message.key_id)?);
        let activating = async move { activate_signing_key(&app, &change, scope, key).await };
        let signing_key = Some(shape(finish(&self.0, activating).await?));
        Ok(Response::new(ActivateSigningKeyResponse { signing_key }))
    }

    async fn retire_signing_key(
        &self,
        request: Request<RetireSigningKeyRequest>,
    ) -> Result<Response<RetireSigningKeyResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, key) = (Arc::clone(&self.0), parse::id("key_id", &message.key_id)?);
        let retiring = async move { retire_signing_key(&app, &change, scope, key).await };
        let signing_key = Some(shape(finish(&self.0, retiring).await?));
        Ok(Response::new(RetireSigningKeyResponse { signing_key }))
    }

    async fn emergency_revoke_signing_key(
        &self,
        request: Request<EmergencyRevokeSigningKeyRequest>,
    ) -> Result<Response<EmergencyRevokeSigningKeyResponse>, Status> {
        let (change, message) = changing(request)?;
        let change = change.because(message.reason)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, key) = (Arc::clone(&self.0), parse::id("key_id", &message.key_id)?);
        let revoking = async move { revoke_signing_key(&app, &change, scope, key).await };
        let (revoked, successor) = finish(&self.0, revoking).await?;
        Ok(Response::new(EmergencyRevokeSigningKeyResponse {
            signing_key: Some(shape(revoked)),
            successor: successor.map(shape),
        }))
    }
}
