//! One change of an administrator, whatever it changes: one transaction, made once.
//!
//! The order is always the same: claim the call's id, lock, compare the version, decide, change with its event, commit; or
//! roll back, where the caller only wants to know whether it would work. A repeated call finds its own row and changes
//! nothing more. A lost connection leaves open whether the change was committed: the call is run again under the same event
//! id and finds its own row too, so that no change is made by half or twice.

use std::time::Duration;

use credo_ids::EventId;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use crate::{Fault, Store};

/// How often a change is tried.
const MAX_RUNS: u32 = 3;
/// Time before it is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// What every change brings along, from the edge to the database.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// Who calls: an id that is unique across tenants.
    pub caller: Uuid,
    /// What the caller calls this call; nothing if it does not mind a second time.
    pub request_id: Option<Uuid>,
    /// The name of the RPC.
    pub method: &'static str,
    /// SHA-256 of what is asked for, without secrets.
    pub fingerprint: [u8; 32],
    /// Names this call, and its event.
    pub event_id: EventId,
    /// The version that the caller saw, if it minds.
    pub expected_version: Option<i64>,
    /// Whether everything is done but the commit.
    pub validate_only: bool,
}

impl Mutation {
    /// A change that nobody asked for over the admin APIs: without a condition, and not to be repeated.
    #[must_use]
    pub fn of_our_own(caller: Uuid, method: &'static str, event_id: EventId) -> Self {
        Self {
            caller,
            request_id: None,
            method,
            fingerprint: [0; 32],
            event_id,
            expected_version: None,
            validate_only: false,
        }
    }
}

/// A thing after its change.
#[derive(Clone, Debug)]
pub struct Mutated<T> {
    /// As it is now; as it would be, if it was only [`Effect::Validated`].
    pub thing: T,
    /// What this call had to do with it.
    pub effect: Effect,
}

/// What a call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The thing is as this call wants it.
    Made,
    /// An earlier call of the same id did it.
    Repeated,
    /// Nothing, as it was asked to.
    Validated,
}

/// Why nothing was changed. `R` is what the rules of the change say.
#[derive(Debug)]
pub enum Unmade<R> {
    /// There is no such thing.
    NotFound,
    /// It is not in the version that the caller saw.
    VersionMismatch,
    /// The call's id was another call's.
    RequestIdReused,
    /// The rules refuse it.
    Refused(R),
    /// The database gave no answer.
    Fault(Fault),
}

impl<R> From<sqlx::Error> for Unmade<R> {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl<R> From<Fault> for Unmade<R> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Where a call stands.
pub(super) enum Opened {
    /// It is the first of its id.
    New(Open),
    /// It was made before, by an earlier call or by an earlier run of this one.
    Before {
        /// What was changed or made.
        object: Uuid,
        /// Whose work it is.
        effect: Effect,
    },
}

/// A change under way. Dropped, it never was.
pub(super) struct Open {
    pub transaction: Transaction<'static, Postgres>,
    expected_version: Option<i64>,
    validate_only: bool,
}

impl Open {
    /// Compares the version of the locked row with the one that the caller saw.
    pub fn check<R>(&self, version: i64) -> Result<(), Unmade<R>> {
        match self.expected_version {
            Some(expected) if expected != version => Err(Unmade::VersionMismatch),
            _ => Ok(()),
        }
    }

    /// Commits, or rolls back if it only had to be seen whether it works.
    pub async fn close<T, R>(self, thing: T) -> Result<Mutated<T>, Unmade<R>> {
        let effect = if self.validate_only {
            self.transaction.rollback().await?;
            Effect::Validated
        } else {
            self.transaction.commit().await?;
            Effect::Made
        };
        Ok(Mutated { thing, effect })
    }
}

impl Store {
    /// Begins a change of `object` and claims the call's id. A call of the same id that is under way is waited for.
    pub(super) async fn open<R>(&self, mutation: &Mutation, object: Uuid) -> Result<Opened, Unmade<R>> {
        let request_id = mutation.request_id.unwrap_or(mutation.event_id.as_uuid());
        let mut transaction = self.cold.begin().await?;
        let claimed = sqlx::query_file!(
            "sql/admin_request_claim.sql",
            mutation.caller,
            request_id,
            mutation.event_id.as_uuid(),
            mutation.method,
            &mutation.fingerprint[..],
            object
        )
        .fetch_optional(&mut *transaction)
        .await?;
        if claimed.is_some() {
            return Ok(Opened::New(Open {
                transaction,
                expected_version: mutation.expected_version,
                validate_only: mutation.validate_only,
            }));
        }
        let before = sqlx::query_file!("sql/admin_request_find.sql", mutation.caller, request_id)
            .fetch_one(&mut *transaction)
            .await?;
        if before.method != mutation.method || before.fingerprint != mutation.fingerprint {
            return Err(Unmade::RequestIdReused);
        }
        let effect = if before.event_id == mutation.event_id.as_uuid() {
            Effect::Made
        } else {
            Effect::Repeated
        };
        Ok(Opened::Before {
            object: before.object_id,
            effect,
        })
    }
}

/// Runs a change until it is made or fails for good: a lock that was not to be had, or a lost connection, is tried again.
pub(super) async fn attempt<T, R, F>(change: impl Fn() -> F) -> Result<T, Unmade<R>>
where
    F: Future<Output = Result<T, Unmade<R>>>,
{
    for run in 1.. {
        match change().await {
            Err(Unmade::Fault(Fault::Unavailable(error))) if run < MAX_RUNS => {
                tracing::warn!(%error, run, "a change could not be made, it is tried again");
                tokio::time::sleep(PAUSE * run).await;
            }
            answer => return answer,
        }
    }
    Err(Unmade::Fault(Fault::Impossible("an endless loop ended")))
}
