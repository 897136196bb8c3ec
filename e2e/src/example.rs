//! A program of `examples/`, run as its reader would run it: what it prints is read, and Enter is pressed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::stack::Stack;

/// Interpreters start slowly on a machine that does other things too.
const LINE_TIME: Duration = Duration::from_mins(1);

/// One that runs.
#[derive(Debug)]
pub struct Example {
    name: String,
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Example {
    /// Starts one, with its arguments.
    ///
    /// # Errors
    /// If it, or what it needs, is not there.
    pub async fn start(stack: &Stack, name: &str, arguments: &[&str]) -> Result<Self> {
        let mut command = command(stack, name).await?;
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run the example {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            input: child.stdin.take().context("it reads nothing")?,
            output: BufReader::new(child.stdout.take().context("it says nothing")?).lines(),
            _child: child,
        })
    }

    /// Reads on to a line that begins so; what follows there.
    ///
    /// # Errors
    /// If it ends before, or says nothing for long.
    pub async fn says(&mut self, beginning: &str) -> Result<String> {
        loop {
            let line = timeout(LINE_TIME, self.output.next_line()).await;
            let line = line.with_context(|| format!("{} says nothing, not even {beginning}", self.name))??;
            let Some(line) = line else {
                bail!("{} ended without {beginning}", self.name);
            };
            if let Some(rest) = line.strip_prefix(beginning) {
                return Ok(rest.to_owned());
            }
        }
    }

    /// Presses Enter.
    ///
    /// # Errors
    /// If it has ended.
    pub async fn enter(&mut self) -> Result<()> {
        self.input.write_all(b"\n").await?;
        Ok(self.input.flush().await?)
    }
}

async fn command(stack: &Stack, name: &str) -> Result<Command> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    Ok(match name {
        "openidconnect" => Command::new(stack.local_program.with_file_name("credo-example-openidconnect")),
        "openid-client" => {
            let mut node = Command::new("node");
            if major_version_of_node().await? < 20 {
                node.arg("--experimental-global-webcrypto");
            }
            node.arg(beside_packages(&stack.tools.join(name), &folder.join("sign_in.mjs"))?);
            node
        }
        "authlib" => {
            let mut python = Command::new(stack.tools.join(name).join("bin/python"));
            python.arg("-B").arg(folder.join("sign_in.py"));
            python
        }
        "curl" => Command::new(folder.join("sign_in.sh")),
        other => bail!("there is no example {other}"),
    })
}

async fn major_version_of_node() -> Result<u32> {
    let output = Command::new("node").arg("--version").output().await?;
    let version = String::from_utf8(output.stdout)?;
    let major = version.trim_start_matches('v').split('.').next().unwrap_or_default();
    major.parse().with_context(|| format!("Node.js {version}"))
}

/// Node.js looks for packages beside the script.
fn beside_packages(packages: &Path, script: &Path) -> Result<PathBuf> {
    let place = packages.join(script.file_name().context("no script")?);
    fs::copy(script, &place).with_context(|| format!("cannot put the script into {}", packages.display()))?;
    Ok(place)
}
