//! Counters in memory: what this replica let through, and what it was told that all of them did.
//!
//! Refuses to grow: above [`CAPACITY`] a new counter takes the place of one that counted little, and what that one had not told
//! yet is told nevertheless. Invariant: what is let through is counted before it is let through.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
};

use credo_auth_domain::rate_limit::{Quota, RateClass, WINDOW, window_of};
use credo_auth_store::{Tally, WindowKey};
use credo_ids::TenantId;
use time::OffsetDateTime;

/// Counters that are kept, of some hundred bytes each.
pub const CAPACITY: usize = 128 * 1_024;
/// Parts with a lock of their own.
const SHARDS: usize = 16;
/// What is kept of counters that made room, in each part.
const MAX_ORPHANS: usize = CAPACITY / SHARDS;
/// Counters that are looked at to find one that has to make room.
const CANDIDATES: usize = 8;
/// A counter is not told before it has this part of its limit: most never get so far, and cost the database nothing.
const UNTOLD_PART: u32 = 16;

/// What is counted, without the window.
type Key = (TenantId, [u8; 32]);

/// All counters.
pub(super) struct Windows {
    shards: [Mutex<Shard>; SHARDS],
    shard_capacity: usize,
}

#[derive(Default)]
struct Shard {
    counters: HashMap<Key, Counter>,
    /// Counters that have something to tell.
    ready: Vec<Key>,
    /// What counters had to tell that made room.
    orphans: Vec<Tally>,
}

struct Counter {
    begins_at: OffsetDateTime,
    per_minute: u32,
    /// What all replicas let through, as far as this one was told.
    told: u32,
    /// What is being told.
    telling: u32,
    /// What nobody was told yet.
    untold: u32,
    is_ready: bool,
}

impl Counter {
    fn new(begins_at: OffsetDateTime, per_minute: u32) -> Self {
        Self {
            begins_at,
            per_minute,
            told: 0,
            telling: 0,
            untold: 0,
            is_ready: false,
        }
    }

    fn count(&self) -> u32 {
        self.told.saturating_add(self.telling).saturating_add(self.untold)
    }

    fn is_worth_telling(&self) -> bool {
        self.untold > 0 && (self.told > 0 || self.untold.saturating_mul(UNTOLD_PART) >= self.per_minute)
    }

    fn is_over(&self, now: OffsetDateTime) -> bool {
        now >= self.begins_at + WINDOW
    }
}

impl Windows {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            shard_capacity: (capacity / SHARDS).max(1),
        }
    }

    /// Counts a request, if the limit lets it through. What is left afterwards; as an error if it was refused.
    pub(super) fn count(
        &self,
        (class, key): (RateClass, Key),
        per_minute: u32,
        now: OffsetDateTime,
    ) -> Result<Quota, Quota> {
        let begins_at = window_of(now, key.1[31] % 60);
        let mut shard = self.shard(&key);
        if shard.counters.len() >= self.shard_capacity && !shard.counters.contains_key(&key) {
            shard.make_room(now);
        }
        let Shard { counters, ready, .. } = &mut *shard;
        let counter = match counters.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Counter::new(begins_at, per_minute)),
        };
        if counter.begins_at != begins_at {
            *counter = Counter {
                is_ready: counter.is_ready,
                ..Counter::new(begins_at, per_minute)
            };
        }
        counter.per_minute = per_minute;
        let is_let_through = counter.count() < per_minute;
        if is_let_through {
            counter.untold += 1;
            if counter.is_worth_telling() && !counter.is_ready {
                counter.is_ready = true;
                ready.push(key);
            }
        }
        let quota = Quota::of_window(class, per_minute, counter.count(), (begins_at + WINDOW, now));
        if is_let_through { Ok(quota) } else { Err(quota) }
    }

    /// What has to be told, each window once.
    pub(super) fn begin_telling(&self) -> Vec<Tally> {
        let mut tallies: HashMap<WindowKey, u32> = HashMap::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            for orphan in std::mem::take(&mut shard.orphans) {
                *tallies.entry(orphan.key).or_default() += orphan.count;
            }
            for key in std::mem::take(&mut shard.ready) {
                let Some(counter) = shard.counters.get_mut(&key) else {
                    continue;
                };
                counter.is_ready = false;
                // A key is ready twice if its counter made room and came back.
                let count = std::mem::take(&mut counter.untold);
                counter.telling = counter.telling.saturating_add(count);
                if count > 0 {
                    *tallies.entry(window_key(key, counter.begins_at)).or_default() += count;
                }
            }
        }
        tallies.into_iter().map(|(key, count)| Tally { key, count }).collect()
    }

    /// What all replicas let through, as the answer to what was told.
    pub(super) fn end_telling(&self, totals: &[Tally]) {
        for total in totals {
            let key = (total.key.tenant_id, total.key.bucket);
            let mut shard = self.shard(&key);
            let counter = shard.counters.get_mut(&key);
            if let Some(counter) = counter.filter(|counter| counter.begins_at == total.key.begins_at) {
                counter.told = total.count;
                counter.telling = 0;
            }
        }
    }

    /// Nobody took what was told: it counts here, and is told again while its window lasts.
    pub(super) fn give_up_telling(&self, tallies: &[Tally], now: OffsetDateTime) {
        for tally in tallies.iter().filter(|tally| now < tally.key.begins_at + WINDOW) {
            let key = (tally.key.tenant_id, tally.key.bucket);
            let mut shard = self.shard(&key);
            let Shard {
                counters,
                ready,
                orphans,
            } = &mut *shard;
            let counter = counters.get_mut(&key);
            let counter = counter.filter(|counter| counter.begins_at == tally.key.begins_at);
            let own = match counter {
                Some(counter) => {
                    let own = std::mem::take(&mut counter.telling).min(tally.count);
                    counter.untold = counter.untold.saturating_add(own);
                    if own > 0 && !std::mem::replace(&mut counter.is_ready, true) {
                        ready.push(key);
                    }
                    own
                }
                None => 0,
            };
            // The rest is of counters that made room.
            if tally.count > own && orphans.len() < MAX_ORPHANS {
                orphans.push(Tally {
                    count: tally.count - own,
                    ..*tally
                });
            }
        }
    }

    /// Forgets what is over. How many counters are left.
    pub(super) fn forget_old(&self, now: OffsetDateTime) -> usize {
        let left = self.shards.iter().map(|shard| {
            let mut shard = lock(shard);
            shard.counters.retain(|_, counter| !counter.is_over(now));
            shard.counters.len()
        });
        left.sum()
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::from(key.1[0]) % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    /// Drops one of a few counters: one that is over, or else the one that counted least. What it let through and told is
    /// known to the others, and to this replica again when it next tells something of the bucket.
    fn make_room(&mut self, now: OffsetDateTime) {
        let candidates = self.counters.iter().take(CANDIDATES);
        let least = candidates.min_by_key(|(_, counter)| if counter.is_over(now) { 0 } else { counter.count() });
        let Some(key) = least.map(|(key, _)| *key) else { return };
        let Some(counter) = self.counters.remove(&key) else {
            return;
        };
        let count = counter.untold.saturating_add(counter.telling);
        if count > 0 && !counter.is_over(now) && self.orphans.len() < MAX_ORPHANS {
            self.orphans.push(Tally {
                key: window_key(key, counter.begins_at),
                count,
            });
        }
    }
}

fn window_key((tenant_id, bucket): Key, begins_at: OffsetDateTime) -> WindowKey {
    WindowKey {
        tenant_id,
        bucket,
        begins_at,
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn key(number: u8) -> Key {
        (TenantId::from(uuid::Uuid::nil()), {
            let mut hash = [0; 32];
            hash[1] = number;
            hash
        })
    }

    fn count(windows: &Windows, number: u8, per_minute: u32, now: OffsetDateTime) -> bool {
        windows.count((RateClass::Read, key(number)), per_minute, now).is_ok()
    }

    /// Tells what one replica has to tell to a store that adds it up.
    fn tell(windows: &Windows, store: &mut HashMap<WindowKey, u32>) -> usize {
        let tallies = windows.begin_telling();
        let totals = tallies.iter().map(|tally| {
            let total = store.entry(tally.key).or_default();
            *total += tally.count;
            Tally {
                key: tally.key,
                count: *total,
            }
        });
        windows.end_telling(&totals.collect::<Vec<_>>());
        tallies.len()
    }

    #[test]
    fn a_window_lets_through_as_many_as_its_limit_and_the_next_one_as_many_again() {
        let windows = Windows::new(1_000);
        for round in 0..3 {
            let now = NOW + Duration::minutes(round);
            assert_eq!((0..9).filter(|_| count(&windows, 0, 5, now)).count(), 5);
            assert!(!count(&windows, 0, 5, now + Duration::milliseconds(59_999)));
        }
        // A limit that was raised holds at once, and so does one that was lowered.
        let now = NOW + Duration::minutes(2);
        assert!(count(&windows, 0, 6, now) && !count(&windows, 0, 6, now) && !count(&windows, 0, 2, now));
    }

    #[test]
    fn copies_let_through_no_more_than_the_limit_and_what_was_not_told_yet() {
        for copies in [2, 3, 7] {
            let (limit, between) = (160, 10);
            let replicas: Vec<_> = (0..copies).map(|_| Windows::new(1_000)).collect();
            let (mut store, mut let_through) = (HashMap::new(), 0);
            for _ in 0..100 {
                for windows in &replicas {
                    let_through += (0..between).filter(|_| count(windows, 0, limit, NOW)).count();
                    tell(windows, &mut store);
                }
            }
            let untold = usize::try_from(limit / UNTOLD_PART).unwrap().max(between);
            let bound = usize::try_from(limit).unwrap() + (copies - 1) * untold;
            assert!(
                let_through >= 160 && let_through <= bound,
                "{copies}: {let_through} > {bound}"
            );
        }
    }

    #[test]
    fn fi_02_what_nobody_took_still_counts_and_is_told_later() {
        let (here, there) = (Windows::new(1_000), Windows::new(1_000));
        for _ in 0..50 {
            count(&here, 0, 10, NOW);
            let tallies = here.begin_telling();
            here.give_up_telling(&tallies, NOW);
        }
        assert!(!count(&here, 0, 10, NOW), "the limit holds without the store");
        let mut store = HashMap::new();
        tell(&here, &mut store);
        assert_eq!(store.values().copied().collect::<Vec<_>>(), [10]);
        assert!(count(&there, 0, 10, NOW));
        tell(&there, &mut store);
        assert!(!count(&there, 0, 10, NOW), "the other one is told");
    }

    #[test]
    fn what_made_room_is_told_once_though_nobody_took_it_at_first() {
        let windows = Windows::new(SHARDS);
        let made_room = |number| count(&windows, number, 10, NOW);
        // Of two counters one has room: each puts the other out, and comes back.
        for number in [0, 1, 0, 1, 0] {
            assert!(made_room(number));
            let tallies = windows.begin_telling();
            windows.give_up_telling(&tallies, NOW);
        }
        assert!(made_room(1) && made_room(0));
        let mut store = HashMap::new();
        tell(&windows, &mut store);
        let mut told: Vec<_> = store.into_values().collect();
        told.sort_unstable();
        assert_eq!(told, [3, 4]);
        assert!(made_room(1));
        windows.give_up_telling(&windows.begin_telling(), NOW + WINDOW);
        assert_eq!(tell(&windows, &mut HashMap::new()), 0, "its window is over");
    }

    #[test]
    fn little_is_not_told() {
        let (windows, mut store) = (Windows::new(1_000), HashMap::new());
        for _ in 0..6 {
            count(&windows, 0, 100, NOW);
        }
        assert_eq!(tell(&windows, &mut store), 0);
        count(&windows, 0, 100, NOW);
        assert_eq!((tell(&windows, &mut store), tell(&windows, &mut store)), (1, 0));
        count(&windows, 0, 100, NOW);
        assert_eq!(
            tell(&windows, &mut store),
            1,
            "once others may know of it, everything is told"
        );
    }

    #[test]
    fn a_full_shard_drops_what_counted_little_and_tells_it() {
        let (windows, mut store) = (Windows::new(2 * SHARDS), HashMap::new());
        for _ in 0..5 {
            count(&windows, 0, 5, NOW);
        }
        for number in 1..=200 {
            assert!(count(&windows, number, 5, NOW));
        }
        assert!(!count(&windows, 0, 5, NOW), "a limit that is used up is not forgotten");
        assert_eq!(windows.forget_old(NOW), 2);
        tell(&windows, &mut store);
        assert_eq!(store.len(), 201);
        assert_eq!(windows.forget_old(NOW + WINDOW), 0);
    }

    #[test]
    fn a_clock_that_went_back_begins_another_window() {
        let windows = Windows::new(1_000);
        assert!(count(&windows, 0, 1, NOW + Duration::hours(1)));
        assert!(count(&windows, 0, 1, NOW) && !count(&windows, 0, 1, NOW));
    }
}
