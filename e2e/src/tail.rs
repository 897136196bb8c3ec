//! Somebody who follows a tenant's trail, and goes on where it broke.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use credo_proto::admin::v1::{AuditEvent, TailEventsRequest, audit_service_client::AuditServiceClient};
use tokio::task::JoinSet;
use tonic::Status;

use crate::{
    admin::{Admin, Wire},
    patience::pass,
};

/// Before the next try when the consumer is away.
const BACKOFF: Duration = Duration::from_millis(100);

/// A tail that runs until it is dropped.
#[derive(Debug)]
pub struct Tail {
    seen: Arc<Mutex<Vec<AuditEvent>>>,
    _task: JoinSet<()>,
}

impl Tail {
    /// Follows the trail of a tenant from its first event.
    pub fn start(admin: &Admin, tenant_id: &str) -> Self {
        let seen = Arc::<Mutex<Vec<AuditEvent>>>::default();
        let (seeing, audit) = (Arc::clone(&seen), AuditServiceClient::new(admin.wire("AuditService")));
        let mut request = TailEventsRequest {
            tenant_id: tenant_id.to_owned(),
            from_start: true,
            ..TailEventsRequest::default()
        };
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                // Whatever ends it, the last token goes on.
                drop(follow(audit.clone(), &mut request, &seeing).await);
                pass(BACKOFF).await;
            }
        });
        Self { seen, _task: task }
    }

    /// Every event so far, in the order in which they came.
    pub fn seen(&self) -> Vec<AuditEvent> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn follow(
    mut audit: AuditServiceClient<Wire>,
    request: &mut TailEventsRequest,
    seen: &Mutex<Vec<AuditEvent>>,
) -> Result<(), Status> {
    let mut answers = audit.tail_events(request.clone()).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(answer.events);
        request.resume_token = answer.resume_token;
        request.from_start = false;
    }
    Ok(())
}
