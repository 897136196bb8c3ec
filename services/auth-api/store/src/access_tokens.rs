//! Whether an access token is still honoured, asked of the rows themselves.

use credo_auth_domain::session::Epochs;
use credo_ids::{ClientId, SessionId, SigningKeyId, TenantId, TokenId, UserId};
use tracing::instrument;
use uuid::Uuid;

use crate::{Fault, Store};

/// A token whose signature is good.
#[derive(Clone, Copy, Debug)]
pub struct AccessTokenCheck {
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Its own id.
    pub token_id: TokenId,
    /// The key that signed it.
    pub key_id: SigningKeyId,
    /// What it was issued under.
    pub epochs: Epochs,
    /// Its client.
    pub client_id: ClientId,
    /// Its user, if one stands behind it.
    pub user_id: Option<UserId>,
    /// Its session, if a user stands behind it.
    pub session_id: Option<SessionId>,
}

/// Whether a token is honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessTokenStanding {
    /// It is.
    Good,
    /// It, or something that it was issued under, was ended.
    Revoked,
}

impl Store {
    /// Compares a token with the rows that it was issued under.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn check_access_token(&self, token: &AccessTokenCheck) -> Result<AccessTokenStanding, Fault> {
        let row = sqlx::query_file!(
            "sql/access_token_check.sql",
            token.tenant_id.as_uuid(),
            token.token_id.as_uuid(),
            token.epochs.tenant,
            token.client_id.as_uuid(),
            token.epochs.client,
            token.session_id.map(|session| session.as_uuid()) as Option<Uuid>,
            token.key_id.as_uuid()
        )
        .fetch_optional(&self.hot)
        .await?;
        let good = row.is_some_and(|row| {
            row.tenant_good && row.client_good && row.session_good && row.key_good && !row.jti_revoked
        });
        Ok(if good {
            AccessTokenStanding::Good
        } else {
            AccessTokenStanding::Revoked
        })
    }
}
