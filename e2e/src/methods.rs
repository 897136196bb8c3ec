//! Every method of the admin APIs, from the definitions themselves: what is added there is tested without a change here.

use anyhow::{Context as _, Result};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::{Code, Request, client::Grpc, codegen::http::uri::PathAndQuery};
use tonic_prost::ProstCodec;

use crate::admin::Admin;

/// A method.
#[derive(Clone, Debug)]
pub struct Method {
    /// The service's name without its package.
    pub service: String,
    path: String,
}

impl Method {
    /// Every method of `credo.admin`.
    ///
    /// # Errors
    /// If the definitions cannot be read.
    pub fn all() -> Result<Vec<Self>> {
        let files = FileDescriptorSet::decode(credo_proto::DESCRIPTOR_SET).context("no descriptor set")?;
        let mut methods = Vec::new();
        for file in files
            .file
            .iter()
            .filter(|file| file.package().starts_with("credo.admin."))
        {
            for service in &file.service {
                methods.extend(service.method.iter().map(|method| Self {
                    service: service.name().to_owned(),
                    path: format!("/{}.{}/{}", file.package(), service.name(), method.name()),
                }));
            }
        }
        Ok(methods)
    }

    /// The health check beside a service.
    pub fn health(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            path: "/grpc.health.v1.Health/Check".to_owned(),
        }
    }

    /// Calls it with an empty request, whatever that means to it.
    ///
    /// # Errors
    /// If the path is none, or the service cannot be reached.
    pub async fn call(&self, admin: &Admin) -> Result<Code> {
        let mut wire = Grpc::new(admin.wire(&self.service));
        wire.ready().await?;
        let path: PathAndQuery = self.path.parse()?;
        let answer: Result<tonic::Response<()>, _> = wire
            .unary(Request::new(()), path, ProstCodec::<(), ()>::default())
            .await;
        Ok(answer.err().map_or(Code::Ok, |status| status.code()))
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.path)
    }
}
