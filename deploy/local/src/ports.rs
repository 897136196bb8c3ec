//! Loopback ports. They are chosen once and remembered: the issuer stands in stored data, and Kafka in its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, TcpListener},
};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::random;

/// Ports are drawn from here: below 32768, where the system takes the ports of outgoing connections from.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// What listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Port {
    AuthApiHttp,
    AuthApiGrpc,
    AuthApiManagement,
    AuthApi2Http,
    AuthApi2Grpc,
    AuthApi2Management,
    OutboxRelayGrpc,
    OutboxRelayManagement,
    AuditConsumerGrpc,
    AuditConsumerManagement,
    Landing,
    /// What the second replica takes for the database server, in stacks for tests.
    WireToPostgres,
    /// What it takes for the cache.
    WireToRedis,
    Postgres,
    Redis,
    Kafka,
    KafkaController,
    /// Where tests listen for what the services trace.
    Collector,
}

impl Port {
    const ALL: [Self; 18] = [
        Self::AuthApiHttp,
        Self::AuthApiGrpc,
        Self::AuthApiManagement,
        Self::AuthApi2Http,
        Self::AuthApi2Grpc,
        Self::AuthApi2Management,
        Self::OutboxRelayGrpc,
        Self::OutboxRelayManagement,
        Self::AuditConsumerGrpc,
        Self::AuditConsumerManagement,
        Self::Landing,
        Self::WireToPostgres,
        Self::WireToRedis,
        Self::Postgres,
        Self::Redis,
        Self::Kafka,
        Self::KafkaController,
        Self::Collector,
    ];

    /// What people expect it to be, for those that people call.
    const fn customary(self) -> Option<u16> {
        match self {
            Self::AuthApiHttp => Some(8080),
            Self::AuthApiGrpc => Some(9090),
            Self::OutboxRelayGrpc => Some(9091),
            Self::AuditConsumerGrpc => Some(9092),
            Self::AuthApiManagement => Some(9000),
            Self::OutboxRelayManagement => Some(9001),
            Self::AuditConsumerManagement => Some(9002),
            Self::AuthApi2Http
            | Self::AuthApi2Grpc
            | Self::AuthApi2Management
            | Self::Landing
            | Self::WireToPostgres
            | Self::WireToRedis
            | Self::Postgres
            | Self::Redis
            | Self::Kafka
            | Self::KafkaController
            | Self::Collector => None,
        }
    }
}

/// The ports of a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports(BTreeMap<Port, u16>);

impl Ports {
    /// The number that was chosen; 0 before [`Ports::choose`].
    pub fn number(&self, port: Port) -> u16 {
        self.0.get(&port).copied().unwrap_or_default()
    }

    /// `127.0.0.1:number`.
    pub fn address(&self, port: Port) -> String {
        format!("127.0.0.1:{}", self.number(port))
    }

    /// `http://127.0.0.1:number`.
    pub fn url(&self, port: Port) -> String {
        format!("http://{}", self.address(port))
    }

    /// All numbers.
    pub fn numbers(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.values().copied()
    }

    /// Chooses what is not chosen yet, avoiding `avoid`; a `customary` number where wanted and free. Returns what to
    /// tell about customary ports that were taken.
    ///
    /// # Errors
    /// If no free port is found.
    pub fn choose(&mut self, customary: bool, avoid: &BTreeSet<u16>) -> Result<Vec<String>> {
        let mut notices = Vec::new();
        for port in Port::ALL {
            if self.0.contains_key(&port) {
                continue;
            }
            let wanted = port.customary().filter(|_| customary);
            let number = match wanted.filter(|number| is_free(*number)) {
                Some(number) => number,
                None => self.draw(avoid)?,
            };
            if let Some(wanted) = wanted.filter(|wanted| *wanted != number) {
                notices.push(format!(
                    "port {wanted} is taken by another program: {number} serves instead, from now on"
                ));
            }
            self.0.insert(port, number);
        }
        Ok(notices)
    }

    /// Refuses if somebody else listens on one of `ports`.
    ///
    /// # Errors
    /// If one is taken.
    pub fn check_free(&self, ports: &[Port]) -> Result<()> {
        for number in ports.iter().map(|port| self.number(*port)) {
            if !is_free(number) {
                bail!(
                    "port {number} is taken by another program (`ss -ltnp 'sport = :{number}'` shows it), and stored \
                     data names it. End that program, or choose new ports and lose the data with `make reset`"
                );
            }
        }
        Ok(())
    }

    fn draw(&self, avoid: &BTreeSet<u16>) -> Result<u16> {
        for _ in 0..1000 {
            let number = FIRST + random::below(COUNT)?;
            if !avoid.contains(&number) && !self.0.values().any(|taken| *taken == number) && is_free(number) {
                return Ok(number);
            }
        }
        None.context("no free port found between 20000 and 32000")
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_ports_are_remembered_and_distinct() {
        let mut ports = Ports::default();
        ports.choose(false, &BTreeSet::new()).unwrap();
        let first = ports.clone();
        ports.choose(true, &BTreeSet::new()).unwrap();
        assert_eq!(ports, first);
        assert_eq!(ports.numbers().collect::<BTreeSet<_>>().len(), Port::ALL.len());
        assert!(ports.numbers().all(|number| (FIRST..32_768).contains(&number)));
    }

    #[test]
    fn taken_port_is_refused_by_number() {
        let mut ports = Ports::default();
        ports.choose(false, &BTreeSet::new()).unwrap();
        let taken = TcpListener::bind(("127.0.0.1", ports.number(Port::Redis))).unwrap();
        let refusal = ports.check_free(&[Port::Kafka, Port::Redis]).unwrap_err().to_string();
        assert!(
            refusal.contains(&taken.local_addr().unwrap().port().to_string()),
            "{refusal}"
        );
    }
}
