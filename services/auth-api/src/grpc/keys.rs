//! The keys that admin tokens are verified with: this server's own, without asking anybody.

use std::sync::Arc;

use credo_admin::{KeysUnavailable, VerificationKey, VerificationKeys};
use credo_auth_domain::tenant::is_slug;

use crate::{app::App, refusal::Refusal};

/// The keys of the tenants of this server.
pub(super) struct OwnKeys(pub Arc<App>);

#[tonic::async_trait]
impl VerificationKeys for OwnKeys {
    async fn find(&self, issuer: &str, kid: &str) -> Result<Option<VerificationKey>, KeysUnavailable> {
        let Some(slug) = slug_of(issuer, &self.0.settings.public_base_url) else {
            return Ok(None);
        };
        let unavailable = |refusal: Refusal| KeysUnavailable(refusal.to_string());
        let Some(tenant) = self.0.directory.resolve_tenant(slug).await.map_err(unavailable)? else {
            return Ok(None);
        };
        let named = self.0.keyring.find(tenant.id, kid).await.map_err(unavailable)?;
        Ok(named.and_then(|named| named.key.for_admin_tokens().cloned()))
    }
}

/// The slug of an issuer that is written exactly as ours are.
fn slug_of<'a>(issuer: &'a str, public_base_url: &str) -> Option<&'a str> {
    let slug = issuer.strip_prefix(public_base_url)?.strip_prefix("/t/")?;
    is_slug(slug).then_some(slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_issuers_have_slugs() {
        let base = "https://id.example";
        assert_eq!(slug_of("https://id.example/t/demo", base), Some("demo"));
        for other in [
            "https://id.example.evil.example/t/demo",
            "https://id.example/t/demo/",
            "https://id.example/t/../t/demo",
            "https://id.example//t/demo",
            "https://ID.example/t/demo",
            "http://id.example/t/demo",
            "https://id.example/t/",
            "demo",
        ] {
            assert_eq!(slug_of(other, base), None, "{other}");
        }
    }
}
