//! That something takes its time: a turning sign on a terminal, nothing anywhere else.

use std::{io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TICK: Duration = Duration::from_millis(120);

/// One line on stderr while it lives.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Begins.
    pub fn begin(what: impl Into<String>) -> Self {
        let bar = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
        if std::io::stderr().is_terminal() {
            bar.enable_steady_tick(TICK);
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.set_message(what.into());
        Self(bar)
    }

    /// Says how far it is.
    pub fn now(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
