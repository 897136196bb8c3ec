//! The value of a record: the length of the core as four bytes, big endian, then the core, then the personal part.

/// The two parts of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// What is hashed and proved.
    pub core: &'a [u8],
    /// What can be erased.
    pub personal: &'a [u8],
}

/// A value whose length does not fit what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value is shorter than its core")]
pub struct InvalidValue;

/// Puts the parts together. A core is at most 60 KiB, which the outbox's constraint holds.
#[must_use]
pub fn encode_value(core: &[u8], personal: &[u8]) -> Vec<u8> {
    let core_length = u32::try_from(core.len()).unwrap_or(u32::MAX);
    let mut value = Vec::with_capacity(4 + core.len() + personal.len());
    value.extend_from_slice(&core_length.to_be_bytes());
    value.extend_from_slice(core);
    value.extend_from_slice(personal);
    value
}

/// Takes the parts apart.
///
/// # Errors
/// When the value ends before the core does.
pub fn split_value(value: &[u8]) -> Result<Parts<'_>, InvalidValue> {
    let (length, rest) = value.split_first_chunk::<4>().ok_or(InvalidValue)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| InvalidValue)?;
    let (core, personal) = rest.split_at_checked(length).ok_or(InvalidValue)?;
    Ok(Parts { core, personal })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_come_apart_as_they_were(core: Vec<u8>, personal: Vec<u8>) {
            let value = encode_value(&core, &personal);
            prop_assert_eq!(split_value(&value), Ok(Parts { core: &core, personal: &personal }));
        }

        #[test]
        fn no_value_makes_it_panic(value: Vec<u8>) {
            let _ = split_value(&value);
        }
    }

    #[test]
    fn the_layout_is_fixed() {
        assert_eq!(encode_value(b"ab", b"c"), [0, 0, 0, 2, b'a', b'b', b'c']);
        assert_eq!(split_value(&[0, 0, 0, 3, 1, 2]), Err(InvalidValue));
        assert_eq!(split_value(&[0, 0, 0]), Err(InvalidValue));
    }
}
