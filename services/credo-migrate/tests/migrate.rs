//! The program as an operator runs it, against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    collections::BTreeSet,
    process::{Command, Output},
};

use aws_lc_rs::digest::{SHA256, digest};
use credo_admin::Permissions;
use credo_events::{Details, Outcome, PartyKind};
use credo_proto::{DESCRIPTOR_SET, events::v1::Core};
use credo_testkit::{ROLE_PASSWORD, TestDatabase};
use prost::Message as _;
use serde::Deserialize;
use sqlx::{Connection as _, PgConnection, PgPool};
use uuid::Uuid;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    tenant_id: Uuid,
    client_id: Uuid,
    client_secret: String,
    scope: String,
    login_client_id: Option<Uuid>,
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_credo-migrate"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn bootstrap(database: &TestDatabase, arguments: &[&str]) -> Output {
    let arguments = [&["bootstrap"], arguments].concat();
    run(
        &arguments,
        &[("CREDO_MIGRATE_AUTH_DATABASE_URL", &database.owner_url())],
    )
}

fn printed(output: &Output) -> Printed {
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn error_of(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The hashes of the client's secrets, after the check that everything else is as it was printed.
async fn stored_secrets(pool: &PgPool, printed: &Printed) -> Vec<Vec<u8>> {
    let (slug, scope, grant_types): (String, String, Vec<String>) = sqlx::query_as(
        "SELECT t.slug, c.scope, c.grant_types FROM client AS c JOIN tenant AS t ON t.id = c.tenant_id \
         WHERE c.id = $1 AND t.id = $2 AND c.status = 1 AND c.token_endpoint_auth_method = 'client_secret_basic'",
    )
    .bind(printed.client_id)
    .bind(printed.tenant_id)
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(
        (slug.as_str(), &scope, grant_types),
        ("system", &printed.scope, vec!["client_credentials".to_owned()])
    );
    sqlx::query_scalar("SELECT hash FROM client_secret WHERE client_id = $1")
        .bind(printed.client_id)
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn events(pool: &PgPool) -> Vec<(Uuid, Core)> {
    let rows: Vec<(Uuid, i16, Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT aggregate, class, core, personal FROM outbox ORDER BY id")
            .fetch_all(pool)
            .await
            .unwrap();
    rows.into_iter()
        .map(|(aggregate, class, core, personal)| {
            let core = Core::decode(core.as_slice()).unwrap();
            assert_eq!((class, core.event_class), (1, 1));
            assert_eq!(core.commitment, digest(&SHA256, &personal).as_ref());
            (aggregate, core)
        })
        .collect()
}

fn hash_of(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

#[tokio::test]
async fn ad_04_bootstrap_makes_the_first_admin_client_and_says_so_in_the_trail() {
    let database = TestDatabase::auth().await;
    let printed = printed(&bootstrap(&database, &[]));
    assert!(printed.client_secret.starts_with("crs_") && printed.client_secret.len() == 47);
    let secrets = stored_secrets(database.owner_pool(), &printed).await;
    assert_eq!(secrets, [hash_of(&printed.client_secret)]);

    let events = events(database.owner_pool()).await;
    let told: Vec<_> = events
        .iter()
        .map(|(aggregate, core)| (core.r#type.as_str(), *aggregate))
        .collect();
    assert_eq!(
        told,
        [
            ("tenant_created", printed.tenant_id),
            ("client_created", printed.client_id),
            ("admin_client_bootstrapped", printed.client_id),
            ("client_created", printed.login_client_id.unwrap()),
        ]
    );
    for (_, core) in events {
        assert_eq!(core.actor.unwrap().kind(), PartyKind::System);
        assert_eq!(core.outcome, i32::from(Outcome::Success));
        assert_eq!(core.tenant_id, printed.tenant_id.as_bytes());
        let Some(Details::Change(change)) = core.details else {
            panic!("no change")
        };
        assert!(
            !change.after_json.contains("crs_") && change.before_json.is_empty(),
            "{change:?}"
        );
    }
}

#[tokio::test]
async fn second_bootstrap_refuses_and_changes_nothing() {
    let database = TestDatabase::auth().await;
    let first = printed(&bootstrap(&database, &[]));
    let second = bootstrap(&database, &[]);
    assert_eq!(second.status.code(), Some(3));
    assert!(second.stdout.is_empty() && error_of(&second).contains("--replace"));
    let secrets = stored_secrets(database.owner_pool(), &first).await;
    assert_eq!(secrets, [hash_of(&first.client_secret)]);
    assert_eq!(events(database.owner_pool()).await.len(), 4);
}

#[tokio::test]
async fn replace_ends_the_old_secret_and_what_it_was_used_for() {
    let database = TestDatabase::auth().await;
    let first = printed(&bootstrap(&database, &[]));
    let second = printed(&bootstrap(&database, &["--replace"]));
    assert_eq!((first.tenant_id, first.client_id), (second.tenant_id, second.client_id));
    assert_ne!(first.client_secret, second.client_secret);
    let secrets = stored_secrets(database.owner_pool(), &second).await;
    assert_eq!(secrets, [hash_of(&second.client_secret)]);

    let (epoch, version, revoked_below): (i64, i64, i64) = sqlx::query_as(
        "SELECT c.epoch, c.version, r.epoch FROM client AS c \
         JOIN revocation AS r ON r.id = c.id AND r.tenant_id = c.tenant_id AND r.kind = 5 WHERE r.expires_at > now()",
    )
    .fetch_one(database.owner_pool())
    .await
    .unwrap();
    assert_eq!((epoch, version, revoked_below), (2, 2, 2));
    let events = events(database.owner_pool()).await;
    assert_eq!(events.len(), 5);
    assert_eq!(events[4].1.r#type, "admin_client_bootstrapped");
    assert!(second.login_client_id.is_none());
}

#[tokio::test]
async fn replace_before_anything_is_a_first_bootstrap() {
    let database = TestDatabase::auth().await;
    printed(&bootstrap(&database, &["--replace"]));
    assert_eq!(events(database.owner_pool()).await.len(), 4);
}

#[tokio::test]
async fn of_many_first_bootstraps_one_wins() {
    let database = TestDatabase::auth().await;
    let codes = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| bootstrap(&database, &[]).status.code()))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == Some(3)).count(), 5, "{codes:?}");
}

#[tokio::test]
async fn first_client_may_call_every_admin_method() {
    let database = TestDatabase::auth().await;
    let printed = printed(&bootstrap(&database, &[]));
    let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET).unwrap();
    let scopes: BTreeSet<&str> = printed.scope.split(' ').collect();
    assert_eq!(scopes, permissions.scopes());
}

#[tokio::test]
async fn people_sign_in_to_administer_by_a_public_client_of_the_system() {
    let database = TestDatabase::auth().await;
    let printed = printed(&bootstrap(&database, &[]));
    let found: (Uuid, String, bool, bool, Vec<String>, Vec<String>, String) = sqlx::query_as(
        "SELECT tenant_id, token_endpoint_auth_method, require_pkce, first_party, grant_types, redirect_uris, scope \
         FROM client WHERE id = $1",
    )
    .bind(printed.login_client_id.unwrap())
    .fetch_one(database.owner_pool())
    .await
    .unwrap();
    let (tenant, method, require_pkce, first_party, grants, redirects, scope) = found;
    assert_eq!((tenant, method.as_str()), (printed.tenant_id, "none"));
    assert!(require_pkce && first_party);
    assert_eq!(grants, ["authorization_code", "refresh_token"]);
    assert_eq!(redirects, ["http://127.0.0.1/callback"]);
    assert_eq!(scope, printed.scope);
}

#[tokio::test]
async fn replace_gives_every_scope_again() {
    let database = TestDatabase::auth().await;
    let first = printed(&bootstrap(&database, &[]));
    sqlx::query("UPDATE client SET scope = 'credo.tenant.read', status = 2 WHERE id = $1")
        .bind(first.client_id)
        .execute(database.owner_pool())
        .await
        .unwrap();
    let second = printed(&bootstrap(&database, &["--replace"]));
    assert_eq!((second.client_id, &second.scope), (first.client_id, &first.scope));
    stored_secrets(database.owner_pool(), &second).await;
}

#[tokio::test]
async fn up_prepares_empty_databases_and_may_be_repeated_and_run_twice_at_once() {
    let (auth, audit) = tokio::join!(TestDatabase::empty(), TestDatabase::empty());
    let (auth_url, audit_url) = (auth.owner_url(), audit.owner_url());
    let variables = [
        ("CREDO_MIGRATE_AUTH_DATABASE_URL", auth_url.as_str()),
        ("CREDO_MIGRATE_AUDIT_DATABASE_URL", audit_url.as_str()),
        ("CREDO_MIGRATE_ROLES_AUTH_API_PASSWORD", ROLE_PASSWORD),
        ("CREDO_MIGRATE_ROLES_OUTBOX_RELAY_PASSWORD", ROLE_PASSWORD),
        ("CREDO_MIGRATE_ROLES_AUDIT_CONSUMER_PASSWORD", ROLE_PASSWORD),
        ("CREDO_MIGRATE_ROLES_AUDIT_READER_PASSWORD", ROLE_PASSWORD),
    ];
    let before = run(&["status"], &variables);
    let before = String::from_utf8(before.stdout).unwrap();
    assert!(
        before.lines().count() > 4 && before.lines().all(|line| line.ends_with("pending")),
        "{before}"
    );

    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| run(&["up"], &variables))).collect();
        for output in runs.into_iter().map(|run| run.join().unwrap()) {
            assert!(output.status.success(), "{output:?}");
        }
    });
    assert!(run(&["up", "audit"], &variables).status.success());
    let after = String::from_utf8(run(&["status"], &variables).stdout).unwrap();
    assert!(after.lines().all(|line| line.ends_with("applied")), "{after}");

    for (database, role, may_connect) in [
        (&auth, "credo_auth_api", true),
        (&auth, "credo_audit_reader", false),
        (&audit, "credo_audit_reader", true),
        (&audit, "credo_outbox_relay", false),
    ] {
        assert_eq!(
            PgConnection::connect(&database.url_as(role)).await.is_ok(),
            may_connect,
            "{role}"
        );
    }
}

#[tokio::test]
async fn migration_that_changed_since_stops_everything() {
    let database = TestDatabase::auth().await;
    sqlx::query(
        "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = (SELECT min(version) FROM _sqlx_migrations)",
    )
    .execute(database.owner_pool())
    .await
    .unwrap();
    let url = database.owner_url();
    let variables = [
        ("CREDO_MIGRATE_AUTH_DATABASE_URL", url.as_str()),
        ("CREDO_MIGRATE_AUDIT_DATABASE_URL", url.as_str()),
    ];
    assert!(error_of(&run(&["up", "auth"], &variables)).contains("auth database"));
    let status = String::from_utf8(run(&["status"], &variables).stdout).unwrap();
    assert!(
        status.contains("changed since") && status.contains("newer program"),
        "{status}"
    );
}

#[test]
fn errors_name_the_setting_and_no_secret() {
    let unreachable = "postgres://owner:hunter2@127.0.0.1:1/credo";
    let cases = [
        (vec![], "CREDO_MIGRATE_AUTH_DATABASE_URL is not set"),
        (
            vec![("CREDO_MIGRATE_AUTH_DATABASE_URL", unreachable)],
            "CREDO_MIGRATE_AUTH_DATABASE_URL: cannot connect",
        ),
        (
            vec![("CREDO_MIGRATE_AUTH_DATABASE_URL", "postgres://o:hunter2@h:port/d")],
            "CREDO_MIGRATE_AUTH_DATABASE_URL is not a",
        ),
        (
            vec![("CREDO_MIGRATE_AUTH_DATABSE_URL", unreachable)],
            "CREDO_MIGRATE_AUTH_DATABSE_URL, did you mean CREDO_MIGRATE_AUTH_DATABASE_URL?",
        ),
    ];
    for (variables, expected) in cases {
        for arguments in [["up"], ["bootstrap"]] {
            let error = error_of(&run(&arguments, &variables));
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
