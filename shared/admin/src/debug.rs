//! `DebugService`, the same in every process: what is logged, and what runs.
//!
//! For the system tenant alone. A filter that is set ends by itself; it is no audit event, as nothing that anybody owns
//! changes, but a log line that no filter holds back: it is written under the old one.

use std::time::Duration;

use credo_clock::SharedClock;
use credo_proto::admin::v1::{
    GetBuildInfoRequest, GetBuildInfoResponse, GetLogFilterRequest, GetLogFilterResponse, LogFilter,
    SetLogFilterRequest, SetLogFilterResponse,
    debug_service_server::{DebugService, DebugServiceServer},
};
use credo_telemetry::{Directives, InvalidDirectives, VERSION, log_control};
use time::OffsetDateTime;
use tonic::{Request, Response, Status};

use crate::{AdminPrincipal, ErrorReason, MAX_MESSAGE_BYTES, Problem};

/// How long a filter holds when the call does not say.
const DEFAULT_TTL: Duration = Duration::from_mins(10);
const SHORTEST_TTL: Duration = Duration::from_secs(1);
const LONGEST_TTL: Duration = Duration::from_hours(1);

/// The service.
#[derive(Debug)]
pub struct Debug {
    service: &'static str,
    clock: SharedClock,
    started_at: OffsetDateTime,
}

/// `DebugService` of the process `service`, which starts now.
#[must_use]
pub fn debug_service(service: &'static str, clock: SharedClock) -> DebugServiceServer<Debug> {
    let started_at = clock.now();
    DebugServiceServer::new(Debug {
        service,
        clock,
        started_at,
    })
    .max_decoding_message_size(MAX_MESSAGE_BYTES)
}

impl Debug {
    fn log_filter(&self) -> LogFilter {
        let control = log_control();
        match control.active_override() {
            Some(active) => LogFilter {
                directives: active.directives.as_str().to_owned(),
                expire_time: Some(timestamp(self.clock.now() + active.remaining)),
            },
            None => LogFilter {
                directives: control.configured().as_str().to_owned(),
                expire_time: None,
            },
        }
    }
}

#[tonic::async_trait]
impl DebugService for Debug {
    async fn get_log_filter(
        &self,
        request: Request<GetLogFilterRequest>,
    ) -> Result<Response<GetLogFilterResponse>, Status> {
        system_only(&request)?;
        Ok(Response::new(GetLogFilterResponse {
            log_filter: Some(self.log_filter()),
        }))
    }

    async fn set_log_filter(
        &self,
        request: Request<SetLogFilterRequest>,
    ) -> Result<Response<SetLogFilterResponse>, Status> {
        let caller = system_only(&request)?.client_id();
        let SetLogFilterRequest { directives, ttl } = request.into_inner();
        let directives = read(&directives)?;
        let ttl = ttl.map_or(Ok(DEFAULT_TTL), |ttl| bounded(&ttl))?;
        let text = directives.as_ref().map_or("", Directives::as_str);
        tracing::info!(%caller, directives = text, ttl_seconds = ttl.as_secs(), "the log filter is set");
        log_control().set(directives, ttl);
        Ok(Response::new(SetLogFilterResponse {
            log_filter: Some(self.log_filter()),
        }))
    }

    async fn get_build_info(
        &self,
        request: Request<GetBuildInfoRequest>,
    ) -> Result<Response<GetBuildInfoResponse>, Status> {
        system_only(&request)?;
        Ok(Response::new(GetBuildInfoResponse {
            service: self.service.to_owned(),
            version: VERSION.to_owned(),
            start_time: Some(timestamp(self.started_at)),
        }))
    }
}

fn system_only<T>(request: &Request<T>) -> Result<&AdminPrincipal, Status> {
    let principal = AdminPrincipal::of(request)?;
    if principal.is_system() {
        Ok(principal)
    } else {
        Err(Problem::new(
            ErrorReason::SystemOnly,
            "only the system tenant may look into a process",
        )
        .into())
    }
}

fn read(text: &str) -> Result<Option<Directives>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    let directives = text.parse().map(Some);
    directives.map_err(|error: InvalidDirectives| invalid("directives", error.to_string()))
}

fn bounded(ttl: &prost_types::Duration) -> Result<Duration, Status> {
    Duration::try_from(*ttl)
        .ok()
        .filter(|ttl| (SHORTEST_TTL..=LONGEST_TTL).contains(ttl))
        .ok_or_else(|| invalid("ttl", "must be from 1 second to 1 hour".to_owned()))
}

fn invalid(field: &'static str, text: String) -> Status {
    Problem::invalid_fields(ErrorReason::InvalidField, [(field, text)]).into()
}

fn timestamp(at: OffsetDateTime) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.unix_timestamp(),
        nanos: i32::try_from(at.nanosecond()).unwrap_or_default(),
    }
}
