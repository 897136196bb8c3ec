//! Sessions, and what people allowed.

use super::{Noun, Verb};
use crate::wire::Host;

pub static NOUN: Noun = Noun {
    name: "session",
    about: "What was issued to clients for people",
    host: Host::Auth,
    id: "session_id",
    columns: &[
        ("SESSION ID", "session_id"),
        ("USER ID", "user_id"),
        ("CLIENT ID", "client_id"),
        ("STATE", "state"),
        ("LAST USE", "last_use_time"),
    ],
    wide: &[
        ("SCOPES", "scopes"),
        ("AMR", "amr"),
        ("CREATED", "create_time"),
        ("EXPIRES", "expire_time"),
        ("REVOKED", "revoke_reason"),
        ("GENERATION", "generation"),
    ],
    verbs: &[
        Verb::new(
            "list",
            "SessionService.ListSessions",
            "Sessions in order of creation",
            &[],
            &[
                "session list --tenant acme --user alice@acme.example",
                "session list --tenant acme --client 0192f0c1-… --show-ended",
            ],
        ),
        Verb::new(
            "get",
            "SessionService.GetSession",
            "One session",
            &["session_id"],
            &["session get 0192f0c1-… --tenant acme"],
        ),
        Verb::new(
            "revoke",
            "SessionService.RevokeSession",
            "End a session",
            &["session_id"],
            &["session revoke 0192f0c1-… --tenant acme"],
        )
        .ends("Its tokens are refused within a second everywhere."),
        Verb::new(
            "revoke-all",
            "SessionService.RevokeUserSessions",
            "End every session of a person",
            &["user_id"],
            &["session revoke-all alice@acme.example --tenant acme"],
        )
        .ends("They are signed out everywhere, in browsers too, and may sign in again."),
        Verb::new(
            "revoke-client",
            "SessionService.RevokeClientSessions",
            "End everything that a client was issued",
            &["client_id"],
            &["session revoke-client 0192f0c1-… --tenant acme"],
        )
        .ends("Everybody who uses it has to sign in again."),
        Verb::new(
            "revoke-issued-before",
            "SessionService.RevokeSessionsIssuedBefore",
            "End everything of the tenant, after a leak or a restored backup",
            &["before_time"],
            &[
                "session revoke-issued-before now --tenant acme --reason 'database restored'",
                "session revoke-issued-before 2026-11-23T10:00:00Z --tenant acme --reason 'leak'",
            ],
        )
        .for_good("Everybody and every program of the tenant has to sign in again."),
    ],
};

pub static CONSENT: Noun = Noun {
    name: "consent",
    about: "What people allowed third-party clients",
    host: Host::Auth,
    id: "client_id",
    columns: &[
        ("CLIENT ID", "client_id"),
        ("SCOPES", "scopes"),
        ("GRANTED", "grant_time"),
        ("REVOKED", "revoke_time"),
    ],
    wide: &[("USER ID", "user_id"), ("UPDATED", "update_time")],
    verbs: &[
        Verb::new(
            "list",
            "ConsentService.ListConsents",
            "What a person allowed",
            &["user_id"],
            &[
                "consent list alice@acme.example --tenant acme",
                "consent list alice@acme.example --tenant acme --show-revoked",
            ],
        ),
        Verb::new(
            "revoke",
            "ConsentService.RevokeConsent",
            "Take back what a person allowed a client",
            &["user_id", "client_id"],
            &["consent revoke alice@acme.example 0192f0c1-… --tenant acme"],
        )
        .ends("What the client was issued for them ends, and it has to ask again."),
    ],
};
