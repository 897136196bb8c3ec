//! Tenants by their name in the issuer.

use credo_auth_domain::{branding::Appearance, tenant::Tenant};
use credo_ids::TenantId;
use tracing::instrument;

use crate::{Fault, Store};

impl Store {
    /// The tenant of that slug, whatever its state.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn find_tenant_by_slug(&self, slug: &str) -> Result<Option<Tenant>, Fault> {
        let row = sqlx::query_file!("sql/tenant_find_by_slug.sql", slug)
            .fetch_optional(&self.cold)
            .await?;
        row.map(|row| {
            Ok(Tenant {
                id: row.id.into(),
                slug: row.slug,
                display_name: row.display_name,
                appearance: appearance(row.accent_color, row.accent_color_dark, row.logo_sha256)?,
                active: row.status == 1,
                epoch: row.epoch,
                dangerous_trust_email: row.dangerous_trust_email,
                create_unknown_users: row.create_unknown_users,
                address_attempts_per_minute: row.address_attempts_per_minute.and_then(|limit| limit.try_into().ok()),
            })
        })
        .transpose()
    }

    /// A tenant's logo, if it has one.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn find_tenant_logo(&self, tenant: TenantId) -> Result<Option<Vec<u8>>, Fault> {
        let logo = sqlx::query_file_scalar!("sql/tenant_logo_find.sql", tenant.as_uuid())
            .fetch_optional(&self.cold)
            .await?;
        Ok(logo)
    }
}

/// What a tenant's pages look like, from its columns.
pub(crate) fn appearance(
    accent_color: Option<String>,
    accent_color_dark: Option<String>,
    logo_sha256: Option<Vec<u8>>,
) -> Result<Appearance, Fault> {
    let color = |text: Option<String>| {
        let color = text.map(|text| text.parse()).transpose();
        color.map_err(|_| Fault::Impossible("tenant.accent_color"))
    };
    Ok(Appearance {
        accent_color: color(accent_color)?,
        accent_color_dark: color(accent_color_dark)?,
        logo_sha256: (logo_sha256.map(TryInto::try_into).transpose())
            .map_err(|_| Fault::Impossible("sha256(tenant.logo)"))?,
    })
}
