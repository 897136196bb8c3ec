//! Tenants.

use super::{Noun, Verb};
use crate::wire::Host;

pub static NOUN: Noun = Noun {
    name: "tenant",
    about: "Tenants: walls between organisations",
    host: Host::Auth,
    id: "tenant_id",
    columns: &[
        ("SLUG", "slug"),
        ("NAME", "display_name"),
        ("STATUS", "status"),
        ("TENANT ID", "tenant_id"),
        ("CREATED", "create_time"),
    ],
    wide: &[
        ("ISSUER", "issuer"),
        ("CREATES USERS", "create_unknown_users"),
        ("UPDATED", "update_time"),
        ("ETAG", "etag"),
    ],
    verbs: &[
        Verb::new(
            "list",
            "TenantService.ListTenants",
            "Tenants in order of creation",
            &[],
            &["tenant list", "tenant list -o json | jq -r '.tenants[].slug'"],
        ),
        Verb::new(
            "get",
            "TenantService.GetTenant",
            "One tenant, by slug or id",
            &["tenant_id"],
            &["tenant get acme"],
        ),
        Verb::new(
            "create",
            "TenantService.CreateTenant",
            "Make a tenant and its first signing key",
            &["slug"],
            &[
                "tenant create acme --display-name 'Acme Corp'",
                "tenant create acme --display-name 'Acme Corp' --dry-run",
            ],
        ),
        Verb::new(
            "update",
            "TenantService.UpdateTenant",
            "Change what the options name",
            &["tenant_id"],
            &[
                "tenant update acme --display-name 'Acme Inc'",
                "tenant update acme --branding-accent-color '#2f4fd0' --branding-logo logo.png",
            ],
        )
        .changing(&[
            "display_name",
            "create_unknown_users",
            "branding.accent_color",
            "branding.accent_color_dark",
            "branding.logo",
        ]),
        Verb::new(
            "suspend",
            "TenantService.SuspendTenant",
            "Stop serving a tenant",
            &["tenant_id"],
            &["tenant suspend acme --reason 'contract ended'"],
        )
        .ends("Everything that it issued ends, and its endpoints answer as unknown."),
        Verb::new(
            "resume",
            "TenantService.ResumeTenant",
            "Serve a tenant again; nothing is revived",
            &["tenant_id"],
            &["tenant resume acme"],
        ),
        Verb::new(
            "delete",
            "TenantService.DeleteTenant",
            "End a tenant for good",
            &["tenant_id"],
            &["tenant delete acme --reason 'contract ended'"],
        )
        .for_good("It cannot be undone, and its slug is never used again."),
    ],
};
