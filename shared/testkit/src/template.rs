//! One migrated template per server and set of migrations: a test's database is a copy of it, made in milliseconds.

use aws_lc_rs::digest::{Context, SHA256};
use credo_postgres::{
    roles::{self, Role},
    schema::Database,
};
use sqlx::{Connection as _, PgConnection};

use crate::{ROLE_PASSWORD, server};

/// Held while a template is looked for and made, so that parallel test processes make one.
const ADVISORY_LOCK: i64 = 0x6372_6564_6f74_6b31;

/// The name of the template of `database`, which is ready when this returns.
pub(crate) async fn ready(database: Database) -> String {
    let name = format!("credo_template_{}_{}", database.name(), fingerprint(database));
    let mut server = server::connect(&server::url()).await;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(ADVISORY_LOCK)
        .execute(&mut server)
        .await
        .expect("advisory lock");
    if !is_finished(&mut server, &name).await {
        make(&mut server, database, &name).await;
    }
    // Gives the lock back too.
    server.close().await.expect("close");
    name
}

/// Changes with every migration.
fn fingerprint(database: Database) -> String {
    let mut context = Context::new(&SHA256);
    for migration in database.migrator().iter() {
        context.update(&migration.version.to_be_bytes());
        context.update(&migration.checksum);
    }
    context
        .finish()
        .as_ref()
        .iter()
        .take(6)
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Being a template is the mark of being finished: a maker that was killed leaves a plain database.
async fn is_finished(server: &mut PgConnection, name: &str) -> bool {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)")
        .bind(name)
        .fetch_one(server)
        .await
        .expect("pg_database")
}

async fn make(server: &mut PgConnection, database: Database, name: &str) {
    let roles: Vec<Role> = roles::ALL
        .into_iter()
        .map(|name| Role {
            name,
            password: Some(ROLE_PASSWORD.into()),
        })
        .collect();
    roles::ensure(server, &roles).await.expect("serving roles");
    server::execute(server, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    server::execute(server, format!("CREATE DATABASE {name}")).await;
    let mut connection = server::connect(&server::url_of(name)).await;
    database.migrate(&mut connection).await.expect("migrations");
    connection.close().await.expect("close");
    server::execute(
        server,
        format!("ALTER DATABASE {name} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false"),
    )
    .await;
}
