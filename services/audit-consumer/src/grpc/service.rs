//! `AuditService`: one event, or pages of them. The tenant is mandatory; another's does not exist.

use credo_admin::AdminPrincipal;
use credo_postgres::classify;
use credo_proto::admin::v1::{
    GetEventRequest, GetEventResponse, QueryEventsRequest, QueryEventsResponse, audit_service_server::AuditService,
};
use tonic::{Request, Response, Status};

use super::{
    event, page_token,
    reader::{Page, Reader},
    request::{self, Filters},
};

/// Who holds it sees the personal parts too.
const PERSONAL_SCOPE: &str = "credo.audit.personal";

/// The service.
pub(crate) struct Audit {
    pub(crate) reader: Reader,
}

#[tonic::async_trait]
impl AuditService for Audit {
    async fn get_event(&self, request: Request<GetEventRequest>) -> Result<Response<GetEventResponse>, Status> {
        let principal = AdminPrincipal::of(&request)?;
        let tenant = principal.tenant(request::tenant(&request.get_ref().tenant_id)?)?;
        let event = request::event(&request.get_ref().event_id)?;
        let row = self
            .reader
            .find(tenant, event, principal.has(PERSONAL_SCOPE))
            .await
            .map_err(|error| fault(&error))?;
        let row = row.ok_or_else(|| Status::not_found("no such event"))?;
        Ok(Response::new(GetEventResponse {
            event: Some(event::of_row(row)),
        }))
    }

    async fn query_events(
        &self,
        request: Request<QueryEventsRequest>,
    ) -> Result<Response<QueryEventsResponse>, Status> {
        let principal = AdminPrincipal::of(&request)?;
        let filters = Filters::read(request.get_ref())?;
        let tenant = principal.tenant(filters.tenant)?;
        let size = request::page_size(request.get_ref().page_size)?;
        let after =
            page_token::decode(&filters, &request.get_ref().page_token).map_err(|_| request::invalid("page_token"))?;
        // One more than asked for tells whether there is a next page.
        let page = Page { after, size: size + 1 };
        let rows = self
            .reader
            .list(tenant, &filters, page, principal.has(PERSONAL_SCOPE))
            .await;
        let mut rows = rows.map_err(|error| fault(&error))?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let has_more = rows.len() > size;
        rows.truncate(size);
        let last = rows.last().filter(|_| has_more);
        let next_page_token = last
            .map(|row| page_token::encode(&filters, row.tenant_seq))
            .unwrap_or_default();
        Ok(Response::new(QueryEventsResponse {
            events: rows.into_iter().map(event::of_row).collect(),
            next_page_token,
        }))
    }
}

/// No internals in the answer.
fn fault(error: &sqlx::Error) -> Status {
    if classify(error).is_transient() {
        tracing::warn!(%error, "the audit trail could not be read");
        return Status::unavailable("the audit database does not answer; try again");
    }
    tracing::error!(%error, "the audit trail could not be read");
    Status::internal("internal error")
}
