//! The admin APIs as any operator calls them: a token for the admin client, then gRPC with it.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::state::AdminClient;

/// A connection that presents an admin token.
pub type AdminChannel = InterceptedService<Channel, Bearer>;

/// Presents the token.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Gets a token for everything that the client may do.
///
/// # Errors
/// If it is refused: the OAuth error.
pub async fn token(token_url: &str, client: &AdminClient) -> Result<Bearer> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: String,
    }
    let answer = reqwest::Client::new()
        .post(token_url)
        .basic_auth(&client.client_id, Some(&client.client_secret))
        .form(&[("grant_type", "client_credentials"), ("scope", &client.scope)])
        .send()
        .await
        .context("auth-api does not answer")?;
    let status = answer.status();
    let body = answer.text().await.context("auth-api hung up")?;
    if !status.is_success() {
        bail!("the admin client got no token: {status} {}", body.trim());
    }
    let answer: Answer = serde_json::from_str(&body).context("auth-api answered no token")?;
    let header = format!("Bearer {}", answer.access_token)
        .parse()
        .context("the token is no header value")?;
    Ok(Bearer(header))
}

/// Connects to a service's gRPC port.
///
/// # Errors
/// If it does not listen.
pub async fn connect(grpc_url: &str, bearer: Bearer) -> Result<AdminChannel> {
    let endpoint = Endpoint::from_shared(grpc_url.to_owned()).context("no URL of a gRPC port")?;
    let channel = endpoint
        .connect()
        .await
        .with_context(|| format!("{grpc_url} does not answer"))?;
    Ok(InterceptedService::new(channel, bearer))
}

/// A refusal in one line; tonic's own text spreads the metadata over it.
pub fn explain(what: &'static str) -> impl Fn(Status) -> anyhow::Error {
    move |status| anyhow::anyhow!("{what}: {:?}: {}", status.code(), status.message())
}
