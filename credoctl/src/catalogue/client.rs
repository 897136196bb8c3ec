//! OAuth clients.

use super::{Noun, Verb};
use crate::wire::Host;

const ID: &[&str] = &["client_id"];

pub static NOUN: Noun = Noun {
    name: "client",
    about: "OAuth clients of a tenant",
    host: Host::Auth,
    id: "client_id",
    columns: &[
        ("CLIENT ID", "client_id"),
        ("NAME", "display_name"),
        ("STATUS", "status"),
        ("FIRST PARTY", "first_party"),
        ("AUTH METHOD", "token_endpoint_auth_method"),
        ("GRANTS", "grant_types"),
    ],
    wide: &[
        ("TYPE", "application_type"),
        ("SCOPES", "scopes"),
        ("REDIRECT URIS", "redirect_uris"),
        ("PKCE", "require_pkce"),
        ("GRACE", "refresh_grace_seconds"),
        ("ALG", "id_token_signed_response_alg"),
        ("CREATED", "create_time"),
        ("ETAG", "etag"),
    ],
    verbs: &[
        Verb::new(
            "list",
            "ClientService.ListClients",
            "Clients in order of creation",
            &[],
            &["client list --tenant acme", "client list --tenant acme -o wide"],
        ),
        Verb::new(
            "get",
            "ClientService.GetClient",
            "One client",
            ID,
            &["client get 0192f0c1-… --tenant acme"],
        ),
        Verb::new(
            "create",
            "ClientService.CreateClient",
            "Make a client; its secret is shown once",
            &["display_name"],
            &[
                "client create web --tenant acme --redirect-uri https://app.example/callback",
                "client create app --tenant acme --application-type native --token-endpoint-auth-method none --redirect-uri http://127.0.0.1/callback",
                "client create robot --tenant acme --grant-type client_credentials --scope reports.read",
            ],
        ),
        Verb::new(
            "update",
            "ClientService.UpdateClient",
            "Change what the options name",
            ID,
            &[
                "client update 0192f0c1-… --tenant acme --scope openid --scope profile",
                "client update 0192f0c1-… --tenant acme --clear allowed_origins",
            ],
        )
        .changing(&[
            "display_name",
            "first_party",
            "grant_types",
            "redirect_uris",
            "post_logout_redirect_uris",
            "scopes",
            "allowed_origins",
            "require_pkce",
            "refresh_grace_seconds",
            "id_token_signed_response_alg",
        ]),
        Verb::new(
            "disable",
            "ClientService.DisableClient",
            "Stop serving a client",
            ID,
            &["client disable 0192f0c1-… --tenant acme"],
        )
        .ends("Everything that it was issued ends; enabling it again revives nothing."),
        Verb::new(
            "enable",
            "ClientService.EnableClient",
            "Serve a client again; nothing is revived",
            ID,
            &["client enable 0192f0c1-… --tenant acme"],
        ),
        Verb::new(
            "delete",
            "ClientService.DeleteClient",
            "End a client for good",
            ID,
            &["client delete 0192f0c1-… --tenant acme --reason 'app retired'"],
        )
        .for_good("It and everything that it was issued end, and it cannot be undone."),
        Verb::new(
            "rotate-secret",
            "ClientService.RotateClientSecret",
            "Make a new secret and show it, once",
            ID,
            &[
                "client rotate-secret 0192f0c1-… --tenant acme",
                "client rotate-secret 0192f0c1-… --tenant acme --overlap 0s --secret-out secret",
            ],
        )
        .ends("The secret before stays good for --overlap, older ones end at once."),
    ],
};
