//! The beginning of a browser's authorization request: who asks, where the answer goes, and whether they may ask it.
//!
//! Refuses without a redirect until it is known that the redirect URI is the client's (RFC 6749 section 4.1.2.1); whatever
//! is wrong after that, the client is told. Writes nothing.

use std::sync::Arc;

use credo_auth_domain::{
    Denial,
    authorization_request::{AuthorizationRequest, RequestParameters},
    client::Client,
};
use credo_ids::ClientId;
use time::OffsetDateTime;
use tracing::instrument;

use super::{AuthorizationResponse, SealedRequest};
use crate::{app::App, flows::id_token_hint::verify_id_token_hint, refusal::Refusal};

/// A request that came.
#[derive(Debug)]
pub enum Begun {
    /// It may go on.
    Request(Box<SealedRequest>),
    /// The client is told what is wrong with it.
    Refused(AuthorizationResponse),
}

/// Validates a request.
///
/// # Errors
/// What is wrong with it, if it is for nobody but the person in front of the browser.
#[instrument(skip_all)]
pub async fn begin(app: &App, parameters: &RequestParameters) -> Result<Begun, Refusal> {
    let client = find_client(app, parameters).await?;
    let redirect_uri = parameters.unverified_redirect_uri()?;
    if !client.has_redirect_uri(redirect_uri) {
        return Err(Denial::RedirectUriNotRegistered.into());
    }
    let issuer = client.tenant.issuer(&app.settings.public_base_url);
    match AuthorizationRequest::parse(parameters, &client, &issuer) {
        Ok(mut request) => {
            request.subjects.extend(hinted_subject(app, parameters, &client).await?);
            let asked_at = asked_at(app, &request).await?;
            let sealed = SealedRequest::seal(app.keyring.masters(), request, asked_at)?;
            Ok(Begun::Request(Box::new(sealed)))
        }
        Err(denial) => Ok(Begun::Refused(AuthorizationResponse {
            redirect_uri: redirect_uri.to_owned(),
            response_mode: parameters.response_mode(),
            ui_locales: None,
            outcome: Err(denial),
            state: parameters.state().map(ToOwned::to_owned),
            issuer,
            client,
        })),
    }
}

async fn find_client(app: &App, parameters: &RequestParameters) -> Result<Arc<Client>, Refusal> {
    let client = match parameters.unverified_client_id()?.parse::<ClientId>() {
        Ok(id) => app.directory.resolve_client(id).await?,
        Err(_) => None,
    };
    client.ok_or_else(|| Denial::UnknownClient.into())
}

/// Whom the client means by the ID token that it shows; nobody if that is not one of ours, of any age.
async fn hinted_subject(app: &App, parameters: &RequestParameters, client: &Client) -> Result<Option<String>, Refusal> {
    let Some(hint) = parameters.unverified_id_token_hint() else {
        return Ok(None);
    };
    let hint = verify_id_token_hint(app, &client.tenant, hint).await?;
    Ok(hint.map(|hint| hint.user.to_string()))
}

/// When the request came, by the clock that dates sign-ins. What this process thinks that clock says may be some
/// milliseconds off: enough for a sign-in just before the request to pass for one after it.
async fn asked_at(app: &App, request: &AuthorizationRequest) -> Result<OffsetDateTime, Refusal> {
    if request.compares_moments() {
        Ok(app.store.now().await?)
    } else {
        Ok(app.feed.database_now())
    }
}
