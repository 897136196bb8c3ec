//! What the proto says of a field: the help of its option.

use std::collections::HashMap;

use prost_reflect::FieldDescriptor;

/// The comment in front of a field, in one line.
pub fn of(field: &FieldDescriptor) -> String {
    let path = field.path();
    let file = field.parent_file();
    let locations = file
        .file_descriptor_proto()
        .source_code_info
        .iter()
        .flat_map(|info| &info.location);
    let comments: HashMap<_, _> = locations
        .filter_map(|location| Some((location.path.as_slice(), location.leading_comments.as_deref()?)))
        .collect();
    let comment = comments.get(path).copied().unwrap_or_default();
    comment.split_whitespace().collect::<Vec<_>>().join(" ")
}
