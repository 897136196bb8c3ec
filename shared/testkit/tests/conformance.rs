//! docs/conformance.md against the tests: each case names the files that hold its tests, and no others.
//!
//! A test carries its cases in its name (`fn az_04_az_07_…`), a scenario in its title (`Scenario: CD-01 …`).
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

type Places = BTreeMap<String, BTreeSet<String>>;

/// Where tests are.
const FOLDERS: [&str; 5] = ["services", "shared", "deploy", "e2e", "examples"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("node_modules") {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "rs" || extension == "feature")
        {
            found.push(path);
        }
    }
}

/// `AZ-04` of two neighbouring words `az`, `04`.
fn case(area: &str, number: &str) -> Option<String> {
    let is_case = area.len() == 2
        && number.len() == 2
        && area.bytes().all(|byte| byte.is_ascii_alphabetic())
        && number.bytes().all(|byte| byte.is_ascii_digit());
    is_case.then(|| format!("{}-{number}", area.to_ascii_uppercase()))
}

/// The cases that a line's test names.
fn cases(line: &str) -> Vec<String> {
    let line = line.trim_start();
    let words: Vec<&str> = if let Some((_, name)) = line.split_once("fn ").filter(|_| line.contains('(')) {
        name.split('(').next().unwrap().split('_').collect()
    } else if line.starts_with("Scenario") {
        line.split([' ', '-', ',']).collect()
    } else {
        Vec::new()
    };
    words.windows(2).filter_map(|pair| case(pair[0], pair[1])).collect()
}

/// Which files hold tests of which case.
fn tested() -> Places {
    let mut found = Vec::new();
    for folder in FOLDERS {
        files(&root().join(folder), &mut found);
    }
    let mut places = Places::new();
    for path in found {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        for id in fs::read_to_string(&path).unwrap().lines().flat_map(cases) {
            places.entry(id).or_default().insert(name.clone());
        }
    }
    places
}

/// What the document says: for each case the files, or nothing and a reason.
fn documented() -> Places {
    let text = fs::read_to_string(root().join("docs/conformance.md")).unwrap();
    let mut places = Places::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Some(id) = cells[0].split_once('-').and_then(|(area, number)| case(area, number)) else {
            continue;
        };
        let named: BTreeSet<String> = cells[2].split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect();
        let is_reasoned = !named.is_empty() || cells[2].starts_with("Not yet: ") || cells[2].starts_with("No: ");
        assert!(is_reasoned, "{id} has neither a test nor a reason");
        assert!(places.insert(id, named).is_none(), "{} stands twice", cells[0]);
    }
    places
}

#[test]
fn each_case_names_the_files_that_test_it() {
    let (mut tested, documented) = (tested(), documented());
    let areas: BTreeSet<&str> = documented.keys().map(|id| &id[..2]).collect();
    tested.retain(|id, _| areas.contains(&id[..2])); // `is_43_letters` is no case
    let nowhere = BTreeSet::new();
    let wrong: Vec<String> = documented
        .keys()
        .chain(tested.keys())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|id| documented.get(*id) != Some(tested.get(*id).unwrap_or(&nowhere)))
        .map(|id| {
            let files: Vec<String> = tested
                .get(id)
                .unwrap_or(&nowhere)
                .iter()
                .map(|file| format!("`{file}`"))
                .collect();
            format!("{id}: {}", files.join(" "))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "docs/conformance.md should say:\n{}",
        wrong.join("\n")
    );
}
