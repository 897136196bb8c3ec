//! A call that changes something, as it comes in: its id, its condition, and what it asks for.
//!
//! The same call is known again by its fingerprint: the method and the message, without secrets, the call's id and whether it
//! is only a question. The fields are those of AIP-134, AIP-154, AIP-155 and AIP-163.

use aws_lc_rs::digest::{SHA256, digest};
use credo_auth_store::admin::Mutation;
use credo_ids::EventId;
use credo_proto::admin::v1 as proto;
use prost::Message;
use tonic::{Request, Status};

use super::{call::admitted, parse, status::refused};
use crate::flows::admin::{Change, Reason};

/// The message of a call that changes something.
pub(super) trait ChangeMessage: Message + Clone {
    /// The RPC.
    const METHOD: &'static str;

    /// The call's id, and whether it is only a question; neither is in the message any more.
    fn take_call(&mut self) -> (String, bool);

    /// Removes what no hash may be kept of.
    fn remove_secrets(&mut self);
}

macro_rules! change_messages {
    ($($method:literal $message:ident $($secret:ident)*;)*) => {$(
        impl ChangeMessage for proto::$message {
            const METHOD: &'static str = $method;

            fn take_call(&mut self) -> (String, bool) {
                (std::mem::take(&mut self.request_id), std::mem::take(&mut self.validate_only))
            }

            fn remove_secrets(&mut self) {
                $(self.$secret.clear();)*
            }
        }
    )*};
}

// Every RPC that changes something, its message, and the secrets in it.
change_messages! {
    "CreateTenant" CreateTenantRequest;
    "UpdateTenant" UpdateTenantRequest;
    "SuspendTenant" SuspendTenantRequest;
    "ResumeTenant" ResumeTenantRequest;
    "DeleteTenant" DeleteTenantRequest;
    "CreateClient" CreateClientRequest;
    "UpdateClient" UpdateClientRequest;
    "DeleteClient" DeleteClientRequest;
    "RotateClientSecret" RotateClientSecretRequest;
    "DisableClient" DisableClientRequest;
    "EnableClient" EnableClientRequest;
    "CreateUser" CreateUserRequest password;
    "DisableUser" DisableUserRequest;
    "EnableUser" EnableUserRequest;
    "UpdateUser" UpdateUserRequest;
    "SetUserPassword" SetUserPasswordRequest password;
    "DeleteUser" DeleteUserRequest;
    "UnlockUser" UnlockUserRequest;
    "RevokeSession" RevokeSessionRequest;
    "RevokeUserSessions" RevokeUserSessionsRequest;
    "RevokeClientSessions" RevokeClientSessionsRequest;
    "RevokeSessionsIssuedBefore" RevokeSessionsIssuedBeforeRequest;
    "RevokeConsent" RevokeConsentRequest;
    "SetRateLimit" SetRateLimitRequest;
    "InvalidateCache" InvalidateCacheRequest;
    "CreateSigningKey" CreateSigningKeyRequest;
    "ActivateSigningKey" ActivateSigningKeyRequest;
    "RetireSigningKey" RetireSigningKeyRequest;
    "EmergencyRevokeSigningKey" EmergencyRevokeSigningKeyRequest;
}

/// The change and the message of a request that came through the layers.
pub(super) fn changing<M: ChangeMessage>(request: Request<M>) -> Result<(Change, M), Status> {
    let (call, mut message) = admitted(request)?;
    let (request_id, validate_only) = message.take_call();
    let mutation = Mutation {
        caller: call.caller(),
        request_id: parse::request_id(&request_id)?,
        method: M::METHOD,
        fingerprint: fingerprint(&message),
        event_id: EventId::now_v7(),
        expected_version: None,
        validate_only,
    };
    let change = Change {
        call,
        mutation,
        reason: None,
    };
    Ok((change, message))
}

impl Change {
    /// On condition that the thing is as the caller saw it.
    pub(super) fn expecting(mut self, etag: &str) -> Self {
        self.mutation.expected_version = parse::expected_version(etag);
        self
    }

    /// With the reason that the caller gives.
    pub(super) fn because(mut self, reason: String) -> Result<Self, Status> {
        self.reason = Some(Reason::parse(reason).map_err(refused)?);
        Ok(self)
    }
}

fn fingerprint<M: ChangeMessage>(message: &M) -> [u8; 32] {
    let mut message = message.clone();
    message.remove_secrets();
    let bytes = [M::METHOD.as_bytes(), b"\0", &message.encode_to_vec()].concat();
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_is_of_what_is_asked_for_without_secrets() {
        let user = proto::CreateUserRequest {
            email: "ann@a.example".to_owned(),
            password: "one".to_owned(),
            ..Default::default()
        };
        let with = |change: fn(&mut proto::CreateUserRequest)| {
            let mut other = user.clone();
            change(&mut other);
            fingerprint(&other)
        };
        assert_eq!(fingerprint(&user), with(|user| user.password = "two".to_owned()));
        assert_ne!(fingerprint(&user), with(|user| user.email = "bob@a.example".to_owned()));
        let disable = fingerprint(&proto::DisableUserRequest::default());
        assert_ne!(disable, fingerprint(&proto::EnableUserRequest::default()));
    }
}
