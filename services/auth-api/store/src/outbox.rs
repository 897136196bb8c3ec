//! The columns that every row of the outbox needs beside its cores.

use std::sync::{
    Arc,
    atomic::{AtomicI16, Ordering},
};

use credo_events::PersonalPart;
use credo_ids::{Shard, TenantId};
use credo_outbox::OutboxError;

use crate::{Fault, Store};

/// What a change brings along for its event: the ids are drawn and the rows written by the statement that decides.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// The serialised core, or a fragment that the session's actor part is appended to.
    pub core: Vec<u8>,
    /// The part that can be erased.
    pub personal: PersonalPart,
}

/// The ring table that events go to. A late row in an old one is harmless.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot(Arc<AtomicI16>);

impl Slot {
    pub(crate) fn get(&self) -> i16 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, slot: i16) {
        self.0.store(slot, Ordering::Relaxed);
    }
}

impl Store {
    pub(crate) fn slot(&self) -> i16 {
        self.slot.get()
    }

    /// How many events wait to be published, at most.
    ///
    /// # Errors
    /// If the database gives no answer.
    pub async fn pending_events(&self) -> Result<i64, Fault> {
        match credo_outbox::pending(self.cold.pool()).await {
            Ok(pending) => Ok(pending.events),
            Err(OutboxError::Database(error)) => Err(error.into()),
            Err(_) => Err(Fault::Impossible("outbox_pending")),
        }
    }
}

/// A tenant's lane as the outbox stores it.
pub(crate) fn shard(tenant: TenantId) -> i16 {
    Shard::of(tenant).as_i16()
}
