//! The authorization request (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1), read once into a type.
//!
//! Owns which parameters there are and what each may be. Refuses what the client is not registered for, every response
//! type but `code`, PKCE by any method but S256, and requests that come as a JWT or by reference (nothing is ever fetched).
//! What only advises (`display`, `ui_locales`, `claims_locales`, `acr_values`, `login_hint`) never makes an error.

mod parameters;

use credo_ids::{ClientId, UserId};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

pub use parameters::{MAX_NONCE_BYTES, MAX_STATE_BYTES, RequestParameters};

use crate::{
    Denial, claims_request::ClaimsRequest, client::Client, grant_type::GrantType, pkce::CodeChallenge, prompt::Prompt,
    response_mode::ResponseMode, scope::Scope,
};

/// Makes a request one of OpenID Connect.
const OPENID: &str = "openid";
/// The only response type.
const CODE: &str = "code";
/// How long before a request that opens the admin APIs the person may have signed in.
const ADMIN_MAX_AGE_SECONDS: u32 = 15 * 60;

/// A request that its client may make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes, as it was written.
    pub redirect_uri: String,
    /// How it travels.
    pub response_mode: ResponseMode,
    /// Echoed byte for byte.
    pub state: Option<String>,
    /// What is asked for.
    pub scope: Scope,
    /// Single claims that are asked for; only where they are of use: with `openid`, and within the client's scope.
    pub claims: Option<ClaimsRequest>,
    /// Echoed in the ID token.
    pub nonce: Option<String>,
    /// PKCE.
    pub code_challenge: Option<CodeChallenge>,
    /// What the person must be shown.
    pub prompt: Prompt,
    /// How long ago the person may have signed in.
    pub max_age_seconds: Option<u32>,
    /// Each must be the `sub` of whoever signs in: from the ID token of the hint, and from `claims`.
    pub subjects: Vec<String>,
    /// What the sign-in page begins with.
    pub login_hint: Option<String>,
    /// The languages that the person prefers, as the client says it.
    pub ui_locales: Option<String>,
}

/// Somebody who is signed in.
#[derive(Clone, Copy, Debug)]
pub struct SignedIn {
    /// Who.
    pub user: UserId,
    /// Since when.
    pub auth_time: OffsetDateTime,
}

/// Why somebody must sign in, although somebody may be signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhySignIn {
    /// Nobody is signed in.
    Nobody,
    /// The client wants it again.
    Asked,
    /// The person is to say again who they are.
    SelectAccount,
    /// It was too long ago for the client.
    TooLongAgo,
    /// The client means somebody else.
    SomebodyElse,
}

impl AuthorizationRequest {
    /// Reads the request of `client`, whose tenant is `issuer` and whose redirect URI was found to be registered.
    ///
    /// # Errors
    /// What is wrong with it, for a redirect.
    pub fn parse(parameters: &RequestParameters, client: &Client, issuer: &str) -> Result<Self, Denial> {
        parameters.refuse_repeated()?;
        refuse_unsupported(parameters)?;
        let scope: Scope = (parameters.find("scope")?.unwrap_or_default().parse()).map_err(|_| Denial::InvalidScope)?;
        let claims = claims(parameters, &scope)?.map(|claims| claims.within(&client.scope));
        let request = Self {
            client_id: client.id,
            redirect_uri: parameters.unverified_redirect_uri()?.to_owned(),
            response_mode: parameters.response_mode(),
            state: bounded(parameters, "state", MAX_STATE_BYTES)?,
            scope,
            nonce: bounded(parameters, "nonce", MAX_NONCE_BYTES)?,
            code_challenge: code_challenge(parameters)?,
            prompt: Prompt::parse(parameters.find("prompt")?.unwrap_or_default())?,
            max_age_seconds: max_age(parameters)?,
            subjects: (claims.iter().filter_map(ClaimsRequest::subject))
                .map(|subject| subject.as_str().unwrap_or_default().to_owned())
                .collect(),
            claims: claims.filter(|claims| !claims.is_empty()),
            login_hint: parameters.hint("login_hint"),
            ui_locales: parameters.hint("ui_locales"),
        };
        check_resources(parameters, issuer)?;
        request.check(client)?;
        Ok(request)
    }

    /// Whether the client may (still) make this request. That its redirect URI is registered is for whoever answers:
    /// without it there is nowhere to tell of anything else.
    ///
    /// # Errors
    /// What it may not.
    pub fn check(&self, client: &Client) -> Result<(), Denial> {
        if !client.may_use(GrantType::AuthorizationCode) {
            return Err(Denial::GrantNotAllowed);
        }
        if self.code_challenge.is_none() && client.require_pkce {
            return Err(Denial::InvalidRequest("code_challenge is missing"));
        }
        // A request without a scope has no default to fall back to.
        if self.scope.is_empty() || !self.scope.is_within(&client.scope) {
            return Err(Denial::InvalidScope);
        }
        // What opens the admin APIs stands alone, and nobody but our own programs carries it for a person.
        if self.scope.opens_admin() && !(self.scope.is_admin() && client.first_party) {
            return Err(Denial::InvalidScope);
        }
        Ok(())
    }

    /// How long before the request the person may have signed in: what the client wants, and for the admin APIs no longer than
    /// a browser is left alone.
    fn max_age_seconds(&self) -> Option<u32> {
        let admin = self.scope.is_admin().then_some(ADMIN_MAX_AGE_SECONDS);
        self.max_age_seconds.into_iter().chain(admin).min()
    }

    /// What a person must allow before a client gets an answer: the scopes, and those that govern the single claims.
    #[must_use]
    pub fn consent_scope(&self) -> Scope {
        let claims = self.claims.as_ref().map(ClaimsRequest::scope).unwrap_or_default();
        self.scope.union(&claims)
    }

    /// Whether it matters to the moment if a sign-in is older than the request.
    #[must_use]
    pub fn compares_moments(&self) -> bool {
        let asks_again = self.prompt.login || self.prompt.select_account || self.max_age_seconds == Some(0);
        asks_again || !self.subjects.is_empty()
    }

    /// Whether somebody must sign in first, and why.
    ///
    /// What was asked for at `asked_at` is done by a sign-in since then, and by no older one.
    ///
    /// # Errors
    /// `login_required`: nothing may be shown; or who signed in at the request is still not whom the client means.
    pub fn why_sign_in(
        &self,
        asked_at: OffsetDateTime,
        somebody: Option<SignedIn>,
    ) -> Result<Option<WhySignIn>, Denial> {
        let why = somebody.map_or(Some(WhySignIn::Nobody), |signed_in| self.why_not(asked_at, signed_in));
        let signed_in_for_this = somebody.is_some_and(|signed_in| signed_in.auth_time >= asked_at);
        match why {
            Some(_) if self.prompt.none => Err(Denial::LoginRequired),
            Some(WhySignIn::SomebodyElse) if signed_in_for_this => Err(Denial::LoginRequired),
            why => Ok(why),
        }
    }

    fn why_not(&self, asked_at: OffsetDateTime, signed_in: SignedIn) -> Option<WhySignIn> {
        let since = signed_in.auth_time;
        let oldest = |seconds: u32| asked_at.checked_sub(Duration::seconds(seconds.into()));
        let subject = signed_in.user.to_string();
        if self.prompt.login && since < asked_at {
            Some(WhySignIn::Asked)
        } else if self.prompt.select_account && since < asked_at {
            Some(WhySignIn::SelectAccount)
        } else if self.subjects.iter().any(|wanted| *wanted != subject) {
            Some(WhySignIn::SomebodyElse)
        } else if (self.max_age_seconds().and_then(oldest)).is_some_and(|oldest| since < oldest) {
            Some(WhySignIn::TooLongAgo)
        } else {
            None
        }
    }
}

/// What this server does not do, each with the error that its specification names.
fn refuse_unsupported(parameters: &RequestParameters) -> Result<(), Denial> {
    for (name, denial) in [
        ("request", Denial::RequestNotSupported),
        ("request_uri", Denial::RequestUriNotSupported),
        ("registration", Denial::RegistrationNotSupported),
    ] {
        // A value that is no text is one too.
        if !matches!(parameters.find_raw(name), Ok(None)) {
            return Err(denial);
        }
    }
    match parameters.find("response_type")? {
        None => return Err(Denial::InvalidRequest("response_type is missing")),
        Some(CODE) => {}
        Some(_) => return Err(Denial::UnsupportedResponseType),
    }
    match parameters.find("response_mode")? {
        Some(mode) if ResponseMode::find(mode).is_none() => {
            Err(Denial::InvalidRequest("response_mode must be query or form_post"))
        }
        _ => Ok(()),
    }
}

fn bounded(parameters: &RequestParameters, name: &str, longest: usize) -> Result<Option<String>, Denial> {
    match parameters.find(name)? {
        Some(text) if text.len() > longest => Err(Denial::InvalidRequest("state or nonce is too long")),
        text => Ok(text.map(ToOwned::to_owned)),
    }
}

fn code_challenge(parameters: &RequestParameters) -> Result<Option<CodeChallenge>, Denial> {
    let method = parameters.find("code_challenge_method")?;
    match parameters.find("code_challenge")? {
        Some(challenge) => CodeChallenge::parse(challenge, method)
            .map(Some)
            .map_err(|_| Denial::InvalidRequest("code_challenge must be that of a verifier by the method S256")),
        None if method.is_some() => Err(Denial::InvalidRequest("code_challenge is missing")),
        None => Ok(None),
    }
}

fn max_age(parameters: &RequestParameters) -> Result<Option<u32>, Denial> {
    let Some(text) = parameters.find("max_age")? else {
        return Ok(None);
    };
    if text.len() > 20 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Denial::InvalidRequest("max_age must be a number of seconds"));
    }
    // More than a century is as good as for ever.
    Ok(Some(text.parse().unwrap_or(u32::MAX)))
}

/// Single claims are a matter of OpenID Connect: without it they are an unknown parameter.
fn claims(parameters: &RequestParameters, scope: &Scope) -> Result<Option<ClaimsRequest>, Denial> {
    if !scope.contains(OPENID) {
        return Ok(None);
    }
    // JSON may come with line ends.
    parameters.find_raw("claims")?.map(ClaimsRequest::parse).transpose()
}

/// RFC 8707: access tokens are for the tenant's own APIs, which its issuer names.
fn check_resources(parameters: &RequestParameters, issuer: &str) -> Result<(), Denial> {
    let mut resources = parameters.all("resource").filter(|value| *value != Some(""));
    match (resources.next(), resources.next()) {
        (None, _) => Ok(()),
        (Some(resource), None) if resource == Some(issuer) => Ok(()),
        _ => Err(Denial::InvalidTarget),
    }
}

#[cfg(test)]
mod tests;
