//! Programs with standard libraries, and the person who runs them.

use anyhow::Context as _;
use cucumber::{then, when};

use super::browser::{decides, enters_password};
use crate::{
    example::Example,
    failure::{Result, ensure},
    world::CredoWorld,
};

fn example(world: &mut CredoWorld) -> anyhow::Result<&mut Example> {
    world.example.as_mut().context("no example runs")
}

#[when(regex = r"^\w+ runs the example (\S+) as (\w+)$")]
pub async fn runs(world: &mut CredoWorld, name: String, client: String) -> Result {
    let client = world.client(&client)?;
    let arguments = [client.issuer.as_str(), client.id.as_str()];
    world.example = Some(Example::start(world.stack, &name, &arguments).await?);
    Ok(())
}

#[when(regex = r"^(\w+) runs the example curl as (\w+) with (?:her|his) password$")]
pub async fn runs_with_password(world: &mut CredoWorld, user: String, client: String) -> Result {
    let (client, user) = (world.client(&client)?, world.user(&user)?);
    let arguments = [&client.issuer, &client.id, &user.email, &user.password].map(String::as_str);
    world.example = Some(Example::start(world.stack, "curl", &arguments).await?);
    Ok(())
}

#[when(regex = r"^(\w+) signs in where it says, and allows it$")]
pub async fn signs_in(world: &mut CredoWorld, user: String) -> Result {
    example(world)?.says("Open this URL in a browser:").await?;
    let url = example(world)?.says("").await?;
    world.browser(&user).open(&url).await?;
    enters_password(world, user.clone()).await?;
    decides(world, user.clone(), "allows".to_owned()).await?;
    let page = world.browser(&user).page()?;
    ensure!(
        page.answer.text.contains("You may close this window"),
        "{}",
        page.answer
    );
    Ok(())
}

#[then(regex = r"^it tells who (\w+) is, and refreshes$")]
pub async fn tells(world: &mut CredoWorld, user: String) -> Result {
    let user = world.user(&user)?.clone();
    let subject = example(world)?.says("Signed in: ").await?;
    ensure!(subject == user.id, "it says {subject}");
    let userinfo = example(world)?.says("Userinfo: ").await?;
    ensure!(
        userinfo == format!("{} <{}>", user.display_name, user.email),
        "it says {userinfo}"
    );
    example(world)?
        .says("Refreshed: a new access token for 900 seconds")
        .await?;
    Ok(())
}

#[when(regex = r"^(\w+) signs out where it says$")]
pub async fn signs_out(world: &mut CredoWorld, user: String) -> Result {
    example(world)?.says("To sign out, open this URL").await?;
    let url = example(world)?.says("").await?;
    world.browser(&user).open(&url).await?;
    Ok(example(world)?.enter().await?)
}

#[then(regex = r"^its refresh token is refused$")]
pub async fn is_refused(world: &mut CredoWorld) -> Result {
    example(world)?.says("Signed out: the refresh token is refused").await?;
    Ok(())
}
