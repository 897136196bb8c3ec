//! The topic and the trail as a whole, after everything that the other scenarios did.

use std::collections::{HashMap, HashSet};

use cucumber::then;

use crate::{
    failure::{Result, ensure},
    oracle::{compare, whole_trail},
    outbox::{committed, stored_events},
    topic::{check, partitions, read_all},
    world::CredoWorld,
};

#[then(regex = r"^the audit store holds what was ever committed, each event once and in order, and no other$")]
pub async fn store_is_committed(world: &mut CredoWorld) -> Result {
    let mut tenants: HashMap<_, Vec<_>> = HashMap::new();
    for event in committed(world.stack, None).await? {
        tenants.entry(event.tenant_id).or_default().push(event);
    }
    // events of the system's own tenant go on: every token of an operator is one
    let system = committed(world.stack, None).await?.first().map(|event| event.tenant_id);
    let mut count = 0;
    for (tenant, outbox) in &tenants {
        let trail = whole_trail(world.stack, &world.admin, &tenant.to_string()).await?;
        if Some(*tenant) != system {
            compare(outbox, &trail)?;
        }
        count += i64::try_from(trail.len())?;
    }
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
