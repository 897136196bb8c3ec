//! A token for the client itself (RFC 6749 section 4.4): record, sign, answer.

use credo_auth_domain::{Denial, grant_type::GrantType, rate_limit::RateClass, scope::Scope};
use credo_auth_store::{EventRow, Issue, IssueOutcome};
use credo_events::{Details, EventDraft};
use credo_ids::EventId;
use credo_proto::events::v1::TokenDetails;
use tracing::instrument;

use super::{
    Attempt,
    issue::{Grant, Signer, issue as sign},
};
use crate::{
    app::App,
    audit::{RequestContext, security::TOKEN_ISSUED},
    flows::{
        client_auth::AuthenticatedClient,
        limits::{self, Counted},
    },
    refusal::Refusal,
};

/// Scopes that speak of a person; a client by itself is none.
const PERSONAL_SCOPES: [&str; 2] = ["openid", "offline_access"];

/// Issues a token to a client.
#[instrument(skip_all, fields(client = %client.id))]
pub(super) async fn issue(
    app: &App,
    context: &RequestContext,
    client: &AuthenticatedClient,
    asked: Option<&Scope>,
) -> Result<Attempt, Refusal> {
    if !client.has_proved_itself() {
        return Err(Denial::GrantNotAllowed.into());
    }
    let counted = Counted {
        tenant: client.tenant.id,
        client: Some(client.id),
        session: None,
        claimed: None,
    };
    limits::admit(app, context, (RateClass::Client, counted), &client.limits).await?;
    let scope = decide_scope(&client.scope, asked)?;
    let (event_id, personal) = (EventId::now_v7(), context.personal()?);
    let details = TokenDetails {
        grant_type: GrantType::ClientCredentials.as_str().to_owned(),
        scope: scope.to_string(),
        generation: 0,
    };
    let event = EventDraft::new(&TOKEN_ISSUED, event_id, client.tenant.id, app.feed.database_now())
        .parties(client.id, client.id)
        .client(client.id)
        .request(context.origin())
        .details(Details::Token(details))
        .encode(&personal);
    let item = Issue {
        tenant_id: client.tenant.id,
        client_id: client.id,
        client_version: client.version,
        event_id,
        event: EventRow {
            core: event.core,
            personal,
        },
    };
    let signer = Signer::prepare(app, client).await?;
    let token = app
        .store
        .issue_client_token(item)
        .await?
        .ok_or(Denial::ClientDisabled)?;
    match token.outcome {
        IssueOutcome::Issued => {}
        IssueOutcome::Stale => return Ok(Attempt::Stale),
        IssueOutcome::ClientDisabled => return Err(Denial::ClientDisabled.into()),
        IssueOutcome::TenantSuspended => return Err(Denial::TenantSuspended.into()),
    }
    let grant = Grant {
        client,
        scope,
        epochs: token.epochs,
        at: token.at,
        person: None,
        refresh_token: None,
    };
    sign(&signer, grant).await.map(Attempt::Issued)
}

/// What is granted: what was asked for, or all that is registered and can stand in one token.
fn decide_scope(registered: &Scope, asked: Option<&Scope>) -> Result<Scope, Denial> {
    let Some(asked) = asked else {
        let usable = |admin: bool| {
            let tokens = registered.iter().filter(|token| !PERSONAL_SCOPES.contains(token));
            let of_kind = tokens.filter(|token| token.parse::<Scope>().is_ok_and(|scope| scope.is_admin() == admin));
            Scope::try_from(of_kind.map(ToOwned::to_owned).collect::<Vec<_>>()).map_err(|_| Denial::InvalidScope)
        };
        let plain = usable(false)?;
        return if plain.is_empty() { usable(true) } else { Ok(plain) };
    };
    let personal = PERSONAL_SCOPES.iter().any(|token| asked.contains(token));
    if personal || !asked.is_within(registered) || (asked.opens_admin() && !asked.is_admin()) {
        return Err(Denial::InvalidScope);
    }
    Ok(asked.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn tk_19_personal_scopes_are_refused() {
        let registered = scope("openid offline_access read");
        assert_eq!(
            decide_scope(&registered, Some(&scope("openid"))),
            Err(Denial::InvalidScope)
        );
        assert_eq!(
            decide_scope(&registered, Some(&scope("offline_access read"))),
            Err(Denial::InvalidScope)
        );
        assert_eq!(decide_scope(&registered, None), Ok(scope("read")));
    }

    #[test]
    fn admin_scopes_stand_alone() {
        let registered = scope("read credo.tenant.read credo.tenant.write");
        assert_eq!(
            decide_scope(&registered, Some(&scope("read credo.tenant.read"))),
            Err(Denial::InvalidScope)
        );
        assert_eq!(decide_scope(&registered, None), Ok(scope("read")));
        assert_eq!(
            decide_scope(&scope("credo.tenant.read"), None),
            Ok(scope("credo.tenant.read"))
        );
        assert_eq!(
            decide_scope(&registered, Some(&scope("write"))),
            Err(Denial::InvalidScope)
        );
    }
}
