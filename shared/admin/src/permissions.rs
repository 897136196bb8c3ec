//! Which scope a method needs, read from the option that the method carries in its definition.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, ExtensionDescriptor, MethodDescriptor};

/// The option `credo.admin.v1.permission` of `google.protobuf.MethodOptions`.
const OPTION_NUMBER: u32 = 50_001;
const METHOD_OPTIONS: &str = "google.protobuf.MethodOptions";

/// The scope of each method that has one. A method that is absent is denied to everybody.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    by_path: BTreeMap<String, String>,
}

/// A descriptor set that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDescriptors {
    /// The bytes are no `FileDescriptorSet`.
    #[error("the descriptor set cannot be read: {0}")]
    Unreadable(String),
    /// The option is not defined in it.
    #[error("the descriptor set does not define the permission option {OPTION_NUMBER} of {METHOD_OPTIONS}")]
    NoOption,
}

impl Permissions {
    /// Reads the option of every method in a serialised `FileDescriptorSet`.
    ///
    /// # Errors
    /// When the set cannot be read or does not define the option.
    pub fn from_descriptor_set(bytes: &[u8]) -> Result<Self, InvalidDescriptors> {
        let pool = DescriptorPool::decode(bytes).map_err(|error| InvalidDescriptors::Unreadable(error.to_string()))?;
        let option = pool
            .get_message_by_name(METHOD_OPTIONS)
            .and_then(|options| options.get_extension(OPTION_NUMBER))
            .ok_or(InvalidDescriptors::NoOption)?;
        let methods = pool
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>());
        let by_path = methods
            .filter_map(|method| Some((path_of(&method), permission_of(&method, &option)?)))
            .collect();
        Ok(Self { by_path })
    }

    /// Every method's path, such as `/credo.admin.v1.TenantService/GetTenant`, with its scope.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_path.iter().map(|(path, scope)| (path.as_str(), scope.as_str()))
    }

    /// The scope that the method needs.
    pub(crate) fn of(&self, path: &str) -> Option<&str> {
        self.by_path.get(path).map(String::as_str)
    }
}

fn path_of(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

fn permission_of(method: &MethodDescriptor, option: &ExtensionDescriptor) -> Option<String> {
    let options = method.options();
    let scope = options.get_extension(option);
    scope.as_str().filter(|scope| !scope.is_empty()).map(str::to_owned)
}
