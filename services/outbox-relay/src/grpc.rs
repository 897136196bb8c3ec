//! `OutboxService`: how publishing stands.

use credo_admin::AdminPrincipal;
use credo_outbox::{OutboxError, pending, resume};
use credo_proto::admin::v1::{
    GetOutboxStatusRequest, GetOutboxStatusResponse, ShardProgress, outbox_service_server::OutboxService,
};
use sqlx::PgPool;
use tonic::{Request, Response, Status as GrpcStatus};

use crate::status::Status;

/// The service.
pub(crate) struct Outbox {
    pub(crate) pool: PgPool,
    pub(crate) status: Status,
}

#[tonic::async_trait]
impl OutboxService for Outbox {
    /// The outbox is everybody's, so only a client of the system tenant may see it.
    async fn get_outbox_status(
        &self,
        request: Request<GetOutboxStatusRequest>,
    ) -> Result<Response<GetOutboxStatusResponse>, GrpcStatus> {
        if !AdminPrincipal::of(&request)?.is_system() {
            return Err(GrpcStatus::permission_denied(
                "the outbox is visible to the system tenant alone",
            ));
        }
        let resume = resume(&self.pool).await.map_err(unavailable)?;
        let pending = pending(&self.pool).await.map_err(unavailable)?;
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
            oldest_pending_age: None,
            pause: None,
        }))
    }
}

fn timestamp(at: time::OffsetDateTime) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.unix_timestamp(),
        nanos: i32::try_from(at.nanosecond()).unwrap_or_default(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
fn unavailable(error: OutboxError) -> GrpcStatus {
    tracing::warn!(%error, "outbox status could not be read");
    GrpcStatus::unavailable("the database does not answer")
}
