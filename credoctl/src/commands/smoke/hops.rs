//! The hops of `smoke`, in their order.

use std::time::{Duration, Instant};

use prost_reflect::{DynamicMessage, Value as Field};
use secrecy::ExposeSecret as _;

use super::Way;
use crate::{
    access::{self, read_secret},
    commands::Session,
    context::{Chosen, Smoke},
    failure::{Failure, Result},
    http::{Call, Http},
    oauth::{
        code::{self, Person},
        decode,
        metadata::Metadata,
        token::{self, Client, Tokens},
    },
    output::cell,
    rpc,
    wire::{Host, Wire, method},
};

const SCOPE: &str = "openid profile email offline_access";
const POLL: Duration = Duration::from_millis(100);
/// A revoked token is refused everywhere within this.
const DEATH_TIME: Duration = Duration::from_secs(2);
/// What a session leaves that was begun, refreshed and ended.
const EVENTS: [&str; 3] = ["token_issued", "token_refreshed", "token_revoked"];
const LOOK: &str = "credoctl status, then credoctl doctor";

/// The whole way.
///
/// # Errors
/// The first hop that fails.
pub async fn go(way: &mut Way, session: &Session, chosen: &Chosen, wanted: &Smoke, wait: Duration) -> Result<()> {
    let http = access::http(chosen)?;
    let tenant = if wanted.tenant.is_empty() {
        session
            .globals
            .tenant()
            .or(chosen.context.tenant.as_deref())
            .unwrap_or_default()
    } else {
        &wanted.tenant
    };
    let issuer = chosen.context.issuer(tenant)?;
    let client = Client {
        id: wanted.client_id.clone(),
        secret: wanted.secret_file.as_ref().map(|path| read_secret(path)).transpose()?,
    };
    let metadata = way
        .hop("discovery", LOOK, async {
            let metadata = Metadata::discover(&http, &issuer).await?;
            Ok((metadata, issuer.clone()))
        })
        .await?;
    let tokens = sign_in(way, &http, &metadata, &client, wanted).await?;
    let session_id = use_tokens(way, &http, &metadata, &client, &tokens).await?;
    let wire = Wire::new(&session.store, chosen, session.globals.timeout());
    way.hop(
        "audit rows",
        "credoctl outbox status and credoctl audit status say where events wait",
        async {
            let tenant_id = rpc::tenant_id(&wire, Some(tenant)).await?;
            let rows = await_events(&wire, &tenant_id, &session_id, wait).await?;
            Ok(((), rows))
        },
    )
    .await
}

async fn sign_in(way: &mut Way, http: &Http, metadata: &Metadata, client: &Client, wanted: &Smoke) -> Result<Tokens> {
    let keys = way
        .hop("JWKS", "credoctl key list", async {
            let keys: jsonwebtoken::jwk::JwkSet = http.send(Call::get(&metadata.jwks_uri)).await?.json("JWKS")?;
            let count = keys.keys.len();
            Ok((keys, format!("{count} keys")))
        })
        .await?;
    let code = way
        .hop(
            "sign-in",
            "is the client first-party, the redirect URI its own, the password right? credoctl user get",
            async {
                let person = Person {
                    email: &wanted.email,
                    password: read_secret(&wanted.password_file)?,
                };
                let code = code::headless(http, metadata, client, &person, (SCOPE, &wanted.redirect_uri)).await?;
                Ok((code, format!("a code for {}", wanted.email)))
            },
        )
        .await?;
    way.hop(
        "code exchange",
        "credoctl client get shows the client's grants and method",
        async {
            let tokens = code::exchange(http, metadata, client, &code).await?;
            let id_token = tokens
                .id_token
                .as_ref()
                .ok_or_else(|| Failure::error("no ID token came"))?;
            let kid = decode::verify(id_token.expose_secret(), &keys, &metadata.issuer)?;
            Ok((tokens, format!("an ID token signed by {kid}")))
        },
    )
    .await
}

async fn use_tokens(
    way: &mut Way,
    http: &Http,
    metadata: &Metadata,
    client: &Client,
    tokens: &Tokens,
) -> Result<String> {
    let claims = decode::unverified(tokens.access_token.expose_secret())?.claims;
    let session_id = claims["sid"].as_str().unwrap_or_default().to_owned();
    way.hop("userinfo", LOOK, async {
        let answer = token::userinfo(http, metadata, &tokens.access_token).await?;
        let said: serde_json::Value = answer.json("userinfo")?;
        if said["sub"] != claims["sub"] {
            return Err(Failure::error("userinfo speaks of somebody else than the token"));
        }
        Ok(((), format!("sub {}", said["sub"].as_str().unwrap_or_default())))
    })
    .await?;
    let refreshed = way
        .hop(
            "refresh",
            "credoctl client get: has it the grant refresh_token?",
            async {
                let token = tokens
                    .refresh_token
                    .as_ref()
                    .ok_or_else(|| Failure::error("no refresh token came"))?;
                let refreshed = token::refresh(http, metadata, client, token).await?;
                Ok((refreshed, "new tokens".to_owned()))
            },
        )
        .await?;
    way.hop("revoke", LOOK, async {
        let token = refreshed.refresh_token.as_ref().unwrap_or(&refreshed.access_token);
        token::revoke(http, metadata, client, token).await?;
        Ok(((), format!("session {session_id}")))
    })
    .await?;
    way.hop("refused", "revocations are not felt: credoctl status", async {
        let begun = Instant::now();
        while token::userinfo(http, metadata, &refreshed.access_token).await?.status != 401 {
            if begun.elapsed() > DEATH_TIME {
                return Err(Failure::error(
                    "the access token still opens userinfo, two seconds after its session ended",
                ));
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(((), "the access token opens nothing any more".to_owned()))
    })
    .await?;
    Ok(session_id)
}

async fn await_events(wire: &Wire<'_>, tenant_id: &str, session_id: &str, wait: Duration) -> Result<String> {
    let method = method("AuditService.QueryEvents").ok_or_else(|| Failure::error("there is no audit query"))?;
    let mut request = DynamicMessage::new(method.input());
    request.set_field_by_name("tenant_id", Field::String(tenant_id.to_owned()));
    request.set_field_by_name("session_id", Field::String(session_id.to_owned()));
    let begun = Instant::now();
    loop {
        let answer = wire.call(Host::Audit, &method, &request).await?;
        let stored: Vec<_> = rpc::items(&answer)
            .iter()
            .map(|event| cell::at(event, "type"))
            .collect();
        let missing: Vec<_> = EVENTS
            .into_iter()
            .filter(|wanted| !stored.iter().any(|found| found == wanted))
            .collect();
        if missing.is_empty() {
            return Ok(stored.join(", "));
        }
        if begun.elapsed() > wait {
            let message = format!(
                "after {} s these are not stored: {}",
                wait.as_secs(),
                missing.join(", ")
            );
            return Err(Failure::unavailable(message));
        }
        tokio::time::sleep(POLL).await;
    }
}
