//! How much is measured, and for how long.

use std::time::Duration;

use crate::{endpoint::Endpoint, load::Span, scale::Scale};

/// Connections that are tried.
const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];

/// A whole run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    quick: bool,
    pub span: Span,
    /// Of the floor.
    pub floor: Duration,
    /// The longest that is waited for relay and consumer between two measurements.
    pub settle: Duration,
    /// Of the good requests beside a flood: a p99 of them must be of some.
    pub flood: Duration,
}

impl Plan {
    /// All of it, or what fits into two minutes.
    pub fn new(quick: bool) -> Self {
        let millis = |full: u64, quickly: u64| Duration::from_millis(if quick { quickly } else { full });
        Self {
            quick,
            span: Span {
                warm_up: millis(500, 300),
                window: millis(2_500, 1_000),
                pace: None,
            },
            floor: millis(2_000, 1_000),
            settle: millis(8_000, 1_000),
            flood: millis(8_000, 2_000),
        }
    }

    /// Connection counts, each with its rounds.
    pub fn rounds(self) -> impl Iterator<Item = (usize, usize)> {
        CONNECTIONS.into_iter().map(move |connections| {
            let rounds = if self.quick && connections < 64 { 1 } else { 3 };
            (connections, rounds)
        })
    }

    /// What is asked for in a round, with its place in the table.
    pub fn endpoints(self, connections: usize, round: usize) -> impl Iterator<Item = (usize, Endpoint)> {
        let all = !self.quick || (connections == 16 && round == 1);
        let wanted = move |endpoint: &Endpoint| endpoint.takes(connections) && (all || *endpoint == Endpoint::Refresh);
        Endpoint::ALL
            .into_iter()
            .enumerate()
            .filter(move |(_, endpoint)| wanted(endpoint))
    }

    /// Whether the seed's shape runs beside so many connections.
    pub const fn compares_seed(self, connections: usize) -> bool {
        !self.quick || connections == 64
    }

    /// Its requests wait for its pool in step and come back in bursts, seconds apart: a window must hold several.
    pub fn seed_span(self) -> Span {
        let seconds = if self.quick { 1 } else { 3 };
        Span {
            warm_up: Duration::from_secs(seconds),
            window: Duration::from_secs(2 * seconds),
            pace: None,
        }
    }

    /// Whether the statement alone runs beside so many connections.
    pub const fn compares(self, connections: usize) -> bool {
        !self.quick || connections >= 64
    }

    /// How much data is many.
    pub const fn scale(self) -> Scale {
        if self.quick {
            Scale {
                tenants: 1_000,
                sessions: 50_000,
                live: 512,
            }
        } else {
            Scale {
                tenants: 10_000,
                sessions: 1_000_000,
                live: 4_096,
            }
        }
    }

    /// The most connections.
    pub fn most_connections() -> usize {
        CONNECTIONS.into_iter().max().unwrap_or(1)
    }
}
