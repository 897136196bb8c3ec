//! A person with a browser: an app sends it here, the person answers the pages, and the browser goes back to the app.

use anyhow::Context as _;
use cucumber::{given, then, when};
use reqwest::Url;

use crate::{
    failure::{Result, ensure},
    oauth::{Code, SignIn, random_text},
    world::{CredoWorld, SESSION, Session, Visit},
};

const SCOPE: &str = "openid profile email offline_access";

#[given(regex = r"^(\w+) sends (\w+)'s browser to sign in$")]
#[when(regex = r"^(\w+) sends (\w+)'s browser to sign in$")]
pub async fn sends(world: &mut CredoWorld, client: String, user: String) -> Result {
    send(world, client, &user, SCOPE, &[]).await
}

#[when(regex = r"^(\w+) sends (\w+)'s browser to sign in with ([a-z_]+)=(\S+)$")]
pub async fn sends_with(world: &mut CredoWorld, client: String, user: String, name: String, value: String) -> Result {
    send(world, client, &user, SCOPE, &[(&name, &value)]).await
}

#[when(regex = r#"^(\w+) sends (\w+)'s browser to sign in for "([^"]*)"$"#)]
pub async fn sends_for(world: &mut CredoWorld, client: String, user: String, scope: String) -> Result {
    send(world, client, &user, &scope, &[]).await
}

async fn send(world: &mut CredoWorld, client: String, user: &str, scope: &str, more: &[(&str, &str)]) -> Result {
    let wanted = SignIn::new(scope);
    let url = world.api.authorization_url(world.client(&client)?, &wanted, more)?;
    world.browser(user).open(url.as_str()).await?;
    world.visits.insert(user.to_owned(), Visit { client, wanted });
    Ok(())
}

#[then(regex = r"^(\w+) is asked for (?:her|his) password$")]
pub async fn is_asked_for_password(world: &mut CredoWorld, user: String) -> Result {
    let browser = world.browser(&user);
    let page = browser.page()?;
    ensure!(page.answer.status == 200, "{}", page.answer);
    ensure!(browser.shows("sign-in")?, "no page to sign in: {}", page.answer);
    Ok(())
}

#[when(regex = r"^(\w+) enters (?:her|his) password$")]
pub async fn enters_password(world: &mut CredoWorld, user: String) -> Result {
    let password = world.user(&user)?.password.clone();
    enter(world, &user, &password).await
}

#[when(regex = r"^(\w+) enters a wrong password$")]
pub async fn enters_wrong_password(world: &mut CredoWorld, user: String) -> Result {
    enter(world, &user, &random_text()).await
}

async fn enter(world: &mut CredoWorld, user: &str, password: &str) -> Result {
    let email = world.user(user)?.email.clone();
    let typed = [("email", email.as_str()), ("password", password)];
    world.browser(user).press("sign-in", &typed).await?;
    Ok(())
}

#[then(regex = r"^(\w+) is asked what (\w+) may do$")]
pub async fn is_asked_for_consent(world: &mut CredoWorld, user: String, client: String) -> Result {
    let browser = world.browser(&user);
    let page = browser.page()?;
    ensure!(page.answer.status == 200, "{}", page.answer);
    for needed in ["consent-allow", "consent-deny"] {
        ensure!(browser.shows(needed)?, "there is no {needed}: {}", page.answer);
    }
    ensure!(page.answer.text.contains(&client), "who asks? {}", page.answer);
    Ok(())
}

#[when(regex = r"^(\w+) (allows|denies) it$")]
pub async fn decides(world: &mut CredoWorld, user: String, decision: String) -> Result {
    let button = if decision == "allows" {
        "consent-allow"
    } else {
        "consent-deny"
    };
    world.browser(&user).press(button, &[]).await?;
    Ok(())
}

#[given(regex = r"^(\w+) signed in at (\w+) with (?:her|his) browser$")]
#[when(regex = r"^(\w+) signs in at (\w+) with (?:her|his) browser$")]
pub async fn signs_in(world: &mut CredoWorld, user: String, client: String) -> Result {
    sends(world, client.clone(), user.clone()).await?;
    enters_password(world, user.clone()).await?;
    if world.browser(&user).page().is_ok() {
        decides(world, user.clone(), "allows".to_owned()).await?;
    }
    is_back_with_code(world, user, client).await
}

#[then(regex = r"^(\w+)'s browser is back at (\w+) with a code$")]
pub async fn is_back_with_code(world: &mut CredoWorld, user: String, client: String) -> Result {
    let url = back(world, &user, &client)?;
    let text = parameter(&url, "code").with_context(|| format!("no code: {url}"))?;
    let wanted = &world.visits[&user].wanted;
    let code = Code {
        text,
        redirect_uri: world.client(&client)?.redirect_uri.clone(),
        verifier: wanted.verifier.clone(),
        nonce: wanted.nonce.clone(),
    };
    let session = Session {
        client,
        user,
        code,
        tokens: Vec::new(),
    };
    world.sessions.insert(SESSION.to_owned(), session);
    Ok(())
}

#[then(regex = r"^(\w+)'s browser is back at (\w+) with the error (\w+)$")]
pub async fn is_back_with_error(world: &mut CredoWorld, user: String, client: String, error: String) -> Result {
    let url = back(world, &user, &client)?;
    ensure!(parameter(&url, "error").as_deref() == Some(error.as_str()), "{url}");
    ensure!(parameter(&url, "code").is_none(), "a code and an error: {url}");
    Ok(())
}

/// The whole answer in the address bar: RFC 6749 section 4.1.2, RFC 9207.
fn back(world: &mut CredoWorld, user: &str, client: &str) -> Result<Url> {
    let visit = world.visits.get(user).context("nobody sent the browser away")?;
    ensure!(visit.client == client, "{} had sent the browser", visit.client);
    let state = visit.wanted.state.clone();
    let url = world.browser(user).elsewhere()?.clone();
    let (redirect_uri, issuer) = (&world.client(client)?.redirect_uri, &world.client(client)?.issuer);
    ensure!(url.as_str().starts_with(&format!("{redirect_uri}?")), "it is at {url}");
    ensure!(
        parameter(&url, "state").as_ref() == Some(&state),
        "another state: {url}"
    );
    ensure!(parameter(&url, "iss").as_ref() == Some(issuer), "another issuer: {url}");
    Ok(url)
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut found = url.query_pairs().filter(|(known, _)| known == name);
    let value = found.next().map(|(_, value)| value.into_owned());
    value.filter(|_| found.next().is_none())
}

#[when(regex = r"^(\w+) sends (\w+)'s browser to sign out$")]
pub async fn sends_to_sign_out(world: &mut CredoWorld, client: String, user: String) -> Result {
    let hint = world.session("")?.newest()?.id_token()?.to_owned();
    let mut url = Url::parse(&format!("{}/auth/logout", world.stack.base_url))?;
    url.query_pairs_mut()
        .append_pair("id_token_hint", &hint)
        .append_pair("client_id", &world.client(&client)?.id);
    world.browser(&user).open(url.as_str()).await?;
    Ok(())
}
