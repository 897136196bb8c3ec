//! What a tenant sees of another one: nothing. Its objects are exactly as unknown as random values.

use cucumber::then;
use reqwest::Method;

use crate::{
    answer::Answer,
    failure::{Result, ensure},
    oauth::{Client, SignIn, User, random_text},
    world::CredoWorld,
};

/// The same number of characters from the same alphabet, behind the same prefix.
fn random_like(token: &str) -> String {
    let (prefix, rest) = token.split_at(4.min(token.len()));
    let filler: String = std::iter::repeat_with(random_text).take(rest.len() / 32 + 1).collect();
    format!("{prefix}{}", &filler[..rest.len()])
}

fn ensure_same(what: &str, theirs: &Answer, random: &Answer) -> anyhow::Result<()> {
    ensure!(
        (theirs.status, &theirs.text) == (random.status, &random.text) && theirs.status < 500,
        "{what} of another tenant gives {theirs}, a random one {random}"
    );
    Ok(())
}

#[then(regex = r"^to (\w+) every token of the session is as unknown as a random one$")]
pub async fn tokens_are_unknown(world: &mut CredoWorld, stranger: String) -> Result {
    let (api, stranger) = (&world.api, world.client(&stranger)?);
    let session = world.session("")?;
    let tokens = session.newest()?;
    for token in [
        tokens.refresh_token()?,
        &tokens.access_token,
        tokens.id_token()?,
        &session.code.text,
    ] {
        let random = random_like(token);
        let pair = (
            api.refresh(stranger, token).await?,
            api.refresh(stranger, &random).await?,
        );
        ensure_same("a refresh token", &pair.0, &pair.1)?;
        let pair = (
            api.introspect(stranger, token).await?,
            api.introspect(stranger, &random).await?,
        );
        ensure_same("an introspected token", &pair.0, &pair.1)?;
        ensure!(!pair.0.is_active()?, "{}", pair.0);
        let pair = (api.revoke(stranger, token).await?, api.revoke(stranger, &random).await?);
        ensure_same("a revoked token", &pair.0, &pair.1)?;
        let codes = [token, &random].map(|text| crate::oauth::Code {
            text: text.to_owned(),
            ..session.code.clone()
        });
        let pair = (
            api.exchange(stranger, &codes[0]).await?,
            api.exchange(stranger, &codes[1]).await?,
        );
        ensure_same("a code", &pair.0, &pair.1)?;
    }
    Ok(())
}

#[then(regex = r"^at (\w+) (\w+) is as unknown as anybody$")]
pub async fn user_is_unknown(world: &mut CredoWorld, client: String, user: String) -> Result {
    let (client, user) = (world.client(&client)?, world.user(&user)?);
    let nobody = User {
        email: format!("nobody-{}@example.test", random_text()),
        ..user.clone()
    };
    let wanted = SignIn::new("openid");
    let theirs = world.api.authorize(client, user, &wanted).await?;
    let random = world.api.authorize(client, &nobody, &wanted).await?;
    theirs.expect(400, "invalid_grant")?;
    Ok(ensure_same("a user", &theirs, &random)?)
}

#[then(regex = r"^(\w+) with the secret of (\w+) is as unknown as any client$")]
pub async fn client_is_unknown(world: &mut CredoWorld, client: String, other: String) -> Result {
    let mixed = Client {
        secret: world.client(&other)?.secret.clone(),
        ..world.client(&client)?.clone()
    };
    let nobody = Client {
        id: uuid::Uuid::now_v7().to_string(),
        ..mixed.clone()
    };
    let theirs = world.api.client_credentials(&mixed, None).await?;
    let random = world.api.client_credentials(&nobody, None).await?;
    theirs.expect(401, "invalid_client")?;
    Ok(ensure_same("a client", &theirs, &random)?)
}

#[then(regex = r"^from the (\w+) the (\w+) is as unknown as any session$")]
pub async fn session_is_unknown(world: &mut CredoWorld, own: String, other: String) -> Result {
    let (own, id) = (world.session(&own)?.newest()?, world.session(&other)?.id()?);
    let end = async |id: &str| {
        let path = format!("/auth/sessions/{id}");
        world.api.bearer(Method::DELETE, &path, &own.access_token).await
    };
    let (theirs, random) = (end(&id).await?, end(&uuid::Uuid::now_v7().to_string()).await?);
    ensure!(theirs.status == 404, "{theirs}");
    Ok(ensure_same("a session", &theirs, &random)?)
}
