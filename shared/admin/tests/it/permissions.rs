//! Every method has a permission, and only those of our definitions.

use credo_admin::Permissions;
use credo_proto::DESCRIPTOR_SET;
use prost_reflect::DescriptorPool;

#[test]
fn every_method_has_a_permission() {
    let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET).unwrap();
    let by_path: Vec<(&str, &str)> = permissions.iter().collect();
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).unwrap();
    let mut methods = 0;
    for service in pool.services() {
        for method in service.methods() {
            let path = format!("/{}/{}", service.full_name(), method.name());
            let scope = by_path
                .iter()
                .find(|(known, _)| *known == path)
                .map(|(_, scope)| *scope);
            let scope = scope.unwrap_or_else(|| panic!("{path} has no permission"));
            let reads = ["Get", "List", "LookUp", "Query", "Tail"]
                .iter()
                .any(|verb| method.name().starts_with(verb));
            let kind = scope
                .strip_prefix("credo.")
                .and_then(|rest| rest.split_once('.'))
                .unwrap()
                .1;
            let expected: &[&str] = if reads { &["read", "status"] } else { &["write"] };
            assert!(expected.contains(&kind), "{path}: {scope}");
            methods += 1;
        }
    }
    assert_eq!(methods, by_path.len());
}

#[test]
fn descriptors_without_the_option_are_refused() {
    assert!(Permissions::from_descriptor_set(b"\xff").is_err());
    assert!(Permissions::from_descriptor_set(b"").is_err());
}

#[test]
fn scopes_are_those_of_the_methods_and_those_that_widen_answers() {
    let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET).unwrap();
    let scopes = permissions.scopes();
    assert!(permissions.iter().all(|(_, scope)| scopes.contains(scope)));
    let further: Vec<_> = scopes
        .iter()
        .filter(|scope| permissions.iter().all(|(_, needed)| needed != **scope))
        .collect();
    assert_eq!(further, [&"credo.audit.personal"]);
    let scopes: Vec<_> = scopes.into_iter().collect();
    assert!(
        scopes.join(" ").len() <= 1_024,
        "a client's scope would not hold them all"
    );
}
