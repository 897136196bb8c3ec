//! What `status` looks at: each service's own word, then what relay and consumer say of the way of events.

use std::{collections::BTreeMap, time::Duration};

use prost_reflect::{DynamicMessage, Value};
use serde::Deserialize;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::{Line, State};
use crate::{
    context::{Chosen, Endpoint, Store},
    failure::{Failure, Kind, Result},
    http::{Call, Http},
    output::cell,
    wire::{Host, Wire, connect, method},
};

/// Nobody waits longer for one line.
const PATIENCE: Duration = Duration::from_secs(4);
/// Alerts begin at a thousand.
const MANY: i64 = 1_000;
const OLD_SECONDS: i64 = 60;

/// What `/readyz?verbose` says.
#[derive(Debug, Deserialize)]
struct Report {
    ready: bool,
    phase: String,
    components: BTreeMap<String, Component>,
}

#[derive(Debug, Deserialize)]
struct Component {
    state: String,
    #[serde(default)]
    reason: String,
}

/// Every line, in the order of an event's way.
pub async fn everything(store: &Store, chosen: &Chosen, timeout: Duration) -> Vec<Line> {
    let patience = timeout.min(PATIENCE);
    let wire = Wire::new(store, chosen, patience);
    let (auth, relay, audit, outbox, trail) = tokio::join!(
        service(chosen, Host::Auth, patience),
        service(chosen, Host::Relay, patience),
        service(chosen, Host::Audit, patience),
        patiently(patience, ask(&wire, Host::Relay, "OutboxService.GetOutboxStatus")),
        patiently(patience, ask(&wire, Host::Audit, "AuditService.GetConsumerStatus")),
    );
    let mut lines = auth;
    lines.extend(relay);
    match outbox {
        Ok(status) => of_outbox(&status, &mut lines),
        Err(failure) => lines.push(unknown(Host::Relay, "outbox", &failure)),
    }
    lines.extend(audit);
    match trail {
        Ok(status) => of_trail(&status, &mut lines),
        Err(failure) => lines.push(unknown(Host::Audit, "trail", &failure)),
    }
    lines
}

async fn patiently<T>(patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Failure::unavailable("no answer in time");
    tokio::time::timeout(patience, work).await.map_err(late)?
}

fn line(host: Host, what: impl Into<String>, state: State, text: impl Into<String>) -> Line {
    Line {
        part: host.name(),
        what: what.into(),
        state,
        text: text.into(),
    }
}

fn unknown(host: Host, what: &str, failure: &Failure) -> Line {
    // Who is not let in can do something about it; what is down shows in the lines above.
    let next = failure.next_step().filter(|_| failure.kind == Kind::Denied);
    let next = next.map(|next| format!("; next: {next}")).unwrap_or_default();
    line(
        host,
        what,
        State::Down,
        format!("not known: {}{next}", failure.message()),
    )
}

/// What a service says of itself, by gRPC, and by its management port if that is known.
async fn service(chosen: &Chosen, host: Host, patience: Duration) -> Vec<Line> {
    let mut lines = vec![match patiently(patience, serving(host, chosen)).await {
        Ok(true) => line(host, "gRPC", State::Ok, "serving"),
        Ok(false) => line(host, "gRPC", State::Down, "not serving"),
        Err(failure) => line(host, "gRPC", State::Down, failure.message()),
    }];
    let Some(management) = &host.of(&chosen.context).management else {
        return lines;
    };
    match patiently(patience, report(management, patience)).await {
        Ok(report) => {
            let (state, text) = if report.ready {
                (State::Ok, "ready".to_owned())
            } else {
                (State::Down, format!("not ready, {}", report.phase))
            };
            lines.push(line(host, "readiness", state, text));
            for (name, component) in report.components {
                let state = match component.state.as_str() {
                    "up" => State::Ok,
                    "degraded" => State::Warn,
                    _ => State::Down,
                };
                let text = if component.reason.is_empty() {
                    component.state
                } else {
                    format!("{}: {}", component.state, component.reason)
                };
                lines.push(line(host, name, state, text));
            }
        }
        Err(failure) => lines.push(line(host, "readiness", State::Down, failure.message())),
    }
    lines
}

/// Whether a service says that it serves.
async fn serving(host: Host, chosen: &Chosen) -> Result<bool> {
    let channel = connect(host.endpoint(&chosen.context)?)?;
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    let answer = answer.map_err(Failure::from)?.into_inner();
    Ok(answer.status() == ServingStatus::Serving)
}

async fn report(management: &str, patience: Duration) -> Result<Report> {
    let http = Http::new(&Endpoint::default(), patience)?;
    let answer = http.send(Call::get(format!("{management}/readyz?verbose"))).await?;
    // It says what is wrong with a 503.
    Ok(serde_json::from_str(&answer.body)?)
}

async fn ask(wire: &Wire<'_>, host: Host, name: &str) -> Result<DynamicMessage> {
    let method = method(name).ok_or_else(|| Failure::error(format!("{name} is no method")))?;
    wire.call(host, &method, &DynamicMessage::new(method.input())).await
}

fn number(message: &DynamicMessage, name: &str) -> i64 {
    let value = message.get_field_by_name(name);
    value
        .and_then(|value| value.as_i64().or(value.as_i32().map(i64::from)))
        .unwrap_or_default()
}

fn inner(message: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    if !message.has_field_by_name(name) {
        return None;
    }
    message.get_field_by_name(name)?.as_message().cloned()
}

fn text(message: &DynamicMessage, name: &str) -> String {
    let value = message.get_field_by_name(name);
    value
        .and_then(|value| value.as_str().map(ToOwned::to_owned))
        .unwrap_or_default()
}

fn of_outbox(status: &DynamicMessage, lines: &mut Vec<Line>) {
    let host = Host::Relay;
    let pending = number(status, "pending");
    let oldest = inner(status, "oldest_pending_age");
    let old = oldest.as_ref().is_some_and(|age| number(age, "seconds") > OLD_SECONDS);
    let state = if pending > MANY || old { State::Warn } else { State::Ok };
    let age = oldest
        .map(|_| format!(", the oldest {}", cell::at(status, "oldest_pending_age")))
        .unwrap_or_default();
    lines.push(line(host, "backlog", state, format!("{pending} pending{age}")));
    if let Some(pause) = inner(status, "pause") {
        let since = cell::at(&pause, "pause_time");
        lines.push(line(
            host,
            "paused",
            State::Warn,
            format!(
                "since {since}: {}; next: credoctl outbox resume",
                text(&pause, "reason")
            ),
        ));
    }
    let error = text(status, "last_error");
    if !error.is_empty() {
        lines.push(line(host, "publishing", State::Down, error));
    }
}

fn of_trail(status: &DynamicMessage, lines: &mut Vec<Line>) {
    let host = Host::Audit;
    let lag = number(status, "lag");
    let state = if lag > MANY { State::Warn } else { State::Ok };
    let last = cell::at(status, "last_store_time");
    lines.push(line(host, "lag", state, format!("{lag} records, last stored {last}")));
    let error = text(status, "last_error");
    if !error.is_empty() {
        lines.push(line(host, "storing", State::Down, error));
    }
    let Some(Value::List(shards)) = status.get_field_by_name("shards").map(std::borrow::Cow::into_owned) else {
        return;
    };
    for shard in shards.iter().filter_map(Value::as_message) {
        let stopped = text(shard, "stopped");
        if !stopped.is_empty() {
            let what = format!("shard {}", number(shard, "shard"));
            let next = number(shard, "next_seq");
            lines.push(line(
                host,
                what,
                State::Down,
                format!("stopped before number {next}: {stopped}"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, json: &str) -> DynamicMessage {
        let kind = crate::wire::POOL
            .get_message_by_name(&format!("credo.admin.v1.{name}"))
            .unwrap();
        DynamicMessage::deserialize(kind, &mut serde_json::Deserializer::from_str(json)).unwrap()
    }

    #[test]
    fn backlog_pause_errors_and_stopped_shards_are_told() {
        let mut lines = Vec::new();
        of_outbox(&message("GetOutboxStatusResponse", r#"{"pending":"3"}"#), &mut lines);
        of_trail(
            &message("GetConsumerStatusResponse", r#"{"lag":"0","shards":[{"shard":1}]}"#),
            &mut lines,
        );
        assert!(
            lines.iter().all(|line| line.state == State::Ok) && lines.len() == 2,
            "{lines:?}"
        );
        lines.clear();
        let bad = r#"{"pending":"5000","oldestPendingAge":"300s","lastError":"no broker","pause":{"reason":"moving"}}"#;
        of_outbox(&message("GetOutboxStatusResponse", bad), &mut lines);
        let bad = r#"{"lag":"2000","lastError":"full","shards":[{"shard":7,"nextSeq":"9","stopped":"gap"}]}"#;
        of_trail(&message("GetConsumerStatusResponse", bad), &mut lines);
        let states: Vec<_> = lines.iter().map(|line| (line.what.as_str(), line.state)).collect();
        assert_eq!(
            states,
            [
                ("backlog", State::Warn),
                ("paused", State::Warn),
                ("publishing", State::Down),
                ("lag", State::Warn),
                ("storing", State::Down),
                ("shard 7", State::Down),
            ]
        );
        assert!(
            lines[0].text.contains("5m0s") && lines[5].text.contains("number 9: gap"),
            "{lines:?}"
        );
    }
}
