//! The private broker: one node in both KRaft roles, from the official jars.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::{java::Java, layout::Layout, part::Part, ports::Port, probe::Probe, process::Launch, random, state::State};

pub mod jars;
pub mod wire;

/// The topic of audit events.
pub const TOPIC: &str = "credo.audit.events";

/// A broker that is ready to be started.
#[derive(Debug)]
pub struct Kafka {
    /// How it starts.
    pub launch: Launch,
    /// How it is asked.
    pub probe: Probe,
}

impl Kafka {
    /// Formats the storage if it is missing.
    ///
    /// # Errors
    /// If the storage tool refuses.
    pub async fn prepare(layout: &Layout, state: &mut State, java: &Java, jars: &jars::Jars) -> Result<Self> {
        let folder = layout.file("kafka");
        let data = folder.join("data");
        let temporary = folder.join("tmp");
        fs::create_dir_all(&temporary).with_context(|| format!("cannot make {}", temporary.display()))?;
        let properties = folder.join("server.properties");
        fs::write(&properties, properties_text(state, &data)).context("cannot write Kafka's settings")?;
        let cluster_id = match &state.kafka_id {
            Some(id) if data.join("meta.properties").is_file() => id.clone(),
            _ => {
                let id = random::kafka_id()?;
                state.kafka_id = Some(id.clone());
                format_storage(layout, java, jars, &properties, &id).await?;
                id
            }
        };
        let mut arguments = java_arguments(&temporary, jars);
        arguments.extend(jars.archive_arguments(java, &folder));
        arguments.extend(["kafka.Kafka".into(), properties.into()]);
        let launch = Launch {
            part: Part::Kafka,
            program: java.program.clone(),
            arguments,
            environment: Vec::new(),
            account: None,
            log: layout.log(Part::Kafka.name()),
        };
        let probe = Probe::Kafka {
            address: state.ports.address(Port::Kafka),
            cluster_id,
        };
        Ok(Self { launch, probe })
    }
}

fn java_arguments(temporary: &Path, jars: &jars::Jars) -> Vec<OsString> {
    let mut folder = OsString::from("-Djava.io.tmpdir="); // where /tmp forbids programs, compression fails
    folder.push(temporary);
    let settings = [
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xss512k",
        "-Xmx128m",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    ];
    settings
        .into_iter()
        .map(Into::into)
        .chain([folder, "-cp".into(), jars.class_path()])
        .collect()
}

async fn format_storage(layout: &Layout, java: &Java, jars: &jars::Jars, properties: &Path, id: &str) -> Result<()> {
    let data = layout.file("kafka/data");
    crate::file::remove_folder(&data)?;
    let output = Command::new(&java.program)
        .args(java_arguments(&layout.file("kafka/tmp"), jars))
        .args(["kafka.tools.StorageTool", "format", "-t", id, "-c"])
        .arg(properties)
        .current_dir("/")
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run Kafka's storage tool")?;
    if !output.status.success() {
        bail!(
            "Kafka's storage tool failed:\n{}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

fn properties_text(state: &State, data: &Path) -> String {
    let broker = state.ports.address(Port::Kafka);
    let controller = state.ports.address(Port::KafkaController);
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
listeners=BROKER://{broker},CONTROLLER://{controller}
advertised.listeners=BROKER://{broker}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
num.network.threads=1
num.io.threads=2
log.segment.bytes=67108864
# the default of 128 MB is the whole heap
log.cleaner.dedupe.buffer.size=8388608
controlled.shutdown.enable=true
broker.heartbeat.interval.ms=500
# shorter than the default 9 s: a broker that was killed may register again only after its session; 1 s is too short on a busy machine
broker.session.timeout.ms=3000
metadata.max.idle.interval.ms=5000
",
        data = properties_escape(data)
    )
}

/// A backslash is the only character of a path that a properties file would take away.
fn properties_escape(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "\\\\")
}

/// Where Kafka's jars lie.
pub fn jars_folder(layout: &Layout) -> PathBuf {
    layout.cache().join("kafka")
}
