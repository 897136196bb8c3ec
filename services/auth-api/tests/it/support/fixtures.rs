//! Tenants, clients and people, inserted directly.

use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use auth_api::keys::{MasterKeys, SigningKey};
use credo_auth_domain::{
    credential::{generate_client_secret, hash_client_secret},
    signing_algorithm::SigningAlgorithm,
};
use credo_ids::{ClientId, SigningKeyId, TenantId, UserId};
use credo_testkit::sqlx::{self, PgPool};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ReplicaSpec;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";
pub const REDIRECT_URI: &str = "https://app.example/callback";

/// The cheapest hash that there is, made once.
static PASSWORD_HASH: LazyLock<String> = LazyLock::new(|| hash(PASSWORD));

#[derive(Clone, Debug)]
pub struct Tenant {
    pub id: TenantId,
    pub slug: String,
}

#[derive(Clone, Debug)]
pub struct Client {
    pub id: ClientId,
    /// Nothing for a public client.
    pub secret: Option<String>,
    pub method: &'static str,
}

#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub email: String,
}

/// What a client is registered with.
#[derive(Clone, Copy, Debug)]
pub struct ClientSpec {
    pub method: &'static str,
    pub grant_types: &'static [&'static str],
    pub scope: &'static str,
    pub first_party: bool,
    pub require_pkce: bool,
    pub refresh_grace_seconds: i32,
    pub application_type: &'static str,
    pub redirect_uris: &'static [&'static str],
    pub post_logout_redirect_uris: &'static [&'static str],
    pub id_token_signed_response_alg: &'static str,
    pub allowed_origins: &'static [&'static str],
}

impl Default for ClientSpec {
    fn default() -> Self {
        Self::BASIC
    }
}

impl ClientSpec {
    /// Confidential, HTTP Basic, first-party, every grant.
    pub const BASIC: Self = Self {
        method: "client_secret_basic",
        grant_types: &["authorization_code", "refresh_token", "client_credentials"],
        scope: "openid profile email offline_access read write",
        first_party: true,
        require_pkce: true,
        refresh_grace_seconds: 0,
        application_type: "web",
        redirect_uris: &[REDIRECT_URI, "https://app.example/other"],
        post_logout_redirect_uris: &[],
        id_token_signed_response_alg: "ES256",
        allowed_origins: &[],
    };

    pub fn post() -> Self {
        Self {
            method: "client_secret_post",
            ..Self::default()
        }
    }

    pub fn public() -> Self {
        Self {
            method: "none",
            grant_types: &["authorization_code", "refresh_token"],
            ..Self::default()
        }
    }
}

fn hash(password: &str) -> String {
    let params = Params::new(Params::MIN_M_COST, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(password.as_bytes()).unwrap().to_string()
}

pub async fn insert_tenant(owner: &PgPool, slug: &str) -> Tenant {
    let id = TenantId::now_v7();
    sqlx::query("INSERT INTO tenant (id, slug, display_name) VALUES ($1, $2, $2)")
        .bind(id.as_uuid())
        .bind(slug)
        .execute(owner)
        .await
        .unwrap();
    insert_signing_key(owner, id, 2).await;
    Tenant {
        id,
        slug: slug.to_owned(),
    }
}

/// A key of a tenant in a state, as a tenant has one from the beginning, under the usual master key. Gives its id.
pub async fn insert_signing_key(owner: &PgPool, tenant: TenantId, state: i16) -> SigningKeyId {
    let masters = MasterKeys::parse(&ReplicaSpec::master_key(1, "")).unwrap();
    let key = SigningKey::generate(tenant, SigningAlgorithm::Es256, masters.active()).unwrap();
    sqlx::query(
        "INSERT INTO signing_key (id, tenant_id, kid, algorithm, state, public_key, sealed_key, master_key_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(key.id.as_uuid())
    .bind(tenant.as_uuid())
    .bind(&key.kid)
    .bind(key.algorithm)
    .bind(state)
    .bind(key.public_key)
    .bind(key.sealed_key)
    .bind(key.master_key_id)
    .execute(owner)
    .await
    .unwrap();
    key.id
}

pub async fn insert_client(owner: &PgPool, tenant: &Tenant, spec: ClientSpec) -> Client {
    let id = ClientId::now_v7();
    sqlx::query(
        "INSERT INTO client (id, tenant_id, display_name, first_party, token_endpoint_auth_method, grant_types,
                             redirect_uris, scope, require_pkce, refresh_grace_seconds, application_type,
                             post_logout_redirect_uris, id_token_signed_response_alg, allowed_origins)
         VALUES ($1, $2, 'A client', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(id.as_uuid())
    .bind(tenant.id.as_uuid())
    .bind(spec.first_party)
    .bind(spec.method)
    .bind(spec.grant_types)
    .bind(spec.redirect_uris)
    .bind(spec.scope)
    .bind(spec.require_pkce)
    .bind(spec.refresh_grace_seconds)
    .bind(spec.application_type)
    .bind(spec.post_logout_redirect_uris)
    .bind(spec.id_token_signed_response_alg)
    .bind(spec.allowed_origins)
    .execute(owner)
    .await
    .unwrap();
    let secret = if spec.method == "none" {
        None
    } else {
        let secret = generate_client_secret().unwrap();
        sqlx::query("INSERT INTO client_secret (id, tenant_id, client_id, hash) VALUES ($1, $2, $3, $4)")
            .bind(Uuid::now_v7())
            .bind(tenant.id.as_uuid())
            .bind(id.as_uuid())
            .bind(&hash_client_secret(&secret)[..])
            .execute(owner)
            .await
            .unwrap();
        Some(secret.expose_secret().to_owned())
    };
    Client {
        id,
        secret,
        method: spec.method,
    }
}

pub async fn insert_user(owner: &PgPool, tenant: &Tenant, email: &str, password: Option<&str>) -> User {
    let id = UserId::random_v4();
    sqlx::query(
        "INSERT INTO app_user (id, tenant_id, email, email_verified, display_name) VALUES ($1, $2, $3, true, 'Ann')",
    )
    .bind(id.as_uuid())
    .bind(tenant.id.as_uuid())
    .bind(email)
    .execute(owner)
    .await
    .unwrap();
    if let Some(password) = password {
        let made;
        let hash = if password == PASSWORD {
            PASSWORD_HASH.as_str()
        } else {
            made = hash(password);
            &made
        };
        sqlx::query("INSERT INTO password (user_id, tenant_id, hash) VALUES ($1, $2, $3)")
            .bind(id.as_uuid())
            .bind(tenant.id.as_uuid())
            .bind(hash)
            .execute(owner)
            .await
            .unwrap();
    }
    User {
        id,
        email: email.to_owned(),
    }
}

/// A profile in which nothing is absent, as the row keeps it.
pub fn full_profile() -> Value {
    json!({
        "given_name": "Anna",
        "family_name": "Muster",
        "middle_name": "B.",
        "nickname": "Ännchen",
        "preferred_username": "ann",
        "profile": "https://people.example/ann",
        "picture": "https://people.example/ann.png",
        "website": "https://ann.example/",
        "gender": "female",
        "birthdate": "1990-02-28",
        "zoneinfo": "Europe/Zurich",
        "locale": "de-CH",
        "phone_number": "+41446681800",
        "phone_number_verified": true,
        "address": { "street_address": "Weg 1", "locality": "Zürich", "postal_code": "8000", "country": "CH" },
    })
}
