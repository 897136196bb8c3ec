//! Signing keys, sealed.

use credo_ids::{SigningKeyId, TenantId};
use tracing::instrument;

use crate::{Fault, Store};

/// A key that verifies and is published.
#[derive(Debug)]
pub struct StoredSigningKey {
    /// Its id.
    pub id: SigningKeyId,
    /// Its name in a token's header.
    pub kid: String,
    /// Its JWS algorithm.
    pub algorithm: String,
    /// Whether it signs now.
    pub active: bool,
    /// The public part.
    pub public_key: Vec<u8>,
    /// The private part, encrypted.
    pub sealed_key: Vec<u8>,
    /// The master key that it is encrypted under.
    pub master_key_id: i16,
}

/// A key that is to become a tenant's active one.
#[derive(Debug)]
pub struct NewSigningKey {
    /// Its id.
    pub id: SigningKeyId,
    /// Its name in a token's header.
    pub kid: String,
    /// Its JWS algorithm.
    pub algorithm: &'static str,
    /// The public part.
    pub public_key: Vec<u8>,
    /// The private part, encrypted.
    pub sealed_key: Vec<u8>,
    /// The master key that it is encrypted under.
    pub master_key_id: i16,
}

impl Store {
    /// A tenant's keys that are pending, active or retiring.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn list_signing_keys(&self, tenant: TenantId) -> Result<Vec<StoredSigningKey>, Fault> {
        let rows = sqlx::query_file!("sql/signing_key_list.sql", tenant.as_uuid())
            .fetch_all(&self.cold)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| StoredSigningKey {
                id: row.id.into(),
                kid: row.kid,
                algorithm: row.algorithm,
                active: row.state == 2,
                public_key: row.public_key,
                sealed_key: row.sealed_key,
                master_key_id: row.master_key_id,
            })
            .collect())
    }

    /// Stores a tenant's active key, unless it has one of that algorithm.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn insert_signing_key(&self, tenant: TenantId, key: &NewSigningKey) -> Result<(), Fault> {
        sqlx::query_file!(
            "sql/signing_key_insert.sql",
            key.id.as_uuid(),
            tenant.as_uuid(),
            key.kid,
            key.algorithm,
            key.public_key,
            key.sealed_key,
            key.master_key_id
        )
        .execute(&self.cold)
        .await?;
        Ok(())
    }
}
