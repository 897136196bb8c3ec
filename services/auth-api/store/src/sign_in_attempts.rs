//! Attempts to prove who one is: counted before anything is hashed.

use credo_auth_domain::email_address::EmailAddress;
use credo_ids::{DeviceId, TenantId, UserId};
use secrecy::SecretString;
use tracing::instrument;
use uuid::Uuid;

use crate::{Fault, Store, attempt::attempt};

/// An account that somebody tries to sign in to, existing or not.
#[derive(Debug)]
pub struct Account<'a> {
    /// Its tenant.
    pub tenant: TenantId,
    /// HMAC of the address: the key of its attempts.
    pub hash: [u8; 32],
    /// The device that the attempt comes from, and the key of its own attempts with this account.
    pub device: Option<(DeviceId, [u8; 32])>,
    /// The address.
    pub email: &'a EmailAddress,
}

/// What a reservation gives.
#[derive(Debug)]
pub enum Reservation {
    /// Too many failures; not before so many seconds.
    TooMany {
        /// How long to wait.
        retry_after_seconds: u32,
    },
    /// The attempt is counted. There is nobody of that address who may sign in with a password.
    Nobody,
    /// The attempt is counted. This is whose proof is to be checked.
    Candidate {
        /// Who it would be.
        user: UserId,
        /// The PHC string.
        password_hash: SecretString,
        /// Which password it is; the statement that uses the proof compares it.
        password_version: i64,
    },
}

impl Store {
    /// Counts an attempt and reads what it is checked against.
    ///
    /// # Errors
    /// If the database gives no answer.
    #[instrument(skip_all)]
    pub async fn reserve_sign_in_attempt(&self, account: &Account<'_>) -> Result<Reservation, Fault> {
        let row = attempt(|| {
            sqlx::query_file!(
                "sql/sign_in_attempt_reserve.sql",
                account.tenant.as_uuid(),
                &account.hash[..],
                account.device.as_ref().map(|(_, hash)| &hash[..]) as Option<&[u8]>,
                account.email.as_str(),
                account.device.map(|(device, _)| device.as_uuid()) as Option<Uuid>
            )
            .fetch_one(&self.hot)
        })
        .await?;
        Ok(
            match (
                row.failures,
                row.user_id,
                row.status,
                row.password_hash,
                row.password_version,
            ) {
                (None, ..) => {
                    let seconds = row.retry_after_seconds.unwrap_or(1);
                    Reservation::TooMany {
                        retry_after_seconds: u32::try_from(seconds).unwrap_or(1),
                    }
                }
                (Some(_), Some(user), Some(1), Some(hash), Some(password_version)) => Reservation::Candidate {
                    user: user.into(),
                    password_hash: hash.into(),
                    password_version,
                },
                _ => Reservation::Nobody,
            },
        )
    }
}
