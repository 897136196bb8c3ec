//! Events as they come. After a break the last resume token goes on: nothing twice, nothing left out.

use std::time::Duration;

use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use tonic::Code;
use tonic_types::StatusExt as _;

use super::items;
use crate::{
    catalogue::Noun,
    console,
    failure::{Kind, Result},
    output::{self, Format, Style},
    wire::Wire,
};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// More than two heartbeats.
const SILENCE: Duration = Duration::from_secs(25);

/// Prints events until the operator has seen enough.
///
/// # Errors
/// If the server refuses for good.
pub async fn run(
    wire: &Wire<'_>,
    mut style: Style,
    noun: &Noun,
    method: &MethodDescriptor,
    mut request: DynamicMessage,
) -> Result<()> {
    if style.format == Format::Json {
        style.format = Format::Jsonl;
    }
    let mut pause = FIRST_PAUSE;
    loop {
        let broken = match wire.stream(noun.host, method, &request).await {
            Ok(mut stream) => loop {
                let next = tokio::time::timeout(SILENCE, stream.message()).await;
                match next.unwrap_or_else(|_| Err(tonic::Status::unavailable("no heartbeat came"))) {
                    Ok(Some(batch)) => {
                        pause = FIRST_PAUSE;
                        let events = items(&batch);
                        if !events.is_empty() {
                            output::answer(style, noun, &batch, &events)?;
                            style.headers = false;
                        }
                        resume_from(&mut request, &batch);
                    }
                    Ok(None) => break tonic::Status::unavailable("the stream ended").into(),
                    Err(status) if status.code() == Code::OutOfRange => {
                        let hint = status
                            .get_details_error_info()
                            .and_then(|info| info.metadata.get("resume_token").cloned());
                        let Some(token) = hint else {
                            return Err(wire.refusal(noun.host, status));
                        };
                        request.set_field_by_name("resume_token", Value::String(token));
                        break wire.refusal(noun.host, status);
                    }
                    Err(status) => break wire.refusal(noun.host, status),
                }
            },
            Err(refused) if refused.kind == Kind::Unavailable => refused,
            Err(refused) => return Err(refused),
        };
        // A token lives for five minutes, a tail for as long as it is looked at.
        let goes_on = broken.kind == Kind::Unavailable
            || ["SLOW_READER", "UNAUTHENTICATED", "OUT_OF_RANGE"].contains(&broken.why().unwrap_or_default());
        if !goes_on {
            return Err(broken);
        }
        console::note(format!("interrupted, going on: {}", broken.message()));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn resume_from(request: &mut DynamicMessage, batch: &DynamicMessage) {
    if let Some(token) = batch.get_field_by_name("resume_token") {
        request.set_field_by_name("resume_token", token.into_owned());
        request.clear_field_by_name("from_start");
    }
}
