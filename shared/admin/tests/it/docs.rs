//! docs/admin-api.md says what the definitions say: every method with its scope, every reason with its code.

use credo_admin::{ErrorReason, Permissions, Problem};
use credo_proto::DESCRIPTOR_SET;

const PAGE: &str = include_str!("../../../../docs/admin-api.md");

/// The rows of the table under this heading, each as its cells.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let section = PAGE
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    })
    .collect()
}

#[test]
fn page_names_every_method_with_its_scope() {
    let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET).unwrap();
    let mut expected: Vec<Vec<String>> = permissions
        .iter()
        .map(|(path, scope)| {
            let (service, method) = path.rsplit_once('/').unwrap();
            let service = service.rsplit_once('.').unwrap().1;
            [service, method, scope].map(ToOwned::to_owned).to_vec()
        })
        .collect();
    let mut told = rows("Who may do what");
    expected.sort();
    told.sort();
    assert_eq!(told, expected);
    for scope in permissions.scopes() {
        assert!(PAGE.contains(&format!("`{scope}`")), "{scope}");
    }
}

#[test]
fn page_names_every_reason_with_its_code() {
    let reasons = (1..).map_while(|number| ErrorReason::try_from(number).ok());
    let expected: Vec<(String, String)> = reasons
        .map(|reason| {
            let name = reason.as_str_name().trim_start_matches("ERROR_REASON_").to_owned();
            let code = Problem::new(reason, "x").into_status().code();
            (name, screaming(&format!("{code:?}")))
        })
        .collect();
    let told: Vec<_> = rows("Errors")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    assert_eq!(told, expected);
}

/// `NotFound` as gRPC writes it: `NOT_FOUND`.
fn screaming(name: &str) -> String {
    let mut written = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !written.is_empty() {
            written.push('_');
        }
        written.extend(letter.to_uppercase());
    }
    written
}
