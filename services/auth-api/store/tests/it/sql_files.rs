//! What every SQL file must be like, and what two forms of one statement must have in common.

use std::{collections::BTreeMap, fs, path::Path};

use credo_auth_domain::{authorization_code::Redemption, refresh_token::Rotation};

/// Tables whose rows belong to a tenant.
const TENANT_TABLES: [&str; 14] = [
    "client",
    "client_secret",
    "app_user",
    "password",
    "session",
    "browser_session",
    "consent",
    "rate_limit",
    "rate_window",
    "sign_in_attempt",
    "known_device",
    "signing_key",
    "revocation",
    "outbox",
];

fn files() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect()
}

/// A statement without its comments.
fn code(statement: &str) -> String {
    let lines = statement
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default());
    lines
        .filter(|line| !line.trim_start().starts_with("/*"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_statement_begins_with_its_name() {
    for (name, statement) in files() {
        assert!(statement.starts_with(&format!("/* {name} */\n")), "{name}");
    }
}

#[test]
fn no_statement_selects_everything() {
    for (name, statement) in files() {
        let code = code(&statement);
        assert!(!code.contains("SELECT *") && !code.contains(".*"), "{name}");
    }
}

/// A read of the feed by snapshot concerns all tenants: the wall stands where the feed is asked. A client is found by the
/// id that names its tenant. Windows that are over are over for every tenant. The upkeep of signing keys looks for work in all
/// tenants; the statements that do it name theirs. So does the purge, which removes by keys that it has read with the tenant.
const WITHOUT_TENANT: [(&str, &str); 6] = [
    ("revocation_poll", "revocation"),
    ("client_find", "client"),
    ("rate_window_purge", "rate_window"),
    ("signing_key_find_retirable", "signing_key"),
    ("signing_key_find_to_reseal", "signing_key"),
    ("signing_key_count_by_master_key", "signing_key"),
];

#[test]
fn tn_04_every_table_of_a_tenant_is_joined_with_its_tenant() {
    for (name, statement) in files() {
        let code = code(&statement).replace('\n', " ");
        for table in TENANT_TABLES {
            if WITHOUT_TENANT.contains(&(name.as_str(), table)) {
                continue; // the list says why
            }
            for keyword in ["FROM", "JOIN", "UPDATE"] {
                for alias in aliases(&code, keyword, table) {
                    let named = [
                        format!("{alias}.tenant_id ="),
                        format!("{alias}.tenant_id IS NOT DISTINCT FROM"),
                    ];
                    let reversed = format!("= {alias}.tenant_id");
                    let distinct = format!("IS NOT DISTINCT FROM {alias}.tenant_id");
                    let bound = named.iter().any(|text| code.contains(text))
                        || code.contains(&reversed)
                        || code.contains(&distinct);
                    assert!(bound, "{name}: {keyword} {table} {alias} has no condition on tenant_id");
                }
            }
        }
        for table in TENANT_TABLES {
            for (at, _) in code.match_indices(&format!("INSERT INTO {table} ")) {
                let columns = code[at..].split(')').next().unwrap_or_default();
                assert!(
                    columns.contains("tenant_id"),
                    "{name}: INSERT INTO {table} names no tenant_id"
                );
            }
        }
    }
}

/// The aliases under which `table` stands behind `keyword`.
fn aliases(code: &str, keyword: &str, table: &str) -> Vec<String> {
    let pattern = format!("{keyword} {table} ");
    let found = code.match_indices(&pattern).map(|(at, _)| {
        let mut words = code[at + pattern.len()..].split_whitespace();
        let word = words.next().unwrap_or_default();
        if word == "AS" {
            words.next().unwrap_or_default()
        } else {
            word
        }
    });
    found
        .map(|word| word.trim_end_matches([',', ';', ')']).to_owned())
        .collect()
}

/// The outcomes that a statement's CASE names, in its order.
fn outcomes(statement: &str) -> Vec<String> {
    let case = statement
        .split("CASE\n")
        .nth(1)
        .unwrap()
        .split(" AS outcome")
        .next()
        .unwrap();
    let quoted = |text: &str| text.split('\'').nth(1).map(ToOwned::to_owned);
    let branches = case
        .lines()
        .filter(|line| line.contains("THEN '") || line.trim_start().starts_with("ELSE '"));
    branches
        .filter_map(|line| quoted(line.split("THEN ").last().unwrap_or(line)))
        .collect()
}

#[test]
fn outcomes_of_the_statement_are_those_of_the_domain_in_the_same_order() {
    let files = files();
    let redemptions: Vec<_> = Redemption::ALL.iter().map(|(name, _)| *name).collect();
    let rotations: Vec<_> = Rotation::ALL.iter().map(|(name, _)| *name).collect();
    for form in ["", "_waiting"] {
        assert_eq!(
            outcomes(&files[&format!("authorization_code_redeem{form}")]),
            redemptions
        );
        assert_eq!(outcomes(&files[&format!("refresh_token_rotate{form}")]), rotations);
    }
}

/// The waiting form reads what it decides by from `locked`, under the names `t_status` and so on, and joins in `locked`.
/// The batched form passes over what it could not lock; otherwise the two are one.
#[test]
fn waiting_form_of_an_authorization_decides_as_the_batched_form_does() {
    let files = files();
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let waiting = squeeze(&code(&files["authorization_insert_waiting"]));
    assert!(!waiting.contains("SKIP LOCKED"));
    let batched = squeeze(&code(&files["authorization_insert"]));
    let passes_over = " WHERE (r.browser_session_id IS NULL OR ";
    let (before, rest) = batched.split_once(passes_over).unwrap();
    let (_, after) = rest.split_once(" ), inserted AS (").unwrap();
    assert_eq!(before.matches(" SKIP LOCKED").count(), 3);
    let before = before.replace(" SKIP LOCKED", "");
    assert_eq!(format!("{before} ), inserted AS ({after}"), waiting);
}

#[test]
fn waiting_form_decides_as_the_batched_form_does() {
    let files = files();
    for name in ["authorization_code_redeem", "refresh_token_rotate", "session_revoke"] {
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let decided = |form: &str| {
            let code = code(form);
            let mut text = squeeze(&code[code.find("decided AS").unwrap()..]);
            for alias in ["t", "c", "u"] {
                for column in ["status", "epoch", "version", "refresh_grace_seconds"] {
                    text = text.replace(&format!("l.{alias}_{column}"), &format!("{alias}.{column}"));
                }
            }
            let joins = [
                " JOIN tenant t ON t.id = l.tenant_id",
                " JOIN client c ON c.id = l.owner_id AND c.tenant_id IS NOT DISTINCT FROM l.tenant_id",
                " JOIN app_user u ON u.id = l.user_id AND u.tenant_id IS NOT DISTINCT FROM l.tenant_id",
            ];
            joins.iter().fold(text, |text, join| text.replacen(join, "", 1))
        };
        assert_eq!(
            decided(&files[name]),
            decided(&files[&format!("{name}_waiting")]),
            "{name}"
        );
        assert!(
            !code(&files[&format!("{name}_waiting")]).contains("SKIP LOCKED"),
            "{name}"
        );
        assert!(
            code(&files[name]).contains("FOR NO KEY UPDATE OF s SKIP LOCKED"),
            "{name}"
        );
    }
}
