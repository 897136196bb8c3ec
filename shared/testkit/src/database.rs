//! A database that one test has to itself.

use std::thread;

use credo_postgres::schema::Database;
use sqlx::{Connection as _, PgPool, postgres::PgPoolOptions};
use uuid::Uuid;

use crate::{ROLE_PASSWORD, server, template};

const OWNER_CONNECTIONS: u32 = 4;

/// A migrated, empty database; it is dropped with this value, whoever is still connected.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    owner_pool: PgPool,
}

impl TestDatabase {
    /// An auth database with all migrations.
    pub async fn auth() -> Self {
        Self::migrated(Database::Auth).await
    }

    /// An audit database with all migrations.
    pub async fn audit() -> Self {
        Self::migrated(Database::Audit).await
    }

    /// A database with nothing in it: for tests of the migrations themselves. Serving roles may not exist.
    pub async fn empty() -> Self {
        Self::copy_of("template0").await
    }

    async fn migrated(database: Database) -> Self {
        let test_database = Self::copy_of(&template::ready(database).await).await;
        let mut connection = test_database.owner_pool.acquire().await.expect("connection");
        database
            .restrict_connections(&mut connection)
            .await
            .expect("GRANT CONNECT");
        drop(connection);
        test_database
    }

    async fn copy_of(template: &str) -> Self {
        let name = format!("credo_test_{}", Uuid::new_v4().simple());
        let mut server = server::connect(&server::url()).await;
        server::execute(&mut server, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        server.close().await.expect("close");
        let owner_pool = PgPoolOptions::new()
            .max_connections(OWNER_CONNECTIONS)
            .connect_lazy(server::url_of(&name).as_str())
            .expect("URL of the test database");
        Self { name, owner_pool }
    }

    /// Connections of the owner, who is a superuser: for looking and for preparing.
    #[must_use]
    pub fn owner_pool(&self) -> &PgPool {
        &self.owner_pool
    }

    /// The owner's URL.
    #[must_use]
    pub fn owner_url(&self) -> String {
        server::url_of(&self.name).into()
    }

    /// The URL for a serving role, such as `credo_auth_api`.
    #[must_use]
    pub fn url_as(&self, role: &str) -> String {
        let mut url = server::url_of(&self.name);
        url.set_username(role).expect("a URL with a host");
        url.set_password(Some(ROLE_PASSWORD)).expect("a URL with a host");
        url.into()
    }
}

impl Drop for TestDatabase {
    /// Best effort: a failing drop must not hide why a test failed. On a thread, because the test's runtime may be the
    /// one that is dropping this.
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let url = server::url();
        thread::scope(|scope| {
            let dropping = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("runtime");
                runtime.block_on(async {
                    let mut server = server::connect(&url).await;
                    server::execute(&mut server, statement).await;
                });
            });
            let _ = dropping.join();
        });
    }
}
