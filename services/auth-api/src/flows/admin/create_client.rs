//! Making a client. A confidential one gets its secret from us; it is shown once and kept as a hash.

use credo_admin::TenantScope;
use credo_auth_domain::{
    credential::{generate_client_secret, hash_client_secret},
    signing_algorithm::SigningAlgorithm,
};
use credo_auth_store::admin::{ClientRecord, Effect, NewClientSecret};
use credo_ids::ClientSecretId;
use secrecy::SecretString;
use serde_json::{Value, json};
use tracing::instrument;

use super::{
    AdminRefusal, Change, ClientRegistration,
    change::{is_felt, not_made},
    event::ChangeEvent,
};
use crate::{app::App, audit::compliance::CLIENT_CREATED, refusal::Refusal};

/// A client that was made.
#[derive(Debug)]
pub struct CreatedClient {
    /// The client.
    pub client: ClientRecord,
    /// Its secret, if it has one and this call made it.
    pub secret: Option<SecretString>,
}

/// Makes a client.
///
/// # Errors
/// If the registration cannot be, holds more than the caller may give, or there is no such tenant.
#[instrument(skip_all)]
pub async fn create_client(
    app: &App,
    change: &Change,
    scope: TenantScope,
    registration: ClientRegistration,
) -> Result<CreatedClient, AdminRefusal> {
    let mut new = registration.check(&change.call.principal, scope.id())?;
    let secret = match new.token_endpoint_auth_method {
        "none" => None,
        _ => Some(generate_client_secret().map_err(Refusal::from)?),
    };
    new.secret = secret.as_ref().map(|secret| NewClientSecret {
        id: ClientSecretId::now_v7(),
        hash: hash_client_secret(secret),
    });
    let event = ChangeEvent::new(app, change, (&CLIENT_CREATED, scope.id()), new.id)?.made(&describe(&new));
    let made = app
        .store
        .create_client(&change.mutation, &new, &event)
        .await
        .map_err(|unmade| not_made(app, "tenant", unmade))?;
    if is_felt(made.effect) {
        publish_key(app, &made.thing).await;
    }
    Ok(CreatedClient {
        client: made.thing,
        secret: secret.filter(|_| made.effect == Effect::Made),
    })
}

/// Has the key that signs the client's ID tokens made, so that whoever keeps the JWKS for a while has it before it signs. A
/// failure is not the caller's: the first sign-in makes the key.
pub(super) async fn publish_key(app: &App, client: &ClientRecord) {
    let Some(algorithm) = SigningAlgorithm::find(&client.id_token_signed_response_alg) else {
        return;
    };
    if let Err(error) = app.keyring.tenant_signing(client.tenant_id, algorithm).await {
        tracing::warn!(%error, "the key of a client is made later");
    }
}

fn describe(new: &credo_auth_store::admin::NewClient) -> Value {
    json!({
        "display_name": new.display_name,
        "status": "active",
        "first_party": new.first_party,
        "token_endpoint_auth_method": new.token_endpoint_auth_method,
        "grant_types": new.grant_types,
        "redirect_uris": new.redirect_uris,
        "allowed_origins": new.allowed_origins,
        "scope": new.scope,
        "require_pkce": new.require_pkce,
        "refresh_grace_seconds": new.refresh_grace_seconds,
        "application_type": new.application_type,
        "post_logout_redirect_uris": new.post_logout_redirect_uris,
        "id_token_signed_response_alg": new.id_token_signed_response_alg,
        "secrets": i32::from(new.secret.is_some()),
    })
}
