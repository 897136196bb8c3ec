//! Signing in for a code, and the code for tokens.

use std::time::Duration;

use cucumber::{given, then, when};

use crate::{
    answer::Answer,
    failure::{Result, ensure},
    oauth::{Code, SignIn, User, random_text},
    outbox,
    patience::pass,
    world::{CredoWorld, SESSION, Session},
};

const SCOPE: &str = "openid profile email offline_access";

#[given(regex = r"^(\w+) is signed in at (\w+)(?: on (?:her|his) (\w+))?$")]
pub async fn is_signed_in(world: &mut CredoWorld, user: String, client: String, name: String) -> Result {
    let name = if name.is_empty() { SESSION.to_owned() } else { name };
    enter(world, user, client, name, SCOPE).await
}

#[given(regex = r#"^(\w+) is signed in at (\w+) with the scope "([^"]*)"$"#)]
pub async fn is_signed_in_with(world: &mut CredoWorld, user: String, client: String, scope: String) -> Result {
    enter(world, user, client, SESSION.to_owned(), &scope).await
}

async fn enter(world: &mut CredoWorld, user: String, client: String, name: String, scope: &str) -> Result {
    sign_in(world, &user, &client, &name, SignIn::new(scope)).await?;
    exchange(world, &client, &name).await?;
    Ok(world.answer()?.expect(200, "")?)
}

#[when(regex = r"^(\w+) signs in at (\w+)$")]
pub async fn signs_in(world: &mut CredoWorld, user: String, client: String) -> Result {
    sign_in(world, &user, &client, SESSION, SignIn::new(SCOPE)).await
}

#[when(regex = r"^(\w+) signs in at (\w+) on (?:her|his) (\w+)$")]
pub async fn signs_in_on(world: &mut CredoWorld, user: String, client: String, name: String) -> Result {
    sign_in(world, &user, &client, &name, SignIn::new(SCOPE)).await
}

#[when(regex = r"^(\w+) signs in at (\w+) again on the same device$")]
pub async fn signs_in_on_same_device(world: &mut CredoWorld, user: String, client: String) -> Result {
    let device = world.answer()?.json()?["device_id"].as_str().map(ToOwned::to_owned);
    ensure!(device.is_some(), "the answer before names no device");
    let wanted = SignIn {
        device_id: device,
        ..SignIn::new(SCOPE)
    };
    sign_in(world, &user, &client, SESSION, wanted).await
}

#[when(regex = r"^(\w+) tries to sign in at (\w+) with a wrong password$")]
pub async fn tries_to_sign_in(world: &mut CredoWorld, user: String, client: String) -> Result {
    let user = User {
        password: random_text(),
        ..world.user(&user)?.clone()
    };
    try_to_sign_in(world, &user, &client).await
}

#[when(regex = r"^somebody unknown tries to sign in at (\w+)$")]
pub async fn stranger_tries_to_sign_in(world: &mut CredoWorld, client: String) -> Result {
    let user = User {
        tenant_id: world.tenant()?.id.clone(),
        id: String::new(),
        email: format!("nobody-{}@example.test", random_text()),
        password: random_text(),
        display_name: String::new(),
    };
    try_to_sign_in(world, &user, &client).await
}

async fn try_to_sign_in(world: &mut CredoWorld, user: &User, client: &str) -> Result {
    let answer = world
        .api
        .authorize(world.client(client)?, user, &SignIn::new(SCOPE))
        .await?;
    world.answers.push(answer);
    Ok(())
}

/// Signs in; a code that comes back begins a session of that name.
async fn sign_in(world: &mut CredoWorld, user: &str, client: &str, name: &str, wanted: SignIn) -> Result {
    let answer = world
        .api
        .authorize(world.client(client)?, world.user(user)?, &wanted)
        .await?;
    if answer.status == 200 {
        let session = Session {
            client: client.to_owned(),
            user: user.to_owned(),
            code: answer.code(&wanted)?,
            tokens: Vec::new(),
        };
        world.sessions.insert(name.to_owned(), session);
    }
    world.answers.push(answer);
    Ok(())
}

#[when(regex = r"^(\w+) exchanges the code(?: of the (\w+))?(?: again)?$")]
pub async fn exchanges(world: &mut CredoWorld, client: String, name: String) -> Result {
    exchange(world, &client, &name).await
}

async fn exchange(world: &mut CredoWorld, client: &str, name: &str) -> Result {
    let code = world.session(name)?.code.clone();
    exchange_code(world, client, name, &code).await
}

/// Shows a code; tokens that come back belong to the session of that name.
async fn exchange_code(world: &mut CredoWorld, client: &str, name: &str, code: &Code) -> Result {
    let answer = world.api.exchange(world.client(client)?, code).await?;
    if answer.status == 200 {
        let tokens = answer.tokens()?;
        world.session_mut(name)?.tokens.push(tokens);
    }
    world.answers.push(answer);
    Ok(())
}

#[when(regex = r"^(\w+) exchanges the code with (another redirect_uri|another code_verifier|a damaged code)$")]
pub async fn exchanges_with(world: &mut CredoWorld, client: String, what: String) -> Result {
    let mut code = world.session("")?.code.clone();
    match what.as_str() {
        "another redirect_uri" => code.redirect_uri.push('/'),
        "another code_verifier" => code.verifier = random_text() + &random_text(),
        _ => code.text.truncate(code.text.len() - 1),
    }
    exchange_code(world, &client, "", &code).await
}

#[when(regex = r"^(\w+) exchanges the code without (redirect_uri|code_verifier)$")]
pub async fn exchanges_without(world: &mut CredoWorld, client: String, what: String) -> Result {
    let code = &world.session("")?.code;
    let mut parameters = vec![("grant_type", "authorization_code"), ("code", code.text.as_str())];
    let bound = [
        ("redirect_uri", code.redirect_uri.as_str()),
        ("code_verifier", code.verifier.as_str()),
    ];
    parameters.extend(bound.iter().filter(|(name, _)| *name != what));
    let request = world.api.form("/auth/token", world.client(&client)?, &parameters);
    let answer = Answer::of(request).await?;
    world.answers.push(answer);
    Ok(())
}

#[when(regex = r"^(\d+) seconds have passed$")]
pub async fn time_has_passed(_: &mut CredoWorld, seconds: u64) -> Result {
    pass(Duration::from_secs(seconds)).await;
    Ok(())
}

#[then(regex = r"^it has a code, the issuer and a device$")]
pub async fn answer_has_code(world: &mut CredoWorld) -> Result {
    let answer = world.answer()?;
    let body = answer.json()?;
    ensure!(
        body["code"].as_str().is_some_and(|code| code.starts_with("crc_")),
        "{answer}"
    );
    ensure!(body["iss"] == world.tenant()?.issuer.as_str(), "{answer}");
    ensure!(
        body["device_id"].as_str().is_some_and(|device| device.len() == 36),
        "{answer}"
    );
    ensure!(answer.header("set-cookie").is_empty(), "it sets a cookie");
    Ok(())
}

#[then(regex = r"^both answers name the same device$")]
pub async fn answers_name_device(world: &mut CredoWorld) -> Result {
    let [.., one, other] = world.answers.as_slice() else {
        return Err(anyhow::anyhow!("there were no two answers").into());
    };
    let (one, other) = (one.json()?, other.json()?);
    ensure!(one["device_id"] == other["device_id"], "{one} and {other}");
    Ok(())
}

#[then(regex = r"^the database holds neither the code nor any token of the session$")]
pub async fn database_holds_no_token(world: &mut CredoWorld) -> Result {
    let session = world.session("")?;
    let tokens = session.newest()?;
    let mut secrets = vec![
        session.code.text.as_str(),
        tokens.refresh_token()?,
        &tokens.access_token,
    ];
    // what a row of bytes would show of them: the secret itself, without what stands around it
    let decoded: Vec<_> = secrets.iter().filter_map(|token| inner_hex(token)).collect();
    secrets.extend(decoded.iter().map(String::as_str));
    ensure!(secrets.len() == 5, "a token cannot be looked for");
    for table in ["session", "outbox", "revocation", "client", "client_secret"] {
        for row in outbox::dump(world.stack, table).await? {
            let found = secrets.iter().find(|secret| row.contains(**secret));
            ensure!(found.is_none(), "{table} holds a usable secret: {row}");
        }
    }
    Ok(())
}

/// The 32 bytes before the 16 of the MAC, in hexadecimal.
fn inner_hex(token: &str) -> Option<String> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let text = token.strip_prefix("crc_").or_else(|| token.strip_prefix("crt_"))?;
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let end = bytes.len().checked_sub(16)?;
    Some(crate::digest::hex(bytes.get(end.checked_sub(32)?..end)?))
}
