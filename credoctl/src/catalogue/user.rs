//! People.

use super::{Noun, Verb};
use crate::wire::Host;

const ID: &[&str] = &["user_id"];

pub static NOUN: Noun = Noun {
    name: "user",
    about: "The people of a tenant, by id or e-mail address",
    host: Host::Auth,
    id: "user_id",
    columns: &[
        ("USER ID", "user_id"),
        ("EMAIL", "email"),
        ("NAME", "display_name"),
        ("STATUS", "status"),
        ("CREATED", "create_time"),
    ],
    wide: &[
        ("VERIFIED", "email_verified"),
        ("ADMIN SCOPES", "admin_scopes"),
        ("UPDATED", "update_time"),
        ("ETAG", "etag"),
    ],
    verbs: &[
        Verb::new(
            "list",
            "UserService.ListUsers",
            "People in order of creation",
            &[],
            &[
                "user list --tenant acme",
                "user list --tenant acme --status disabled --email-prefix ali",
            ],
        ),
        Verb::new(
            "get",
            "UserService.GetUser",
            "One person, and how their sign-in stands",
            ID,
            &["user get alice@acme.example --tenant acme"],
        ),
        Verb::new(
            "create",
            "UserService.CreateUser",
            "Make a person",
            &["email"],
            &[
                "user create alice@acme.example --tenant acme --display-name 'Alice' --email-verified --ask-password",
                "user create alice@acme.example --tenant acme --password-file password",
            ],
        ),
        Verb::new(
            "update",
            "UserService.UpdateUser",
            "Change what the options name",
            ID,
            &[
                "user update alice@acme.example --tenant acme --display-name 'Alice A.'",
                "user update alice@acme.example --tenant acme --profile-locale de-CH --profile-zoneinfo Europe/Zurich",
                "user update alice@acme.example --tenant acme --admin-scope credo.client.read",
            ],
        )
        .changing(&["email", "email_verified", "display_name", "profile", "admin_scopes"]),
        Verb::new(
            "set-password",
            "UserService.SetUserPassword",
            "Set or remove the password",
            ID,
            &[
                "user set-password alice@acme.example --tenant acme",
                "user set-password alice@acme.example --tenant acme --no-password --yes",
            ],
        )
        .ends("Everything that was issued for them ends.")
        .asking_for_secret(),
        Verb::new(
            "unlock",
            "UserService.UnlockUser",
            "Forget the failed sign-ins",
            ID,
            &["user unlock alice@acme.example --tenant acme"],
        ),
        Verb::new(
            "disable",
            "UserService.DisableUser",
            "Let a person in no more",
            ID,
            &["user disable alice@acme.example --tenant acme"],
        )
        .ends("Everything that was issued for them ends; enabling again revives nothing."),
        Verb::new(
            "enable",
            "UserService.EnableUser",
            "Let a person in again; nothing is revived",
            ID,
            &["user enable alice@acme.example --tenant acme"],
        ),
        Verb::new(
            "delete",
            "UserService.DeleteUser",
            "Remove a person for good",
            ID,
            &["user delete alice@acme.example --tenant acme --reason 'asked for it'"],
        )
        .for_good("They and everything that was issued for them end, and it cannot be undone."),
    ],
};
