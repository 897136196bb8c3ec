//! The arrows between crates: `cargo metadata` against the table in ARCHITECTURE.md, both ways.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and cargo names itself in the environment"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    process::Command,
};

use serde_json::Value;

/// Outside crates that only some may use.
const WATCHED: [&str; 5] = ["sqlx", "fred", "rdkafka", "axum", "tonic"];

type Arrows = BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// What the manifests say. Dependencies of tests do not count, unless tests are all that a crate is.
fn actual() -> Arrows {
    let cargo = env::var("CARGO").unwrap();
    let metadata = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
            "--locked",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        metadata.status.success(),
        "{}",
        String::from_utf8_lossy(&metadata.stderr)
    );
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let targets = package["targets"].as_array().unwrap();
            let is_tests_alone = targets.iter().all(|target| target["kind"][0] == "test");
            let used: Vec<&Value> = dependencies
                .filter(|dependency| dependency["kind"].is_null() || is_tests_alone)
                .collect();
            let name = |dependency: &&Value| dependency["name"].as_str().unwrap().to_owned();
            let ours = used
                .iter()
                .filter(|dependency| !dependency["path"].is_null())
                .map(name)
                .collect();
            let outside = used
                .iter()
                .map(name)
                .filter(|name| WATCHED.contains(&name.as_str()))
                .collect();
            (package["name"].as_str().unwrap().to_owned(), (ours, outside))
        })
        .collect()
}

/// What ARCHITECTURE.md allows.
fn allowed() -> Arrows {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table = text
        .split("| crate | crates of ours | outside |\n")
        .nth(1)
        .unwrap()
        .lines()
        .skip(1);
    let words = |cell: &str| cell.split_whitespace().map(ToOwned::to_owned).collect();
    table
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].to_owned(), (words(cells[2]), words(cells[3])))
        })
        .collect()
}

#[test]
fn crates_use_what_the_architecture_says_and_no_more() {
    let (actual, allowed) = (actual(), allowed());
    for (name, arrows) in &actual {
        assert_eq!(
            Some(arrows),
            allowed.get(name),
            "{name}: the manifest (left) and ARCHITECTURE.md (right) differ"
        );
    }
    assert_eq!(
        actual.len(),
        allowed.len(),
        "ARCHITECTURE.md names a crate that is not there"
    );
}
