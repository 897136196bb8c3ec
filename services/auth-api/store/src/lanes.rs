//! The batched statements: a lane for each kind, and the workers that all of them share.

use std::{collections::HashMap, sync::Arc, time::Instant};

use credo_postgres::{Failure, classify};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::{
    Fault,
    authorization_codes::Redemptions,
    authorizations::Authorizations,
    batch::{Crew, Kind, Lane, Refused},
    client_tokens::ClientTokens,
    hot_connection::HotConnection,
    observed::StatementMetrics,
    outbox::Slot,
    refresh_tokens::Rotations,
    sessions::Revocations,
    work::Work,
};

/// What batched statements run on.
pub struct BatchSpec {
    /// How a worker connects; with [`crate::HOT_CONNECTION_SETTINGS`].
    pub options: PgConnectOptions,
    /// How many workers there are, each with a connection of its own.
    pub workers: usize,
}

/// A lane for each kind.
pub(crate) struct Lanes {
    pub(crate) rotations: Lane<Rotations>,
    pub(crate) redemptions: Lane<Redemptions>,
    pub(crate) revocations: Lane<Revocations>,
    pub(crate) authorizations: Lane<Authorizations>,
    pub(crate) client_tokens: Lane<ClientTokens>,
}

/// Every kind.
pub(crate) const KINDS: [&str; 5] = [
    Rotations::NAME,
    Redemptions::NAME,
    Revocations::NAME,
    Authorizations::NAME,
    ClientTokens::NAME,
];

impl Lanes {
    pub(crate) fn new(BatchSpec { options, workers }: BatchSpec, slot: &Slot, metrics: &StatementMetrics) -> Self {
        let observer = metrics.batch_observer();
        let metrics = metrics.clone();
        let crew = Crew::new(workers, move || HotConnection::new(options.clone(), metrics.clone()));
        Self {
            rotations: Lane::new(Rotations(slot.clone()), &crew, &observer),
            redemptions: Lane::new(Redemptions(slot.clone()), &crew, &observer),
            revocations: Lane::new(Revocations(slot.clone()), &crew, &observer),
            authorizations: Lane::new(Authorizations(slot.clone()), &crew, &observer),
            client_tokens: Lane::new(ClientTokens(slot.clone()), &crew, &observer),
        }
    }
}

impl std::fmt::Debug for Lanes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Lanes")
    }
}

/// Runs an item in a batch. Nothing if the batch passed it over.
pub(crate) async fn ride<K>(lane: &Lane<K>, item: Arc<K::Item>) -> Result<Option<K::Answer>, Fault>
where
    K: Kind<Error = sqlx::Error>,
{
    let began = Instant::now();
    let reply = lane.submit(item).await;
    Work::count(began.elapsed());
    Ok(reply?)
}

/// Whether running a statement again can answer what this run did not.
pub(crate) fn is_open(error: &sqlx::Error) -> bool {
    matches!(classify(error), Failure::ConnectionLost | Failure::Conflict)
}

/// Rows in the order of the items that they answer; nothing for an item that no row answers.
pub(crate) fn in_order<I, R>(
    items: &[Arc<I>],
    id_of_item: impl Fn(&I) -> Uuid,
    rows: Vec<R>,
    id_of_row: impl Fn(&R) -> Uuid,
) -> Vec<Option<R>> {
    let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (id_of_row(&row), row)).collect();
    items.iter().map(|item| rows.remove(&id_of_item(item))).collect()
}

impl From<Refused<sqlx::Error>> for Fault {
    fn from(refused: Refused<sqlx::Error>) -> Self {
        match refused {
            Refused::Full => Self::Overloaded("too many requests wait for a batch"),
            Refused::Late => Self::Overloaded("a request waited too long for its batch"),
            Refused::Lost => Self::Impossible("a batch panicked"),
            Refused::Failed(error) => error.into(),
        }
    }
}
