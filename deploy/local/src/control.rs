//! The stack's control socket: one line of JSON in, one out. People, tests and benchmarks all come this way, so that
//! the stack program always knows what was meant to happen.

use std::{os::unix::fs::PermissionsExt as _, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};

use crate::{
    file,
    layout::Layout,
    part::Part,
    wire::{Far, Weather},
};

const MAX_REQUEST_BYTES: u64 = 4096;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// What can be asked of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", content = "part")]
pub enum Command {
    /// How each part is.
    Status,
    /// End a part in good order.
    Stop(Part),
    /// Start a part and wait until it answers.
    Start(Part),
    /// End a part at once.
    Kill(Part),
    /// Let a part stand still.
    Pause(Part),
    /// Let a part go on.
    Resume(Part),
    /// What a wire of the second replica does from now on.
    Wire(Far, Weather),
    /// How many seconds the clock of the second replica is before the machine's from now on.
    Clock(i64),
    /// End the whole stack in good order.
    Shutdown,
}

/// What comes back: text for a person, and whether it was done.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Whether it was done.
    pub done: bool,
    /// What to print.
    pub text: String,
}

/// The listening end.
#[derive(Debug)]
pub struct Server(UnixListener);

/// A command that waits for its answer.
#[derive(Debug)]
pub struct Asked {
    /// What was asked.
    pub command: Command,
    stream: BufReader<UnixStream>,
}

impl Server {
    /// Listens on the stack's socket. Only one program holds the stack's lock, so an old socket is a leftover.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn listen(layout: &Layout) -> Result<Self> {
        let path = layout.socket();
        file::remove(&path)?;
        let listener = UnixListener::bind(&path).with_context(|| format!("cannot listen on {}", path.display()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self(listener))
    }

    /// Waits for the next command; one that cannot be read is answered so and left out.
    pub async fn next(&self) -> Asked {
        loop {
            let Ok((stream, _)) = self.0.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await; // out of file descriptors, most likely
                continue;
            };
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            let mut limited = (&mut stream).take(MAX_REQUEST_BYTES);
            let read = timeout(REQUEST_TIMEOUT, limited.read_line(&mut line)).await;
            match read.is_ok().then(|| serde_json::from_str(&line)) {
                Some(Ok(command)) => return Asked { command, stream },
                _ => {
                    reply(
                        stream,
                        &Answer {
                            done: false,
                            text: "no command".to_owned(),
                        },
                    )
                    .await;
                }
            }
        }
    }
}

impl Asked {
    /// Answers.
    pub async fn answer(self, outcome: Result<String>) {
        let answer = match outcome {
            Ok(text) => Answer { done: true, text },
            Err(error) => Answer {
                done: false,
                text: format!("{error:#}"),
            },
        };
        reply(self.stream, &answer).await;
    }
}

/// Asks the stack program that runs.
///
/// # Errors
/// If none runs, or it could not do it: why.
pub async fn ask(layout: &Layout, command: Command) -> Result<String> {
    layout.enter()?;
    let stream = UnixStream::connect(layout.socket())
        .await
        .map_err(|_refused| anyhow!("the stack `{}` does not run", layout.stack()))?;
    let mut stream = BufReader::new(stream);
    let mut line = serde_json::to_vec(&command).context("the command cannot be written as JSON")?;
    line.push(b'\n');
    stream.write_all(&line).await.context("the stack program hung up")?;
    let mut answer = String::new();
    stream
        .read_line(&mut answer)
        .await
        .context("the stack program hung up")?;
    let answer: Answer = serde_json::from_str(&answer).context("the stack program ended before it answered")?;
    if !answer.done {
        bail!(answer.text);
    }
    Ok(answer.text)
}

async fn reply(mut stream: BufReader<UnixStream>, answer: &Answer) {
    let mut line = serde_json::to_vec(answer).unwrap_or_default();
    line.push(b'\n');
    drop(stream.write_all(&line).await); // who asked may have gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_short_json() {
        assert_eq!(
            serde_json::to_string(&Command::Kill(Part::AuthApi)).unwrap(),
            r#"{"do":"kill","part":"auth-api"}"#
        );
        assert_eq!(
            serde_json::from_str::<Command>(r#"{"do":"status"}"#).unwrap(),
            Command::Status
        );
    }
}
