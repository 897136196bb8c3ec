//! What `/proc` says about processes: which one a number means, and which processes belong to it.

use std::{collections::BTreeMap, fs};

use rustix::process::{Pid, Signal, kill_process};

/// A process that cannot be mistaken for a later one of the same number.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// The process id.
    pub pid: i32,
    /// When it began, in ticks since the machine did.
    pub begun_ticks: u64,
    /// Which start of the machine the ticks count from.
    pub boot: String,
}

impl Identity {
    /// The identity of a process that is alive.
    pub fn of(pid: i32) -> Option<Self> {
        let begun_ticks = Stat::read(pid).filter(|stat| stat.state != 'Z')?.begun_ticks;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()?
            .trim()
            .to_owned();
        Some(Self { pid, begun_ticks, boot })
    }

    /// Whether this very process is still there.
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }
}

/// The process and all that descend from it, itself first.
pub fn family(pid: i32) -> Vec<i32> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for child in entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()) {
        if let Some(stat) = Stat::read(child) {
            children.entry(stat.parent).or_default().push(child);
        }
    }
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(member) = family.get(next) {
        let of_member = children.remove(member).unwrap_or_default();
        family.extend(of_member);
        next += 1;
    }
    family
}

/// Sends a signal to each; one that has ended already is no error.
pub fn signal(pids: &[i32], signal: Signal) {
    for pid in pids.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        let _ended_already = kill_process(pid, signal);
    }
}

/// The memory of a process in KiB. What it shares with others counts by its part, so that a family can be added up.
pub fn memory_kib(pid: i32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    parent: i32,
    begun_ticks: u64,
}

impl Stat {
    fn read(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// proc(5): the command's name may hold anything, so fields are counted from the last parenthesis.
    fn parse(line: &str) -> Option<Self> {
        let (_, fields) = line.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let begun_ticks = fields.nth(17)?.parse().ok()?;
        Some(Self {
            state,
            parent,
            begun_ticks,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_is_read_past_a_hostile_name() {
        let line = "42 (a) R 9 b) S 7 42 42 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 12345 1000 10";
        assert_eq!(
            Stat::parse(line),
            Some(Stat {
                state: 'S',
                parent: 7,
                begun_ticks: 12_345
            })
        );
    }

    #[test]
    fn own_process_is_alive_and_another_start_of_it_is_not() {
        let own = Identity::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(own.is_alive());
        assert!(
            !Identity {
                begun_ticks: own.begun_ticks + 1,
                ..own
            }
            .is_alive()
        );
    }
}
