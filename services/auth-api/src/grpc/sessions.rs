//! `credo.admin.v1.SessionService`.

use std::sync::Arc;

use credo_auth_domain::session::{EndReason, Standing};
use credo_auth_store::admin::{SessionFilter, SessionRecord};
use credo_proto::admin::v1::{
    GetSessionRequest, GetSessionResponse, ListSessionsRequest, ListSessionsResponse, RevokeClientSessionsRequest,
    RevokeClientSessionsResponse, RevokeSessionRequest, RevokeSessionResponse, RevokeSessionsIssuedBeforeRequest,
    RevokeSessionsIssuedBeforeResponse, RevokeUserSessionsRequest, RevokeUserSessionsResponse, Session, SessionState,
    session_service_server::SessionService,
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
        get_session, list_sessions, revoke_client_sessions, revoke_session, revoke_tenant_sessions,
        revoke_user_sessions,
    },
};

/// The service.
pub(super) struct Sessions(Arc<App>);

impl Sessions {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self(Arc::clone(app))
    }
}

fn shape(session: &SessionRecord) -> Session {
    let standing = session.standing();
    Session {
        session_id: session.id.to_string(),
        tenant_id: session.tenant_id.to_string(),
        user_id: session.user_id.to_string(),
        client_id: session.client_id.to_string(),
        state: match standing {
            Standing::Pending => SessionState::Pending,
            Standing::Active => SessionState::Active,
            Standing::Revoked => SessionState::Revoked,
            Standing::Expired => SessionState::Expired,
        }
        .into(),
        revoke_reason: revoke_reason(standing, session.end_reason).to_owned(),
        scopes: words(&session.scope),
        amr: words(&session.amr),
        auth_time: Some(parse::timestamp(session.auth_time)),
        create_time: Some(parse::timestamp(session.created_at)),
        last_use_time: session.last_used_at.map(parse::timestamp),
        expire_time: Some(parse::timestamp(session.expires_at)),
        revoke_time: session.ended_at.map(parse::timestamp),
        generation: session.generation,
    }
}

fn revoke_reason(standing: Standing, reason: Option<i16>) -> &'static str {
    match (standing, reason.and_then(EndReason::of_number)) {
        (_, Some(reason)) => reason.as_str(),
        (Standing::Revoked, None) => "epoch",
        (_, None) => "",
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(ToOwned::to_owned).collect()
}

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn get_session(&self, request: Request<GetSessionRequest>) -> Result<Response<GetSessionResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&self.0, &call, &message.tenant_id).await?;
        let session = parse::id("session_id", &message.session_id)?;
        let session = get_session(&self.0, scope, session).await.map_err(refused)?;
        Ok(Response::new(GetSessionResponse {
            session: Some(shape(&session)),
        }))
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        let (call, message) = admitted(request)?;
        let scope = parse::tenant(&self.0, &call, &message.tenant_id).await?;
        let filter = SessionFilter {
            user: parse::optional_id("user_id", &message.user_id)?,
            client: parse::optional_id("client_id", &message.client_id)?,
            ended: message.show_ended,
        };
        let asked = [
            message.tenant_id.as_str(),
            &message.user_id,
            &message.client_id,
            if filter.ended { "ended" } else { "" },
        ];
        let list = List::new(self.0.keyring.masters(), "sessions", &[asked.join("\0").as_bytes()]);
        let page = list.page(message.page_size, &message.page_token)?;
        let page = list_sessions(&self.0, scope, filter, page).await.map_err(refused)?;
        let end = page.items.last().map(|session| session.id);
        Ok(Response::new(ListSessionsResponse {
            sessions: page.items.iter().map(shape).collect(),
            next_page_token: list.next_page_token(end, page.has_more),
        }))
    }

    async fn revoke_session(
        &self,
        request: Request<RevokeSessionRequest>,
    ) -> Result<Response<RevokeSessionResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, session) = (Arc::clone(&self.0), parse::id("session_id", &message.session_id)?);
        let revoked = finish(
            &self.0,
            async move { revoke_session(&app, &change, scope, session).await },
        )
        .await?;
        Ok(Response::new(RevokeSessionResponse {
            session: Some(shape(&revoked)),
        }))
    }

    async fn revoke_user_sessions(
        &self,
        request: Request<RevokeUserSessionsRequest>,
    ) -> Result<Response<RevokeUserSessionsResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, user) = (Arc::clone(&self.0), parse::id("user_id", &message.user_id)?);
        let revoke = async move { revoke_user_sessions(&app, &change, scope, user).await };
        finish(&self.0, revoke).await?;
        Ok(Response::new(RevokeUserSessionsResponse {}))
    }

    async fn revoke_client_sessions(
        &self,
        request: Request<RevokeClientSessionsRequest>,
    ) -> Result<Response<RevokeClientSessionsResponse>, Status> {
        let (change, message) = changing(request)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let (app, client) = (Arc::clone(&self.0), parse::id("client_id", &message.client_id)?);
        let revoke = async move { revoke_client_sessions(&app, &change, scope, client).await };
        finish(&self.0, revoke).await?;
        Ok(Response::new(RevokeClientSessionsResponse {}))
    }

    async fn revoke_sessions_issued_before(
        &self,
        request: Request<RevokeSessionsIssuedBeforeRequest>,
    ) -> Result<Response<RevokeSessionsIssuedBeforeResponse>, Status> {
        let (change, message) = changing(request)?;
        let change = change.because(message.reason)?;
        let scope = parse::tenant(&self.0, &change.call, &message.tenant_id).await?;
        let before_time = parse::instant("before_time", message.before_time)?;
        let app = Arc::clone(&self.0);
        let revoke = async move { revoke_tenant_sessions(&app, &change, scope, before_time).await };
        finish(&self.0, revoke).await?;
        Ok(Response::new(RevokeSessionsIssuedBeforeResponse {}))
    }
}
