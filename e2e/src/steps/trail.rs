//! The audit trail as an auditor sees it: over the admin API alone.

use std::time::Duration;

use anyhow::Context as _;
use credo_proto::{
    admin::v1::{AuditEvent, QueryEventsRequest},
    events::v1::Core,
};
use cucumber::{gherkin, then};
use prost::Message as _;

use crate::{
    admin::{Admin, RAISED},
    failure::{Result, ensure},
    oracle::{check_numbers, whole_trail},
    patience::{eventually, remains},
    world::CredoWorld,
};

/// Within this an event is in the trail while nothing is broken; after a fault a broker needs longer.
const STORE_TIME: Duration = Duration::from_secs(40);
/// So long nothing more may come.
const QUIET_TIME: Duration = Duration::from_millis(400);

fn expected(step: &gherkin::Step) -> anyhow::Result<Vec<String>> {
    let table = step.table().context("the step has no table")?;
    Ok(table.rows.iter().filter_map(|row| row.first().cloned()).collect())
}

fn types(events: &[AuditEvent]) -> Vec<String> {
    events.iter().map(|event| event.r#type.clone()).collect()
}

/// The events that a query finds: these, in this order, and no more come.
async fn expect_events(admin: &Admin, query: &QueryEventsRequest, wanted: &[String]) -> Result<Vec<AuditEvent>> {
    let found = eventually(STORE_TIME, async || {
        let events = admin.events(query.clone()).await?;
        ensure!(events.len() >= wanted.len(), "the trail holds {:?}", types(&events));
        Ok(events)
    })
    .await?;
    ensure!(types(&found) == wanted, "the trail holds {:?}", types(&found));
    remains(QUIET_TIME, async || {
        let events = admin.events(query.clone()).await?;
        ensure!(events == found, "the trail holds {:?} now", types(&events));
        Ok(())
    })
    .await?;
    Ok(found)
}

fn of_session(world: &CredoWorld, name: &str) -> anyhow::Result<QueryEventsRequest> {
    Ok(QueryEventsRequest {
        tenant_id: world.tenant()?.id.clone(),
        session_id: world.session(name)?.id()?,
        ..QueryEventsRequest::default()
    })
}

fn of_tenant(world: &CredoWorld) -> anyhow::Result<QueryEventsRequest> {
    Ok(QueryEventsRequest {
        tenant_id: world.tenant()?.id.clone(),
        ..QueryEventsRequest::default()
    })
}

#[then(regex = r"^the trail of the (\w+) is, in order:$")]
pub async fn trail_is(world: &mut CredoWorld, name: String, step: &gherkin::Step) -> Result {
    let query = if name == "tenant" {
        of_tenant(world)?
    } else {
        of_session(world, &name)?
    };
    let mut types = expected(step)?;
    // A scenario's tenant begins with limits that nothing meets.
    if let Some(made) = types.iter().position(|kind| kind == "tenant_created") {
        types.splice(made + 1..=made, RAISED.map(|_| "rate_limit_set".to_owned()));
    }
    let events = expect_events(&world.admin, &query, &types).await?;
    if name == "tenant" {
        check_numbers(&events)?;
    }
    Ok(())
}

#[then(regex = r"^the trail of the tenant holds (\w+) once, as (info|warning|critical)(?: because of (\w+))?$")]
pub async fn trail_holds(world: &mut CredoWorld, name: String, severity: String, reason: String) -> Result {
    let query = QueryEventsRequest {
        r#type: name.clone(),
        ..of_tenant(world)?
    };
    let events = expect_events(&world.admin, &query, &[name]).await?;
    ensure!(
        events[0].severity == severity && events[0].reason == reason,
        "{:?}",
        events[0]
    );
    Ok(())
}

#[then(regex = r"^the whole trail of the tenant is what was committed$")]
pub async fn trail_is_committed(world: &mut CredoWorld) -> Result {
    whole_trail(world.stack, &world.admin, &world.tenant()?.id).await?;
    Ok(())
}

#[then(regex = r"^every event of the session names (\w+), (\w+) and the session$")]
pub async fn events_name(world: &mut CredoWorld, user: String, client: String) -> Result {
    let (user, client) = (world.user(&user)?, world.client(&client)?);
    let query = of_session(world, "")?;
    for event in world.admin.events(query.clone()).await? {
        let core = Core::decode(event.core.as_slice())?;
        let same = event.actor_id == user.id
            && event.subject_id == user.id
            && event.client_id == client.id
            && event.session_id == query.session_id
            && core.event_id == event.event_id.parse::<uuid::Uuid>()?.as_bytes();
        ensure!(same && !event.quarantined, "{event:?}");
        ensure!(core.commitment.len() == 32 && !event.request_id.is_empty(), "{event:?}");
    }
    Ok(())
}

#[then(regex = r"^a caller (with|without) credo.audit.personal sees (.+)$")]
pub async fn personal_part(world: &mut CredoWorld, permission: String, what: String) -> Result {
    let scope = if permission == "with" {
        "credo.audit.read credo.audit.personal"
    } else {
        "credo.audit.read"
    };
    let admin = Admin::system_with_scope(world.stack, &world.api, scope).await?;
    let events = admin.events(of_session(world, "")?).await?;
    ensure!(!events.is_empty(), "nothing is seen");
    for event in events {
        let address = event.personal.as_ref().map(|personal| personal.address.as_str());
        let wanted = (what == "where it happened").then_some("127.0.0.1");
        ensure!(address == wanted, "{:?}", event.personal);
    }
    Ok(())
}

#[then(regex = r"^the trail can be read in pages of (\d+), and a page token is good for its own query alone$")]
pub async fn trail_has_pages(world: &mut CredoWorld, page_size: i32) -> Result {
    let all = QueryEventsRequest {
        page_size: 1000,
        ..of_tenant(world)?
    };
    let paged = QueryEventsRequest {
        page_size,
        ..of_tenant(world)?
    };
    let (all, by_page) = (world.admin.events(all).await?, world.admin.events(paged.clone()).await?);
    ensure!(
        all == by_page && all.len() > 2,
        "{} and {} events",
        all.len(),
        by_page.len()
    );
    let mut audit =
        credo_proto::admin::v1::audit_service_client::AuditServiceClient::new(world.admin.wire("AuditService"));
    let page = audit.query_events(paged.clone()).await?.into_inner();
    let crossed = QueryEventsRequest {
        page_token: page.next_page_token,
        r#type: "token_issued".to_owned(),
        ..paged
    };
    let answer = audit.query_events(crossed).await;
    let code = answer.err().map(|status| status.code());
    ensure!(
        code == Some(tonic::Code::InvalidArgument),
        "the token serves another query: {code:?}"
    );
    Ok(())
}

#[then(regex = r"^(\d+) events of the tenant are about (\w+), and (\d+) were done by (\w+)$")]
pub async fn trail_is_filtered(
    world: &mut CredoWorld,
    about: usize,
    subject: String,
    done: usize,
    actor: String,
) -> Result {
    let subject_id = world.user(&subject)?.id.clone();
    // What operators did besides: the limits of the scenario's tenant.
    let (actor_id, done) = if actor == "operators" {
        (world.stack.admin.client_id.clone(), done + RAISED.len())
    } else {
        (world.user(&actor)?.id.clone(), done)
    };
    let by_subject = QueryEventsRequest {
        subject_id,
        ..of_tenant(world)?
    };
    let by_actor = QueryEventsRequest {
        actor_id,
        ..of_tenant(world)?
    };
    for (query, count) in [(by_subject, about), (by_actor, done)] {
        let events = world.admin.events(query).await?;
        ensure!(
            events.len() == count,
            "there are {}: {:?}",
            events.len(),
            types(&events)
        );
    }
    Ok(())
}
