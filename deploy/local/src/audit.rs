//! A look at the audit trail for a person: the newest events, through the API that every operator uses.

use std::{collections::VecDeque, time::SystemTime};

use anyhow::{Context as _, Result};
use credo_proto::admin::v1::{AuditEvent, QueryEventsRequest, audit_service_client::AuditServiceClient};
use prost_types::Timestamp;
use time::{OffsetDateTime, macros::format_description};

use crate::{admin, layout::Layout, part::Part, stack_file::StackFile, state::AdminClient, terminal::Terminal};

/// Which events.
#[derive(Debug, clap::Args)]
pub struct Filter {
    /// Only this type, such as `token_refreshed`.
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only this session.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Only this actor.
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Only this subject.
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// How far to look back; a session is looked for in all time.
    #[arg(long, value_name = "N", default_value_t = 60, conflicts_with = "session")]
    minutes: u32,
    /// At most so many, the newest.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Of this tenant instead of the demo tenant.
    #[arg(long, value_name = "ID")]
    tenant_id: Option<String>,
}

/// Queries and prints.
///
/// # Errors
/// If the stack does not run or refuses.
pub async fn print(layout: &Layout, filter: &Filter, terminal: Terminal) -> Result<()> {
    let stack = StackFile::read(layout)?;
    let admin = stack.admin.context("the stack has no admin client")?;
    let tenant_id = filter
        .tenant_id
        .clone()
        .or(stack.demo.map(|demo| demo.tenant_id))
        .context("name a tenant")?;
    let service = stack
        .services
        .get(Part::AuditConsumer.name())
        .context("the stack has no audit-consumer")?;
    let client = AdminClient {
        client_id: admin.client_id,
        client_secret: admin.client_secret,
        scope: admin.scope,
    };
    let bearer = admin::token(&admin.token_url, &client).await?;
    let mut audit = AuditServiceClient::new(admin::connect(&service.grpc, bearer).await?);
    let mut request = request(filter, tenant_id);
    let mut newest = VecDeque::new();
    loop {
        let answer = audit
            .query_events(request.clone())
            .await
            .map_err(admin::explain("the query was refused"))?;
        let page = answer.into_inner();
        newest.extend(page.events);
        newest.drain(..newest.len().saturating_sub(filter.limit));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    for event in &newest {
        terminal.say(line(event));
    }
    terminal.say(format!("{} events", newest.len()));
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "what a person means by the last hour is by the wall clock"
)]
fn request(filter: &Filter, tenant_id: String) -> QueryEventsRequest {
    let since = OffsetDateTime::from(SystemTime::now()) - time::Duration::minutes(i64::from(filter.minutes));
    let since = Timestamp {
        seconds: since.unix_timestamp(),
        nanos: 0,
    };
    QueryEventsRequest {
        tenant_id,
        r#type: filter.event_type.clone().unwrap_or_default(),
        actor_id: filter.actor.clone().unwrap_or_default(),
        subject_id: filter.subject.clone().unwrap_or_default(),
        session_id: filter.session.clone().unwrap_or_default(),
        start_time: filter.session.is_none().then_some(since),
        page_size: 1000,
        ..QueryEventsRequest::default()
    }
}

fn line(event: &AuditEvent) -> String {
    let at = event
        .occur_time
        .as_ref()
        .and_then(clock_time)
        .unwrap_or_else(|| "?".to_owned());
    let quarantined = if event.quarantined { " QUARANTINED" } else { "" };
    let reason = if event.reason.is_empty() {
        String::new()
    } else {
        format!(" ({})", event.reason)
    };
    format!(
        "{:>6}  {at}  {:<10} {:<8} {:<24} {:<8}{reason}{quarantined}  by {}  on {}",
        event.tenant_seq,
        event.event_class,
        event.severity,
        event.r#type,
        event.outcome,
        party(&event.actor_kind, &event.actor_id),
        party(&event.subject_kind, &event.subject_id),
    )
}

fn party(kind: &str, id: &str) -> String {
    [kind, id]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn clock_time(at: &Timestamp) -> Option<String> {
    let nanos = i128::from(at.seconds) * 1_000_000_000 + i128::from(at.nanos);
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
    at.format(format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
    ))
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_is_one_line() {
        let event = AuditEvent {
            tenant_seq: 7,
            r#type: "token_refreshed".to_owned(),
            event_class: "security".to_owned(),
            severity: "info".to_owned(),
            outcome: "success".to_owned(),
            actor_kind: "user".to_owned(),
            actor_id: "u1".to_owned(),
            occur_time: Some(Timestamp {
                seconds: 1_700_000_000,
                nanos: 5_000_000,
            }),
            ..AuditEvent::default()
        };
        let line = line(&event);
        assert!(
            line.contains("2023-11-14T22:13:20.005Z") && line.contains("token_refreshed"),
            "{line}"
        );
        assert!(line.contains("by user u1") && !line.contains('\n'), "{line}");
    }
}
