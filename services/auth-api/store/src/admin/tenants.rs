//! Tenants as administrators see them.

use credo_ids::TenantId;
use credo_postgres::{Failure, classify};
use sqlx::PgConnection;
use time::OffsetDateTime;
use tracing::instrument;
use uuid::Uuid;

use super::{
    ComplianceEvent, Mutated, Mutation, PageQuery, Taken, Unmade,
    mutation::{Opened, attempt},
};
use crate::{Fault, NewSigningKey, Store, outbox::shard};

/// The constraint that keeps slugs apart.
const SLUG_CONSTRAINT: &str = "tenant_slug_key";

/// A tenant, whole.
#[derive(Clone, Debug)]
pub struct TenantRecord {
    /// Its id.
    pub id: TenantId,
    /// Its name in the issuer.
    pub slug: String,
    /// Shown to people.
    pub display_name: String,
    /// Whether it is served at all.
    pub active: bool,
    /// Rises when everything issued under it must die.
    pub epoch: i64,
    /// Rises at every change.
    pub version: i64,
    /// Whether the first sign-in of an unknown address makes a user.
    pub create_unknown_users: bool,
    /// Whether a bare e-mail address signs in.
    pub dangerous_trust_email: bool,
    /// The accent on its light pages, if it has one of its own.
    pub accent_color: Option<String>,
    /// The accent on its dark pages, if it has one of its own.
    pub accent_color_dark: Option<String>,
    /// The SHA-256 of its logo, if it has one.
    pub logo_sha256: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
}

/// A tenant that is to be made.
#[derive(Debug)]
pub struct NewTenant {
    /// Its id.
    pub id: TenantId,
    /// Its name in the issuer.
    pub slug: String,
    /// Shown to people.
    pub display_name: String,
    /// Whether the first sign-in of an unknown address makes a user.
    pub create_unknown_users: bool,
    /// Whether a bare e-mail address signs in.
    pub dangerous_trust_email: bool,
    /// What its pages look like.
    pub branding: NewBranding,
    /// Its first key, which signs at once.
    pub signing_key: NewSigningKey,
}

/// What a new tenant's pages look like: colours as `#rrggbb`, a PNG image.
#[derive(Clone, Debug, Default)]
pub struct NewBranding {
    /// The accent on light pages.
    pub accent_color: Option<String>,
    /// The accent on dark pages.
    pub accent_color_dark: Option<String>,
    /// The logo.
    pub logo: Option<Vec<u8>>,
}

/// What a tenant is asked for by.
#[derive(Clone, Debug)]
pub enum TenantKey {
    /// Its id.
    Id(TenantId),
    /// Its slug.
    Slug(String),
}

impl Store {
    /// Makes a tenant with its first signing key. Refused as `Taken` if the slug was ever used.
    ///
    /// # Errors
    /// If it was not made.
    #[instrument(skip_all, fields(tenant = %new.id))]
    pub async fn create_tenant(
        &self,
        mutation: &Mutation,
        new: &NewTenant,
        event: &ComplianceEvent,
    ) -> Result<Mutated<TenantRecord>, Unmade<Taken>> {
        let make = || async {
            let mut open = match self.open(mutation, new.id.as_uuid()).await? {
                Opened::New(open) => open,
                Opened::Before { object, effect } => {
                    let thing = self.find_tenant_record(&TenantKey::Id(object.into()), None).await?;
                    let thing = thing.ok_or(Unmade::NotFound)?;
                    return Ok(Mutated { thing, effect });
                }
            };
            let made = self.insert_tenant(&mut open.transaction, new, event).await;
            let made = made.map_err(|error| match classify(&error) {
                Failure::UniqueViolation(name) if name == SLUG_CONSTRAINT => Unmade::Refused(Taken { field: "slug" }),
                _ => error.into(),
            })?;
            open.close(made).await
        };
        attempt(|| Box::pin(make())).await
    }

    async fn insert_tenant(
        &self,
        transaction: &mut PgConnection,
        new: &NewTenant,
        event: &ComplianceEvent,
    ) -> Result<TenantRecord, sqlx::Error> {
        sqlx::query_file_as!(
            TenantRecord,
            "sql/admin_tenant_insert.sql",
            new.id.as_uuid(),
            new.slug,
            new.display_name,
            new.create_unknown_users,
            new.dangerous_trust_email,
            new.signing_key.id.as_uuid(),
            new.signing_key.kid,
            new.signing_key.algorithm,
            new.signing_key.public_key,
            new.signing_key.sealed_key,
            new.signing_key.master_key_id,
            self.slot(),
            shard(new.id),
            event.encoded.event_id.as_uuid(),
            event.encoded.core,
            event.personal.as_bytes(),
            new.branding.accent_color.as_deref() as Option<&str>,
            new.branding.accent_color_dark.as_deref() as Option<&str>,
            new.branding.logo.as_deref() as Option<&[u8]>
        )
        .fetch_one(transaction)
        .await
    }

    /// The tenant of that id or slug. `only` is the one tenant that may be seen, or nothing if all may be.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn find_tenant_record(
        &self,
        key: &TenantKey,
        only: Option<TenantId>,
    ) -> Result<Option<TenantRecord>, Fault> {
        let (id, slug) = match key {
            TenantKey::Id(id) => (Some(id.as_uuid()), None),
            TenantKey::Slug(slug) => (None, Some(slug.as_str())),
        };
        let record = sqlx::query_file_as!(
            TenantRecord,
            "sql/admin_tenant_get.sql",
            id as Option<Uuid>,
            slug as Option<&str>,
            only.map(|tenant| tenant.as_uuid()) as Option<Uuid>
        )
        .fetch_optional(&self.cold)
        .await?;
        Ok(record)
    }

    /// A page of tenants. `only` is the one tenant that may be seen, or nothing if all may be.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn list_tenant_records(
        &self,
        page: PageQuery<TenantId>,
        only: Option<TenantId>,
    ) -> Result<Vec<TenantRecord>, Fault> {
        let records = sqlx::query_file_as!(
            TenantRecord,
            "sql/admin_tenant_list.sql",
            only.map(|tenant| tenant.as_uuid()) as Option<Uuid>,
            page.after.map(|tenant| tenant.as_uuid()) as Option<Uuid>,
            page.limit
        )
        .fetch_all(&self.cold)
        .await?;
        Ok(records)
    }
}
