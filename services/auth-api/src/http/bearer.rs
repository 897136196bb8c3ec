//! Where the access token of a request is (RFC 6750 section 2): in the header, or for userinfo in a form; never in both.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Uri, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use credo_auth_domain::rate_limit::RateClass;
use url::form_urlencoded;

use super::answer::{Answer, Challenge};
use crate::{
    app::App,
    audit::RequestContext,
    flows::bearer::{self, Audience, Bearer},
};

/// A request whose header carries a token that is good now.
pub(super) struct HeaderBearer(pub Bearer);

impl FromRequestParts<Arc<App>> for HeaderBearer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let token = header_token(&parts.headers, &parts.uri).map_err(Challenge::into_response)?;
        let token = token.ok_or_else(|| Challenge::Missing.into_response())?;
        authenticate(app, &token).await.map(Self)
    }
}

/// The token in the header, if there is an `Authorization` header. One in the query is in the wrong place (RFC 9700
/// section 4.3.2), with or without another.
pub(super) fn header_token(headers: &HeaderMap, uri: &Uri) -> Result<Option<String>, Challenge> {
    let query = uri.query().unwrap_or_default().as_bytes();
    if form_urlencoded::parse(query).any(|(name, _)| name == "access_token") {
        return Err(Challenge::InvalidRequest);
    }
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Challenge::InvalidRequest);
    }
    let text = value.to_str().map_err(|_| Challenge::InvalidToken)?;
    let (scheme, token) = text.split_once(' ').ok_or(Challenge::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(token.trim().to_owned()))
    } else {
        Err(Challenge::Missing)
    }
}

/// Lets a bearer's request through, if the limit of the token's session does; else the answer that refuses it. Behind the
/// signature: who made up a token must not use up what is another's.
pub(super) async fn admit(
    app: &App,
    context: &RequestContext,
    bearer: &Bearer,
    class: RateClass,
) -> Result<(), Response> {
    let admitted = bearer::admit(app, context, bearer, class).await;
    admitted.map_err(|refusal| Answer::new(app).bearer_refusal(context, &refusal))
}

/// The bearer of a token, or the answer that refuses it.
pub(super) async fn authenticate(app: &App, token: &str) -> Result<Bearer, Response> {
    match bearer::authenticate(app, token, Audience::Tenant).await {
        Ok(Some(bearer)) => Ok(bearer),
        Ok(None) => Err(Challenge::InvalidToken.into_response()),
        Err(refusal) => Err(Answer::new(app).refusal(&refusal)),
    }
}
