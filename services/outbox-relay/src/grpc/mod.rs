//! `OutboxService`: how publishing stands, and the pause. The outbox is everybody's: only the system tenant may.

mod change;

use credo_admin::{AdminPrincipal, CallContext, ErrorReason, Problem};
use credo_outbox::{OutboxError, oldest_pending, pending, resume};
use credo_proto::admin::v1::{
    GetOutboxStatusRequest, GetOutboxStatusResponse, OutboxPause, PauseOutboxRequest, PauseOutboxResponse,
    ResumeOutboxRequest, ResumeOutboxResponse, ShardProgress, outbox_service_server::OutboxService,
};
use sqlx::PgPool;
use tonic::{Request, Response, Status as GrpcStatus};

use self::change::ChangeEvents;
use crate::{
    pause::{self, Pause, PauseChange, Unchanged},
    status::Status,
};

/// The service.
pub(crate) struct Outbox {
    pub(crate) pool: PgPool,
    pub(crate) status: Status,
}

#[tonic::async_trait]
impl OutboxService for Outbox {
    async fn get_outbox_status(
        &self,
        request: Request<GetOutboxStatusRequest>,
    ) -> Result<Response<GetOutboxStatusResponse>, GrpcStatus> {
        AdminPrincipal::of(&request)?.require_system()?;
        let resume = resume(&self.pool).await.map_err(|error| unreadable(&error))?;
        let pending = pending(&self.pool).await.map_err(|error| unreadable(&error))?;
        let oldest = oldest_pending(&self.pool).await.map_err(|error| unreadable(&error))?;
        let pause = pause::find(&self.pool).await;
        let pause = pause.map_err(|error| unreadable(&OutboxError::from(error)))?;
        let report = self.status.report();
        let shards = resume.numbering.started().map(|(shard, head)| ShardProgress {
            shard: shard.get().into(),
            next_seq: head.next_seq,
            running_hash: head.running_hash.to_string(),
        });
        Ok(Response::new(GetOutboxStatusResponse {
            leader: report.is_leader,
            epoch: resume.epoch,
            last_tick: pending.last_tick,
            published_tick: resume.place.previous_tick(),
            pending: pending.events,
            published_events: report.published_events,
            last_publish_time: report.last_publish_at.map(timestamp),
            last_error: report.last_error.unwrap_or_default(),
            shards: shards.collect(),
            oldest_pending_age: oldest
                .and_then(|event| prost_types::Duration::try_from(self.status.age_of(event)).ok()),
            pause: pause.map(shape),
        }))
    }

    async fn pause_outbox(
        &self,
        request: Request<PauseOutboxRequest>,
    ) -> Result<Response<PauseOutboxResponse>, GrpcStatus> {
        let (principal, call, message) = admitted(request)?;
        let change = change::pause(&principal, message)?;
        let pause = self.change(&principal, &call, &change).await?;
        Ok(Response::new(PauseOutboxResponse {
            pause: pause.map(shape),
        }))
    }

    async fn resume_outbox(
        &self,
        request: Request<ResumeOutboxRequest>,
    ) -> Result<Response<ResumeOutboxResponse>, GrpcStatus> {
        let (principal, call, message) = admitted(request)?;
        let change = change::resume(&principal, message)?;
        self.change(&principal, &call, &change).await?;
        Ok(Response::new(ResumeOutboxResponse {}))
    }
}

impl Outbox {
    async fn change(
        &self,
        principal: &AdminPrincipal,
        call: &CallContext,
        change: &PauseChange,
    ) -> Result<Option<Pause>, GrpcStatus> {
        let events = ChangeEvents::new(principal, call, change, self.status.now())?;
        let changed = pause::change(&self.pool, change, &|before| events.after(before)).await;
        changed.map_err(|unchanged| match unchanged {
            Unchanged::RequestIdReused => {
                let text = "request_id was used for another call in the last 24 hours";
                Problem::new(ErrorReason::RequestIdReused, text).into_status()
            }
            Unchanged::Database(error) => unreadable(&OutboxError::from(error)),
        })
    }
}

/// Who calls, the call, and what it says.
fn admitted<T>(request: Request<T>) -> Result<(AdminPrincipal, CallContext, T), GrpcStatus> {
    let principal = AdminPrincipal::of(&request)?.clone();
    principal.require_system()?;
    let call = CallContext::of(&request)?.clone();
    Ok((principal, call, request.into_inner()))
}

fn shape(pause: Pause) -> OutboxPause {
    OutboxPause {
        pause_time: Some(timestamp(pause.paused_at)),
        reason: pause.reason,
        actor_id: pause.actor_id.to_string(),
    }
}

fn timestamp(at: time::OffsetDateTime) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.unix_timestamp(),
        nanos: i32::try_from(at.nanosecond()).unwrap_or_default(),
    }
}

fn unreadable(error: &OutboxError) -> GrpcStatus {
    if error.is_transient() {
        tracing::warn!(%error, "an admin call could not be answered");
        return Problem::unavailable("the database does not answer, try again").into_status();
    }
    tracing::error!(%error, "an admin call met a defect");
    Problem::internal().into_status()
}
