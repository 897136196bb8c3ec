//! An operator with credoctl.

use std::time::Duration;

use anyhow::Context as _;
use cucumber::{given, then, when};
use serde_json::json;

use crate::{
    credoctl::{Operator, Ran},
    failure::{Result, ensure},
    patience::eventually,
    world::CredoWorld,
};

/// A part that was broken shows, and one that was mended too.
const NOTICE_TIME: Duration = Duration::from_secs(40);

fn operator(world: &mut CredoWorld) -> anyhow::Result<&mut Operator> {
    world
        .operator
        .as_mut()
        .context("the scenario has no operator with credoctl")
}

fn ensure_code(ran: &Ran, code: i32) -> anyhow::Result<()> {
    anyhow::ensure!(
        ran.code == code,
        "it ended with {}: {} {}",
        ran.code,
        ran.data,
        ran.said
    );
    Ok(())
}

#[given(regex = r"^an operator with credoctl$")]
pub async fn sits_down(world: &mut CredoWorld) -> Result {
    world.operator = Some(Operator::new(world.stack)?);
    Ok(())
}

#[given(regex = r#"^the operator has a file (\S+) with "([^"]*)"$"#)]
pub async fn has_file(world: &mut CredoWorld, name: String, text: String) -> Result {
    operator(world)?.file(&name, &text)?;
    Ok(())
}

#[given(regex = r"^the operator shall smoke-test with (\w+) at (\w+)$")]
pub async fn smoke_tests_with(world: &mut CredoWorld, user: String, client: String) -> Result {
    let (user, client) = (world.user(&user)?.clone(), world.client(&client)?.clone());
    let tenant = world.tenant()?.issuer.rsplit('/').next().unwrap_or_default().to_owned();
    let operator = operator(world)?;
    let secret_file = operator.file("smoke-secret", &client.secret)?;
    let password_file = operator.file("smoke-password", &user.password)?;
    let path = operator.folder().join("contexts/test.json");
    let text = std::fs::read_to_string(path).map_err(anyhow::Error::from)?;
    let mut context: serde_json::Value = serde_json::from_str(&text).map_err(anyhow::Error::from)?;
    context["smoke"] = json!({
        "tenant": tenant, "client_id": client.id, "secret_file": secret_file, "redirect_uri": client.redirect_uri,
        "email": user.email, "password_file": password_file,
    });
    operator.file("contexts/test.json", &context.to_string())?;
    Ok(())
}

#[when(regex = r#"^the operator runs "([^"]*)"$"#)]
pub async fn runs(world: &mut CredoWorld, line: String) -> Result {
    operator(world)?.run(&line).await?;
    Ok(())
}

#[then(regex = r"^it ends with (\d+)$")]
pub async fn ends_with(world: &mut CredoWorld, code: i32) -> Result {
    Ok(ensure_code(operator(world)?.last()?, code)?)
}

#[then(regex = r#"^it prints "([^"]*)"$"#)]
pub async fn prints(world: &mut CredoWorld, text: String) -> Result {
    let operator = operator(world)?;
    let (text, ran) = (operator.filled(&text)?, operator.last()?);
    ensure!(
        ran.data.contains(&text),
        "it prints {}, and says {}",
        ran.data,
        ran.said
    );
    Ok(())
}

#[then(regex = r"^it prints nothing$")]
pub async fn prints_nothing(world: &mut CredoWorld) -> Result {
    let ran = operator(world)?.last()?;
    ensure!(ran.data.is_empty(), "it prints {}", ran.data);
    Ok(())
}

#[then(regex = r#"^it says "([^"]*)"$"#)]
pub async fn says(world: &mut CredoWorld, text: String) -> Result {
    let operator = operator(world)?;
    let (text, ran) = (operator.filled(&text)?, operator.last()?);
    ensure!(
        ran.said.contains(&text),
        "it says {}, and prints {}",
        ran.said,
        ran.data
    );
    Ok(())
}

#[then(regex = r#"^its JSON at (\S+) is "([^"]*)"$"#)]
pub async fn json_is(world: &mut CredoWorld, pointer: String, wanted: String) -> Result {
    let operator = operator(world)?;
    let (wanted, json) = (operator.filled(&wanted)?, operator.last()?.json()?);
    let found = json.pointer(&pointer).and_then(serde_json::Value::as_str);
    ensure!(found == Some(wanted.as_str()), "{pointer} is {found:?} in {json}");
    Ok(())
}

#[then(regex = r"^its JSON at (\S+) is called (\w+) from now on$")]
pub async fn remembers(world: &mut CredoWorld, pointer: String, name: String) -> Result {
    let operator = operator(world)?;
    let json = operator.last()?.json()?;
    let found = json.pointer(&pointer).and_then(serde_json::Value::as_str);
    let found = found
        .with_context(|| format!("there is no {pointer} in {json}"))?
        .to_owned();
    operator.names.insert(name, found);
    Ok(())
}

#[then(regex = r#"^"([^"]*)" soon ends with (\d+)(?: and prints "([^"]*)")?$"#)]
pub async fn soon(world: &mut CredoWorld, line: String, code: i32, text: String) -> Result {
    let operator = operator(world)?;
    Ok(eventually(NOTICE_TIME, async || {
        let ran = operator.run(&line).await?;
        ensure_code(ran, code)?;
        // Columns are as wide as what stands in them.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = ran.data.lines().any(|line| words(line).contains(&text));
        anyhow::ensure!(found, "{text} is missing in {}", ran.data);
        Ok(())
    })
    .await?)
}
