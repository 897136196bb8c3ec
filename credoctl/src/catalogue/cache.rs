//! What auth-api keeps of what it read.

use super::{Noun, Verb};
use crate::wire::Host;

pub static NOUN: Noun = Noun {
    name: "cache",
    about: "What auth-api keeps of what it read",
    host: Host::Auth,
    id: "cache",
    columns: &[
        ("CACHE", "cache"),
        ("LEVEL", "level"),
        ("HITS", "hits"),
        ("MISSES", "misses"),
        ("FALLBACKS", "fallbacks"),
    ],
    wide: &[],
    verbs: &[
        Verb::new(
            "stats",
            "CacheService.GetCacheStats",
            "How often each cache was of use to the replica that answers",
            &[],
            &["cache stats", "cache stats -o json"],
        ),
        Verb::new(
            "invalidate",
            "CacheService.InvalidateCache",
            "Have every replica read again what it kept",
            &[],
            &[
                "cache invalidate --tenant acme --reason 'a row was mended by hand'",
                "cache invalidate --everything --reason 'a backup was restored'",
            ],
        ),
    ],
};
