//! Whether a request is one too many: counted once, told to the caller, and recorded if it is.

use credo_auth_domain::{
    Denial,
    rate_limit::{Limits, Quota, RateClass, WINDOW},
};
use credo_auth_store::SessionWindow;
use credo_events::{EventDraft, Party};
use credo_ids::{ClientId, EventId, SessionId, TenantId};
use time::OffsetDateTime;

use crate::{
    app::App,
    audit::{self, RequestContext, security::RATE_LIMIT_EXCEEDED},
    flows::client_auth::AuthenticatedClient,
    limiter::Bucket,
    refusal::Refusal,
};

/// Whose requests are counted.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// The tenant.
    pub tenant: TenantId,
    /// The client, if it is known.
    pub client: Option<ClientId>,
    /// The session, if it is one that is counted; else it is the client.
    pub session: Option<SessionId>,
    /// The client that somebody claims to be where there is none: counted as if there were, and told to nobody.
    pub claimed: Option<ClientId>,
}

impl Counted {
    fn object(&self) -> &[u8] {
        match (&self.session, self.client.as_ref().or(self.claimed.as_ref())) {
            (Some(session), _) => session.as_bytes(),
            (None, Some(client)) => client.as_bytes(),
            (None, None) => &[],
        }
    }
}

/// Lets a request through, if its limit does. The same request is not counted again.
///
/// # Errors
/// If the caller has to wait, after that was recorded.
pub async fn admit(
    app: &App,
    context: &RequestContext,
    (class, counted): (RateClass, Counted),
    limits: &Limits,
) -> Result<(), Refusal> {
    if context.quota().is_some() {
        return Ok(());
    }
    let bucket = Bucket {
        tenant: counted.tenant,
        class,
        object: counted.object(),
        // Who fails somewhere must not make others fail.
        address: context.address.filter(|_| class == RateClass::ClientFailure),
    };
    match app.limiter.count(&bucket, limits.per_minute(class)) {
        // Nobody who fails needs to know how often they still may.
        Ok(_) if class == RateClass::ClientFailure => Ok(()),
        Ok(quota) => {
            context.note_quota(quota);
            Ok(())
        }
        Err(quota) => Err(refuse(app, context, counted, quota).await),
    }
}

/// Tells what a session's own window came to, in the statement that decided the request at `at`.
///
/// # Errors
/// If the caller has to wait, after that was recorded.
pub async fn follow(
    app: &App,
    context: &RequestContext,
    (client, session): (&AuthenticatedClient, SessionId),
    (window, at): (SessionWindow, OffsetDateTime),
    is_let_through: bool,
) -> Result<(), Refusal> {
    let class = RateClass::Auth;
    let times = (window.begins_at + WINDOW, at);
    let quota = Quota::of_window(class, client.limits.per_minute(class), window.count, times);
    app.limiter.note(class, is_let_through);
    if is_let_through {
        context.note_quota(quota);
        return Ok(());
    }
    let counted = Counted {
        tenant: client.tenant.id,
        client: Some(client.id),
        session: Some(session),
        claimed: None,
    };
    Err(refuse(app, context, counted, quota).await)
}

/// Refuses a request that is one too many. The first of a minute is an event before it is an answer; later ones are counted.
pub async fn refuse(app: &App, context: &RequestContext, counted: Counted, quota: Quota) -> Refusal {
    context.note_quota(quota);
    match record(app, context, counted, quota.class).await {
        Ok(()) => Denial::RateLimited {
            retry_after_seconds: quota.resets_in_seconds,
        }
        .into(),
        Err(refusal) => refusal,
    }
}

async fn record(app: &App, context: &RequestContext, counted: Counted, class: RateClass) -> Result<(), Refusal> {
    let subject = counted.client.map_or(Party::ANONYMOUS, Party::from);
    let now = app.feed.database_now();
    let mut draft = EventDraft::new(&RATE_LIMIT_EXCEEDED, EventId::now_v7(), counted.tenant, now)
        .parties(Party::ANONYMOUS, subject)
        .request(context.origin())
        .reason(class.as_str());
    if let Some(client) = counted.client {
        draft = draft.client(client);
    }
    if let Some(session) = counted.session {
        draft = draft.session(session);
    }
    let bucket = audit::Bucket {
        tenant: counted.tenant,
        // What nobody registered is anybody's words, and one target.
        target: counted.client.map_or_else(Vec::new, |_| counted.object().to_vec()),
        address: context.address,
        reason: class.as_str(),
    };
    let aggregate = counted.session.map(|session| session.as_uuid());
    let aggregate = aggregate.or(counted.client.map(|client| client.as_uuid()));
    let aggregate = aggregate.unwrap_or(counted.tenant.as_uuid());
    app.refusals.record(bucket, aggregate, draft, context.personal()?).await
}
