//! What a fresh machine lacks: found out by looking for the programs, installed with apt, named where that cannot be.

use std::process::Stdio;

use anyhow::{Result, bail};
use rustix::process::getuid;
use tokio::process::Command;

use crate::{
    java::Java, kafka::jars::Jars, layout::Layout, log, part::Part, postgres, python::Python, services,
    terminal::Terminal, tools,
};

const SCRIPT: &str = include_str!("install.sh");

/// A package and why it is needed.
type Package = (&'static str, &'static str);

const POSTGRES: [Package; 2] = [
    ("postgresql", "the database server for both databases"),
    (
        "postgresql-contrib",
        "its statement counts (pg_stat_statements) and pgbench",
    ),
];
const REDIS: Package = ("redis-server", "the cache");
const JAVA: Package = ("openjdk-17-jre-headless", "what Kafka runs on");
const MAVEN: Package = ("maven", "fetches Kafka's own jars, which no package carries");
const CHROMIUM: Package = ("chromium", "the browser that tests sign in with");
const CHROMEDRIVER: Package = ("chromium-driver", "what drives it");
const NODE: Package = ("nodejs", "what one of the example clients runs on");
const NPM: Package = ("npm", "fetches that client's library and the page checker");
const CURL: Package = ("curl", "what the plainest example is made of");
const OPENSSL: Package = ("openssl", "its hashes");
const FAKETIME: Package = ("libfaketime", "moves the clock of one replica");
const VENV: Package = ("python3-venv", "what another example client and the fuzzer run on");

/// What a stack needs of the machine.
#[derive(Debug)]
pub struct Needs {
    /// The parts that run here.
    pub parts: Vec<Part>,
    /// What the tests of the whole system bring along.
    pub tools: bool,
}

/// Installs what is needed and the machine lacks, saying what and why before.
///
/// # Errors
/// If it cannot: the error names the packages.
pub async fn ensure_installed(terminal: Terminal, layout: &Layout, needs: &Needs) -> Result<()> {
    let missing = missing(layout, needs).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
    terminal.say("This machine lacks, and apt will install:");
    for (name, why) in &missing {
        terminal.say(format!("  {name:<26} {why}"));
    }
    terminal.say("No system service is started or enabled, and no cluster is created, by that.");
    let by_hand = format!(
        "Install these and run this again:\n\n  apt-get install {}\n",
        names.join(" ")
    );
    let Some(mut install) = installer(terminal) else {
        bail!("There is no apt-get here, or no right to use it. {by_hand}")
    };
    let path = layout.log("apt");
    let (output, begin) = log::open(&path)?;
    let installing = async {
        let status = install
            .args(["sh", "-c", SCRIPT, "install"])
            .args(&names)
            .stderr(output.try_clone()?)
            .stdout(output)
            .status()
            .await?;
        if !status.success() {
            bail!("apt failed ({status}):\n{}\n\n{by_hand}", log::tail(&path, begin));
        }
        Ok(())
    };
    terminal.step("installing packages with apt", installing).await?;
    let still: Vec<_> = self::missing(layout, needs)
        .await?
        .iter()
        .map(|(name, _)| *name)
        .collect();
    if !still.is_empty() {
        bail!(
            "apt installed {}, but they are not found here. {by_hand}",
            still.join(" ")
        );
    }
    Ok(())
}

async fn missing(layout: &Layout, needs: &Needs) -> Result<Vec<Package>> {
    let Needs { parts, tools } = needs;
    let mut missing = Vec::new();
    if parts.contains(&Part::Postgres) && postgres::find_programs().is_empty() {
        missing.extend(POSTGRES);
    }
    if parts.contains(&Part::Redis) && !runs("redis-server").await {
        missing.push(REDIS);
    }
    if parts.contains(&Part::Kafka) {
        if Java::find().await.is_none() {
            missing.push(JAVA);
        }
        if Jars::find(layout)?.is_none() && !runs("mvn").await {
            missing.push(MAVEN);
        }
    }
    if *tools {
        missing.extend(missing_for_tools(layout).await?);
    }
    Ok(missing)
}

async fn missing_for_tools(layout: &Layout) -> Result<Vec<Package>> {
    let mut missing = Vec::new();
    for (program, package) in [
        ("chromium", CHROMIUM),
        ("chromedriver", CHROMEDRIVER),
        ("node", NODE),
        ("curl", CURL),
    ] {
        if !runs(program).await {
            missing.push(package);
        }
    }
    if !answers("openssl", "version").await {
        missing.push(OPENSSL);
    }
    if tools::want_npm(layout)? && !runs("npm").await {
        missing.push(NPM);
    }
    if services::movable_clock().is_none() {
        missing.push(FAKETIME);
    }
    if Python::find().await.is_none() {
        missing.push(VENV);
    }
    Ok(missing)
}

/// What runs a command as root: nothing before it for root, else sudo, which may ask for a password on a terminal only.
fn installer(terminal: Terminal) -> Option<Command> {
    let on_path = |program: &str| {
        ["/usr/bin", "/bin"]
            .iter()
            .any(|folder| std::path::Path::new(folder).join(program).is_file())
    };
    if !on_path("apt-get") {
        return None;
    }
    if getuid().is_root() {
        return Some(Command::new("env"));
    }
    let mut sudo = Command::new("sudo");
    if !terminal.is_interactive() {
        sudo.arg("--non-interactive");
    }
    on_path("sudo").then_some(sudo)
}

async fn runs(program: &str) -> bool {
    answers(program, "--version").await
}

async fn answers(program: &str, argument: &str) -> bool {
    let null = Stdio::null;
    let status = Command::new(program)
        .arg(argument)
        .stdin(null())
        .stdout(null())
        .stderr(null())
        .status()
        .await;
    status.is_ok_and(|status| status.success())
}
