//! Whether a part answers, and whether it is ours: a stranger on our port must not get our tables and topics.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::time::timeout;

use crate::{kafka, postgres, redis};

/// One question may take this long.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How a part is asked.
#[derive(Debug, Clone)]
pub enum Probe {
    /// A query must be answered from this folder.
    Postgres {
        /// Of the superuser.
        url: String,
        /// What `SHOW data_directory` must say.
        data: PathBuf,
    },
    /// A PING must be answered from this folder.
    Redis {
        /// Host and port.
        address: String,
        /// What `CONFIG GET dir` must say.
        folder: PathBuf,
    },
    /// A metadata request must be answered by this cluster.
    Kafka {
        /// Host and port.
        address: String,
        /// The id that the storage was formatted with.
        cluster_id: String,
    },
    /// `/readyz` must answer 200.
    Service {
        /// Of the management port.
        management_url: String,
    },
}

impl Probe {
    /// Asks once.
    ///
    /// # Errors
    /// If the part does not answer yet, or is not ours.
    pub async fn ask(&self) -> Result<()> {
        let asking = async {
            match self {
                Self::Postgres { url, data } => postgres::ask(url, data).await,
                Self::Redis { address, folder } => redis::ask(address, folder).await,
                Self::Kafka { address, cluster_id } => kafka::wire::ask(address, cluster_id).await,
                Self::Service { management_url } => ask_service(management_url).await,
            }
        };
        match timeout(TIMEOUT, asking).await {
            Ok(answer) => answer,
            Err(_elapsed) => bail!("no answer within {} s", TIMEOUT.as_secs()),
        }
    }
}

async fn ask_service(management_url: &str) -> Result<()> {
    let answer = reqwest::get(format!("{management_url}/readyz?verbose"))
        .await
        .context("does not listen")?;
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    ensure!(status.is_success(), "not ready: {status} {}", body.trim());
    Ok(())
}
