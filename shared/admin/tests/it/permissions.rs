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
            let reads = ["Get", "List", "LookUp", "Query"]
                .iter()
                .any(|verb| method.name().starts_with(verb));
            let expected = if reads { ".read" } else { ".write" };
            assert!(
                scope.starts_with("credo.") && scope.ends_with(expected),
                "{path}: {scope}"
            );
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
