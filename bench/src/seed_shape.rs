//! The earlier server's refresh, call for call (its analysis, B.3): five reads, then a transaction with two locked updates, an
//! insert and the event, on a default pool, and two RS256 tokens. Here only to be measured; it authenticates nobody well.
//!
//! A process of its own, so that what it costs can be counted: this program again, with the argument `seed-shape`.

use std::{io::Write as _, net::SocketAddr, process::Stdio, sync::Arc};

use anyhow::{Context as _, Result};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use axum::{Form, Json, Router, extract::State, http::StatusCode, routing::post};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
};
use uuid::Uuid;

use crate::{prepare::DATABASE, stack::Stack};

const TABLES: &str = include_str!("../sql/seed_shape.sql");
/// The argument that makes this program the server.
pub const ARGUMENT: &str = "seed-shape";

/// The server while it runs.
pub struct SeedShape {
    pub base_url: String,
    pub pid: i32,
    /// A refresh token of each session.
    pub tokens: Vec<String>,
    _process: Child,
}

struct Server {
    pool: PgPool,
    key: EncodingKey,
}

#[derive(Deserialize)]
struct Request {
    refresh_token: String,
}

impl SeedShape {
    /// Makes its tables and starts it.
    pub async fn start(stack: &Stack) -> Result<Self> {
        let url = stack.superuser_url(DATABASE)?;
        let mut connection = PgConnection::connect(&url).await?;
        sqlx::raw_sql(TABLES).execute(&mut connection).await?;
        sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await?;
        let tokens = sqlx::query_scalar("SELECT token FROM seed.refresh_tokens")
            .fetch_all(&mut connection)
            .await?;
        let mut process = Command::new(std::env::current_exe()?)
            .args([ARGUMENT, &url])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().context("no output")?;
        let said = BufReader::new(output).lines().next_line().await?;
        Ok(Self {
            base_url: format!("http://{}", said.context("the seed's shape did not start")?),
            pid: i32::try_from(process.id().context("it has ended")?)?,
            tokens,
            _process: process,
        })
    }
}

/// Serves until it is killed.
pub async fn serve(database_url: &str) -> Result<()> {
    let pair = KeyPair::generate(KeySize::Rsa2048)?;
    let der: Pkcs8V1Der<'_> = pair.as_der()?;
    // Behind the 26 bytes of PKCS #8 that say what it is, for a key of this size.
    let key = der.as_ref().get(26..).context("a short key")?;
    let server = Server {
        pool: PgPool::connect(database_url).await?,
        key: EncodingKey::from_rsa_der(key),
    };
    let router = Router::new()
        .route("/auth/token", post(refresh))
        .with_state(Arc::new(server));
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    Ok(axum::serve(listener, router).await?)
}

async fn refresh(State(server): State<Arc<Server>>, Form(request): Form<Request>) -> Result<Json<Value>, StatusCode> {
    let answer = server.refresh(&request.refresh_token).await;
    answer.map(Json).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

impl Server {
    async fn refresh(&self, token: &str) -> Result<Value> {
        let (token_id, session_id): (Uuid, Uuid) = sqlx::query_as(
            "SELECT id, session_id FROM seed.refresh_tokens WHERE token = $1 AND NOT used AND expires_at > now()",
        )
        .bind(token)
        .fetch_one(&self.pool)
        .await?;
        let (user_id, client_id): (Uuid, Uuid) =
            sqlx::query_as("SELECT user_id, client_id FROM seed.sessions WHERE id = $1 AND status = 'active'")
                .bind(session_id)
                .fetch_one(&self.pool)
                .await?;
        let (tenant_id, audience): (Uuid, String) =
            sqlx::query_as("SELECT tenant_id, client_id FROM seed.clients WHERE id = $1 AND status = 'active'")
                .bind(client_id)
                .fetch_one(&self.pool)
                .await?;
        let tenant: String = sqlx::query_scalar("SELECT name FROM seed.tenants WHERE id = $1 AND status = 'active'")
            .bind(tenant_id)
            .fetch_one(&self.pool)
            .await?;
        let email: String = sqlx::query_scalar("SELECT email FROM seed.users WHERE id = $1 AND status = 'active'")
            .bind(user_id)
            .fetch_one(&self.pool)
            .await?;
        let claims = json!({
            "iss": tenant, "sub": user_id, "aud": audience, "client_id": client_id, "session_id": session_id, "email": email,
            "tenant_id": tenant_id, "scope": ["openid"], "iat": 1_800_000_000, "exp": 1_800_000_900, "jti": token_id,
        });
        let header = Header::new(Algorithm::RS256);
        let access_token = jsonwebtoken::encode(&header, &claims, &self.key)?;
        let id_token = jsonwebtoken::encode(&header, &claims, &self.key)?;
        let refresh_token = self.rotate(token_id, session_id).await?;
        Ok(json!({
            "access_token": access_token, "id_token": id_token, "refresh_token": refresh_token, "token_type": "Bearer",
            "expires_in": 900,
        }))
    }

    async fn rotate(&self, token_id: Uuid, session_id: Uuid) -> Result<String> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "SELECT id, token, session_id, used FROM seed.refresh_tokens WHERE id = $1 AND NOT used FOR UPDATE",
        )
        .bind(token_id)
        .fetch_one(&mut *transaction)
        .await?;
        sqlx::query("UPDATE seed.refresh_tokens SET used = true, last_refreshed_at = now() WHERE id = $1")
            .bind(token_id)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("SELECT id, user_id, client_id, status FROM seed.sessions WHERE id = $1 FOR UPDATE")
            .bind(session_id)
            .fetch_one(&mut *transaction)
            .await?;
        sqlx::query(
            "UPDATE seed.sessions SET last_jti = $2, last_refreshed_at = now(), last_seen_at = now() WHERE id = $1",
        )
        .bind(session_id)
        .bind(token_id.to_string())
        .execute(&mut *transaction)
        .await?;
        let successor: String = sqlx::query_scalar(
            "INSERT INTO seed.refresh_tokens (id, token, session_id, created_at, expires_at, used)
             VALUES (gen_random_uuid(), 'ref_' || gen_random_uuid(), $1, now(), now() + interval '30 days', false)
             RETURNING token",
        )
        .bind(session_id)
        .fetch_one(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO seed.outbox (id, aggregate_type, aggregate_id, event_type, payload, created_at)
             VALUES (gen_random_uuid(), 'session', $1, 'token_refreshed', $2, now())",
        )
        .bind(session_id.to_string())
        .bind(json!({ "session_id": session_id, "token_id": token_id, "reason": "user_initiated" }))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(successor)
    }
}
