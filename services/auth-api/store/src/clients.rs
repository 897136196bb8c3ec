//! Clients with their tenants.

use credo_auth_domain::{
    client::{ApplicationType, AuthMethod, Client, LiveSecret},
    grant_type::GrantType,
    rate_limit::{Limits, RateClass},
    signing_algorithm::SigningAlgorithm,
    tenant::Tenant,
};
use credo_ids::ClientId;
use time::OffsetDateTime;
use tracing::instrument;

use crate::{Fault, Store, tenants::appearance};

impl Store {
    /// Whether any active client of an active tenant has registered an origin.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn is_registered_origin(&self, origin: &str) -> Result<bool, Fault> {
        let row = sqlx::query_file!("sql/client_origin_registered.sql", origin)
            .fetch_one(&self.cold)
            .await?;
        Ok(row.registered)
    }

    /// The client of that id, whatever its state.
    ///
    /// # Errors
    /// If the database gives no answer, or a row that cannot be.
    #[instrument(skip_all)]
    pub async fn find_client(&self, id: ClientId) -> Result<Option<Client>, Fault> {
        let row = sqlx::query_file!("sql/client_find.sql", id.as_uuid())
            .fetch_optional(&self.cold)
            .await?;
        row.map(|row| {
            Ok(Client {
                id: row.id.into(),
                tenant: Tenant {
                    id: row.tenant_id.into(),
                    slug: row.slug,
                    display_name: row.tenant_display_name,
                    appearance: appearance(row.accent_color, row.accent_color_dark, row.logo_sha256)?,
                    active: row.tenant_status == 1,
                    epoch: row.tenant_epoch,
                    dangerous_trust_email: row.dangerous_trust_email,
                    create_unknown_users: row.create_unknown_users,
                    address_attempts_per_minute: row
                        .address_attempts_per_minute
                        .and_then(|limit| limit.try_into().ok()),
                },
                display_name: row.display_name,
                active: row.status == 1,
                epoch: row.epoch,
                version: row.version,
                first_party: row.first_party,
                auth_method: AuthMethod::find(&row.token_endpoint_auth_method)
                    .ok_or(Fault::Impossible("client.token_endpoint_auth_method"))?,
                grant_types: (row.grant_types.iter().map(|name| GrantType::find(name)))
                    .collect::<Option<_>>()
                    .ok_or(Fault::Impossible("client.grant_types"))?,
                application_type: ApplicationType::find(&row.application_type)
                    .ok_or(Fault::Impossible("client.application_type"))?,
                redirect_uris: row.redirect_uris,
                post_logout_redirect_uris: row.post_logout_redirect_uris,
                allowed_origins: row.allowed_origins,
                scope: row.scope.parse().map_err(|_| Fault::Impossible("client.scope"))?,
                require_pkce: row.require_pkce,
                refresh_grace_seconds: row.refresh_grace_seconds,
                id_token_alg: SigningAlgorithm::find(&row.id_token_signed_response_alg)
                    .ok_or(Fault::Impossible("client.id_token_signed_response_alg"))?,
                limits: limits(&row.limit_classes, &row.limits_per_minute)?,
                secrets: (row.secret_hashes.into_iter().zip(row.secrets_expire_at))
                    .map(|(hash, expires_at)| live_secret(hash, expires_at))
                    .collect::<Result<_, _>>()?,
            })
        })
        .transpose()
    }
}

/// Limits from their columns; of two of one class the later one holds.
fn limits(classes: &[i16], per_minute: &[i32]) -> Result<Limits, Fault> {
    classes
        .iter()
        .zip(per_minute)
        .try_fold(Limits::default(), |limits, (class, per_minute)| {
            let class = RateClass::of_number(*class).ok_or(Fault::Impossible("rate_limit.class"))?;
            let per_minute = (*per_minute)
                .try_into()
                .map_err(|_| Fault::Impossible("rate_limit.per_minute"))?;
            Ok(limits.with(class, per_minute))
        })
}

/// A secret from its columns; the instant in microseconds of the Unix epoch.
fn live_secret(hash: Vec<u8>, expires_at: Option<i64>) -> Result<LiveSecret, Fault> {
    let instant = |micros: i64| OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000);
    Ok(LiveSecret {
        hash: hash.try_into().map_err(|_| Fault::Impossible("client_secret.hash"))?,
        expires_at: (expires_at.map(instant).transpose()).map_err(|_| Fault::Impossible("client_secret.expires_at"))?,
    })
}
