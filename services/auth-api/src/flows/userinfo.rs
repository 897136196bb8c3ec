//! The claims of the person behind a token: by scope (OpenID Connect Core section 5.4), and those that the client asked for
//! by name (section 5.5), which the token lists.

use credo_auth_domain::claims_request::governing_scope;
use serde_json::{Map, Value};
use tracing::instrument;

use super::bearer::Bearer;
use crate::{app::App, refusal::Refusal};

/// The claims that the token opens and that have a value; nothing if the person is gone.
///
/// # Errors
/// If the database has to be asked and gives no answer.
#[instrument(skip_all)]
pub async fn userinfo(app: &App, bearer: &Bearer) -> Result<Option<Map<String, Value>>, Refusal> {
    let Some((user_id, _)) = bearer.person() else {
        return Ok(None);
    };
    let Some(user) = app.directory.resolve_user(bearer.tenant(), user_id).await? else {
        return Ok(None);
    };
    let named = &bearer.claims().userinfo_claims;
    let mut claims = user.claims(|claim| {
        governing_scope(claim).is_some_and(|scope| bearer.has_scope(scope)) || named.iter().any(|name| name == claim)
    });
    claims.insert("sub".to_owned(), user.id.to_string().into());
    Ok(Some(claims))
}
