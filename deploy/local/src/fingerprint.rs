//! Short names for contents and paths.

use aws_lc_rs::digest;

/// The first 12 hexadecimal digits of the content's SHA-256.
pub fn of(content: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, content);
    let first = hash.as_ref().first_chunk().copied().unwrap_or_default();
    format!("{:012x}", u64::from_be_bytes(first) >> 16)
}

#[cfg(test)]
mod tests {
    #[test]
    fn fingerprint_is_the_beginning_of_the_hash() {
        assert_eq!(super::of(b"abc"), "ba7816bf8f01");
    }
}
