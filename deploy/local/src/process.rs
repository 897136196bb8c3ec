//! A part as a process: started in a group of its own, watched until it ends.

use std::{ffi::OsString, path::PathBuf, process::Stdio};

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use tokio::{process::Command, sync::watch, task::JoinSet};

use crate::{account::Account, log, part::Part, proc};

/// How a part is started, the same way each time.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Which part it is.
    pub part: Part,
    /// Its program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What it finds in its environment beside our own.
    pub environment: Vec<(String, String)>,
    /// As whom it runs, if not as we do.
    pub account: Option<Account>,
    /// Where it writes.
    pub log: PathBuf,
}

/// A part that was started.
#[derive(Debug)]
pub struct Process {
    pid: i32,
    log: PathBuf,
    log_begin: u64,
    ended: watch::Receiver<Option<String>>,
}

/// Processes are waited for in here; each yields its part and process id when it has ended.
pub type Watchers = JoinSet<(Part, i32)>;

impl Process {
    /// Starts it. The watcher ends when it does.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(launch: &Launch, watchers: &mut Watchers) -> Result<Self> {
        let (output, log_begin) = log::open(&launch.log)?;
        let errors = output.try_clone().context("cannot share the log")?;
        let mut child = command(launch)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {}", launch.part))?;
        let pid = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .context("it ended at once")?;
        let (report, ended) = watch::channel(None);
        let part = launch.part;
        watchers.spawn(async move {
            let how = match child.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => format!("cannot be waited for: {error}"),
            };
            report.send_replace(Some(how));
            (part, pid)
        });
        Ok(Self {
            pid,
            log: launch.log.clone(),
            log_begin,
            ended,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// How it ended, if it has.
    pub fn how_it_ended(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    /// Waits until it has ended and says how.
    pub async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        let how = ended.wait_for(Option::is_some).await;
        how.ok()
            .and_then(|how| how.clone())
            .unwrap_or_else(|| "ended unseen".to_owned())
    }

    /// The last lines that it wrote.
    pub fn tail(&self) -> String {
        log::tail(&self.log, self.log_begin)
    }

    /// Sends a signal to it alone.
    pub fn signal(&self, signal: Signal) {
        if self.how_it_ended().is_none() {
            proc::signal(&[self.pid], signal);
        }
    }

    /// Sends a signal to it and to all its descendants, which it cannot pass on itself.
    pub fn signal_family(&self, signal: Signal) {
        if self.how_it_ended().is_none() {
            proc::signal(&proc::family(self.pid), signal);
        }
    }
}

fn command(launch: &Launch) -> Command {
    let mut command = Command::new("/proc/self/exe"); // as it was started, even if a build has replaced it since
    command
        .arg("exec-part")
        .args(["--parent", &std::process::id().to_string()])
        .args(["--signal", &launch.part.stop_signal().as_raw().to_string()]);
    if let Some(account) = launch.account {
        command.args(["--uid", &account.uid.to_string(), "--gid", &account.gid.to_string()]);
    }
    command
        .arg("--")
        .arg(&launch.program)
        .args(&launch.arguments)
        .envs(launch.environment.iter().cloned())
        .current_dir("/")
        .process_group(0); // Ctrl-C on the terminal reaches us alone: we end the parts in order
    command
}
