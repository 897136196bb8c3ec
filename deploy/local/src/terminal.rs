//! What a person sees while something works: one line per step with its time. Colour only on a terminal.

use std::{
    fmt::Display,
    future::Future,
    io::{self, IsTerminal as _, Write as _},
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::time::MissedTickBehavior;

/// Without a terminal a step says that it still works this often.
const REMINDER_INTERVAL: Duration = Duration::from_secs(30);

/// Standard output of this program.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    interactive: bool,
    colour: bool,
}

impl Terminal {
    /// Standard output as it is; `plain` refuses colour.
    pub fn new(plain: bool) -> Self {
        let interactive = io::stdout().is_terminal();
        Self {
            interactive,
            colour: interactive && !plain,
        }
    }

    /// Whether a person looks at it.
    pub fn is_interactive(self) -> bool {
        self.interactive
    }

    /// Prints lines. A closed pipe is no reason to leave processes behind, so errors are dropped.
    pub fn say(self, text: impl Display) {
        self.clear_line(); // of a step that is going on
        let mut out = io::stdout().lock();
        drop(writeln!(out, "{text}").and_then(|()| out.flush()));
    }

    /// Prints lines that report a failure.
    pub fn complain(self, text: impl Display) {
        self.say(self.paint("31", &text.to_string()));
    }

    /// The text as a heading.
    pub fn heading(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Runs `work`, showing what it is, for how long it has been going on, and how long it took.
    ///
    /// # Errors
    /// The work's own.
    pub async fn step<T>(self, what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let begun = Instant::now();
        let interval = if self.interactive {
            Duration::from_millis(500)
        } else {
            REMINDER_INTERVAL
        };
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut work = pin!(work);
        let outcome = loop {
            tokio::select! {
                biased;
                outcome = &mut work => break outcome,
                _ = ticks.tick() => self.show_going_on(what, begun.elapsed()),
            }
        };
        self.clear_line();
        let mark = if outcome.is_ok() {
            self.paint("32", "✓")
        } else {
            self.paint("31", "✗")
        };
        self.say(format!("  {mark} {what:<56} {:>8}", elapsed(begun.elapsed())));
        outcome
    }

    /// Runs `work`, as a step if it is worth telling.
    ///
    /// # Errors
    /// The work's own.
    pub async fn step_if<T>(self, worth_telling: bool, what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        if worth_telling {
            self.step(what, work).await
        } else {
            work.await
        }
    }

    fn show_going_on(self, what: &str, since: Duration) {
        if self.interactive {
            let mut out = io::stdout().lock();
            drop(write!(out, "\r\x1b[K  … {what:<56} {:>8}", elapsed(since)).and_then(|()| out.flush()));
        } else if since >= REMINDER_INTERVAL / 2 {
            self.say(format!("  … {what:<56} {:>8}", elapsed(since)));
        }
    }

    fn clear_line(self) {
        if self.interactive {
            let mut out = io::stdout().lock();
            drop(write!(out, "\r\x1b[K").and_then(|()| out.flush()));
        }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// A duration for people: `0.4 s`, `12.0 s`, `3 min 05 s`.
pub fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(elapsed(Duration::from_millis(430)), "0.4 s");
        assert_eq!(elapsed(Duration::from_secs(185)), "3 min 05 s");
    }
}
