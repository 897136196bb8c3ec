//! Signing keys.

use super::{Noun, Verb};
use crate::wire::Host;

const ID: &[&str] = &["key_id"];

pub static NOUN: Noun = Noun {
    name: "key",
    about: "The keys that sign a tenant's tokens; they rotate by themselves",
    host: Host::Auth,
    id: "key_id",
    columns: &[
        ("KEY ID", "key_id"),
        ("ALG", "algorithm"),
        ("STATE", "state"),
        ("SINCE", "state_time"),
        ("NEXT STEP", "next_step_time"),
    ],
    wide: &[
        ("CREATED", "create_time"),
        ("MASTER KEY", "master_key_id"),
        ("PUBLIC JWK", "public_jwk"),
    ],
    verbs: &[
        Verb::new(
            "list",
            "SigningKeyService.ListSigningKeys",
            "Keys, newest first",
            &[],
            &["key list --tenant acme", "key list --tenant acme --show-retired"],
        ),
        Verb::new(
            "create",
            "SigningKeyService.CreateSigningKey",
            "Make a pending key: published, signing nothing yet",
            &[],
            &["key create --tenant acme --algorithm ES256"],
        ),
        Verb::new(
            "activate",
            "SigningKeyService.ActivateSigningKey",
            "Sign with a pending key from now on",
            ID,
            &["key activate 0192f0c1-… --tenant acme"],
        )
        .ends("The key before signs nothing more."),
        Verb::new(
            "retire",
            "SigningKeyService.RetireSigningKey",
            "Take a pending or retiring key out of the JWKS",
            ID,
            &["key retire 0192f0c1-… --tenant acme"],
        )
        .ends("Whoever checks by the JWKS believes it no more."),
        Verb::new(
            "emergency-revoke",
            "SigningKeyService.EmergencyRevokeSigningKey",
            "Revoke a key that leaked; another one signs",
            ID,
            &["key emergency-revoke 0192f0c1-… --tenant acme --reason 'found in a backup'"],
        )
        .for_good("Every token that it signed is refused within a second."),
    ],
};
