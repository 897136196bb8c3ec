//! Which fields an update changes (AIP-161, without the wildcard: what is added to a message later must not be cleared by
//! those who do not know it).

use std::collections::BTreeSet;

use prost_types::FieldMask;
use tonic::Status;

use super::status::refused;
use crate::flows::admin::AdminRefusal;

/// Most paths of a mask.
const MAX_PATHS: usize = 64;

/// The fields that are to be changed, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mask(BTreeSet<&'static str>);

impl Mask {
    /// The mask of a request, of the paths that it may have.
    pub(super) fn parse(mask: Option<FieldMask>, known: &[&'static str]) -> Result<Self, Status> {
        let invalid = |text: String| refused(AdminRefusal::InvalidMask(text));
        let paths = mask.unwrap_or_default().paths;
        if paths.is_empty() || paths.len() > MAX_PATHS {
            return Err(invalid("must name 1 to 64 fields".to_owned()));
        }
        let find = |path: &String| known.iter().copied().find(|name| name == path);
        let found: Option<BTreeSet<_>> = paths.iter().map(find).collect();
        let found = found.ok_or_else(|| invalid(format!("can name {}", known.join(", "))))?;
        Ok(Self(found))
    }

    /// Whether a field is to be changed, by its own path or that of what it is in.
    pub(super) fn has(&self, path: &str) -> bool {
        let prefixes = path.match_indices('.').map(|(end, _)| &path[..end]);
        prefixes.chain([path]).any(|path| self.0.contains(path))
    }

    /// `value`, if its field is to be changed.
    pub(super) fn take<T>(&self, path: &str, value: T) -> Option<T> {
        self.has(path).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn parse(paths: &[&str]) -> Result<Mask, Status> {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        Mask::parse(Some(FieldMask { paths }), &["name", "look", "look.logo", "look.color"])
    }

    #[test]
    fn a_field_is_named_by_itself_or_by_what_it_is_in() {
        let whole = parse(&["look", "look"]).unwrap();
        assert!(whole.has("look") && whole.has("look.logo") && !whole.has("name"));
        let part = parse(&["look.logo"]).unwrap();
        assert!(part.has("look.logo") && !part.has("look") && !part.has("look.color"));
        assert_eq!((part.take("look.logo", 1), part.take("name", 1)), (Some(1), None));
    }

    #[test]
    fn unknown_and_missing_paths_are_refused() {
        for bad in [
            &[][..],
            &["*"],
            &[""],
            &["id"],
            &["name", "look."],
            &["Name"],
            &["name"; 65],
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(Mask::parse(None, &["name"]).is_err());
    }
}
