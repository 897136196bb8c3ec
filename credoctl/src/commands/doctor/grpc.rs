//! The admin side: whether each API answers, believes our token, and is what the context takes it for.

use prost_reflect::DynamicMessage;
use secrecy::ExposeSecret as _;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::{Findings, network};
use crate::{
    access,
    commands::Session,
    console::Progress,
    context::Chosen,
    failure::{Failure, Kind},
    oauth::decode,
    output::cell,
    wire::{Host, Wire, connect, method},
};

/// What admin APIs want to be meant by a token.
const AUDIENCE: &str = "credo-admin";

/// Looks.
pub async fn look(session: &Session, chosen: &Chosen, findings: &mut Findings, progress: &Progress) {
    let signed_in = login(session, chosen, findings).await;
    let wire = Wire::new(&session.store, chosen, session.globals.timeout());
    for host in Host::ALL {
        progress.now(host.name());
        let endpoint = match host.endpoint(&chosen.context) {
            Ok(endpoint) => endpoint,
            Err(failure) => {
                let next = failure.next_step().unwrap_or_default().to_owned();
                findings.warn(host.name(), "its address is not known", &next);
                continue;
            }
        };
        if !network::reachable(host.name(), &endpoint.url, findings).await {
            continue;
        }
        let health = match connect(endpoint) {
            Ok(channel) => HealthClient::new(channel)
                .check(HealthCheckRequest::default())
                .await
                .map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        let check = format!("{}: gRPC", host.name());
        match health {
            Ok(_) => findings.ok(check, "answers"),
            Err(failure) => {
                findings.failed(
                    check,
                    &failure,
                    "is this a gRPC port, with or without TLS as the URL says, and is a client certificate wanted?",
                );
                continue;
            }
        }
        if signed_in {
            identity(&wire, host, findings).await;
        }
    }
}

/// Whether there is a token, and whom it is for.
async fn login(session: &Session, chosen: &Chosen, findings: &mut Findings) -> bool {
    let token = match access::token(&session.store, chosen, false).await {
        Ok(token) => token,
        Err(failure) => {
            findings.failed("login", &failure, "credoctl login");
            return false;
        }
    };
    let claims = decode::unverified(token.expose_secret())
        .map(|token| token.claims)
        .unwrap_or_default();
    let audience = &claims["aud"];
    let meant = audience == AUDIENCE
        || audience
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one == AUDIENCE));
    if meant {
        findings.ok(
            "login",
            format!(
                "a token with audience {AUDIENCE}, scope {}",
                claims["scope"].as_str().unwrap_or_default()
            ),
        );
    } else {
        findings.fail(
            "login",
            format!("the token's audience is {audience}, not {AUDIENCE}"),
            "log in with a client that has admin scopes, and no others asked for",
        );
    }
    meant
}

/// Whether the service believes the token and is the one that the context takes it for.
async fn identity(wire: &Wire<'_>, host: Host, findings: &mut Findings) {
    let check = format!("{}: token", host.name());
    let Some(method) = method("DebugService.GetBuildInfo") else {
        return;
    };
    match wire.call(host, &method, &DynamicMessage::new(method.input())).await {
        Ok(answer) => {
            let (service, version) = (cell::at(&answer, "service"), cell::at(&answer, "version"));
            if service == host.name() {
                findings.ok(check, format!("believed by {service} {version}"));
            } else {
                findings.fail(
                    check,
                    format!("this is {service}"),
                    "the context's addresses are mixed up: credoctl context show",
                );
            }
        }
        // It was believed; only this call is not for it.
        Err(failure) if failure.why() == Some("UNIMPLEMENTED") => findings.ok(check, "believed"),
        Err(failure) if failure.kind == Kind::Denied && failure.why() != Some("UNAUTHENTICATED") => {
            findings.ok(check, "believed, without the scope credo.debug.read");
        }
        Err(failure) => findings.failed(
            check,
            &failure,
            "do the service's issuer and JWKS settings name this auth-api?",
        ),
    }
}
