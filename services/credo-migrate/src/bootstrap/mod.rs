//! `bootstrap`: the tenant `system` and its first admin client, without which nobody could call an admin API.
//!
//! One transaction with its compliance events: either there is a client whose secret was printed, or nothing changed.
//! The second run refuses, because a secret that anyone with the owner's URL could make anew unseen would be no secret;
//! `--replace` ends what the old one was used for, and the trail says so.

mod event;
mod secret;

use std::io::Write as _;

use credo_clock::SystemClock;
use credo_ids::{ClientId, ClientSecretId, TenantId};
use credo_postgres::{Failure, classify, schema::Database};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use sqlx::{Connection as _, PgConnection};

use self::{
    event::{ADMIN_CLIENT_BOOTSTRAPPED, CLIENT_CREATED, Change, Events, TENANT_CREATED},
    secret::NewSecret,
};
use crate::{connect::connect, settings::Settings};

/// The tenant whose clients act on all tenants.
const SYSTEM_SLUG: &str = "system";

/// Every scope of the admin APIs.
pub const ADMIN_SCOPE: &str = "credo.tenant.read credo.tenant.write credo.client.read credo.client.write \
     credo.user.read credo.user.write credo.outbox.read credo.audit.read credo.audit.personal";

/// Why there is no new secret.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// It was done before.
    #[error(
        "the first admin client exists; --replace deletes its secrets, ends what they were used for and makes a new one"
    )]
    AlreadyDone,
    /// The tenant is there without any client, which this program never leaves behind.
    #[error("tenant system has no client: it was not made by bootstrap")]
    NoClient,
    /// The system gave no random bytes.
    #[error("no random bytes")]
    NoRandomness(#[from] aws_lc_rs::error::Unspecified),
    /// The database refused or did not answer.
    #[error("the database did not do it: {0}")]
    Database(#[from] sqlx::Error),
}

/// What is printed, once.
#[derive(Serialize)]
struct Credentials<'a> {
    tenant_id: TenantId,
    client_id: ClientId,
    client_secret: &'a str,
    scope: &'a str,
}

/// The tenant and client of a bootstrap.
#[derive(Debug, Clone, Copy)]
struct AdminClient {
    tenant: TenantId,
    client: ClientId,
}

/// Makes the first admin client, or with `replace` its new secret, and prints the secret.
///
/// # Errors
/// [`BootstrapError::AlreadyDone`] the second time without `replace`.
pub async fn run(settings: &Settings, replace: bool) -> anyhow::Result<()> {
    let mut connection = connect(settings, Database::Auth).await?;
    let secret = NewSecret::generate().map_err(BootstrapError::from)?;
    let admin = store(&mut connection, &secret, replace).await?;
    connection.close().await?;
    let credentials = Credentials {
        tenant_id: admin.tenant,
        client_id: admin.client,
        client_secret: secret.text().expose_secret(),
        scope: ADMIN_SCOPE,
    };
    let line = serde_json::to_string(&credentials)?;
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

async fn store(
    connection: &mut PgConnection,
    secret: &NewSecret,
    replace: bool,
) -> Result<AdminClient, BootstrapError> {
    let mut transaction = connection.begin().await?;
    sqlx::query_file!("sql/commit_durably.sql")
        .execute(&mut *transaction)
        .await?;
    let tenant = sqlx::query_file_scalar!("sql/system_tenant_lock.sql", SYSTEM_SLUG)
        .fetch_optional(&mut *transaction)
        .await?
        .map(TenantId::from);
    let admin = match tenant {
        None => create(&mut transaction, secret).await?,
        Some(tenant) if replace => replace_secret(&mut transaction, tenant, secret).await?,
        Some(_) => return Err(BootstrapError::AlreadyDone),
    };
    transaction.commit().await?;
    Ok(admin)
}

async fn create(transaction: &mut PgConnection, secret: &NewSecret) -> Result<AdminClient, BootstrapError> {
    let admin = AdminClient {
        tenant: TenantId::now_v7(),
        client: ClientId::now_v7(),
    };
    let inserted = sqlx::query_file!("sql/system_tenant_insert.sql", admin.tenant.as_uuid(), SYSTEM_SLUG)
        .execute(&mut *transaction)
        .await;
    match inserted {
        // Another bootstrap committed between our look and our insert.
        Err(error) if matches!(classify(&error), Failure::UniqueViolation(_)) => {
            return Err(BootstrapError::AlreadyDone);
        }
        result => result?,
    };
    sqlx::query_file!(
        "sql/admin_client_insert.sql",
        admin.client.as_uuid(),
        admin.tenant.as_uuid(),
        ADMIN_SCOPE
    )
    .execute(&mut *transaction)
    .await?;
    let secret_id = insert_secret(transaction, admin, secret).await?;
    let mut events = Events::new(transaction, admin.tenant, SystemClock::new().now());
    events
        .write(&TENANT_CREATED, Change::tenant_created(admin.tenant))
        .await?;
    events
        .write(&CLIENT_CREATED, Change::client_created(admin.client))
        .await?;
    events
        .write(
            &ADMIN_CLIENT_BOOTSTRAPPED,
            Change::secret_created(admin.client, secret_id),
        )
        .await?;
    Ok(admin)
}

/// Locks in the order tenant, client, as every statement does.
async fn replace_secret(
    transaction: &mut PgConnection,
    tenant: TenantId,
    secret: &NewSecret,
) -> Result<AdminClient, BootstrapError> {
    let client = sqlx::query_file_scalar!("sql/admin_client_renew.sql", tenant.as_uuid())
        .fetch_optional(&mut *transaction)
        .await?
        .map(ClientId::from)
        .ok_or(BootstrapError::NoClient)?;
    let admin = AdminClient { tenant, client };
    let deleted = sqlx::query_file!("sql/client_secret_delete.sql", client.as_uuid(), tenant.as_uuid())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    let secret_id = insert_secret(transaction, admin, secret).await?;
    let mut events = Events::new(transaction, tenant, SystemClock::new().now());
    events
        .write(
            &ADMIN_CLIENT_BOOTSTRAPPED,
            Change::secret_replaced(client, secret_id, deleted),
        )
        .await?;
    Ok(admin)
}

async fn insert_secret(
    transaction: &mut PgConnection,
    admin: AdminClient,
    secret: &NewSecret,
) -> Result<ClientSecretId, BootstrapError> {
    let (id, hash) = (ClientSecretId::now_v7(), secret.hash());
    sqlx::query_file!(
        "sql/client_secret_insert.sql",
        id.as_uuid(),
        admin.tenant.as_uuid(),
        admin.client.as_uuid(),
        hash.as_slice()
    )
    .execute(transaction)
    .await?;
    Ok(id)
}
