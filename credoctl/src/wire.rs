//! Calls of the three admin APIs, by descriptor: no message here is known to the compiler.
//!
//! Invariant: a call that is tried again is the same call, its request id included.

mod channel;
mod codec;

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use http::uri::PathAndQuery;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use secrecy::{ExposeSecret as _, SecretString};
use tonic::{Code, Request, Status, Streaming, client::Grpc, metadata::MetadataValue, transport::Channel};
use tonic_types::StatusExt as _;

pub use channel::connect;
use codec::DynamicCodec;

use crate::{
    access,
    context::{Chosen, Context, Endpoint, Store},
    failure::{Failure, Result},
};

/// The newest events of a tenant come in pages of a thousand.
const MAX_MESSAGE_BYTES: usize = 64 << 20;
/// Tries of one call while the server says that it is not there.
const MAX_TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Every definition of the admin APIs.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    // It was made by the build of the very crate; a test holds it.
    DescriptorPool::decode(credo_proto::DESCRIPTOR_SET).unwrap_or_default()
});

/// One of the three services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    Auth,
    Relay,
    Audit,
}

impl Host {
    /// All of them, in the order of an event's way.
    pub const ALL: [Self; 3] = [Self::Auth, Self::Relay, Self::Audit];

    /// What the service is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth-api",
            Self::Relay => "outbox-relay",
            Self::Audit => "audit-consumer",
        }
    }

    /// Its part of a context.
    pub const fn of(self, context: &Context) -> &crate::context::Service {
        match self {
            Self::Auth => &context.auth,
            Self::Relay => &context.relay,
            Self::Audit => &context.audit,
        }
    }

    /// Where its admin API is.
    ///
    /// # Errors
    /// If the context does not say.
    pub fn endpoint(self, context: &Context) -> Result<&Endpoint> {
        let (variable, option) = match self {
            Self::Auth => ("CREDO_AUTH_GRPC", "--auth-grpc"),
            Self::Relay => ("CREDO_RELAY_GRPC", "--relay-grpc"),
            Self::Audit => ("CREDO_AUDIT_GRPC", "--audit-grpc"),
        };
        let endpoint = &self.of(context).grpc;
        endpoint.wanted(variable, option)?;
        Ok(endpoint)
    }
}

/// A caller of the admin APIs.
#[derive(Debug)]
pub struct Wire<'a> {
    store: &'a Store,
    pub chosen: &'a Chosen,
    pub timeout: Duration,
    channels: Mutex<HashMap<Host, Channel>>,
}

impl<'a> Wire<'a> {
    /// By the context's login.
    pub fn new(store: &'a Store, chosen: &'a Chosen, timeout: Duration) -> Self {
        Self {
            store,
            chosen,
            timeout,
            channels: Mutex::default(),
        }
    }

    /// Calls, and again while the server is not there; the token is renewed once if it is refused.
    ///
    /// # Errors
    /// As the server answers.
    pub async fn call(
        &self,
        host: Host,
        method: &MethodDescriptor,
        message: &DynamicMessage,
    ) -> Result<DynamicMessage> {
        let mut token = access::token(self.store, self.chosen, false).await?;
        let mut renewed = false;
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            let status = match self.once(host, method, message, &token).await? {
                Ok(answer) => return Ok(answer),
                Err(status) => status,
            };
            match status.code() {
                Code::Unauthenticated if !renewed => {
                    renewed = true;
                    token = access::token(self.store, self.chosen, true).await?;
                }
                Code::Unavailable if tries < MAX_TRIES => {
                    let wanted = status.get_details_retry_info().and_then(|info| info.retry_delay);
                    tokio::time::sleep(wanted.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                    (pause, tries) = (pause * 2, tries + 1);
                }
                _ => return Err(self.refusal(host, status)),
            }
        }
    }

    async fn once(
        &self,
        host: Host,
        method: &MethodDescriptor,
        message: &DynamicMessage,
        token: &SecretString,
    ) -> Result<Result<DynamicMessage, Status>> {
        let mut request = Self::request(message, token)?;
        request.set_timeout(self.timeout);
        let mut grpc = self.grpc(host)?;
        let calling = async {
            grpc.ready()
                .await
                .map_err(|error| Status::from_error(Box::new(error)))?;
            grpc.unary(request, path(method)?, DynamicCodec::answering(method))
                .await
        };
        let answer = tokio::time::timeout(self.timeout, calling)
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")));
        Ok(answer.map(tonic::Response::into_inner))
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// As the server answers.
    pub async fn stream(
        &self,
        host: Host,
        method: &MethodDescriptor,
        message: &DynamicMessage,
    ) -> Result<Streaming<DynamicMessage>> {
        let token = access::token(self.store, self.chosen, false).await?;
        let mut answer = self.open(host, method, message, &token).await?;
        if answer
            .as_ref()
            .is_err_and(|status| status.code() == Code::Unauthenticated)
        {
            let token = access::token(self.store, self.chosen, true).await?;
            answer = self.open(host, method, message, &token).await?;
        }
        answer.map_err(|status| self.refusal(host, status))
    }

    async fn open(
        &self,
        host: Host,
        method: &MethodDescriptor,
        message: &DynamicMessage,
        token: &SecretString,
    ) -> Result<Result<Streaming<DynamicMessage>, Status>> {
        let request = Self::request(message, token)?;
        let mut grpc = self.grpc(host)?;
        let opening = async {
            grpc.ready()
                .await
                .map_err(|error| Status::from_error(Box::new(error)))?;
            grpc.server_streaming(request, path(method)?, DynamicCodec::answering(method))
                .await
        };
        Ok(opening.await.map(tonic::Response::into_inner))
    }

    /// A refusal, and who it is of.
    pub fn refusal(&self, host: Host, status: Status) -> Failure {
        let address = &host.of(&self.chosen.context).grpc.url;
        let unreachable = status.code() == Code::Unavailable;
        let failure = Failure::from(status);
        if unreachable {
            failure.detail(format!("{} at {address}", host.name()))
        } else {
            failure
        }
    }

    fn request(message: &DynamicMessage, token: &SecretString) -> Result<Request<DynamicMessage>> {
        let mut request = Request::new(message.clone());
        let mut value: MetadataValue<_> = format!("Bearer {}", token.expose_secret())
            .parse()
            .map_err(|_| Failure::error("the token cannot stand in a header"))?;
        value.set_sensitive(true);
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }

    fn grpc(&self, host: Host) -> Result<Grpc<Channel>> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let channel = if let Some(channel) = channels.get(&host) {
            channel.clone()
        } else {
            let channel = connect(host.endpoint(&self.chosen.context)?)?;
            channels.insert(host, channel.clone());
            channel
        };
        Ok(Grpc::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES))
    }
}

fn path(method: &MethodDescriptor) -> Result<PathAndQuery, Status> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    path.parse().map_err(|_| Status::internal("the method has no path"))
}

/// A method by `Service.Method`.
pub fn method(name: &str) -> Option<MethodDescriptor> {
    let (service, method) = name.split_once('.')?;
    let service = POOL.get_service_by_name(&format!("credo.admin.v1.{service}"))?;
    service.methods().find(|found| found.name() == method)
}
