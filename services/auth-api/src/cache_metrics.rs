//! How often what was read lately was of use: each cache, at each level.

use prometheus::{IntCounterVec, Opts, Registry};

use crate::second_level::{UnfitValue, WriteOutcome};

/// What is kept of what was read.
#[derive(Debug, Clone, Copy)]
pub enum Cache {
    /// Clients with their tenants.
    Client,
    /// Tenants by slug.
    Tenant,
    /// People.
    User,
    /// People by address.
    Account,
    /// Origins that a client registered.
    Origin,
    /// Access tokens whose signature is good.
    Token,
    /// Tokens and sessions that have ended.
    Revoked,
}

/// Where it is kept.
#[derive(Debug, Clone, Copy)]
pub enum Level {
    /// In this process.
    Memory,
    /// In Redis, for every replica.
    Redis,
}

/// What a look into a cache came to.
#[derive(Debug, Clone, Copy)]
pub enum Look {
    /// It was there.
    Hit,
    /// It was not: the database was asked.
    Miss,
    /// It was there, and the revocation feed does not vouch for it, or Redis gave no answer: the database was asked.
    Fallback,
}

impl Cache {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Client, "client"),
        (Self::Tenant, "tenant"),
        (Self::User, "user"),
        (Self::Account, "account"),
        (Self::Origin, "origin"),
        (Self::Token, "token"),
        (Self::Revoked, "revoked"),
    ];

    const fn is_in(self, level: Level) -> bool {
        match level {
            Level::Memory => !matches!(self, Self::Revoked),
            Level::Redis => matches!(self, Self::Client | Self::User | Self::Revoked),
        }
    }
}

impl Level {
    const ALL: [(Self, &'static str); 2] = [(Self::Memory, "memory"), (Self::Redis, "redis")];
}

/// Why a value in Redis is none.
const UNFIT: [&str; 4] = ["malformed", "schema", "forged", "old"];
/// What becomes of a value on its way to Redis.
const WRITES: [&str; 4] = ["written", "outdated", "failed", "dropped"];

impl Look {
    const ALL: [(Self, &'static str); 3] = [(Self::Hit, "hit"), (Self::Miss, "miss"), (Self::Fallback, "fallback")];
}

/// The numbers of all caches.
#[derive(Clone, Debug)]
pub struct CacheMetrics {
    /// Looks into caches.
    looks: IntCounterVec,
    /// Values in Redis that are none.
    unfit: IntCounterVec,
    /// Values on their way to Redis.
    writes: IntCounterVec,
}

impl CacheMetrics {
    /// All of them, at zero.
    ///
    /// # Errors
    /// If a name stands twice.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            looks: IntCounterVec::new(
                Opts::new(
                    "credo_cache_reads_total",
                    "Looks into what was read lately; fallback: the revocation feed did not vouch for it, or Redis gave no answer.",
                ),
                &["cache", "level", "result"],
            )?,
            unfit: IntCounterVec::new(
                Opts::new(
                    "credo_cache_unfit_values_total",
                    "Values in Redis that were none, by reason: nobody but this server puts any there.",
                ),
                &["reason"],
            )?,
            writes: IntCounterVec::new(
                Opts::new(
                    "credo_cache_writes_total",
                    "Values on their way to Redis; outdated: a later one stood there.",
                ),
                &["result"],
            )?,
        };
        for counter in [&metrics.looks, &metrics.unfit, &metrics.writes] {
            registry.register(Box::new(counter.clone()))?;
        }
        metrics.begin();
        Ok(metrics)
    }

    fn begin(&self) {
        for ((kind, cache), (level, place)) in Cache::ALL
            .iter()
            .flat_map(|cache| Level::ALL.map(|level| (cache, level)))
        {
            for (_, result) in Look::ALL.iter().filter(|_| kind.is_in(level)) {
                self.looks.with_label_values(&[cache, place, result]);
            }
        }
        for reason in UNFIT {
            self.unfit.with_label_values(&[reason]);
        }
        for result in WRITES {
            self.writes.with_label_values(&[result]);
        }
    }

    /// Counts a look into a cache.
    pub fn looked(&self, (cache, level): (Cache, Level), look: Look) {
        self.looks.with_label_values(&looks(cache, level, look)).inc();
    }

    /// What was counted since the start: each cache where it is, with its hits, misses and fallbacks.
    #[must_use]
    pub fn all_looks(&self) -> Vec<(&'static str, &'static str, [u64; 3])> {
        let everywhere = Cache::ALL
            .iter()
            .flat_map(|cache| Level::ALL.map(|level| (*cache, level)));
        let there = everywhere.filter(|((cache, _), (level, _))| cache.is_in(*level));
        let count = |cache, level, look| self.looks.with_label_values(&looks(cache, level, look)).get();
        there
            .map(|((cache, name), (level, place))| (name, place, Look::ALL.map(|(look, _)| count(cache, level, look))))
            .collect()
    }

    /// Counts a value in Redis that is none.
    pub fn unfit(&self, reason: UnfitValue) {
        self.unfit.with_label_values(&[UNFIT[reason as usize]]).inc();
    }

    /// Counts a value on its way to Redis.
    pub fn wrote(&self, outcome: WriteOutcome) {
        self.writes.with_label_values(&[WRITES[outcome as usize]]).inc();
    }
}

/// The labels of a look.
const fn looks(cache: Cache, level: Level, look: Look) -> [&'static str; 3] {
    [
        Cache::ALL[cache as usize].1,
        Level::ALL[level as usize].1,
        Look::ALL[look as usize].1,
    ]
}
