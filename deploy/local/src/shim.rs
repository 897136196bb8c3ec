//! What runs between this program and a part: it lays down the account, asks the kernel to signal the part when this
//! program dies in whatever way, and becomes the part.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::Command};

use anyhow::{Context as _, Result, ensure};
use rustix::{
    process::{Gid, Pid, Signal, Uid, getppid, set_parent_process_death_signal},
    thread::{set_thread_gid, set_thread_groups, set_thread_uid},
};

/// The arguments of the hidden sub-command.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Who starts it.
    #[arg(long)]
    parent: i32,
    /// The signal that it gets when the parent dies.
    #[arg(long)]
    signal: i32,
    /// The account that it runs as.
    #[arg(long, requires = "gid")]
    uid: Option<u32>,
    #[arg(long)]
    gid: Option<u32>,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Becomes the command.
///
/// # Errors
/// If it cannot; there is no other way back.
pub fn run(arguments: &Arguments) -> Result<()> {
    if let (Some(uid), Some(gid)) = (arguments.uid, arguments.gid) {
        set_thread_groups(&[]).context("cannot leave the groups")?;
        set_thread_gid(Gid::from_raw(gid)).context("cannot take the group")?;
        set_thread_uid(Uid::from_raw(uid)).context("cannot take the account")?;
    }
    let signal = Signal::from_named_raw(arguments.signal).context("no such signal")?;
    set_parent_process_death_signal(Some(signal)).context("cannot ask for the parent's end")?; // after the account: that clears it
    ensure!(
        getppid() == Pid::from_raw(arguments.parent),
        "the stack program ended meanwhile"
    );
    let (program, rest) = arguments.command.split_first().context("no command")?;
    let error = Command::new(program).args(rest).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}
