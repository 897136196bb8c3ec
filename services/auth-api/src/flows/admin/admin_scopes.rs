//! What people and clients may do with the admin APIs: only what is known, what makes sense for their tenant, and what whoever
//! gives it holds, in every tenant.

use std::{collections::BTreeSet, sync::LazyLock};

use credo_admin::{AdminPrincipal, Permissions};
use credo_auth_domain::scope::Scope;
use credo_proto::DESCRIPTOR_SET;

use super::{AdminRefusal, refusal::Violations};

/// What [`check_known`] asks.
const RULE: &str =
    "must be scopes of the admin APIs that make sense in this tenant, at most 64, together at most 1024 bytes";
/// What is about the whole installation: nothing of it stands behind a tenant's wall.
const OF_ALL_TENANTS: [&str; 3] = ["credo.outbox.", "credo.debug.", "credo.audit.status"];

/// Every scope of the admin APIs, as their definitions say.
static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| match Permissions::from_descriptor_set(DESCRIPTOR_SET) {
    Ok(permissions) => permissions.scopes().into_iter().map(ToOwned::to_owned).collect(),
    Err(error) => {
        tracing::error!(%error, "no scope of the admin APIs is known");
        BTreeSet::new()
    }
});

/// The scopes that are asked for, if a person of a tenant can hold them.
pub(super) fn check_known(scopes: Vec<String>, is_system: bool, violations: &mut Violations) -> Scope {
    let in_reach = |scope: &str| is_system || !OF_ALL_TENANTS.iter().any(|prefix| scope.starts_with(prefix));
    let all = scopes.iter().all(|scope| KNOWN.contains(scope) && in_reach(scope));
    let scope = Scope::try_from(scopes);
    violations.require(all && scope.is_ok(), "admin_scopes", RULE);
    scope.unwrap_or_default()
}

/// Whether the giver holds every scope that it gives.
pub(super) fn check_held(giver: &AdminPrincipal, wanted: &Scope) -> Result<(), AdminRefusal> {
    if wanted.iter().all(|scope| giver.has(scope)) {
        Ok(())
    } else {
        Err(AdminRefusal::ScopeNotHeld(
            "nobody gives a scope of the admin APIs that their own token lacks",
        ))
    }
}

/// Whether whoever makes, changes or gives a secret to a client holds what it may do: they could become it.
pub(super) fn check_client(caller: &AdminPrincipal, client: &Scope) -> Result<(), AdminRefusal> {
    let mut admin = client
        .iter()
        .filter(|token| token.parse::<Scope>().is_ok_and(|token| token.opens_admin()));
    if admin.all(|token| caller.has(token)) {
        Ok(())
    } else {
        Err(AdminRefusal::ScopeNotHeld(
            "a client's scopes of the admin APIs must all be the caller's own",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_known(scope: &str, is_system: bool) -> bool {
        let mut violations = Violations::default();
        check_known(vec![scope.to_owned()], is_system, &mut violations);
        violations.into_result().is_ok()
    }

    #[test]
    fn a_tenant_has_what_stands_behind_its_wall() {
        for scope in [
            "credo.user.write",
            "credo.audit.read",
            "credo.audit.personal",
            "credo.key.write",
        ] {
            assert!(is_known(scope, true) && is_known(scope, false), "{scope}");
        }
        for scope in ["credo.outbox.write", "credo.debug.read", "credo.audit.status"] {
            assert!(is_known(scope, true) && !is_known(scope, false), "{scope}");
        }
        for scope in [
            "",
            "openid",
            "credo.sessions",
            "credo.user.wrote",
            "credo.",
            "a\u{0}",
            "credo.user.read credo.user.write",
        ] {
            assert!(!is_known(scope, true), "{scope}");
        }
    }
}
