//! The services of a server, with health and reflection beside them.

use std::convert::Infallible;

use credo_proto::DESCRIPTOR_SET;
use http::{Request, Response};
use tonic::{body::Body, server::NamedService, service::Routes};
use tonic_health::{
    pb::health_server::HealthServer,
    server::{HealthReporter, HealthService},
};
use tower::Service;

/// What every service is, to those who watch the health of the whole server.
pub(super) const WHOLE_SERVER: &str = "";

/// The services of a server.
#[derive(Debug, Default)]
pub struct Services {
    routes: Routes,
    names: Vec<&'static str>,
}

impl Services {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And this one.
    #[must_use]
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>,
        S: NamedService + Clone + Send + Sync + 'static,
    {
        self.names.push(S::NAME);
        self.routes = self.routes.add_service(service);
        self
    }

    /// Puts something of the process's own between the guard and the services so far.
    #[must_use]
    pub fn behind(mut self, wrap: impl FnOnce(Routes) -> Routes) -> Self {
        self.routes = wrap(self.routes);
        self
    }

    /// With health and reflection, and the names of the services.
    pub(super) fn finish(
        self,
        health: &HealthReporter,
    ) -> Result<(Routes, Vec<&'static str>), tonic_reflection::server::Error> {
        let health_name = HealthServer::<HealthService>::NAME;
        let mut reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        for name in self.names.iter().chain([&health_name]) {
            reflection = reflection.with_service_name(*name);
        }
        let health = HealthServer::new(HealthService::from_health_reporter(health.clone()));
        let routes = self.routes.add_service(health).add_service(reflection.build_v1()?);
        Ok((routes, self.names))
    }
}
