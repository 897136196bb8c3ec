//! What must hold of the trail, whatever happened on the way: every committed event once, nothing else, in order, proved.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use credo_proto::{
    admin::v1::{AuditEvent, QueryEventsRequest},
    events::v1::{Core, core::Details},
};
use prost::Message as _;
use uuid::Uuid;

use crate::{
    admin::Admin,
    digest::sha256,
    outbox::{Committed, committed},
    patience::{eventually, remains},
    stack::Stack,
};

/// Within this the pipeline has drained after a fault: a broker takes a while to elect itself.
const DRAIN_TIME: Duration = Duration::from_mins(1);
/// So long nothing more may come.
const QUIET_TIME: Duration = Duration::from_millis(700);

/// The whole trail of a tenant, once it holds all that was committed; nothing more comes after it.
///
/// # Errors
/// If it does not come to hold exactly that.
pub async fn whole_trail(stack: &Stack, admin: &Admin, tenant_id: &str) -> Result<Vec<AuditEvent>> {
    let tenant = Some(tenant_id.parse()?);
    let everything = everything_of(tenant_id);
    let query = async || -> Result<_> {
        let (outbox, trail) = (committed(stack, tenant).await?, admin.events(everything.clone()).await?);
        Ok((outbox, trail))
    };
    let (outbox, trail) = eventually(DRAIN_TIME, async || {
        let (outbox, trail) = query().await?;
        ensure!(
            trail.len() >= outbox.len(),
            "{} events are committed and {} are in the trail",
            outbox.len(),
            trail.len()
        );
        Ok((outbox, trail))
    })
    .await?;
    compare(&outbox, &trail)?;
    remains(QUIET_TIME, async || {
        let now = admin.events(everything.clone()).await?;
        ensure!(now.len() == trail.len(), "{} events more came", now.len() - trail.len());
        Ok(())
    })
    .await?;
    Ok(trail)
}

/// The query for a tenant's whole trail.
pub fn everything_of(tenant_id: &str) -> QueryEventsRequest {
    QueryEventsRequest {
        tenant_id: tenant_id.to_owned(),
        page_size: 1000,
        ..QueryEventsRequest::default()
    }
}

/// Whether the trail is the outbox: each event once, in order of id per aggregate, and no other.
///
/// # Errors
/// The first difference.
pub fn compare(outbox: &[Committed], trail: &[AuditEvent]) -> Result<()> {
    let mut expected: HashMap<Uuid, &Committed> = outbox.iter().map(|event| (event.event_id, event)).collect();
    ensure!(expected.len() == outbox.len(), "the outbox holds an event twice");
    let mut last_of_aggregate: HashMap<Uuid, i64> = HashMap::new();
    check_numbers(trail)?;
    for event in trail {
        let committed = expected.remove(&event.event_id.parse()?).with_context(|| {
            format!(
                "{} of {} is in the trail twice or was never committed",
                event.event_id, event.r#type
            )
        })?;
        ensure!(
            committed.core == event.core,
            "{} has another core in the trail",
            event.event_id
        );
        let last = last_of_aggregate.insert(committed.aggregate, committed.id);
        ensure!(
            last.is_none_or(|last| last < committed.id),
            "{} stands in the trail after a later event of {}",
            event.event_id,
            committed.aggregate
        );
    }
    ensure!(expected.is_empty(), "{} committed events are missing", expected.len());
    Ok(())
}

/// Whether numbers are contiguous from 1, and every leaf is the hash of its core (RFC 6962 section 2.1).
///
/// # Errors
/// The first that is not.
pub fn check_numbers(trail: &[AuditEvent]) -> Result<()> {
    for (event, number) in trail.iter().zip(1..) {
        ensure!(
            event.tenant_seq == number,
            "the trail has the number {} where {number} must be",
            event.tenant_seq
        );
        ensure!(!event.quarantined, "{} is quarantined", event.event_id);
        ensure!(
            event.leaf_hash == sha256(&[&[0], &event.core]),
            "the leaf of {} is not the hash of its core",
            event.event_id
        );
    }
    Ok(())
}

/// Whether no code and no refresh token of any session was redeemed twice.
///
/// # Errors
/// The first that was.
pub fn check_single_winners(trail: &[AuditEvent]) -> Result<()> {
    let mut redeemed = HashSet::new();
    for event in trail {
        if let Some(generation) = redeemed_generation(event)? {
            ensure!(
                redeemed.insert((&event.session_id, generation)),
                "the token {generation} of session {} had two winners",
                event.session_id
            );
        }
    }
    Ok(())
}

/// Whether the tokens of each session were redeemed one after the other, each again at most until its successor was, as
/// clients with grace may; and no retry was taken for a thief's.
///
/// # Errors
/// The first that was not.
pub fn check_no_branches(trail: &[AuditEvent]) -> Result<()> {
    let mut newest: HashMap<&str, u32> = HashMap::new();
    for event in trail {
        let (session, name) = (event.session_id.as_str(), event.r#type.as_str());
        ensure!(
            name != "token_reuse_detected",
            "a retry at {session} was taken for a thief's"
        );
        let Some(generation) = redeemed_generation(event)? else {
            continue;
        };
        let before = newest.insert(session, generation);
        let follows = match before {
            None => generation == 0,
            Some(0) => generation == 1, // a code is redeemed once
            Some(before) => (before..=before + 1).contains(&generation),
        };
        ensure!(
            follows,
            "after {before:?} the token {generation} of session {session} was redeemed"
        );
    }
    Ok(())
}

/// Which token of its session an event says was redeemed; 0 is the code.
fn redeemed_generation(event: &AuditEvent) -> Result<Option<u32>> {
    if event.session_id.is_empty() {
        return Ok(None);
    }
    Ok(match event.r#type.as_str() {
        "token_issued" => Some(0),
        "token_refreshed" => match Core::decode(event.core.as_slice())?.details {
            Some(Details::Token(token)) => Some(token.generation),
            _ => anyhow::bail!("{} does not say which token was refreshed", event.event_id),
        },
        _ => None,
    })
}
