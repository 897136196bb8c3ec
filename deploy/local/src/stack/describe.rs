//! A stack as others read it.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Stack;
use crate::{
    backing::Backing,
    kafka,
    part::Part,
    ports::Port,
    services::{self, Listens},
    stack_file::{self, StackFile},
};

impl Stack {
    /// What is known of the stack now.
    ///
    /// # Errors
    /// If the system has no random bytes for a password that is not drawn yet.
    pub fn describe(&mut self) -> Result<StackFile> {
        let backing = match &self.backing {
            Some(backing) => backing.clone(),
            None => Backing::new(&self.options.external, &mut self.state)?,
        };
        let ports = &self.state.ports;
        let token_url = format!("{}/auth/token", ports.url(Port::AuthApiHttp));
        Ok(StackFile {
            state: "ready".to_owned(),
            base_url: ports.url(Port::AuthApiHttp),
            services: self.describe_services(),
            collector: ports.address(Port::Collector),
            postgres: stack_file::Postgres {
                auth_url: backing.auth_owner_url,
                audit_url: backing.audit_owner_url,
                pid: self.supervisor.pid(Part::Postgres),
            },
            redis: stack_file::Redis {
                url: backing.redis_url,
                pid: self.supervisor.pid(Part::Redis),
            },
            kafka: stack_file::Kafka {
                brokers: backing.kafka_brokers,
                topic: kafka::TOPIC.to_owned(),
                pid: self.supervisor.pid(Part::Kafka),
            },
            admin: self.state.admin.clone().map(|admin| stack_file::Admin {
                token_url,
                client_id: admin.client_id,
                client_secret: admin.client_secret,
                scope: admin.scope,
            }),
            demo: self.demo.clone(),
        })
    }

    fn describe_services(&self) -> BTreeMap<String, stack_file::Service> {
        let ports = &self.state.ports;
        let service = |part: Part| {
            let Listens { http, grpc, management } = services::listens(part);
            let service = stack_file::Service {
                pid: self.supervisor.pid(part),
                http: http.map(|port| ports.url(port)),
                grpc: ports.url(grpc),
                management: ports.url(management),
            };
            (part.name().to_owned(), service)
        };
        Part::SERVICES
            .into_iter()
            .filter(|part| self.options.parts.contains(part))
            .map(service)
            .collect()
    }
}
