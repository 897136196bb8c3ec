//! The topic and the trail as a whole, after everything that the other scenarios did.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use anyhow::Context as _;
use cucumber::then;

use crate::{
    failure::{Result, ensure},
    oracle::{compare, everything_of},
    outbox::{committed, stored_events},
    patience::{eventually, remains},
    topic::{check, partitions, read_all},
    world::CredoWorld,
};

/// Within this the pipeline has drained.
const DRAIN_TIME: Duration = Duration::from_secs(40);
/// So long nothing more may come.
const QUIET_TIME: Duration = Duration::from_secs(1);

#[then(regex = r"^the audit store holds what was ever committed, each event once and in order, and no other$")]
pub async fn store_is_committed(world: &mut CredoWorld) -> Result {
    let outbox = committed(world.stack, None).await?;
    let count = i64::try_from(outbox.len())?;
    eventually(DRAIN_TIME, async || ensure_stored(world, count).await).await?;
    let mut tenants: HashMap<_, Vec<_>> = HashMap::new();
    for event in outbox {
        tenants.entry(event.tenant_id).or_default().push(event);
    }
    for (tenant, outbox) in &tenants {
        let trail = world.admin.events(everything_of(&tenant.to_string())).await?;
        compare(outbox, &trail).with_context(|| format!("tenant {tenant}"))?;
    }
    Ok(remains(QUIET_TIME, async || ensure_stored(world, count).await).await?)
}

async fn ensure_stored(world: &CredoWorld, count: i64) -> anyhow::Result<()> {
    let stored = stored_events(world.stack).await?;
    ensure!(stored == count, "{stored} events are stored, {count} were committed");
    Ok(())
}

#[then(regex = r"^the topic holds each of them under one number, in contiguous and chained shards$")]
pub async fn topic_is_chained(world: &mut CredoWorld) -> Result {
    let records = read_all(world.stack).await?;
    let events = check(&records, partitions(world.stack).await?)?;
    let distinct: HashSet<_> = events.iter().collect();
    ensure!(distinct.len() == events.len(), "an event has two numbers");
    for event in committed(world.stack, None).await? {
        ensure!(
            distinct.contains(&event.event_id),
            "{} is not in the topic",
            event.event_id
        );
    }
    Ok(())
}
