//! What a client may be registered as (RFC 7591 section 2, RFC 9700 section 2.1).
//!
//! Refuses combinations that no client needs and an attacker would like: a public client with a grant that needs a secret,
//! a client without PKCE that cannot prove who it is, a scope of the admin APIs in the hands of somebody else's program, or beyond
//! what whoever gives it may give.

use std::collections::HashSet;

use credo_admin::AdminPrincipal;
use credo_auth_domain::{
    client::{ApplicationType, AuthMethod},
    grant_type::GrantType,
    origin::is_origin,
    redirect_uri,
    scope::Scope,
    signing_algorithm::SigningAlgorithm,
};
use credo_auth_store::admin::{ClientRecord, NewClient};
use credo_ids::{ClientId, TenantId};

use super::{
    AdminRefusal,
    admin_scopes::check_client,
    refusal::Violations,
    text::{NAME_RULE, is_name},
};

/// Most redirect URIs of one kind of one client.
const MAX_REDIRECT_URIS: usize = 50;
/// Most bytes of all of one kind: the event that tells of them is bounded.
const MAX_REDIRECT_URIS_BYTES: usize = 16 * 1_024;
/// Most origins of one client.
const MAX_ORIGINS: usize = 20;
/// Longest grace, in seconds.
const MAX_GRACE_SECONDS: i32 = 60;
/// What a client that signs people in gets if it names no scopes.
const DEFAULT_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// A client as it was asked for.
#[derive(Clone, Debug, Default)]
pub struct ClientRegistration {
    /// Shown to people.
    pub display_name: String,
    /// Whether it belongs to whoever runs the tenant.
    pub first_party: bool,
    /// Empty means `client_secret_basic`.
    pub token_endpoint_auth_method: String,
    /// Empty means `authorization_code` and `refresh_token`.
    pub grant_types: Vec<String>,
    /// Compared as raw strings.
    pub redirect_uris: Vec<String>,
    /// Empty means [`DEFAULT_SCOPES`] for `authorization_code`, none otherwise.
    pub scopes: Vec<String>,
    /// Origins that may call with CORS.
    pub allowed_origins: Vec<String>,
    /// Exempts it from PKCE.
    pub dangerous_allow_missing_pkce: bool,
    /// Within so many seconds a retried refresh gets the same successor.
    pub refresh_grace_seconds: i32,
    /// Empty means `web`.
    pub application_type: String,
    /// Where the browser may be sent after a logout.
    pub post_logout_redirect_uris: Vec<String>,
    /// Empty means `ES256`.
    pub id_token_signed_response_alg: String,
}

impl ClientRegistration {
    /// The client as it is to be from now on. What is empty is empty, not a default.
    pub(super) fn check_update(self, giver: &AdminPrincipal, client: &ClientRecord) -> Result<NewClient, AdminRefusal> {
        let mut violations = Violations::default();
        violations.require(!self.grant_types.is_empty(), "grant_types", "must name at least one");
        let is_empty = self.scopes.is_empty();
        let before: Scope = client.scope.parse().unwrap_or_default();
        violations.into_result()?;
        check_client(giver, &before)?;
        let mut wanted = self.checked(client.tenant_id, |scope| check_client(giver, scope))?;
        if is_empty {
            wanted.scope = String::new();
        }
        Ok(wanted)
    }

    /// The client that is to be stored, without its secret.
    pub(super) fn check(self, giver: &AdminPrincipal, tenant: TenantId) -> Result<NewClient, AdminRefusal> {
        self.checked(tenant, |scope| check_client(giver, scope))
    }

    fn checked(
        self,
        tenant: TenantId,
        check_scope: impl Fn(&Scope) -> Result<(), AdminRefusal>,
    ) -> Result<NewClient, AdminRefusal> {
        let mut violations = Violations::default();
        let method = self.auth_method(&mut violations);
        let grants = self.grants(&mut violations);
        let scope = self.scope(&grants, &mut violations);
        let application_type = self.application_type(&mut violations);
        let id_token_alg = self.id_token_alg(&mut violations);
        self.check_texts(&mut violations);
        self.check_together(method, &grants, &scope, &mut violations);
        violations.into_result()?;
        check_scope(&scope)?;
        Ok(NewClient {
            id: ClientId::now_v7(),
            tenant_id: tenant,
            display_name: self.display_name,
            first_party: self.first_party,
            token_endpoint_auth_method: method.as_str(),
            grant_types: grants.iter().map(|grant| grant.as_str().to_owned()).collect(),
            redirect_uris: self.redirect_uris,
            allowed_origins: self.allowed_origins,
            scope: scope.to_string(),
            require_pkce: !self.dangerous_allow_missing_pkce,
            refresh_grace_seconds: self.refresh_grace_seconds,
            application_type: application_type.as_str(),
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            id_token_signed_response_alg: id_token_alg.as_str(),
            secret: None,
        })
    }

    fn auth_method(&self, violations: &mut Violations) -> AuthMethod {
        if self.token_endpoint_auth_method.is_empty() {
            return AuthMethod::ClientSecretBasic;
        }
        let method = AuthMethod::find(&self.token_endpoint_auth_method);
        let rule = "must be client_secret_basic, client_secret_post or none";
        violations.require(method.is_some(), "token_endpoint_auth_method", rule);
        method.unwrap_or(AuthMethod::ClientSecretBasic)
    }

    fn grants(&self, violations: &mut Violations) -> Vec<GrantType> {
        if self.grant_types.is_empty() {
            return vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        }
        let grants: Option<Vec<_>> = self.grant_types.iter().map(|name| GrantType::find(name)).collect();
        let rule = "must be authorization_code, refresh_token or client_credentials, each at most once";
        violations.require(grants.is_some() && are_distinct(&self.grant_types), "grant_types", rule);
        grants.unwrap_or_default()
    }

    fn scope(&self, grants: &[GrantType], violations: &mut Violations) -> Scope {
        let tokens = if !self.scopes.is_empty() {
            self.scopes.clone()
        } else if grants.contains(&GrantType::AuthorizationCode) {
            DEFAULT_SCOPES.map(ToOwned::to_owned).to_vec()
        } else {
            Vec::new()
        };
        let scope = Scope::try_from(tokens);
        let rule = "must be at most 64 scope tokens of RFC 6749 section 3.3, together at most 1024 bytes";
        violations.require(scope.is_ok(), "scopes", rule);
        scope.unwrap_or_default()
    }

    fn application_type(&self, violations: &mut Violations) -> ApplicationType {
        if self.application_type.is_empty() {
            return ApplicationType::default();
        }
        let found = ApplicationType::find(&self.application_type);
        violations.require(found.is_some(), "application_type", "must be web or native");
        found.unwrap_or_default()
    }

    fn id_token_alg(&self, violations: &mut Violations) -> SigningAlgorithm {
        if self.id_token_signed_response_alg.is_empty() {
            return SigningAlgorithm::Es256;
        }
        let found = SigningAlgorithm::find(&self.id_token_signed_response_alg);
        violations.require(
            found.is_some(),
            "id_token_signed_response_alg",
            "must be ES256 or RS256",
        );
        found.unwrap_or(SigningAlgorithm::Es256)
    }

    fn check_texts(&self, violations: &mut Violations) {
        violations.require(is_name(&self.display_name), "display_name", NAME_RULE);
        check_redirect_uris("redirect_uris", &self.redirect_uris, violations);
        check_redirect_uris("post_logout_redirect_uris", &self.post_logout_redirect_uris, violations);
        let origins = &self.allowed_origins;
        violations.require(
            origins.len() <= MAX_ORIGINS && are_distinct(origins) && origins.iter().all(|origin| is_origin(origin)),
            "allowed_origins",
            "must be at most 20 origins as browsers write them, such as https://app.example, each at most once; http is accepted for loopback alone",
        );
        violations.require(
            (0..=MAX_GRACE_SECONDS).contains(&self.refresh_grace_seconds),
            "refresh_grace_seconds",
            "must be 0 to 60",
        );
    }

    fn check_together(&self, method: AuthMethod, grants: &[GrantType], scope: &Scope, violations: &mut Violations) {
        let is_public = method == AuthMethod::None;
        let uses = |grant| grants.contains(&grant);
        violations.require(
            !(is_public && uses(GrantType::ClientCredentials)),
            "grant_types",
            "a public client cannot use client_credentials",
        );
        violations.require(
            !(is_public && self.dangerous_allow_missing_pkce),
            "dangerous_allow_missing_pkce",
            "a public client cannot do without PKCE",
        );
        violations.require(
            !uses(GrantType::AuthorizationCode) || !self.redirect_uris.is_empty(),
            "redirect_uris",
            "authorization_code needs at least one",
        );
        let by_itself = grants == [GrantType::ClientCredentials];
        let for_people = self.first_party && !uses(GrantType::ClientCredentials);
        violations.require(
            !scope.opens_admin() || by_itself || for_people,
            "scopes",
            "scopes of the admin APIs are for clients whose only grant is client_credentials, and for first-party clients without it",
        );
    }
}

fn check_redirect_uris(field: &'static str, uris: &[String], violations: &mut Violations) {
    let bytes: usize = uris.iter().map(String::len).sum();
    violations.require(
        uris.len() <= MAX_REDIRECT_URIS && bytes <= MAX_REDIRECT_URIS_BYTES && are_distinct(uris),
        field,
        "must be at most 50, together at most 16 KiB, each at most once",
    );
    if let Some(error) = uris.iter().find_map(|uri| redirect_uri::validate(uri).err()) {
        violations.require(false, field, &error.to_string());
    }
}

fn are_distinct(texts: &[String]) -> bool {
    let distinct: HashSet<&String> = texts.iter().collect();
    distinct.len() == texts.len()
}
