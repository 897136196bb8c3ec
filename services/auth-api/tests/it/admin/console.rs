//! A world with an administrator in it, and a served replica to call.

use std::sync::LazyLock;

use auth_api::grpc;
use axum::http::uri::PathAndQuery;
use bytes::{Buf as _, BufMut as _};
use credo_admin::{AdminServer, GrpcTls, Permissions};
use credo_lifecycle::Shutdown;
use credo_proto::DESCRIPTOR_SET;
use credo_testkit::sqlx;
use prost::Message;
use tokio::{net::TcpListener, task::JoinSet};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

use crate::support::{Call, Client, ClientSpec, Replica, Tenant, World};

/// Every scope of the admin APIs.
pub static ALL_SCOPES: LazyLock<String> = LazyLock::new(|| {
    let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET).unwrap();
    permissions.scopes().into_iter().collect::<Vec<_>>().join(" ")
});
/// How the administrator's program names itself.
pub const USER_AGENT: &str = "console/1";

pub struct Console {
    pub world: World,
    pub replica: Replica,
    pub system: Tenant,
    /// Administers all tenants.
    pub admin: Client,
    /// A token of `admin` with every scope.
    pub token: String,
    server: Server,
}

/// A served replica.
pub struct Server {
    channel: Channel,
    pub shutdown: Shutdown,
    pub tasks: JoinSet<Result<(), grpc::ServeError>>,
}

/// A client of the admin APIs by itself, with every scope.
pub fn admin_spec() -> ClientSpec {
    ClientSpec {
        grant_types: &["client_credentials"],
        scope: &ALL_SCOPES,
        first_party: false,
        ..ClientSpec::default()
    }
}

impl Server {
    pub async fn start(replica: &Replica) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let endpoint = Endpoint::from_shared(address).unwrap().user_agent(USER_AGENT).unwrap();
        let (shutdown, mut tasks) = (Shutdown::new(), JoinSet::new());
        let server = AdminServer::new(listener, &GrpcTls::default()).unwrap();
        tasks.spawn(grpc::serve(replica.app.clone(), server, shutdown.clone()));
        Self {
            channel: endpoint.connect_lazy(),
            shutdown,
            tasks,
        }
    }

    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Calls a method by its path, with a message as bytes.
    pub async fn send(&self, path: &str, token: Option<&str>, message: Vec<u8>) -> Result<Vec<u8>, Status> {
        let mut request = Request::new(message);
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        let mut grpc = Grpc::new(self.channel());
        grpc.ready().await.unwrap();
        let answer = grpc.unary(request, PathAndQuery::try_from(path).unwrap(), Raw).await;
        answer.map(tonic::Response::into_inner).inspect_err(check)
    }
}

impl Console {
    pub async fn new() -> Self {
        let world = World::new().await;
        let replica = world.replica().await;
        Self::over(world, replica).await
    }

    /// Over a replica of the test's own making.
    pub async fn over(world: World, replica: Replica) -> Self {
        let id: Uuid = sqlx::query_scalar("SELECT id FROM tenant WHERE slug = 'system'")
            .fetch_one(world.owner())
            .await
            .unwrap();
        let system = Tenant {
            id: id.into(),
            slug: "system".to_owned(),
        };
        let admin = world.add_client_of(&system, admin_spec()).await;
        let server = Server::start(&replica).await;
        let token = token(&replica, &admin, &ALL_SCOPES).await;
        Self {
            world,
            replica,
            system,
            admin,
            token,
            server,
        }
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    pub async fn token_of(&self, client: &Client, scope: &str) -> String {
        token(&self.replica, client, scope).await
    }

    /// An administrator of one tenant, and its token with every scope.
    pub async fn tenant_admin(&self, tenant: &Tenant) -> (Client, String) {
        let client = self.world.add_client_of(tenant, admin_spec()).await;
        let token = self.token_of(&client, &ALL_SCOPES).await;
        (client, token)
    }

    /// Calls `Service/Method` as the administrator of all tenants.
    pub async fn call<A: Message + Default>(&self, method: &str, message: impl Message) -> Result<A, Status> {
        self.call_as(&self.token, method, message).await
    }

    pub async fn call_as<A: Message + Default>(
        &self,
        token: &str,
        method: &str,
        message: impl Message,
    ) -> Result<A, Status> {
        let path = format!("/credo.admin.v1.{method}");
        let answer = self.server.send(&path, Some(token), message.encode_to_vec()).await?;
        Ok(A::decode(answer.as_slice()).unwrap())
    }

    /// The one session that a condition holds for.
    pub async fn session_of(&self, condition: &str) -> Uuid {
        let query = format!("SELECT id FROM session WHERE {condition}");
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(query));
        query.fetch_one(self.world.owner()).await.unwrap()
    }

    pub async fn get(&self, target: &str) -> crate::support::Answer {
        self.replica.send(Call::get(target)).await
    }
}

async fn token(replica: &Replica, client: &Client, scope: &str) -> String {
    let answer = replica.client_credentials(client, Some(scope)).await;
    answer.ok()["access_token"].as_str().unwrap().to_owned()
}

/// What holds for every refusal.
fn check(status: &Status) {
    for inside in [
        "postgres", "sqlx", "panicked", ".rs:", "SELECT ", "INSERT ", "violates", "relation",
    ] {
        assert!(!status.message().contains(inside), "{status:?}");
    }
    assert_ne!(status.code(), Code::Unknown, "{status:?}");
}

/// Asserts what a call was refused with.
pub trait Refused {
    fn refused(self, code: Code) -> Status;
}

impl<A: std::fmt::Debug> Refused for Result<A, Status> {
    #[track_caller]
    fn refused(self, code: Code) -> Status {
        let status = self.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
        status
    }
}

/// Bytes as they are.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}
