//! The way of events in an operator's and an auditor's hands.

use std::time::Duration;

use anyhow::Context as _;
use credo_proto::admin::v1::{
    PauseOutboxRequest, QueryEventsRequest, ResumeOutboxRequest, outbox_service_client::OutboxServiceClient,
};
use cucumber::{given, then, when};

use crate::{
    failure::{Result, ensure},
    patience::{eventually, remains},
    tail::Tail,
    world::CredoWorld,
};

/// So long nothing may leave.
const QUIET_TIME: Duration = Duration::from_secs(1);
/// Within this a reader has what is stored.
const TAIL_TIME: Duration = Duration::from_secs(20);

#[when(regex = r"^the operator (pauses|resumes) publishing$")]
pub async fn turns(world: &mut CredoWorld, verb: String) -> Result {
    let mut outbox = OutboxServiceClient::new(world.admin.wire("OutboxService"));
    if verb == "pauses" {
        world.faults.paused_outbox = true;
        let reason = "the tests hold it".to_owned();
        let request = PauseOutboxRequest {
            reason,
            ..PauseOutboxRequest::default()
        };
        outbox.pause_outbox(request).await?;
    } else {
        outbox.resume_outbox(ResumeOutboxRequest::default()).await?;
        world.faults.paused_outbox = false;
    }
    Ok(())
}

#[then(regex = r"^publishing is paused, and nothing leaves the outbox$")]
pub async fn nothing_leaves(world: &mut CredoWorld) -> Result {
    let before = world.admin.outbox_status().await?;
    ensure!(before.pause.is_some() && before.pending > 0, "{before:?}");
    let shards = before.shards;
    remains(QUIET_TIME, async || {
        let now = world.admin.outbox_status().await?;
        ensure!(now.shards == shards, "something left: {:?}", now.shards);
        Ok(())
    })
    .await?;
    Ok(())
}

#[given(regex = r"^an auditor who follows the trail of the tenant$")]
pub async fn follows(world: &mut CredoWorld) -> Result {
    world.tail = Some(Tail::start(&world.admin, &world.tenant()?.id));
    Ok(())
}

#[then(regex = r"^the auditor has seen the whole trail once, in order$")]
pub async fn has_seen(world: &mut CredoWorld) -> Result {
    let query = QueryEventsRequest {
        tenant_id: world.tenant()?.id.clone(),
        page_size: 1000,
        ..QueryEventsRequest::default()
    };
    let whole = world.admin.events(query).await?;
    let tail = world.tail.as_ref().context("nobody follows the trail")?;
    eventually(TAIL_TIME, async || {
        let seen = tail.seen();
        ensure!(
            seen.len() >= whole.len(),
            "{} of {} events were seen",
            seen.len(),
            whole.len()
        );
        Ok(())
    })
    .await?;
    ensure!(
        tail.seen() == whole,
        "it was seen in another order, or with other content"
    );
    Ok(())
}
