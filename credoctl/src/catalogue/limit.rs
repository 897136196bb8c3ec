//! Rate limits.

use super::{Noun, Verb};
use crate::wire::Host;

pub static NOUN: Noun = Noun {
    name: "limit",
    about: "How often what may be asked for",
    host: Host::Auth,
    id: "rate_class",
    columns: &[
        ("CLASS", "rate_class"),
        ("PER MINUTE", "requests_per_minute"),
        ("FROM", "source"),
        ("DEFAULT", "default_requests_per_minute"),
    ],
    wide: &[],
    verbs: &[
        Verb::new(
            "get",
            "RateLimitService.GetRateLimits",
            "Every limit of the tenant, or of a client",
            &[],
            &["limit get --tenant acme", "limit get --tenant acme --client 0192f0c1-…"],
        ),
        Verb::new(
            "set",
            "RateLimitService.SetRateLimit",
            "Set a limit; 0 lets the default hold again",
            &["rate_class", "requests_per_minute"],
            &[
                "limit set auth 20 --tenant acme",
                "limit set sensitive 0 --tenant acme --client 0192f0c1-…",
            ],
        ),
    ],
};
