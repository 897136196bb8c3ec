//! What the process says about itself.
//!
//! Invariant: ready means started, not draining, and no component down. A degraded component is told, not punished:
//! taking every replica out because Redis is slow would turn a slow-down into an outage.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

/// The health of a process. Clones are handles of the same thing.
#[derive(Debug, Clone, Default)]
pub struct Health {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    components: BTreeMap<&'static str, ComponentState>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    #[default]
    Starting,
    Started,
    Draining,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
enum ComponentState {
    Up,
    Degraded(String),
    Down(String),
}

/// What `/readyz?verbose` shows.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    ready: bool,
    phase: Phase,
    components: BTreeMap<&'static str, ComponentState>,
}

impl Health {
    /// The health of a process that is starting and has no components yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A handle for one thing that the process depends on, such as `postgres`. It is down until it says otherwise.
    #[must_use]
    pub fn component(&self, name: &'static str) -> Component {
        let unknown = ComponentState::Down("not known yet".to_owned());
        self.lock().components.entry(name).or_insert(unknown);
        Component {
            health: self.clone(),
            name,
        }
    }

    /// Start-up is over.
    pub fn started(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Starting {
            state.phase = Phase::Started;
        }
    }

    /// The process takes no new work. There is no way back.
    pub fn draining(&self) {
        self.lock().phase = Phase::Draining;
    }

    /// Whether start-up is over.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.lock().phase != Phase::Starting
    }

    /// Whether new work is welcome.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.lock().is_ready()
    }

    pub(crate) fn report(&self) -> Report {
        let state = self.lock();
        Report {
            ready: state.is_ready(),
            phase: state.phase,
            components: state.components.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_ready(&self) -> bool {
        let is_down = |state: &ComponentState| matches!(state, ComponentState::Down(_));
        self.phase == Phase::Started && !self.components.values().any(is_down)
    }
}

/// One thing that the process depends on.
#[derive(Debug, Clone)]
pub struct Component {
    health: Health,
    name: &'static str,
}

impl Component {
    /// It works.
    pub fn up(&self) {
        self.set(ComponentState::Up);
    }

    /// It works badly, or without something that it can do without. The process stays ready.
    pub fn degraded(&self, reason: impl Into<String>) {
        self.set(ComponentState::Degraded(reason.into()));
    }

    /// It does not work. The process is not ready.
    pub fn down(&self, reason: impl Into<String>) {
        self.set(ComponentState::Down(reason.into()));
    }

    /// Changes of state are logged here, once; a new reason for the same state is not news.
    fn set(&self, new: ComponentState) {
        let before = self.health.lock().components.insert(self.name, new.clone());
        let same_kind = |old: &ComponentState| std::mem::discriminant(old) == std::mem::discriminant(&new);
        if before.as_ref().is_some_and(same_kind) {
            return;
        }
        match new {
            ComponentState::Up => tracing::info!(component = self.name, "up"),
            ComponentState::Degraded(reason) => tracing::warn!(component = self.name, reason, "degraded"),
            ComponentState::Down(reason) => tracing::warn!(component = self.name, reason, "down"),
        }
    }
}
