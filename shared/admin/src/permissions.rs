//! Which scope a method needs, and which others widen its answers, read from the options that it carries in its definition.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, ExtensionDescriptor, MethodDescriptor};

/// The option `credo.admin.v1.permission` of `google.protobuf.MethodOptions`.
const OPTION_NUMBER: u32 = 50_001;
/// The option `credo.admin.v1.further_permissions`.
const FURTHER_NUMBER: u32 = 50_002;
const METHOD_OPTIONS: &str = "google.protobuf.MethodOptions";

/// The scope of each method that has one. A method that is absent is denied to everybody.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    by_path: BTreeMap<String, String>,
    further: BTreeSet<String>,
}

/// A descriptor set that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDescriptors {
    /// The bytes are no `FileDescriptorSet`.
    #[error("the descriptor set cannot be read: {0}")]
    Unreadable(String),
    /// An option is not defined in it.
    #[error("the descriptor set does not define the permission options of {METHOD_OPTIONS}")]
    NoOption,
}

impl Permissions {
    /// Reads the option of every method in a serialised `FileDescriptorSet`.
    ///
    /// # Errors
    /// When the set cannot be read or does not define the option.
    pub fn from_descriptor_set(bytes: &[u8]) -> Result<Self, InvalidDescriptors> {
        let pool = DescriptorPool::decode(bytes).map_err(|error| InvalidDescriptors::Unreadable(error.to_string()))?;
        let options = pool.get_message_by_name(METHOD_OPTIONS);
        let find = |number| options.as_ref().and_then(|options| options.get_extension(number));
        let (Some(option), Some(further)) = (find(OPTION_NUMBER), find(FURTHER_NUMBER)) else {
            return Err(InvalidDescriptors::NoOption);
        };
        let methods: Vec<_> = pool
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
            .collect();
        let with_permission = |method: &MethodDescriptor| Some((path_of(method), permission_of(method, &option)?));
        Ok(Self {
            by_path: methods.iter().filter_map(with_permission).collect(),
            further: methods.iter().flat_map(|method| further_of(method, &further)).collect(),
        })
    }

    /// Every method's path, such as `/credo.admin.v1.TenantService/GetTenant`, with its scope.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_path.iter().map(|(path, scope)| (path.as_str(), scope.as_str()))
    }

    /// Every scope that there is, in order: those that methods need, and those that widen answers.
    #[must_use]
    pub fn scopes(&self) -> BTreeSet<&str> {
        let needed = self.by_path.values();
        needed.chain(&self.further).map(String::as_str).collect()
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

fn further_of(method: &MethodDescriptor, option: &ExtensionDescriptor) -> Vec<String> {
    let options = method.options();
    let scopes = options.get_extension(option);
    let scopes = scopes.as_list().unwrap_or_default().iter();
    scopes
        .filter_map(|scope| scope.as_str().map(ToOwned::to_owned))
        .collect()
}
