//! What administrators do, one use case a file.
//!
//! Refuses a change that its compliance event cannot accompany. Every use case but those on tenants themselves takes a
//! [`credo_admin::TenantScope`], the proof that the caller may act on that tenant.

mod accounts;
mod admin_scopes;
mod change;
mod client_registration;
mod client_status;
mod create_client;
mod create_tenant;
mod create_user;
mod delete_client;
mod delete_user;
mod denial;
mod end_sessions;
mod event;
mod felt;
mod find_clients;
mod find_consents;
mod find_rate_limits;
mod find_sessions;
mod find_tenants;
mod find_users;
mod invalidate_cache;
mod page;
mod refusal;
mod revoke_consent;
mod rotate_client_secret;
mod set_rate_limit;
mod set_user_password;
mod signing_keys;
mod tenant_status;
mod text;
mod update_client;
mod update_tenant;
mod update_user;
mod user_status;

use credo_admin::AdminPrincipal;
use credo_events::Party;
use uuid::Uuid;

pub use self::{
    change::{Change, Reason},
    client_registration::ClientRegistration,
    client_status::{disable_client, enable_client},
    create_client::{CreatedClient, create_client},
    create_tenant::{TenantDraft, create_tenant},
    create_user::{UserDraft, create_user},
    delete_client::delete_client,
    delete_user::{delete_user, unlock_user},
    denial::{OTHER_TENANT, record_denial},
    end_sessions::{revoke_client_sessions, revoke_session, revoke_tenant_sessions, revoke_user_sessions},
    find_clients::{get_client, list_clients},
    find_consents::list_consents,
    find_rate_limits::{EffectiveLimit, LimitSource, get_rate_limits},
    find_sessions::{get_session, list_sessions},
    find_tenants::{get_tenant, list_tenants},
    find_users::{get_user, list_users, look_up_user},
    invalidate_cache::{Kept, invalidate_cache, require_system},
    page::{Page, PageRequest},
    refusal::{AdminRefusal, Violation},
    revoke_consent::revoke_consent,
    rotate_client_secret::rotate_client_secret,
    set_rate_limit::{LimitDraft, set_rate_limit},
    set_user_password::set_user_password,
    signing_keys::{
        KeyView, activate_signing_key, create_signing_key, list_signing_keys, retire_signing_key, revoke_signing_key,
    },
    tenant_status::{delete_tenant, resume_tenant, suspend_tenant},
    update_client::{ClientUpdate, update_client},
    update_tenant::{TenantUpdate, update_tenant},
    update_user::{UserUpdate, update_user},
    user_status::{disable_user, enable_user},
};
use crate::audit::RequestContext;

/// A call of an administrator.
#[derive(Clone, Debug)]
pub struct AdminCall {
    /// Who calls, proved.
    pub principal: AdminPrincipal,
    /// The request as its events see it.
    pub context: RequestContext,
}

impl AdminCall {
    /// Who acts: the person, or the client if it calls by itself.
    #[must_use]
    pub fn actor(&self) -> Party {
        let client = self.principal.client_id();
        self.principal.user_id().map_or_else(|| client.into(), Party::from)
    }

    /// Whose ids of calls those of this one are among.
    #[must_use]
    pub fn caller(&self) -> Uuid {
        let client = self.principal.client_id();
        self.principal
            .user_id()
            .map_or_else(|| client.as_uuid(), |user| user.as_uuid())
    }
}
