//! Whether an address has a name that is known and a port that listens.

use std::time::Duration;

use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use url::Url;

use super::Findings;

const PATIENCE: Duration = Duration::from_secs(4);

/// Looks at name and port; whether both are there.
pub async fn reachable(what: &str, url: &str, findings: &mut Findings) -> bool {
    let place = Url::parse(url)
        .ok()
        .and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)));
    let Some((host, port)) = place else {
        findings.fail(
            format!("{what}: address"),
            format!("{url:?} is no URL with a host"),
            "credoctl context add NAME with the right address",
        );
        return false;
    };
    let bare = host.trim_matches(['[', ']']).to_owned();
    let found = timeout(PATIENCE, lookup_host((bare.as_str(), port))).await;
    let addresses: Vec<_> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => {
            findings.fail(
                format!("{what}: DNS"),
                format!("{host}: {error}"),
                "is the name spelt right, and known to this machine's resolver?",
            );
            return false;
        }
        Err(_) => {
            findings.fail(
                format!("{what}: DNS"),
                format!("{host}: the resolver does not answer"),
                "look at this machine's resolver",
            );
            return false;
        }
    };
    let names: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
    findings.ok(format!("{what}: DNS"), format!("{host} is {}", names.join(", ")));
    match timeout(PATIENCE, TcpStream::connect(addresses.as_slice())).await {
        Ok(Ok(_)) => {
            findings.ok(format!("{what}: TCP"), format!("port {port} listens"));
            true
        }
        Ok(Err(error)) => {
            findings.fail(
                format!("{what}: TCP"),
                format!("port {port}: {error}"),
                "does the service run, and does a firewall or policy let this machine in?",
            );
            false
        }
        Err(_) => {
            findings.fail(
                format!("{what}: TCP"),
                format!("port {port}: no answer"),
                "a firewall or policy drops what this machine sends",
            );
            false
        }
    }
}
