//! The token that admin calls carry. Kept between calls, renewed before it ends, never shown.
//!
//! Invariant: a refresh token is used by one process at a time; two at once would look like a theft.

mod kept;

use std::time::Duration;

use credo_clock::SystemClock;
use secrecy::{ExposeSecret as _, SecretString};

pub use kept::Kept;

use crate::{
    context::{Chosen, LockedFile, Store, read_private},
    failure::{Failure, Kind, Result},
    http::Http,
    oauth::{
        metadata::Metadata,
        token::{self, Client, Tokens},
    },
};

/// A token that ends sooner is renewed first.
const MARGIN_SECONDS: i64 = 20;
const HTTP_TIMEOUT: Duration = Duration::from_secs(10);

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemClock::new().now().unix_timestamp()
}

/// A token for the context's admin APIs. `fresh` refuses one that was kept.
///
/// # Errors
/// If there is no login, or it has ended.
pub async fn token(store: &Store, chosen: &Chosen, fresh: bool) -> Result<SecretString> {
    let issuer = chosen.context.login_issuer()?;
    let Some(name) = &chosen.name else {
        return Ok(by_context_client(chosen, &issuer).await?.access_token);
    };
    let path = store.credentials(name)?;
    let usable = |kept: &Kept| {
        let mine = kept.issuer == issuer && chosen.context.client.as_ref().is_none_or(|client| kept.is_of(client));
        mine.then(|| kept.clone())
    };
    let good = |kept: &Kept| !fresh && kept.expires_at > now() + MARGIN_SECONDS;
    let kept = Kept::read(&path)?.and_then(|kept| usable(&kept));
    if let Some(kept) = kept.filter(good) {
        return Ok(kept.access_token.into());
    }
    let Ok(_lock) = LockedFile::beside(&path).await else {
        // A folder that cannot be written, such as a mounted one: nothing is kept.
        return Ok(by_context_client(chosen, &issuer).await?.access_token);
    };
    let kept = Kept::read(&path)?.and_then(|kept| usable(&kept));
    if let Some(kept) = kept.clone().filter(good) {
        return Ok(kept.access_token.into());
    }
    let renewed = renew(chosen, &issuer, kept).await?;
    renewed.write(&path)?;
    Ok(renewed.access_token.into())
}

async fn renew(chosen: &Chosen, issuer: &str, kept: Option<Kept>) -> Result<Kept> {
    let http = http(chosen)?;
    if let Some(mut kept) = kept.filter(Kept::can_be_renewed) {
        let metadata = Metadata::discover(&http, issuer).await?;
        let client = kept.client();
        let tokens = if let Some(refresh_token) = &kept.refresh_token {
            token::refresh(&http, &metadata, &client, &refresh_token.clone().into()).await
        } else {
            token::client_credentials(&http, &metadata, &client, &kept.scope).await
        };
        match tokens {
            Ok(tokens) => {
                kept.take(&tokens);
                return Ok(kept);
            }
            Err(refused) if refused.kind == Kind::Denied => return Err(ended(&refused)),
            Err(other) => return Err(other),
        }
    }
    let tokens = by_context_client(chosen, issuer).await?;
    let client = chosen.context.client.clone().unwrap_or_default();
    let mut kept = Kept {
        issuer: issuer.to_owned(),
        client_id: client.client_id,
        scope: client.scope,
        ..Kept::default()
    };
    kept.take(&tokens);
    Ok(kept)
}

fn ended(refused: &Failure) -> Failure {
    let failure = Failure::new(Kind::Denied, "the login has ended").next("credoctl login");
    match refused.why() {
        Some(reason) => failure.reason(reason),
        None => failure,
    }
}

/// By the client that the context itself names.
async fn by_context_client(chosen: &Chosen, issuer: &str) -> Result<Tokens> {
    let Some(login) = &chosen.context.client else {
        return Err(Failure::new(Kind::Denied, "nobody is signed in")
            .next("credoctl login, or CREDO_CLIENT_ID and CREDO_CLIENT_SECRET_FILE"));
    };
    let secret = read_secret(&login.secret_file)?;
    let http = http(chosen)?;
    let metadata = Metadata::discover(&http, issuer).await?;
    let client = Client {
        id: login.client_id.clone(),
        secret: Some(secret),
    };
    token::client_credentials(&http, &metadata, &client, &login.scope).await
}

/// HTTP to the context's public endpoints.
///
/// # Errors
/// If its certificates cannot be read.
pub fn http(chosen: &Chosen) -> Result<Http> {
    Http::new(&chosen.context.public, HTTP_TIMEOUT)
}

/// A secret from a file that only its owner may read, `-` for stdin, without the end of the line.
///
/// # Errors
/// If it is not there, is empty, or others may read it.
pub fn read_secret(path: &std::path::Path) -> Result<SecretString> {
    let text = if path.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())?
    } else {
        read_private(path)?.ok_or_else(|| Failure::usage(format!("{} is not there", path.display())))?
    };
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(Failure::usage(format!("{} holds no secret", path.display())));
    }
    Ok(secret.into())
}

/// Ends what is kept for the context, at the server too; whether there was anything.
///
/// # Errors
/// If the server or the file system refuses.
pub async fn end(store: &Store, chosen: &Chosen) -> Result<bool> {
    let Some(name) = &chosen.name else {
        return Ok(false);
    };
    let path = store.credentials(name)?;
    let _lock = LockedFile::beside(&path).await?;
    let Some(kept) = Kept::read(&path)? else {
        return Ok(false);
    };
    let http = http(chosen)?;
    let metadata = Metadata::discover(&http, &kept.issuer).await?;
    let token = kept.refresh_token.as_ref().unwrap_or(&kept.access_token);
    let client = match &chosen.context.client {
        Some(login) if kept.is_of(login) && kept.client_secret.is_none() => Client {
            id: login.client_id.clone(),
            secret: Some(read_secret(&login.secret_file)?),
        },
        _ => kept.client(),
    };
    let ended = token::revoke(&http, &metadata, &client, &SecretString::from(token.clone())).await;
    Kept::forget(&path)?;
    ended.map(|_| true)
}

impl Kept {
    fn take(&mut self, tokens: &Tokens) {
        tokens.access_token.expose_secret().clone_into(&mut self.access_token);
        self.expires_at = now() + tokens.expires_in;
        if let Some(refresh_token) = &tokens.refresh_token {
            self.refresh_token = Some(refresh_token.expose_secret().to_owned());
        }
    }

    /// Keeps what a login gave.
    ///
    /// # Errors
    /// If the file system refuses.
    pub async fn keep(mut self, store: &Store, name: &str, tokens: &Tokens) -> Result<()> {
        self.take(tokens);
        let path = store.credentials(name)?;
        let _lock = LockedFile::beside(&path).await?;
        self.write(&path)
    }
}
