//! Plans that were made while the tables were empty: each row is found by its own index, by its id.

use credo_auth_store::HOT_CONNECTION_SETTINGS;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use crate::fixture::World;

/// A table, the index that it is read by, and the column that the index must be asked for.
type Read = (&'static str, &'static str, &'static str);

/// Each hot statement and what it reads.
const PLANS: [(&str, &str, &[Read]); 12] = [
    (
        "refresh_token_rotate",
        include_str!("../../sql/refresh_token_rotate.sql"),
        &BY_SESSION,
    ),
    (
        "refresh_token_rotate_waiting",
        include_str!("../../sql/refresh_token_rotate_waiting.sql"),
        &BY_SESSION,
    ),
    (
        "authorization_code_redeem",
        include_str!("../../sql/authorization_code_redeem.sql"),
        &BY_SESSION,
    ),
    (
        "authorization_code_redeem_waiting",
        include_str!("../../sql/authorization_code_redeem_waiting.sql"),
        &BY_SESSION,
    ),
    (
        "session_revoke",
        include_str!("../../sql/session_revoke.sql"),
        &[("session", "session_pkey", "id")],
    ),
    (
        "session_revoke_waiting",
        include_str!("../../sql/session_revoke_waiting.sql"),
        &[("session", "session_pkey", "id")],
    ),
    (
        "client_token_issue",
        include_str!("../../sql/client_token_issue.sql"),
        &[TENANT, CLIENT],
    ),
    (
        "authorization_insert",
        include_str!("../../sql/authorization_insert.sql"),
        &[TENANT, CLIENT, USER, PASSWORD, ATTEMPT, BROWSER_SESSION, CONSENT],
    ),
    (
        "authorization_insert_waiting",
        include_str!("../../sql/authorization_insert_waiting.sql"),
        &[TENANT, CLIENT, USER, PASSWORD, ATTEMPT, BROWSER_SESSION, CONSENT],
    ),
    (
        "consent_grant",
        include_str!("../../sql/consent_grant.sql"),
        &[TENANT, CLIENT, USER, BROWSER_SESSION],
    ),
    ("consent_find", include_str!("../../sql/consent_find.sql"), &[CONSENT]),
    (
        "user_sessions_revoke",
        include_str!("../../sql/user_sessions_revoke.sql"),
        &[USER, ("session", "session_pkey", "id")],
    ),
];

const TENANT: Read = ("tenant", "tenant_pkey", "id");
const CLIENT: Read = ("client", "client_pkey", "id");
const USER: Read = ("app_user", "app_user_pkey", "id");
const PASSWORD: Read = ("password", "password_pkey", "user_id");
const ATTEMPT: Read = ("sign_in_attempt", "sign_in_attempt_pkey", "account");
const BROWSER_SESSION: Read = ("browser_session", "browser_session_pkey", "id");
const CONSENT: Read = ("consent", "consent_pkey", "client_id");
const BY_SESSION: [Read; 4] = [("session", "session_pkey", "id"), TENANT, CLIENT, USER];

#[tokio::test]
async fn every_row_of_a_hot_statement_is_found_by_its_key_from_an_empty_database() {
    let world = World::new().await;
    world
        .sql("TRUNCATE tenant, client, client_secret, app_user, password, signing_key CASCADE")
        .await;
    let mut connection = PgConnection::connect(&world.database.url_as("credo_auth_api"))
        .await
        .unwrap();
    for (name, value) in HOT_CONNECTION_SETTINGS {
        let statement = sqlx::query("SELECT set_config($1, $2, false)");
        statement.bind(name).bind(value).execute(&mut connection).await.unwrap();
    }
    for (name, statement, tables) in PLANS {
        let plan = explain(&mut connection, name, statement).await;
        for (table, index, column) in tables {
            let scans = scans_of(&plan, table);
            assert!(!scans.is_empty(), "{name} does not read {table}: {plan:#}");
            for scan in scans {
                assert_eq!(scan["Index Name"], *index, "{name}, {table}: {scan:#}");
                let condition = scan["Index Cond"].as_str().unwrap_or_default();
                assert!(
                    condition.contains(&format!("({column} = ")),
                    "{name}, {table}: {condition}"
                );
            }
        }
    }
}

async fn explain(connection: &mut PgConnection, name: &str, statement: &str) -> Value {
    let count = (1..=30)
        .rev()
        .find(|number| statement.contains(&format!("${number}")))
        .unwrap();
    let nulls = vec!["NULL"; count].join(", ");
    let prepare = format!("PREPARE {name} AS {statement}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(prepare))
        .execute(&mut *connection)
        .await
        .unwrap();
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE {name}({nulls})");
    let row = sqlx::raw_sql(sqlx::AssertSqlSafe(explain))
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    sqlx::Row::get(&row, 0)
}

/// Every node of the plan that reads `table`; writing one is not reading it.
fn scans_of<'a>(plan: &'a Value, table: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    match plan {
        Value::Array(items) => items.iter().for_each(|item| found.extend(scans_of(item, table))),
        Value::Object(fields) => {
            let is_scan = plan["Node Type"].as_str().is_some_and(|kind| kind.ends_with("Scan"));
            if is_scan && plan["Relation Name"] == table {
                found.push(plan);
            }
            fields.values().for_each(|value| found.extend(scans_of(value, table)));
        }
        _ => {}
    }
    found
}
