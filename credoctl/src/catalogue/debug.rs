//! Looking into a running process. Each of the three services has it for itself; `--service` says which.

use super::{Noun, Verb};
use crate::wire::Host;

pub static NOUN: Noun = Noun {
    name: "debug",
    about: "Look into a running service: what it logs, what runs",
    host: Host::Auth,
    id: "directives",
    columns: &[("DIRECTIVES", "directives"), ("UNTIL", "expire_time")],
    wide: &[],
    verbs: &[
        Verb::new(
            "log-filter",
            "DebugService.GetLogFilter",
            "What is logged",
            &[],
            &["debug log-filter --service outbox-relay"],
        ),
        Verb::new(
            "set-log-filter",
            "DebugService.SetLogFilter",
            "Log otherwise, for a time",
            &["directives"],
            &[
                "debug set-log-filter info,auth_api=debug --ttl 5m",
                "debug set-log-filter '' --service audit-consumer",
            ],
        ),
        Verb::new(
            "build-info",
            "DebugService.GetBuildInfo",
            "What runs, since when",
            &[],
            &["debug build-info"],
        ),
    ],
};
