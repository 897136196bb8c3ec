//! What is logged, and its change at run time.
//!
//! Invariant: a target that is not ours is never logged below `info`. Libraries print what they hold there: headers with
//! their authorization (`h2`, `hyper`), handshakes (`rustls`), statements (`sqlx`), answers of Redis (`fred`). A list of
//! those that do would be wrong at the next update; so it is a list of those that do not: our own crates.

use std::{
    str::FromStr,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tracing::{Level, Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{
    filter::Targets,
    layer::{Context, Filter},
};

use crate::{is_ours, metrics};

/// Longest text of directives, in bytes.
const MAX_BYTES: usize = 512;
/// The most directives.
const MAX_DIRECTIVES: usize = 16;

/// Directives that were read: `info,auth_api=debug`.
#[derive(Debug, Clone)]
pub struct Directives {
    text: String,
    targets: Targets,
}

/// Text that is no list of directives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDirectives {
    /// Too much of it.
    #[error("more than {MAX_DIRECTIVES} directives or {MAX_BYTES} bytes")]
    TooLong,
    /// It cannot be read.
    #[error("not a list of directives such as info,auth_api=debug")]
    Malformed,
    /// It asks for a library's secrets.
    #[error("{0} is a library: it may be logged at info, warn, error or off; below that it could print secrets")]
    Library(String),
}

impl Directives {
    /// As they were written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn enables(&self, metadata: &Metadata<'_>) -> bool {
        self.targets.would_enable(metadata.target(), metadata.level())
            && (*metadata.level() <= Level::INFO || is_ours(metadata.target()))
    }
}

impl FromStr for Directives {
    type Err = InvalidDirectives;

    fn from_str(text: &str) -> Result<Self, InvalidDirectives> {
        let count = text.split(',').count();
        if text.len() > MAX_BYTES || count > MAX_DIRECTIVES {
            return Err(InvalidDirectives::TooLong);
        }
        // What `Targets` would take for names of targets.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_:=,-".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_plain) {
            return Err(InvalidDirectives::Malformed);
        }
        if text
            .split(',')
            .any(|directive| directive.starts_with('=') || directive.is_empty())
        {
            return Err(InvalidDirectives::Malformed);
        }
        let targets: Targets = text.parse().map_err(|_| InvalidDirectives::Malformed)?;
        if let Some((target, _)) = targets
            .iter()
            .find(|(target, level)| *level > LevelFilter::INFO && !is_ours(target))
        {
            return Err(InvalidDirectives::Library(target.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            targets,
        })
    }
}

/// Directives that hold for a time.
#[derive(Debug, Clone)]
pub struct Override {
    /// What holds.
    pub directives: Directives,
    /// How long still.
    pub remaining: Duration,
}

/// Says what is logged. There is one, as there is one subscriber.
#[derive(Debug, Clone)]
pub struct LogControl {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    active: ArcSwap<Directives>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    configured: Directives,
    until: Option<Instant>,
}

static CONTROL: LazyLock<LogControl> = LazyLock::new(|| {
    let info = Directives {
        text: "info".to_owned(),
        targets: Targets::new().with_default(LevelFilter::INFO),
    };
    LogControl {
        shared: Arc::new(Shared {
            active: ArcSwap::from_pointee(info.clone()),
            state: Mutex::new(State {
                configured: info,
                until: None,
            }),
            changed: Notify::new(),
        }),
    }
});

/// The process's own.
#[must_use]
pub fn log_control() -> &'static LogControl {
    &CONTROL
}

impl LogControl {
    /// What holds where nothing else was asked for.
    pub(crate) fn configure(&self, directives: Directives) {
        self.change(|state| {
            state.configured = directives.clone();
            state.until = None;
            directives
        });
    }

    /// Logs by `directives` for `ttl`, or by the configuration again at once. Returns what holds now.
    pub fn set(&self, directives: Option<Directives>, ttl: Duration) {
        self.change(|state| {
            state.until = directives.is_some().then(|| Instant::now() + ttl);
            directives.unwrap_or_else(|| state.configured.clone())
        });
    }

    /// What the configuration says.
    #[must_use]
    pub fn configured(&self) -> Directives {
        self.state().configured.clone()
    }

    /// What holds instead of the configuration, if something does.
    #[must_use]
    pub fn active_override(&self) -> Option<Override> {
        let until = self.state().until?;
        Some(Override {
            directives: Directives::clone(&self.shared.active.load()),
            remaining: until.saturating_duration_since(Instant::now()),
        })
    }

    /// Ends overrides when their time has come, until `stop` returns.
    pub async fn revert_when_due(&self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let until = self.state().until;
            let due = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = &mut stop => return,
                () = self.shared.changed.notified() => {}
                () = due => self.revert(),
            }
        }
    }

    fn revert(&self) {
        let mut is_over = false;
        self.change(|state| {
            is_over = state.until.is_some_and(|until| until <= Instant::now());
            if is_over {
                state.until = None;
                return state.configured.clone();
            }
            Directives::clone(&self.shared.active.load())
        });
        if is_over {
            tracing::info!(
                directives = self.configured().text,
                "the log filter is the configured one again"
            );
        }
    }

    /// The filter of a layer that follows it.
    pub(crate) fn filter(&self) -> Follow {
        Follow(self.clone())
    }

    fn change(&self, next: impl FnOnce(&mut State) -> Directives) {
        let mut state = self.state();
        let directives = next(&mut state);
        self.shared.active.store(Arc::new(directives));
        metrics::set_override(state.until.is_some());
        drop(state);
        // Call sites remember whether anybody wants them.
        tracing::callsite::rebuild_interest_cache();
        self.shared.changed.notify_one();
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the control says now.
#[derive(Debug)]
pub(crate) struct Follow(LogControl);

impl<S: Subscriber> Filter<S> for Follow {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.0.shared.active.load().enables(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.0.shared.active.load().enables(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A filter of its own.
    pub(crate) fn control(directives: &str) -> Follow {
        let directives: Directives = directives.parse().unwrap();
        Follow(LogControl {
            shared: Arc::new(Shared {
                active: ArcSwap::from_pointee(directives.clone()),
                state: Mutex::new(State {
                    configured: directives,
                    until: None,
                }),
                changed: Notify::new(),
            }),
        })
    }

    fn read(text: &str) -> Result<Directives, InvalidDirectives> {
        text.parse()
    }

    #[test]
    fn directives_are_bounded_and_plain() {
        for good in [
            "info",
            "info,auth_api=debug",
            "off",
            "warn,credo_auth_store::refresh_tokens=trace",
            "sqlx=warn",
        ] {
            assert_eq!(read(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "info,=,=",
            "[request{id=1}]=trace",
            "auth_api = debug",
            "auth_api=loud",
            "\u{0}",
        ] {
            assert_eq!(read(bad).unwrap_err(), InvalidDirectives::Malformed, "{bad}");
        }
        assert_eq!(
            read(&"a".repeat(MAX_BYTES + 1)).unwrap_err(),
            InvalidDirectives::TooLong
        );
        assert_eq!(read(&["info"; 17].join(",")).unwrap_err(), InvalidDirectives::TooLong);
    }

    #[test]
    fn hd_07_no_directive_makes_a_library_print_what_it_holds() {
        for target in ["h2", "hyper::proto", "rustls", "sqlx::query", "fred", "credox", "tower"] {
            for level in ["debug", "trace"] {
                let refused = read(&format!("info,{target}={level}")).unwrap_err();
                assert_eq!(refused, InvalidDirectives::Library(target.to_owned()));
            }
            // A name alone means everything of it.
            assert!(read(target).is_err(), "{target}");
        }
        let seen = crate::line::tests::lines_with("trace", || {
            tracing::debug!(target: "h2", "authorization: Bearer x");
            tracing::info!(target: "h2", "went away");
            tracing::trace!(target: "auth_api::flows", "decided");
        });
        let targets: Vec<_> = seen.iter().map(|line| line["target"].as_str().unwrap()).collect();
        assert_eq!(targets, ["h2", "auth_api::flows"]);
    }
}
