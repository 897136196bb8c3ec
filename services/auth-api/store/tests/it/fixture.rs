//! A tenant with a client, a user and sessions, and requests against them.

use std::{sync::Arc, time::Duration};

use credo_auth_store::{
    Authorization, Authorize, BatchSpec, EventRow, HOT_CONNECTION_SETTINGS, Redeem, Redeemed, Rotate, Rotated,
    StatementMetrics, Store,
};
use credo_events::{EventDraft, EventType, Outcome, PersonalPart, Security, Severity, actor_core};
use credo_ids::{ClientId, DeviceId, EventId, SessionId, TenantId, UserId};
use credo_postgres::{PoolSpec, connect_lazy, connect_options};
use credo_proto::events::v1::Personal;
use credo_testkit::TestDatabase;
use prometheus::Registry;
use sqlx::PgPool;
use time::OffsetDateTime;

pub const REDIRECT_URI: &str = "https://app.example/cb";
/// Begins the name of a fragment: no random id is likely to hold it.
const LABEL: &[u8] = b"label:";

pub const SCOPE: &str = "email openid";

const EVENT: EventType<Security> = EventType::new("tested", Severity::Info, Outcome::Success);

/// A database with one tenant, one client and one user.
pub struct World {
    pub database: TestDatabase,
    pub store: Arc<Store>,
    pub tenant: TenantId,
    pub client: ClientId,
    pub user: UserId,
    /// The store's metrics.
    pub registry: Registry,
}

pub fn hash(seed: u8) -> [u8; 32] {
    [seed; 32]
}

pub fn core(label: &str) -> Vec<u8> {
    let event = EventDraft::new(
        &EVENT,
        EventId::now_v7(),
        TenantId::now_v7(),
        OffsetDateTime::UNIX_EPOCH,
    );
    let mut core = event.encode(&PersonalPart::new(Personal::default()).unwrap()).core;
    let text = [LABEL, label.as_bytes()].concat(); // an unknown field that names the fragment
    core.extend([0x9a, 0x06, u8::try_from(text.len()).unwrap()]);
    core.extend(text);
    core
}

pub fn personal() -> PersonalPart {
    PersonalPart::new(Personal::default()).unwrap()
}

fn store(database: &TestDatabase, registry: &Registry) -> Store {
    let url = database.url_as("credo_auth_api").into();
    let hot = PoolSpec {
        url: &url,
        application_name: "hot",
        max_connections: 8, // fifty requests queue up for them, as they do in production
        statement_timeout: Duration::from_secs(4),
        lock_timeout: Duration::from_secs(1),
        settings: &HOT_CONNECTION_SETTINGS,
    };
    Store::new(
        connect_lazy(&hot).unwrap(),
        connect_lazy(&PoolSpec {
            settings: &[],
            max_connections: 2,
            ..hot
        })
        .unwrap(),
        BatchSpec {
            options: connect_options(&hot).unwrap(),
            workers: 4,
        },
        &StatementMetrics::new(registry).unwrap(),
    )
}

impl World {
    pub async fn new() -> Self {
        let database = TestDatabase::auth().await;
        let registry = Registry::new();
        let store = Arc::new(store(&database, &registry));
        let world = Self {
            database,
            store,
            tenant: TenantId::now_v7(),
            client: ClientId::now_v7(),
            user: UserId::random_v4(),
            registry,
        };
        world.insert_tenant(world.tenant, "one").await;
        world.insert_client(world.tenant, world.client, 0).await;
        world.insert_user(world.tenant, world.user, "a@one.example").await;
        world
    }

    pub fn owner(&self) -> &PgPool {
        self.database.owner_pool()
    }

    pub async fn insert_tenant(&self, tenant: TenantId, slug: &str) {
        let statement = sqlx::query("INSERT INTO tenant (id, slug, display_name) VALUES ($1, $2, $2)");
        statement
            .bind(tenant.as_uuid())
            .bind(slug)
            .execute(self.owner())
            .await
            .unwrap();
    }

    pub async fn insert_client(&self, tenant: TenantId, client: ClientId, grace_seconds: i32) {
        sqlx::query(
            "INSERT INTO client (id, tenant_id, display_name, token_endpoint_auth_method, grant_types, redirect_uris,
             scope, refresh_grace_seconds)
             VALUES ($1, $2, 'c', 'client_secret_basic', '{authorization_code,refresh_token}', '{}', $3, $4)",
        )
        .bind(client.as_uuid())
        .bind(tenant.as_uuid())
        .bind(SCOPE)
        .bind(grace_seconds)
        .execute(self.owner())
        .await
        .unwrap();
    }

    pub async fn insert_user(&self, tenant: TenantId, user: UserId, email: &str) {
        let statement = sqlx::query("INSERT INTO app_user (id, tenant_id, email) VALUES ($1, $2, $3)");
        statement
            .bind(user.as_uuid())
            .bind(tenant.as_uuid())
            .bind(email)
            .execute(self.owner())
            .await
            .unwrap();
    }

    /// Runs a statement of the test's own, as the owner.
    pub async fn sql(&self, statement: &'static str) {
        sqlx::query(statement).execute(self.owner()).await.unwrap();
    }

    /// Events of an aggregate, in order: the labels of their cores.
    pub async fn events(&self, aggregate: uuid::Uuid) -> Vec<String> {
        let cores: Vec<(Vec<u8>,)> = sqlx::query_as("SELECT core FROM outbox WHERE aggregate = $1 ORDER BY id")
            .bind(aggregate)
            .fetch_all(self.owner())
            .await
            .unwrap();
        cores.into_iter().map(|(core,)| label(&core)).collect()
    }

    /// How many rows of the feed name a session.
    pub async fn feed_rows(&self, session: SessionId) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM revocation WHERE kind = 1 AND id = $1");
        count.bind(session.as_uuid()).fetch_one(self.owner()).await.unwrap()
    }

    /// State, generation and end reason of a session.
    pub async fn session(&self, session: SessionId) -> (i16, i32, Option<i16>) {
        let row = sqlx::query_as("SELECT state, generation, end_reason FROM session WHERE id = $1");
        row.bind(session.as_uuid()).fetch_one(self.owner()).await.unwrap()
    }

    pub fn authorize(&self) -> Authorize {
        Authorize {
            session_id: SessionId::now_v7(),
            tenant_id: self.tenant,
            client_id: self.client,
            client_version: 1,
            user_id: self.user,
            password_version: None,
            account: None,
            device_account: None,
            device_id: DeviceId::random_v4(),
            scope: SCOPE.to_owned(),
            actor_core: actor_core(self.user.into(), self.user.into()),
            code_hash: hash(1),
            code_challenge: Some(hash(2)),
            redirect_uri: REDIRECT_URI.to_owned(),
            nonce: Some("n".to_owned()),
            key_id: 1,
            amr: "pwd".to_owned(),
            browser_session_id: None,
            claims: None,
            consent_scope: None,
            code_ttl: Duration::from_mins(1),
            session_ttl: Duration::from_hours(1),
            idle_ttl: Duration::from_mins(10),
            event_id: EventId::now_v7(),
            event: EventRow {
                core: core("created"),
                personal: personal(),
            },
        }
    }

    /// A pending session.
    pub async fn pending(&self) -> SessionId {
        let item = self.authorize();
        assert_eq!(
            self.store.insert_authorization(item.clone()).await.unwrap(),
            Authorization::Authorized
        );
        item.session_id
    }

    pub fn redeem(&self, session: SessionId) -> Redeem {
        Redeem {
            session_id: session,
            tenant_id: self.tenant,
            client_id: self.client,
            client_version: 1,
            authenticated: true,
            secret_hash: hash(1),
            redirect_uri: Some(REDIRECT_URI.to_owned()),
            challenge: Some(hash(2)),
            refresh_hash: Some(hash(11)),
            key_id: 1,
            attempt_id: EventId::now_v7(),
            core_redeemed: core("issued"),
            core_replayed: core("replayed"),
            core_refused: core("refused"),
            personal: personal(),
        }
    }

    pub async fn redeem_as(&self, item: &Redeem) -> Redeemed {
        self.store
            .redeem_authorization_code(item.clone())
            .await
            .unwrap()
            .unwrap()
    }

    /// A session whose current refresh token is generation 1 with the secret hash 11.
    pub async fn active(&self) -> SessionId {
        let session = self.pending().await;
        self.redeem_as(&self.redeem(session)).await;
        session
    }

    /// Generation `generation` has the secret hash `10 + generation`, its successor one more.
    pub fn rotate(&self, session: SessionId, generation: u32) -> Rotate {
        let seed = 10 + u8::try_from(generation).unwrap();
        Rotate {
            session_id: session,
            tenant_id: self.tenant,
            client_id: self.client,
            client_version: 1,
            generation,
            secret_hash: hash(seed),
            successor_hash: hash(seed + 1),
            key_id: 1,
            demoted: false,
            scope: None,
            per_minute: 1_000_000,
            attempt_id: EventId::now_v7(),
            core_rotated: core("rotated"),
            core_retried: core("retried"),
            core_replayed: core("replayed"),
            core_refused: core("refused"),
            personal: personal(),
        }
    }

    pub async fn rotate_as(&self, item: &Rotate) -> Rotated {
        self.store.rotate_refresh_token(item.clone()).await.unwrap().unwrap()
    }
}

fn label(core: &[u8]) -> String {
    let at = core
        .windows(LABEL.len())
        .position(|window| window == LABEL)
        .expect("a labelled core");
    let end = at + usize::from(core[at - 1]);
    String::from_utf8(core[at + LABEL.len()..end].to_vec()).unwrap()
}
