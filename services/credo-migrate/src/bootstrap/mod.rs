//! `bootstrap`: the tenant `system` and its first admin client, without which nobody could call an admin API.
//!
//! One transaction with its compliance events: either there is a client whose secret was printed, or nothing changed.
//! The second run refuses, because a secret that anyone with the owner's URL could make anew unseen would be no secret;
//! `--replace` ends what the old one was used for, and the trail says so. Beside it a public client is made, by which people of
//! that tenant sign in to administer; it opens nothing until somebody is given what they may do.

mod event;
mod secret;

use std::io::Write as _;

use credo_admin::{InvalidDescriptors, Permissions};
use credo_clock::SystemClock;
use credo_ids::{ClientId, ClientSecretId, TenantId};
use credo_postgres::{Failure, classify, schema::Database};
use credo_proto::DESCRIPTOR_SET;
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
    /// A defect of the definitions.
    #[error(transparent)]
    Definitions(#[from] InvalidDescriptors),
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
    /// The public client by which people sign in; not with `--replace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    login_client_id: Option<ClientId>,
}

/// The tenant and the clients of a bootstrap.
#[derive(Debug, Clone, Copy)]
struct AdminClient {
    tenant: TenantId,
    client: ClientId,
    login: Option<ClientId>,
}

/// What clients are given: the secret, and every scope of the admin APIs.
struct Given {
    secret: NewSecret,
    scope: String,
}

/// Makes the first admin client, or with `replace` its new secret, and prints the secret.
///
/// # Errors
/// [`BootstrapError::AlreadyDone`] the second time without `replace`.
pub async fn run(settings: &Settings, replace: bool) -> anyhow::Result<()> {
    let mut connection = connect(settings, Database::Auth).await?;
    let given = Given {
        secret: NewSecret::generate().map_err(BootstrapError::from)?,
        scope: every_scope().map_err(BootstrapError::from)?,
    };
    let admin = store(&mut connection, &given, replace).await?;
    connection.close().await?;
    let credentials = Credentials {
        tenant_id: admin.tenant,
        client_id: admin.client,
        client_secret: given.secret.text().expose_secret(),
        scope: &given.scope,
        login_client_id: admin.login,
    };
    let line = serde_json::to_string(&credentials)?;
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// Every scope of the admin APIs, as the definitions name them.
fn every_scope() -> Result<String, InvalidDescriptors> {
    let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET)?;
    Ok(permissions.scopes().into_iter().collect::<Vec<_>>().join(" "))
}

async fn store(connection: &mut PgConnection, given: &Given, replace: bool) -> Result<AdminClient, BootstrapError> {
    let mut transaction = connection.begin().await?;
    sqlx::query_file!("sql/commit_durably.sql")
        .execute(&mut *transaction)
        .await?;
    let tenant = sqlx::query_file_scalar!("sql/system_tenant_lock.sql", SYSTEM_SLUG)
        .fetch_optional(&mut *transaction)
        .await?
        .map(TenantId::from);
    let admin = match tenant {
        None => create(&mut transaction, given).await?,
        Some(tenant) if replace => replace_secret(&mut transaction, tenant, given).await?,
        Some(_) => return Err(BootstrapError::AlreadyDone),
    };
    transaction.commit().await?;
    Ok(admin)
}

async fn create(transaction: &mut PgConnection, given: &Given) -> Result<AdminClient, BootstrapError> {
    // In this order: the tenant's oldest client is the one that has the secret.
    let (tenant, client, login) = (TenantId::now_v7(), ClientId::now_v7(), ClientId::now_v7());
    let admin = AdminClient {
        tenant,
        client,
        login: Some(login),
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
        given.scope
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query_file!(
        "sql/login_client_insert.sql",
        login.as_uuid(),
        tenant.as_uuid(),
        given.scope
    )
    .execute(&mut *transaction)
    .await?;
    let secret_id = insert_secret(transaction, admin, &given.secret).await?;
    let mut events = Events::new(transaction, admin.tenant, SystemClock::new().now());
    events
        .write(&TENANT_CREATED, Change::tenant_created(admin.tenant))
        .await?;
    events
        .write(&CLIENT_CREATED, Change::client_created(admin.client, &given.scope))
        .await?;
    events
        .write(
            &ADMIN_CLIENT_BOOTSTRAPPED,
            Change::secret_created(admin.client, secret_id),
        )
        .await?;
    events
        .write(&CLIENT_CREATED, Change::login_client_created(login, &given.scope))
        .await?;
    Ok(admin)
}

/// Locks in the order tenant, client, as every statement does.
async fn replace_secret(
    transaction: &mut PgConnection,
    tenant: TenantId,
    given: &Given,
) -> Result<AdminClient, BootstrapError> {
    let client = sqlx::query_file_scalar!("sql/admin_client_renew.sql", tenant.as_uuid(), given.scope)
        .fetch_optional(&mut *transaction)
        .await?
        .map(ClientId::from)
        .ok_or(BootstrapError::NoClient)?;
    let admin = AdminClient {
        tenant,
        client,
        login: None,
    };
    let deleted = sqlx::query_file!("sql/client_secret_delete.sql", client.as_uuid(), tenant.as_uuid())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    let secret_id = insert_secret(transaction, admin, &given.secret).await?;
    let mut events = Events::new(transaction, tenant, SystemClock::new().now());
    events
        .write(
            &ADMIN_CLIENT_BOOTSTRAPPED,
            Change::secret_replaced(client, secret_id, deleted, &given.scope),
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
