//! The claims of a person, and how a bearer token must come (RFC 6750).

use anyhow::bail;
use cucumber::{then, when};
use reqwest::Method;

use crate::{
    answer::Answer,
    failure::{Result, ensure},
    world::CredoWorld,
};

const PATH: &str = "/auth/userinfo";

#[when(regex = r"^(?:\w+) asks for userinfo$")]
pub async fn asks(world: &mut CredoWorld) -> Result {
    let token = &world.session("")?.newest()?.access_token;
    let answer = world.api.userinfo(token).await?;
    world.answers.push(answer);
    Ok(())
}

#[when(regex = r"^userinfo is asked (.+)$")]
pub async fn asks_so(world: &mut CredoWorld, how: String) -> Result {
    let answer = Answer::of(request(world, &how)?).await?;
    world.answers.push(answer);
    Ok(())
}

fn request(world: &CredoWorld, how: &str) -> anyhow::Result<reqwest::RequestBuilder> {
    let tokens = || -> anyhow::Result<_> { Ok(world.session("")?.newest()?.clone()) };
    let get = |path: &str| world.api.request(Method::GET, path);
    let post = || world.api.request(Method::POST, PATH);
    let token = || -> anyhow::Result<String> { Ok(tokens()?.access_token) };
    Ok(match how {
        "without a token" => get(PATH),
        "with a random token" => get(PATH).bearer_auth("not-a-token"),
        "with an empty token" => get(PATH).header("authorization", "Bearer "),
        "with the ID token" => get(PATH).bearer_auth(tokens()?.id_token()?),
        "with the refresh token" => get(PATH).bearer_auth(tokens()?.refresh_token()?),
        "with the code" => get(PATH).bearer_auth(&world.session("")?.code.text),
        "with the machine's token" => get(PATH).bearer_auth(world.machine_token()?),
        "with a token of another scheme" => get(PATH).header("authorization", format!("Token {}", token()?)),
        "with the scheme in lower case" => get(PATH).header("authorization", format!("bearer {}", token()?)),
        "with two Authorization headers" => {
            let value = format!("Bearer {}", token()?);
            get(PATH).header("authorization", &value).header("authorization", value)
        }
        "with the token in header and body" => post().bearer_auth(token()?).form(&[("access_token", token()?)]),
        "with the token in the body" => post().form(&[("access_token", token()?)]),
        "with the token in the query" => get(&format!("{PATH}?access_token={}", token()?)),
        "by POST with the token in the header" => post().bearer_auth(token()?),
        other => bail!("how is userinfo asked {other}?"),
    })
}

#[then(regex = r"^it tells of (\w+): (.+)$")]
pub async fn tells_of(world: &mut CredoWorld, name: String, claims: String) -> Result {
    let (answer, user) = (world.answer()?, world.user(&name)?);
    ensure!(answer.status == 200, "{answer}");
    let mut body = answer.json()?;
    let members = body.as_object_mut().ok_or_else(|| anyhow::anyhow!("no object"))?;
    for claim in claims.split(", ") {
        let value = members
            .remove(claim)
            .ok_or_else(|| anyhow::anyhow!("{claim} is missing: {answer}"))?;
        let expected = match claim {
            "sub" => user.id.clone().into(),
            "email" => user.email.clone().into(),
            "email_verified" => true.into(),
            "name" => user.display_name.clone().into(),
            _ => value.clone(),
        };
        ensure!(value == expected, "{claim} is {value}, not {expected}");
    }
    ensure!(members.is_empty(), "it tells more: {answer}");
    Ok(())
}
