//! `credo.admin.v1.ConsentService`.

use std::sync::Arc;

use credo_auth_store::admin::ConsentRecord;
use credo_proto::admin::v1::{
    Consent, ListConsentsRequest, ListConsentsResponse, RevokeConsentRequest, RevokeConsentResponse,
    consent_service_server::ConsentService,
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
    flows::admin::{list_consents, revoke_consent},
};

/// The service.
pub(super) struct Consents(Arc<App>);

impl Consents {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self(Arc::clone(app))
    }
}

fn shape(consent: &ConsentRecord) -> Consent {
    Consent {
        tenant_id: consent.tenant_id.to_string(),
        user_id: consent.user_id.to_string(),
        client_id: consent.client_id.to_string(),
        scopes: consent.scope.split_whitespace().map(ToOwned::to_owned).collect(),
        grant_time: Some(parse::timestamp(consent.granted_at)),
        update_time: Some(parse::timestamp(consent.updated_at)),
        revoke_time: consent.revoked_at.map(parse::timestamp),
    }
}

#[tonic::async_trait]
impl ConsentService for Consents {
    async fn list_consents(
        &self,
        request: Request<ListConsentsRequest>,
    ) -> Result<Response<ListConsentsResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&self.0, &call, &message.tenant_id).await?;
        let of = (parse::id("user_id", &message.user_id)?, message.show_revoked);
        let shown = if message.show_revoked { "revoked" } else { "" };
        let asked = [message.tenant_id.as_str(), &message.user_id, shown].join("\0");
        let list = List::new(self.0.keyring.masters(), "consents", &[asked.as_bytes()]);
        let page = list.page(message.page_size, &message.page_token)?;
        let page = list_consents(&self.0, scope, of, page).await.map_err(refused)?;
        let end = page.items.last().map(|consent| consent.client_id);
        Ok(Response::new(ListConsentsResponse {
            consents: page.items.iter().map(shape).collect(),
            next_page_token: list.next_page_token(end, page.has_more),
        }))
    }

    async fn revoke_consent(
        &self,
        request: Request<RevokeConsentRequest>,
    ) -> Result<Response<RevokeConsentResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let of = (
            parse::id("user_id", &message.user_id)?,
            parse::id("client_id", &message.client_id)?,
        );
        let app = Arc::clone(&self.0);
        let revoked = finish(&self.0, async move { revoke_consent(&app, &change, scope, of).await }).await?;
        Ok(Response::new(RevokeConsentResponse {
            consent: Some(shape(&revoked)),
        }))
    }
}
