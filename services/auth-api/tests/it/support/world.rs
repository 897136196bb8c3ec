//! The database and what is in it.

use std::sync::Arc;

use credo_auth_domain::rate_limit::RateClass;
use credo_ids::{ClientId, TenantId, UserId};
use credo_testkit::{
    TestDatabase,
    sqlx::{self, AssertSqlSafe, PgPool},
};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::{Client, ClientSpec, Event, PASSWORD, Replica, ReplicaSpec, Tenant, User, fixtures};

/// Worlds at one time: each holds a dozen connections of a server that has a hundred.
const MAX_WORLDS: usize = 6;
static TURNS: std::sync::LazyLock<Arc<Semaphore>> = std::sync::LazyLock::new(|| Arc::new(Semaphore::new(MAX_WORLDS)));

/// A database of the test's own, with the system's tenant, another tenant, its client and a person.
pub struct World {
    pub database: TestDatabase,
    pub tenant: Tenant,
    /// Confidential, HTTP Basic, first-party, every grant.
    pub client: Client,
    pub user: User,
    _turn: OwnedSemaphorePermit,
}

impl World {
    pub async fn new() -> Self {
        let turn = Arc::clone(&TURNS).acquire_owned().await.unwrap();
        let database = TestDatabase::auth().await;
        let owner = database.owner_pool();
        fixtures::insert_tenant(owner, "system").await;
        let tenant = fixtures::insert_tenant(owner, "demo").await;
        let client = fixtures::insert_client(owner, &tenant, ClientSpec::default()).await;
        let user = fixtures::insert_user(owner, &tenant, "ann@demo.example", Some(PASSWORD)).await;
        Self {
            tenant,
            client,
            user,
            database,
            _turn: turn,
        }
    }

    pub fn owner(&self) -> &PgPool {
        self.database.owner_pool()
    }

    /// A replica of the service, whose feed has been read.
    pub async fn replica(&self) -> Replica {
        self.replica_with(ReplicaSpec::default()).await
    }

    pub async fn replica_with(&self, spec: ReplicaSpec) -> Replica {
        Replica::start(self.database.url_as("credo_auth_api"), spec).await
    }

    pub async fn add_tenant(&self, slug: &str) -> Tenant {
        fixtures::insert_tenant(self.owner(), slug).await
    }

    /// Another client of the first tenant.
    pub async fn add_client(&self, spec: ClientSpec) -> Client {
        fixtures::insert_client(self.owner(), &self.tenant, spec).await
    }

    pub async fn add_client_of(&self, tenant: &Tenant, spec: ClientSpec) -> Client {
        fixtures::insert_client(self.owner(), tenant, spec).await
    }

    pub async fn add_user_of(&self, tenant: &Tenant, email: &str, password: Option<&str>) -> User {
        fixtures::insert_user(self.owner(), tenant, email, password).await
    }

    pub async fn set_profile(&self, user: &User, profile: &Value) {
        self.sql(&format!(
            "UPDATE app_user SET profile = '{profile}' WHERE id = '{}'",
            user.id
        ))
        .await;
    }

    /// Sets a limit of the first tenant. Who has read a client before keeps what it read.
    pub async fn set_limit(&self, class: RateClass, per_minute: u32) {
        self.sql(&format!(
            "INSERT INTO rate_limit (tenant_id, client_id, class, per_minute)
             VALUES ('{}', NULL, {}, {per_minute})",
            self.tenant.id, class as i16
        ))
        .await;
    }

    /// Runs statements of the test's own, as the owner.
    pub async fn sql(&self, statement: &str) {
        let statements = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        statements.execute(self.owner()).await.unwrap();
    }

    /// The number that a statement gives.
    pub async fn number(&self, statement: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(statement.to_owned()));
        query.fetch_one(self.owner()).await.unwrap()
    }

    /// How much was ever written: a request that must change nothing leaves it equal.
    pub async fn footprint(&self) -> i64 {
        self.number(
            "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM session) + (SELECT count(*) FROM revocation)
                  + (SELECT count(*) FROM browser_session)
                  + (SELECT count(*) FROM consent)
                  + (SELECT coalesce(sum(failures), 0) FROM sign_in_attempt)
                  + (SELECT coalesce(sum(generation + state), 0) FROM session)",
        )
        .await
    }

    /// Every event, in order.
    pub async fn events(&self) -> Vec<Event> {
        Event::all(self.owner()).await
    }

    /// The types of all events, in order.
    pub async fn event_types(&self) -> Vec<String> {
        self.events().await.into_iter().map(|event| event.core.r#type).collect()
    }

    /// As the admin API does: status, epoch, version, and a row of the feed, in one transaction.
    pub async fn disable_user(&self, user: UserId) {
        self.end("app_user", 6, user.as_uuid(), "id").await;
    }

    pub async fn disable_client(&self, client: ClientId) {
        self.end("client", 5, client.as_uuid(), "id").await;
    }

    pub async fn suspend_tenant(&self, tenant: TenantId) {
        self.end("tenant", 4, tenant.as_uuid(), "").await;
    }

    async fn end(&self, table: &str, kind: u8, id: Uuid, tenant_column: &str) {
        let tenant = if tenant_column.is_empty() { "id" } else { "tenant_id" };
        let statement = format!(
            "WITH changed AS (
               UPDATE {table} SET status = 2, epoch = epoch + 1, version = version + 1 WHERE id = '{id}'
               RETURNING id, {tenant} AS tenant, epoch
             )
             INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
             SELECT {kind}, tenant, id, epoch, now() + interval '16 minutes' FROM changed"
        );
        self.sql(&statement).await;
    }

    /// Enables again: the epoch stays.
    pub async fn enable(&self, table: &str, id: Uuid) {
        let statement = format!("UPDATE {table} SET status = 1, version = version + 1 WHERE id = '{id}'");
        self.sql(&statement).await;
    }
}
