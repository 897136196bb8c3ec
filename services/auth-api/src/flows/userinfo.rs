//! The claims of the person behind a token, by scope (OpenID Connect Core section 5.3 and 5.4).

use serde::Serialize;
use tracing::instrument;

use super::bearer::Bearer;
use crate::{app::App, refusal::Refusal};

/// What userinfo answers.
#[derive(Debug, Serialize)]
pub struct Claims {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

/// The claims that the token's scope opens; nothing if the person is gone.
///
/// # Errors
/// If the database has to be asked and gives no answer.
#[instrument(skip_all)]
pub async fn userinfo(app: &App, bearer: &Bearer) -> Result<Option<Claims>, Refusal> {
    let Some((user_id, _)) = bearer.person() else {
        return Ok(None);
    };
    let Some(user) = app.directory.resolve_user(bearer.tenant(), user_id).await? else {
        return Ok(None);
    };
    let (profile, email) = (bearer.has_scope("profile"), bearer.has_scope("email"));
    Ok(Some(Claims {
        sub: user.id.to_string(),
        name: user.display_name.clone().filter(|_| profile),
        updated_at: profile.then(|| user.updated_at.unix_timestamp()),
        email: email.then(|| user.email.clone()),
        email_verified: email.then_some(user.email_verified),
    }))
}
