//! What comes next for a browser that asks for an authorization: sign in, consent, or the answer.

use credo_auth_domain::{
    Denial,
    authorization_request::{SignedIn, WhySignIn},
    scope::Scope,
};
use tracing::instrument;

use super::{AuthorizationResponse, SealedRequest};
use crate::{app::App, refusal::Refusal};

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Somebody must sign in.
    SignIn(WhySignIn),
    /// The person must be asked.
    Consent(ConsentQuestion),
    /// The client is answered.
    Answer(AuthorizationResponse),
}

/// What a person is asked.
#[derive(Clone, Debug)]
pub struct ConsentQuestion {
    /// Who asks.
    pub client_name: String,
    /// What was never allowed to it, or is not any more.
    pub new: Scope,
    /// What was allowed before.
    pub granted: Scope,
}

/// Looks what comes next.
///
/// # Errors
/// If the client may not ask any more, or something gives no answer.
#[instrument(skip_all)]
pub async fn next_step(app: &App, sealed: &SealedRequest, somebody: Option<SignedIn>) -> Result<Step, Refusal> {
    let request = &sealed.request;
    let client = app.directory.resolve_client(request.client_id).await?;
    let client = client
        .filter(|client| client.has_redirect_uri(&request.redirect_uri))
        .ok_or(Denial::InvalidRequest("the client may not ask for this any more"))?;
    let issuer = client.tenant.issuer(&app.settings.public_base_url);
    let standing = request
        .check(&client)
        .and_then(|()| request.why_sign_in(sealed.asked_at, somebody));
    match standing {
        Ok(why) => Ok(Step::SignIn(why.unwrap_or(WhySignIn::Nobody))),
        Err(denial) => Ok(Step::Answer(AuthorizationResponse::to(request, issuer, Err(denial)))),
    }
}
