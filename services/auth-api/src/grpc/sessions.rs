//! `credo.admin.v1.SessionService`.

use std::sync::Arc;

use credo_auth_domain::session::{EndReason, Standing};
use credo_auth_store::admin::{SessionFilter, SessionRecord};
use credo_proto::admin::v1::{
    GetSessionRequest, GetSessionResponse, ListSessionsRequest, ListSessionsResponse, Session, SessionState,
    session_service_server::SessionService,
};
use tonic::{Request, Response, Status};

use super::{call::admitted, page::List, parse, status::refused};
use crate::{
    app::App,
    flows::admin::{get_session, list_sessions},
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
        (_, Some(EndReason::Replay)) => "replay",
        (_, Some(EndReason::Client)) => "client",
        (_, Some(EndReason::Person)) => "user",
        (_, Some(EndReason::Administrator)) => "administrator",
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
}
