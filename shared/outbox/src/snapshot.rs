//! Which transactions a stored snapshot shows, and which lie between two of them. Pure.
//!
//! The same rule stands in `sql/outbox_batch.sql`; [`crate::read_batch`] checks every row that it gets against this one.

use std::{fmt, str::FromStr};

/// A Postgres snapshot: `pg_snapshot` in its textual form `xmin:xmax:xip,…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    xmin: u64,
    xmax: u64,
    /// Ascending.
    xip: Vec<u64>,
}

/// A text that is not a `pg_snapshot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a pg_snapshot")]
pub struct InvalidSnapshot;

impl Snapshot {
    /// A snapshot in which everything below `xmax` has ended but for `running`.
    ///
    /// # Errors
    /// When `running` holds something that is not below `xmax`.
    pub fn new(xmax: u64, mut running: Vec<u64>) -> Result<Self, InvalidSnapshot> {
        running.sort_unstable();
        running.dedup();
        if running.last().is_some_and(|last| *last >= xmax) {
            return Err(InvalidSnapshot);
        }
        let xmin = running.first().copied().unwrap_or(xmax);
        Ok(Self {
            xmin,
            xmax,
            xip: running,
        })
    }

    /// Whether the transaction had ended when the snapshot was taken. Whether by commit or by rollback it cannot tell: a
    /// row of one that rolled back is not there to be asked about.
    #[must_use]
    pub fn shows(&self, xid: u64) -> bool {
        xid < self.xmin || (xid < self.xmax && self.xip.binary_search(&xid).is_err())
    }
}

/// Whether a row of transaction `xid` belongs to the batch between the ticks `previous` and `current`.
#[must_use]
pub fn batch_contains(previous: &Snapshot, current: &Snapshot, xid: u64) -> bool {
    current.shows(xid) && !previous.shows(xid)
}

impl FromStr for Snapshot {
    type Err = InvalidSnapshot;

    fn from_str(text: &str) -> Result<Self, InvalidSnapshot> {
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| InvalidSnapshot);
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().ok_or(InvalidSnapshot);
        let (xmin, xmax, xip) = (number(part()?)?, number(part()?)?, part()?);
        let xip = xip
            .split(',')
            .filter(|digits| !digits.is_empty())
            .map(number)
            .collect::<Result<Vec<_>, _>>()?;
        let is_ordered = xip.is_sorted_by(|one, next| one < next);
        let is_within = xip.first().is_none_or(|first| *first >= xmin) && xip.last().is_none_or(|last| *last < xmax);
        if xmin <= xmax && is_ordered && is_within {
            Ok(Self { xmin, xmax, xip })
        } else {
            Err(InvalidSnapshot)
        }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:", self.xmin, self.xmax)?;
        for (place, xid) in self.xip.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(formatter, "{comma}{xid}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_shows_what_had_ended() {
        let snapshot: Snapshot = "10:20:10,14,15".parse().unwrap();
        let shown = (8..23).filter(|xid| snapshot.shows(*xid)).collect::<Vec<_>>();
        assert_eq!(shown, [8, 9, 11, 12, 13, 16, 17, 18, 19]);
        assert_eq!(snapshot.to_string(), "10:20:10,14,15");
        assert_eq!(Snapshot::new(20, vec![15, 10, 14]), Ok(snapshot));
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        for text in [
            "", "1", "1:2", "2:1:", "1:9:4,3", "1:9:4,4", "1:9:9", "5:9:4", "a:9:", "1:9:,x", "1:9:3:4", "-1:2:",
        ] {
            assert_eq!(text.parse::<Snapshot>(), Err(InvalidSnapshot), "{text}");
        }
        assert!("7:7:".parse::<Snapshot>().is_ok());
    }
}
