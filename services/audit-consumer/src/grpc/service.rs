//! `AuditService`: one event, pages of them, or all that come. The tenant is mandatory; another's does not exist.

use credo_admin::{AdminPrincipal, Problem};
use credo_postgres::classify;
use credo_proto::admin::v1::{
    GetConsumerStatusRequest, GetConsumerStatusResponse, GetEventRequest, GetEventResponse, QueryEventsRequest,
    QueryEventsResponse, TailEventsRequest, TailEventsResponse, audit_service_server::AuditService,
};
use futures::stream::BoxStream;
use tonic::{Request, Response, Status};

use super::{
    event, page_token,
    reader::{Page, Reader},
    request::{self, Filters},
    status::Standing,
    tail::{Tails, Wanted},
};
use crate::sink::SinkError;

/// Who holds it sees the personal parts too.
const PERSONAL_SCOPE: &str = "credo.audit.personal";

/// The service.
pub(crate) struct Audit {
    pub(crate) reader: Reader,
    pub(crate) tails: Tails,
    pub(crate) standing: Standing,
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
        let row = row.ok_or_else(|| Problem::not_found("event").into_status())?;
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
        let after = page_token::decode(&filters, &request.get_ref().page_token)
            .map_err(|_| request::invalid_token("page_token"))?;
        // One more than asked for tells whether there is a next page.
        let page = Page { after, size: size + 1 };
        let rows = self
            .reader
            .list(tenant, &filters, page, principal.has(PERSONAL_SCOPE))
            .await;
        let mut rows = rows.map_err(|error| fault(&error))?.into_iter().peekable();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        // Ends before its size where its events are large.
        let events = event::answer_of(&mut rows, size);
        let has_more = rows.next().is_some();
        let last = events.last().filter(|_| has_more);
        let next_page_token = last
            .map(|event| page_token::encode(&filters, event.tenant_seq))
            .unwrap_or_default();
        Ok(Response::new(QueryEventsResponse {
            events,
            next_page_token,
        }))
    }

    async fn tail_events(
        &self,
        request: Request<TailEventsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<TailEventsResponse, Status>>>, Status> {
        let principal = AdminPrincipal::of(&request)?;
        let filters = Filters::read_tail(request.get_ref())?;
        let wanted = Wanted {
            tenant: principal.tenant(filters.tenant)?,
            after: request::tail_start(&filters, request.get_ref())?,
            filters,
            with_personal: principal.has(PERSONAL_SCOPE),
        };
        Ok(Response::new(self.tails.open(principal, wanted).await?))
    }

    async fn get_consumer_status(
        &self,
        request: Request<GetConsumerStatusRequest>,
    ) -> Result<Response<GetConsumerStatusResponse>, Status> {
        AdminPrincipal::of(&request)?.require_system()?;
        match self.standing.read().await {
            Ok(answer) => Ok(Response::new(answer)),
            Err(SinkError::Unavailable(error)) => Err(fault(&error)),
            Err(error) => {
                tracing::error!(%error, "an admin call met a defect");
                Err(Problem::internal().into_status())
            }
        }
    }
}

/// No internals in the answer.
pub(super) fn fault(error: &sqlx::Error) -> Status {
    if classify(error).is_transient() {
        tracing::warn!(%error, "the audit trail could not be read");
        return Problem::unavailable("the audit database does not answer, try again").into_status();
    }
    tracing::error!(%error, "the audit trail could not be read");
    Problem::internal().into_status()
}
