//! Pages as Chromium shows them: by mouse and by keyboard, with script and without, narrow and wide, light and dark.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use credo_proto::admin::v1::CreateClientRequest;
use cucumber::{given, then, when};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    chromium::{SOON, View},
    failure::{Result, ensure},
    oauth::{SignIn, random_text},
    patience::eventually,
    stack,
    steps::directory::register,
    world::{CredoWorld, Visit},
};

/// What a page may weigh with everything that it loads (DESIGN of the pages: under 50 KB).
const MAX_PAGE_BYTES: u64 = 50_000;
/// More presses of the tabulator than any page has stops.
const MAX_STOPS: usize = 40;
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
/// Narrow and dark, wide and light: with both, every rule of the style sheet is seen.
const VIEWS: [(View, &str); 4] = [
    (View { width: 320, dark: true }, "320-dark"),
    (
        View {
            width: 1_280,
            dark: false,
        },
        "1280-light",
    ),
    (
        View {
            width: 320,
            dark: false,
        },
        "320-light",
    ),
    (
        View {
            width: 1_280,
            dark: true,
        },
        "1280-dark",
    ),
];

#[given(regex = r"^Chromium in (English|German)$")]
pub async fn start(world: &mut CredoWorld, language: String) -> Result {
    let tag = if language == "German" { "de" } else { "en" };
    world.start_chromium(tag).await?;
    Ok(())
}

/// Loopback ports vary, so the app's is not the registered one (RFC 8252 section 7.3).
#[given(regex = r"^a (first|third)-party client (\w+) that answers (at its site|on a loopback port|in its app)$")]
pub async fn make_client(world: &mut CredoWorld, party: String, name: String, place: String) -> Result {
    let (kind, redirect_uri) = match place.as_str() {
        "at its site" => ("web", "https://app.example/callback"),
        "in its app" => ("native", "com.example.credo:/callback"),
        _ => ("native", "http://127.0.0.1/callback"),
    };
    let request = CreateClientRequest {
        first_party: party == "first",
        token_endpoint_auth_method: "none".to_owned(),
        application_type: kind.to_owned(),
        redirect_uris: vec![redirect_uri.to_owned()],
        ..CreateClientRequest::default()
    };
    register(world, name.clone(), request, false).await?;
    if place == "on a loopback port" {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        world.apps.spawn(answer_all(listener));
        let client = world.clients.get_mut(&name).context("the client was not made")?;
        client.redirect_uri = format!("http://127.0.0.1:{port}/callback");
    }
    Ok(())
}

/// The app's side: whoever comes is told that they arrived.
async fn answer_all(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = [0; 4_096];
        // A browser that goes away in the middle is no matter of ours.
        drop(stream.read(&mut request).await);
        let answer =
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: 7\r\n\r\nArrived";
        drop(stream.write_all(answer).await);
    }
}

#[given("Chromium without script")]
pub async fn start_without_script(world: &mut CredoWorld) -> Result {
    world.start_chromium("en").await?;
    world.chromium()?.without_script().await?;
    Ok(())
}

#[when(regex = r"^(\w+) sends Chromium to sign in(?: with ([a-z_]+)=(\S+))?$")]
pub async fn sends(world: &mut CredoWorld, client: String, name: String, value: String) -> Result {
    let wanted = SignIn::new("openid profile email offline_access");
    let more: &[(&str, &str)] = if name.is_empty() { &[] } else { &[(&name, &value)] };
    let url = world.api.authorization_url(world.client(&client)?, &wanted, more)?;
    world.chromium()?.open(url.as_str()).await?;
    world.visits.insert(CHROMIUM.to_owned(), Visit { client, wanted });
    Ok(())
}

/// Whose visit Chromium's is.
const CHROMIUM: &str = "Chromium";

#[when(regex = r"^Chromium opens ([^ ]+)$")]
pub async fn opens(world: &mut CredoWorld, path: String) -> Result {
    let slug = world.tenant()?.issuer.rsplit('/').next().unwrap_or_default().to_owned();
    let url = format!("{}{}", world.stack.base_url, path.replace("{slug}", &slug));
    world.chromium()?.open(&url).await?;
    Ok(())
}

#[when(regex = r"^(\w+) types (?:her|his) (address and password|address and a wrong password) there$")]
pub async fn types(world: &mut CredoWorld, user: String, what: String) -> Result {
    let user = world.user(&user)?;
    let wrong = random_text();
    let password = if what.contains("wrong") { &wrong } else { &user.password };
    let chromium = world.chromium()?;
    chromium.fill("[name=email]", &user.email).await?;
    chromium.fill("[name=password]", password).await?;
    chromium.click("#sign-in").await?;
    Ok(())
}

#[when(regex = r"^(?:he|she) presses #?([a-z-]+)$")]
pub async fn presses(world: &mut CredoWorld, id: String) -> Result {
    world.chromium()?.click(&format!("#{id}")).await?;
    Ok(())
}

#[when(regex = r"^(?:he|she) chooses (English|Deutsch)$")]
pub async fn chooses(world: &mut CredoWorld, language: String) -> Result {
    let tag = if language == "Deutsch" { "de" } else { "en" };
    world.chromium()?.click(&format!("footer a[hreflang={tag}]")).await?;
    Ok(())
}

#[when(regex = r"^(\w+) signs in by keyboard alone$")]
pub async fn signs_in_by_keyboard(world: &mut CredoWorld, user: String) -> Result {
    let (email, password) = (world.user(&user)?.email.clone(), world.user(&user)?.password.clone());
    reach(world, "email").await?;
    world.chromium()?.keys(&email).await?;
    reach(world, "password").await?;
    world.chromium()?.keys(&password).await?;
    reach(world, "sign-in").await?;
    world.chromium()?.keys(ENTER).await?;
    Ok(())
}

#[when(regex = r"^(?:he|she) reaches ([a-z-]+) by keyboard and presses it$")]
pub async fn presses_by_keyboard(world: &mut CredoWorld, id: String) -> Result {
    reach(world, &id).await?;
    world.chromium()?.keys(ENTER).await?;
    Ok(())
}

/// Tabs until the focus is there, and sees it at each stop.
async fn reach(world: &CredoWorld, id: &str) -> Result {
    let chromium = world.chromium()?;
    chromium.wait_for(&format!("#{id}")).await?;
    for _ in 0..MAX_STOPS {
        if focus(world, "id").await? == id {
            let outline = chromium
                .run("return getComputedStyle(document.activeElement).outlineWidth")
                .await?;
            ensure!(outline != "0px", "the focus on {id} cannot be seen");
            return Ok(());
        }
        chromium.keys(TAB).await?;
    }
    Err(anyhow!("no key leads to {id}").into())
}

async fn focus(world: &CredoWorld, what: &str) -> anyhow::Result<String> {
    let script = format!("return document.activeElement.{what} || ''");
    Ok(world
        .chromium()?
        .run(&script)
        .await?
        .as_str()
        .unwrap_or_default()
        .to_owned())
}

#[then(regex = r"^the title is (.+)$")]
pub async fn title_is(world: &mut CredoWorld, expected: String) -> Result {
    let chromium = world.chromium()?;
    let shows = async || {
        let title = chromium.title().await?;
        if title.starts_with(&expected) {
            return Ok(());
        }
        anyhow::bail!("it is {title:?}; the console says {:?}", chromium.console().await?)
    };
    Ok(eventually(SOON, shows).await?)
}

#[then(regex = r"^the focus is on ([a-z-]+)$")]
pub async fn focus_is(world: &mut CredoWorld, id: String) -> Result {
    let stands = async || {
        let found = focus(world, "id").await?;
        anyhow::ensure!(found == id, "it is on {found:?}");
        Ok(())
    };
    Ok(eventually(SOON, stands).await?)
}

#[then(regex = r"^Chromium is at (\S+)$")]
pub async fn is_at(world: &mut CredoWorld, start: String) -> Result {
    let chromium = world.chromium()?;
    let arrives = async || {
        let url = chromium.url().await?;
        anyhow::ensure!(url.contains(&start), "it is at {url}");
        Ok(())
    };
    eventually(SOON, arrives).await?;
    no_refusal(world).await
}

#[then(regex = r"^Chromium wants to start the app of (\S+)$")]
pub async fn starts_app(world: &mut CredoWorld, scheme: String) -> Result {
    let chromium = world.chromium()?;
    let expected = format!("{scheme}:/callback?code=");
    let asks = async || {
        let requests = chromium.requests().await?;
        anyhow::ensure!(
            requests.iter().any(|url| url.starts_with(&expected)),
            "it asked for {requests:?}"
        );
        Ok(())
    };
    eventually(SOON, asks).await?;
    no_refusal(world).await
}

/// Nothing was refused by the content security policy.
async fn no_refusal(world: &CredoWorld) -> Result {
    let said = world.chromium()?.console().await?;
    let refusals: Vec<_> = said
        .iter()
        .filter(|line| line.contains("Content Security Policy"))
        .collect();
    ensure!(refusals.is_empty(), "{refusals:?}");
    Ok(())
}

#[then(regex = r"^the cookie __Host-credo_ is Secure, HttpOnly, Lax and for the whole host$")]
pub async fn cookie_flags(world: &mut CredoWorld) -> Result {
    let cookies = world.chromium()?.cookies().await?;
    let ours: Vec<_> = cookies
        .iter()
        .filter(|cookie| cookie["name"].as_str().is_some_and(|name| name.starts_with("__Host-")))
        .collect();
    let slug = world.tenant()?.issuer.rsplit('/').next().unwrap_or_default();
    let session = format!("__Host-credo_{slug}");
    ensure!(
        ours.iter().any(|cookie| cookie["name"] == session.as_str()),
        "{cookies:?}"
    );
    for cookie in ours {
        let flags = [&cookie["secure"], &cookie["httpOnly"]].map(|flag| flag == &Value::Bool(true));
        ensure!(
            flags == [true, true] && cookie["sameSite"] == "Lax" && cookie["path"] == "/",
            "{cookie}"
        );
    }
    let seen = world.chromium()?.run("return document.cookie").await?;
    ensure!(
        !seen.as_str().unwrap_or_default().contains("__Host-"),
        "script sees {seen}"
    );
    Ok(())
}

#[then(regex = r#"^the page "([^"]+)" is good in every view$"#)]
pub async fn is_good(world: &mut CredoWorld, name: String) -> Result {
    let chromium = world.chromium()?;
    let language = chromium.run("return document.documentElement.lang").await?;
    let language = language.as_str().unwrap_or_default().to_owned();
    weighs_little(world).await?;
    let checker = axe()?;
    for (position, (view, label)) in VIEWS.into_iter().enumerate() {
        chromium.look(view).await?;
        let wide = chromium.run("return document.documentElement.scrollWidth").await?;
        ensure!(
            wide.as_u64() <= Some(view.width.into()),
            "{name} is {wide} wide at {label}"
        );
        if position < 2 {
            let found = chromium.run_async(&checker).await?;
            ensure!(
                found.as_array().is_some_and(Vec::is_empty),
                "{name}, {label}: {found:#}"
            );
        }
        keep(&format!("{name}-{language}-{label}.png"), &chromium.picture().await?)?;
    }
    no_refusal(world).await
}

async fn weighs_little(world: &CredoWorld) -> Result {
    let script = "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]; \
                  return [all.reduce((sum, one) => sum + Math.max(one.encodedBodySize, one.transferSize), 0), \
                          all.map(one => one.name).filter(name => !name.startsWith(location.origin))]";
    let found = world.chromium()?.run(script).await?;
    ensure!(
        found[0].as_u64().is_some_and(|bytes| bytes < MAX_PAGE_BYTES),
        "{found} bytes"
    );
    ensure!(
        found[1].as_array().is_some_and(Vec::is_empty),
        "asked elsewhere: {found}"
    );
    Ok(())
}

/// The page checker and what runs it: everything that it finds, as text.
fn axe() -> anyhow::Result<String> {
    let tools = stack::variable("CREDO_TEST_TOOLS").context("there are no tools: run `make test`")?;
    let path = PathBuf::from(tools).join("axe-core/node_modules/axe-core/axe.min.js");
    let source = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(format!(
        "const done = arguments[arguments.length - 1]; if (!window.axe) {{ {source} }} \
         window.axe.run(document, {{ resultTypes: ['violations'] }}).then(\
           result => done(result.violations.map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' '))),\
           error => done([String(error)]))"
    ))
}

/// Keeps a picture for people to look at.
fn keep(name: &str, picture: &[u8]) -> anyhow::Result<()> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name), picture)?;
    Ok(())
}
