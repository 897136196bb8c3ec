//! One stack program per stack: whoever holds the lock on `.credo/<stack>/lock`. The kernel lets go of it however the
//! program ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::layout::Layout;

/// Keeps other stack programs out while it lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "closing the file is what unlocks")] File);

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// If another program has it: which one, and what to do.
    pub fn take(layout: &Layout) -> Result<Self> {
        let path = layout.file("lock");
        let context = || format!("cannot lock {}", path.display());
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .with_context(context)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(error).with_context(context),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).with_context(context)?;
                let stack = layout.stack();
                bail!(
                    "the stack `{stack}` runs already (process {}): `credo-local --stack {stack} status` shows it, and \
                     `… stop` ends it; for `run` that is `make status` and `make stop`",
                    holder.trim()
                );
            }
        }
        file.set_len(0).and_then(|()| file.rewind()).with_context(context)?;
        write!(file, "{}", std::process::id()).with_context(context)?;
        Ok(Self(file))
    }

    /// Waits until nobody has the lock.
    ///
    /// # Errors
    /// If somebody keeps it for 30 seconds.
    pub async fn wait_free(layout: &Layout) -> Result<()> {
        for _ in 0..600 {
            if Self::take(layout).is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the stack program does not end");
    }
}
