//! Users as they travel.

use std::collections::BTreeSet;

use credo_auth_domain::{email_address::EmailAddress, profile::Profile, sign_in::FAILURES_UNTIL_KNOWN_DEVICE};
use credo_auth_store::admin::{SignInStatus, Status as Standing, UserFilter, UserRecord};
use credo_proto::admin::v1::{self as proto, ListUsersRequest, User, UserStatus};
use tonic::Status;

use super::{mask::Mask, parse, profile, status::refused};
use crate::flows::admin::{AdminRefusal, UserUpdate};

/// What an update can change.
pub(super) const PATHS: [&str; 20] = [
    "email",
    "email_verified",
    "display_name",
    "admin_scopes",
    "profile",
    "profile.given_name",
    "profile.family_name",
    "profile.middle_name",
    "profile.nickname",
    "profile.preferred_username",
    "profile.profile",
    "profile.picture",
    "profile.website",
    "profile.gender",
    "profile.birthdate",
    "profile.zoneinfo",
    "profile.locale",
    "profile.phone_number",
    "profile.phone_number_verified",
    "profile.address",
];

/// A user as they are answered.
pub(super) fn shape(user: UserRecord) -> User {
    User {
        user_id: user.id.to_string(),
        tenant_id: user.tenant_id.to_string(),
        email: user.email,
        email_verified: user.email_verified,
        display_name: user.display_name.unwrap_or_default(),
        profile: Some(profile::shape(user.profile.0)),
        status: if user.active {
            UserStatus::Active
        } else {
            UserStatus::Disabled
        }
        .into(),
        create_time: Some(parse::timestamp(user.created_at)),
        update_time: Some(parse::timestamp(user.updated_at)),
        etag: parse::etag(user.version),
        admin_scopes: user.admin_scope.split_whitespace().map(ToOwned::to_owned).collect(),
        sign_in: None,
    }
}

/// How sign-in stands, as it is answered.
pub(super) fn shape_sign_in(status: SignInStatus) -> proto::SignInStatus {
    proto::SignInStatus {
        has_password: status.has_password,
        failures: status.failures,
        next_attempt_time: status.next_at.map(parse::timestamp),
        known_device_only: status.failures >= FAILURES_UNTIL_KNOWN_DEVICE,
    }
}

/// Which users a list is asked for.
pub(super) fn filter(message: &ListUsersRequest) -> Result<UserFilter, Status> {
    let status = match UserStatus::try_from(message.status) {
        Ok(UserStatus::Unspecified) => None,
        Ok(UserStatus::Active) => Some(Standing::Active),
        Ok(UserStatus::Disabled) => Some(Standing::Disabled),
        Err(_) => return Err(refused(AdminRefusal::invalid("status", "must be a known status"))),
    };
    let rule = "must be the beginning of an e-mail address";
    let prefix = EmailAddress::parse_prefix(&message.email_prefix)
        .map_err(|_| refused(AdminRefusal::invalid("email_prefix", rule)))?;
    Ok(UserFilter {
        status,
        email_prefix: Some(prefix).filter(|prefix| !prefix.is_empty()),
    })
}

/// What of a user is to be changed.
pub(super) fn update(user: User, mask: &Mask) -> UserUpdate {
    let asked = |member: &&str| mask.has(&format!("profile.{member}"));
    let members: BTreeSet<&'static str> = Profile::MEMBERS.into_iter().filter(asked).collect();
    let profile = (!members.is_empty()).then(|| (user.profile.map(profile::parse).unwrap_or_default(), members));
    UserUpdate {
        email: mask.take("email", user.email),
        email_verified: mask.take("email_verified", user.email_verified),
        display_name: mask.take("display_name", user.display_name),
        profile,
        admin_scopes: mask.take("admin_scopes", user.admin_scopes),
    }
}
