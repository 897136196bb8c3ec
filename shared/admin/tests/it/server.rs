//! The server: who may connect, and what every call has.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use credo_admin::{AdminLayer, AdminServer, GrpcTls, MAX_MESSAGE_BYTES, Permissions, ServeError, Services, TlsError};
use credo_clock::ManualClock;
use credo_lifecycle::Shutdown;
use credo_proto::{DESCRIPTOR_SET, admin::v1::outbox_service_client::OutboxServiceClient};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use tokio::{net::TcpListener, task::JoinSet};
use tonic::{
    Code, Response, Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient};

use crate::support::{Issuer, NOW, OwnKeys};

/// A certification authority and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn signed(&self, purpose: ExtendedKeyUsagePurpose) -> Pair {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        Pair {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    fn server(&self) -> Pair {
        self.signed(ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn client(&self) -> Pair {
        self.signed(ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a client needs to believe servers of this authority.
    fn believed(&self) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(self.pem()))
            .domain_name("localhost")
    }
}

impl Pair {
    fn identity(&self) -> Identity {
        Identity::from_pem(&self.certificate, &self.key)
    }
}

/// Files that end with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("credo-admin-tls-{}", credo_ids::EventId::now_v7()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn tls(&self, pair: &Pair, client_ca: Option<&Authority>) -> GrpcTls {
        GrpcTls {
            certificate: Some(self.file("server.pem", &pair.certificate)),
            key: Some(self.file("server.key", &pair.key)),
            client_ca: client_ca.map(|authority| self.file("clients.pem", &authority.pem())),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server without services of its own.
struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    tasks: JoinSet<Result<(), ServeError>>,
}

impl Running {
    async fn start(tls: &GrpcTls) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = AdminServer::new(listener, tls).unwrap();
        let (address, shutdown) = (server.local_addr().unwrap(), Shutdown::new());
        let permissions = Permissions::from_descriptor_set(DESCRIPTOR_SET).unwrap();
        let guard = AdminLayer::new(
            Arc::new(OwnKeys::of(&Issuer::new("k"))),
            permissions,
            ManualClock::new(NOW),
        );
        let mut tasks = JoinSet::new();
        tasks.spawn(server.serve(guard, Services::new(), || {}, shutdown.clone()));
        Self {
            address,
            shutdown,
            tasks,
        }
    }

    fn plain(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address))
            .unwrap()
            .connect_lazy()
    }

    fn over_tls(&self, config: ClientTlsConfig) -> Channel {
        let endpoint = Endpoint::from_shared(format!("https://{}", self.address)).unwrap();
        endpoint.tls_config(config).unwrap().connect_lazy()
    }

    async fn stop(mut self) {
        self.shutdown.request();
        self.tasks.join_next().await.unwrap().unwrap().unwrap();
    }
}

async fn check(channel: Channel) -> Result<Response<HealthCheckResponse>, Status> {
    HealthClient::new(channel).check(HealthCheckRequest::default()).await
}

fn refusal(tls: &GrpcTls) -> TlsError {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    AdminServer::new(TcpListener::from_std(listener).unwrap(), tls).unwrap_err()
}

#[tokio::test]
async fn without_tls_a_plain_connection_is_answered() {
    let running = Running::start(&GrpcTls::default()).await;
    assert!(check(running.plain()).await.is_ok());
    running.stop().await;
}

#[tokio::test]
async fn with_tls_only_who_speaks_it_and_trusts_us_is_answered() {
    let (folder, authority, stranger) = (Folder::new(), Authority::new(), Authority::new());
    let running = Running::start(&folder.tls(&authority.server(), None)).await;
    assert!(check(running.over_tls(authority.believed())).await.is_ok());
    assert!(check(running.over_tls(stranger.believed())).await.is_err());
    assert!(check(running.plain()).await.is_err());
    running.stop().await;
}

#[tokio::test]
async fn with_a_client_authority_a_certificate_of_its_is_needed() {
    let (folder, authority, clients) = (Folder::new(), Authority::new(), Authority::new());
    let running = Running::start(&folder.tls(&authority.server(), Some(&clients))).await;
    let with = |pair: &Pair| authority.believed().identity(pair.identity());
    assert!(check(running.over_tls(with(&clients.client()))).await.is_ok());
    assert!(check(running.over_tls(authority.believed())).await.is_err());
    assert!(check(running.over_tls(with(&Authority::new().client()))).await.is_err());
    // Signed by the server's own authority, or for another purpose.
    assert!(check(running.over_tls(with(&authority.client()))).await.is_err());
    assert!(check(running.over_tls(with(&clients.server()))).await.is_err());
    assert!(check(running.plain()).await.is_err());
    running.stop().await;
}

#[tokio::test]
async fn a_client_certificate_is_no_token() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let running = Running::start(&folder.tls(&authority.server(), Some(&authority))).await;
    let channel = running.over_tls(authority.believed().identity(authority.client().identity()));
    let mut client = OutboxServiceClient::new(channel);
    let call = client.get_outbox_status(credo_proto::admin::v1::GetOutboxStatusRequest {});
    assert_eq!(call.await.unwrap_err().code(), Code::Unauthenticated);
    running.stop().await;
}

#[tokio::test]
async fn files_that_cannot_be_are_refused_by_the_name_of_their_setting() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let (pair, other) = (authority.server(), authority.server());
    let good = folder.tls(&pair, None);
    let missing = || Some(PathBuf::from("/nowhere/at.pem"));
    let written = |name, content: &str| Some(folder.file(name, content));
    let with = |change: &dyn Fn(&mut GrpcTls)| {
        let mut tls = good.clone();
        change(&mut tls);
        tls
    };
    let client_ca_alone = GrpcTls {
        client_ca: missing(),
        ..GrpcTls::default()
    };
    let (half, identity) = (
        "grpc.tls.cert_file and grpc.tls.key_file",
        "grpc.tls.cert_file, grpc.tls.key_file: ",
    );
    let cases = [
        (with(&|tls| tls.key = None), half),
        (with(&|tls| tls.certificate = None), half),
        (client_ca_alone, "grpc.tls.client_ca_file needs"),
        (
            with(&|tls| tls.certificate = missing()),
            "grpc.tls.cert_file: /nowhere/at.pem: ",
        ),
        (with(&|tls| tls.key = missing()), "grpc.tls.key_file: /nowhere/at.pem: "),
        (
            with(&|tls| tls.client_ca = missing()),
            "grpc.tls.client_ca_file: /nowhere/at.pem: ",
        ),
        (with(&|tls| tls.key = written("other.key", &other.key)), identity),
        (with(&|tls| tls.key = written("no.key", "no key")), identity),
        (with(&|tls| tls.certificate = written("no.pem", "")), identity),
        (
            with(&|tls| tls.client_ca = written("no-ca.pem", "none")),
            "grpc.tls.client_ca_file: ",
        ),
    ];
    for (tls, expected) in cases {
        let text = refusal(&tls).to_string();
        assert!(text.starts_with(expected), "{text}");
        assert!(!text.contains(pair.key.lines().nth(1).unwrap()), "{text}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_id_of_its_call() {
    let running = Running::start(&GrpcTls::default()).await;
    let answered = check(running.plain()).await.unwrap();
    let mut client = OutboxServiceClient::new(running.plain());
    let refused = client
        .get_outbox_status(credo_proto::admin::v1::GetOutboxStatusRequest {})
        .await
        .unwrap_err();
    let ids = [answered.metadata(), refused.metadata()].map(|metadata| {
        let id = metadata.get("x-request-id").unwrap().to_str().unwrap();
        id.parse::<credo_ids::RequestId>().unwrap()
    });
    assert_ne!(ids[0], ids[1]);
    running.stop().await;
}

#[tokio::test]
async fn metadata_is_bounded() {
    let running = Running::start(&GrpcTls::default()).await;
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    request
        .metadata_mut()
        .insert("x-long", "x".repeat(20 * 1_024).parse().unwrap());
    assert!(HealthClient::new(running.plain()).check(request).await.is_err());
    const { assert!(MAX_MESSAGE_BYTES <= 1_024 * 1_024) };
    running.stop().await;
}

#[tokio::test]
async fn who_only_watches_does_not_hold_the_shutdown_up_for_ever() {
    let running = Running::start(&GrpcTls::default()).await;
    let mut watch = HealthClient::new(running.plain())
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
    running.stop().await;
    assert_eq!(watch.message().await.unwrap().unwrap().status, 2, "it is told before");
}
