//! What every SQL file must be like.

use std::{collections::BTreeMap, fs, path::Path};

fn files() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn every_statement_begins_with_its_name_and_names_its_columns() {
    for (name, statement) in files() {
        assert!(statement.starts_with(&format!("/* {name} */\n")), "{name}");
        assert!(!statement.contains("SELECT *") && !statement.contains(".*"), "{name}");
    }
}

#[test]
fn what_callers_read_names_the_tenant_beside_row_level_security() {
    for name in ["event_get", "event_query"] {
        let statement = &files()[name];
        assert!(statement.contains("WHERE e.tenant_id = $1"), "{name}");
        assert!(
            statement.contains("l.tenant_id = e.tenant_id") && statement.contains("p.tenant_id = e.tenant_id"),
            "{name}"
        );
    }
}

#[test]
fn the_end_of_a_trail_is_one_tenants() {
    assert!(files()["tail_head"].contains("WHERE l.tenant_id = $1"));
}

#[test]
fn nothing_is_changed_or_removed() {
    for (name, statement) in files() {
        for word in ["UPDATE", "DELETE", "TRUNCATE"] {
            assert!(!statement.contains(word), "{name}: {word}");
        }
    }
}
