//! What operators see of the running processes, and what nobody may see there.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use credo_proto::admin::v1::{
    CreateUserRequest, GetLogFilterRequest, LogFilter, QueryEventsRequest, SetLogFilterRequest,
    debug_service_client::DebugServiceClient,
};
use cucumber::{given, then, when};
use tonic::{Code, Status};

use crate::{
    admin::Admin,
    answer::Answer,
    collector::{Collector, Span},
    failure::{Result, ensure},
    oauth::{SignIn, random_text},
    patience::{eventually, remains},
    secrets::{Named, ensure_absent, holding, places},
    stack::variable,
    world::CredoWorld,
};

/// Within this an event is stored and its spans have come.
const SOON: Duration = Duration::from_secs(20);
/// So long nothing may come.
const QUIET_TIME: Duration = Duration::from_secs(1);
/// One service behind each of the three wires.
const SERVICES: [&str; 3] = ["DebugService", "OutboxService", "AuditService"];
const FOREIGN: &str = "0af7651916cd43dd8448eb211c80319c";

#[then(regex = r"^the event (\w+) names one trace from the request to the store$")]
pub async fn one_trace(world: &mut CredoWorld, name: String) -> Result {
    let query = QueryEventsRequest {
        tenant_id: world.tenant()?.id.clone(),
        r#type: name,
        ..QueryEventsRequest::default()
    };
    let event = eventually(SOON, async || {
        let event = world.admin.events(query.clone()).await?.pop();
        event.context("the event is not stored")
    })
    .await?;
    let parts: Vec<_> = event.traceparent.split('-').collect();
    let [_, trace_id, created_in, "01"] = parts.as_slice() else {
        return Err(anyhow!("traceparent is {:?}", event.traceparent).into());
    };
    eventually(SOON, async || {
        let spans = Collector::trace(trace_id);
        let named = |name: &str| {
            let found = spans.iter().find(|span| span.name == name);
            found.with_context(|| format!("no span {name} in {spans:?}"))
        };
        let (root, created) = (named("POST /auth/token")?, named("create credo.audit.events")?);
        let (sent, stored) = (
            named("publish credo.audit.events")?,
            named("process credo.audit.events")?,
        );
        anyhow::ensure!(
            created.id == *created_in,
            "the event was created in {created_in}: {spans:?}"
        );
        anyhow::ensure!(
            sent.parent_id == created.id && stored.parent_id == created.id,
            "{spans:?}"
        );
        anyhow::ensure!(
            is_below(created, root, &spans),
            "the event hangs on no request: {spans:?}"
        );
        let services: BTreeSet<_> = spans.iter().map(|span| span.service.as_str()).collect();
        anyhow::ensure!(
            services == BTreeSet::from(["auth-api", "outbox-relay", "audit-consumer"]),
            "{services:?}"
        );
        Ok(())
    })
    .await?;
    Ok(())
}

fn is_below(span: &Span, root: &Span, spans: &[Span]) -> bool {
    span.id == root.id
        || spans
            .iter()
            .any(|parent| parent.id == span.parent_id && is_below(parent, root, spans))
}

#[when(regex = r"^(\w+) asks for a token in the trace of a stranger$")]
pub async fn in_foreign_trace(world: &mut CredoWorld, client: String) -> Result {
    let parent = format!("00-{FOREIGN}-b7ad6b7169203331-01");
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", "none")];
    let form = world.api.form("/auth/token", world.client(&client)?, &parameters);
    let answer = Answer::of(form.header("traceparent", parent)).await?;
    answer.expect(400, "invalid_grant")?;
    world.answers.push(answer);
    Ok(())
}

#[then(regex = r"^no span is in the trace of the stranger$")]
pub async fn no_foreign_span(_: &mut CredoWorld) -> Result {
    remains(QUIET_TIME, async || {
        let spans = Collector::trace(FOREIGN);
        anyhow::ensure!(spans.is_empty(), "{spans:?}");
        Ok(())
    })
    .await?;
    Ok(())
}

async fn set(admin: &Admin, service: &str, directives: &str, seconds: i64) -> std::result::Result<LogFilter, Status> {
    let request = SetLogFilterRequest {
        directives: directives.to_owned(),
        ttl: Some(prost_types::Duration { seconds, nanos: 0 }),
    };
    let mut debug = DebugServiceClient::new(admin.wire(service));
    let answer = debug.set_log_filter(request).await?.into_inner();
    answer.log_filter.ok_or_else(|| Status::internal("no filter came back"))
}

async fn get(admin: &Admin, service: &str) -> anyhow::Result<LogFilter> {
    let mut debug = DebugServiceClient::new(admin.wire(service));
    let answer = debug.get_log_filter(GetLogFilterRequest {}).await?.into_inner();
    answer.log_filter.context("no filter came back")
}

#[when(regex = r#"^the operator sets the log filter of every service to "([^"]*)" for (\d+) seconds$"#)]
pub async fn set_filter(world: &mut CredoWorld, directives: String, seconds: i64) -> Result {
    for service in SERVICES {
        let filter = set(&world.admin, service, &directives, seconds).await?;
        ensure!(
            filter.directives == directives && filter.expire_time.is_some(),
            "{filter:?}"
        );
    }
    Ok(())
}

#[then(regex = r"^every service logs by it, and by its configuration again a little later$")]
pub async fn filter_reverts(world: &mut CredoWorld) -> Result {
    for service in SERVICES {
        eventually(SOON, async || {
            let filter = get(&world.admin, service).await?;
            anyhow::ensure!(
                filter.directives == "info" && filter.expire_time.is_none(),
                "{filter:?}"
            );
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[then(regex = r#"^no service takes the log filter "([^"]*)"(?: for (\d+) seconds)?$"#)]
pub async fn filter_is_refused(world: &mut CredoWorld, directives: String, seconds: String) -> Result {
    for service in SERVICES {
        let answer = set(&world.admin, service, &directives, seconds.parse().unwrap_or(60)).await;
        let code = answer.map_err(|status| status.code());
        ensure!(code == Err(Code::InvalidArgument), "{service}: {code:?}");
    }
    Ok(())
}

/// Names with their kinds and the values of their labels; no values means any.
type Catalogue = BTreeMap<String, (String, BTreeMap<String, Option<BTreeSet<String>>>)>;

/// The section of a service in docs/metrics.md.
fn documented(service: &str) -> anyhow::Result<Catalogue> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let text = std::fs::read_to_string(path)?;
    let begin = format!("<!-- begin {service} -->");
    let (_, section) = text
        .split_once(&begin)
        .with_context(|| format!("no section of {service}"))?;
    let section = section.split("<!-- end").next().unwrap_or_default();
    let mut catalogue = Catalogue::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let mut labels = BTreeMap::new();
        for label in cells[3].split("; ").filter(|label| !label.is_empty()) {
            let (name, values) = label.split_once(": ").context("a label without values")?;
            let quoted: BTreeSet<_> = values.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            let is_open = values.contains(" to ") || !values.starts_with('`');
            labels.insert(name.to_owned(), (!is_open).then_some(quoted));
        }
        catalogue.insert(cells[1].trim_matches('`').to_owned(), (cells[2].to_owned(), labels));
    }
    Ok(catalogue)
}

#[then(regex = r"^what every service shows is what docs/metrics.md says$")]
pub async fn metrics_are_documented(world: &mut CredoWorld) -> Result {
    for (name, service) in world.stack.services() {
        let wanted = documented(name.trim_end_matches("-2"))?;
        let text = reqwest::get(format!("{}/metrics", service.management))
            .await?
            .text()
            .await?;
        let shown: BTreeMap<_, _> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
            .collect();
        let kinds: BTreeMap<_, _> = wanted
            .iter()
            .map(|(name, (kind, _))| (name.as_str(), kind.as_str()))
            .collect();
        ensure!(shown == kinds, "{name} shows {shown:?}, documented are {kinds:?}");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            check_series(line, &wanted).with_context(|| format!("{name}: {line}"))?;
        }
    }
    Ok(())
}

fn check_series(line: &str, wanted: &Catalogue) -> anyhow::Result<()> {
    let Some((name, rest)) = line.split_once('{') else {
        return Ok(()); // no labels, and the name is known by its kind
    };
    let family = ["_bucket", "_sum", "_count"].into_iter().find_map(|suffix| {
        let family = name.strip_suffix(suffix)?;
        wanted.get(family)
    });
    let (_, labels) = family.or_else(|| wanted.get(name)).context("not documented")?;
    let (pairs, _) = rest.rsplit_once('}').context("no end")?;
    for pair in pairs.split("\",").filter(|pair| !pair.is_empty()) {
        let (label, value) = pair.split_once("=\"").context("no value")?;
        let value = value.trim_end_matches('"');
        if label == "le" {
            continue;
        }
        let values = labels
            .get(label)
            .with_context(|| format!("the label {label} is not documented"))?;
        let is_known = values.as_ref().is_none_or(|values| values.contains(value));
        anyhow::ensure!(is_known, "{label} is never {value}");
    }
    Ok(())
}

#[given(regex = r"^every service logs all that it can$")]
pub async fn log_everything(world: &mut CredoWorld) -> Result {
    for service in SERVICES {
        set(&world.admin, service, "trace", 120).await?;
    }
    Ok(())
}

#[when(regex = r"^secrets go through every flow, and to places where they do not belong$")]
pub async fn play(world: &mut CredoWorld) -> Result {
    let mut secrets = given_to_the_stack(world)?;
    secrets.extend(honest_flows(world).await?);
    secrets.extend(browser_flow(world).await?);
    let misplaced = misplace(world, &secrets).await?;
    secrets.extend(misplaced);
    world.secrets = secrets;
    Ok(())
}

fn named(name: &str, secret: impl Into<String>) -> Named {
    (name.to_owned(), secret.into())
}

/// What operators gave to the processes.
fn given_to_the_stack(world: &CredoWorld) -> anyhow::Result<Vec<Named>> {
    let file = PathBuf::from(variable("CREDO_TEST_STACK_FILE").context("no stack")?);
    let keys = std::fs::read_to_string(file.with_file_name("master-keys"))?;
    let keys = keys.lines().filter(|line| !line.starts_with('#'));
    let mut secrets: Vec<_> = keys
        .filter_map(|line| Some(named("a master key", line.split_once(' ')?.1)))
        .collect();
    anyhow::ensure!(!secrets.is_empty(), "there is no master key");
    secrets.push(named("the operator's secret", &world.stack.admin.client_secret));
    for url in [&world.stack.postgres.auth_url, &world.stack.postgres.audit_url] {
        let url = reqwest::Url::parse(url)?;
        secrets.push(named("a database's password", url.password().context("no password")?));
    }
    Ok(secrets)
}

/// What people and clients do that is right.
async fn honest_flows(world: &CredoWorld) -> anyhow::Result<Vec<Named>> {
    let (api, user, client) = (&world.api, world.user("alice")?, world.client("app")?);
    let stranger = crate::oauth::Client {
        secret: random_text(),
        ..client.clone()
    };
    let marked = api.form("/auth/token", &stranger, &[("grant_type", "client_credentials")]);
    Answer::of(marked.header("user-agent", MARK)).await?;
    let wanted = SignIn::new("openid email offline_access");
    let code = api.sign_in(client, user, &wanted).await?;
    let unused = api.sign_in(client, user, &SignIn::new("openid")).await?;
    let first = api.exchange(client, &code).await?.tokens()?;
    let second = api.refresh(client, first.refresh_token()?).await?.tokens()?;
    api.userinfo(&second.access_token).await?;
    api.introspect(client, &second.access_token).await?;
    let replayed = api.refresh(client, first.refresh_token()?).await?;
    replayed.expect(400, "invalid_grant")?;
    api.revoke(client, &second.access_token).await?;
    let admin = api
        .client_credentials(
            &crate::oauth::Client {
                id: world.stack.admin.client_id.clone(),
                secret: world.stack.admin.client_secret.clone(),
                ..client.clone()
            },
            Some("credo.users.write"),
        )
        .await?;
    let mut secrets = vec![
        named("a password", &user.password),
        named("a client's secret", &client.secret),
        named("a verifier", &wanted.verifier),
        named("a code", &code.text),
        named("an unused code", &unused.text),
        named("an access token", &second.access_token),
        named("an ID token", first.id_token()?),
        named("a refresh token", first.refresh_token()?),
        named("a second refresh token", second.refresh_token()?),
    ];
    secrets.extend(
        admin
            .tokens()
            .ok()
            .map(|tokens| named("an admin token", tokens.access_token)),
    );
    Ok(secrets)
}

/// What a person with a browser does, a typing error first.
async fn browser_flow(world: &mut CredoWorld) -> anyhow::Result<Vec<Named>> {
    let (user, typo) = (world.user("alice")?.clone(), random_text());
    let wanted = SignIn::new("openid email");
    let url = world.api.authorization_url(world.client("app")?, &wanted, &[])?;
    let browser = world.browser("alice");
    browser.open(url.as_str()).await?;
    let csrf = |page: &str| {
        let (_, rest) = page.split_once("name=\"csrf\" value=\"")?;
        rest.split('"').next().map(str::to_owned)
    };
    let token = csrf(&browser.page()?.answer.text).context("the form has no token")?;
    browser
        .press("sign-in", &[("email", &user.email), ("password", &typo)])
        .await?;
    browser
        .press("sign-in", &[("email", &user.email), ("password", &user.password)])
        .await?;
    let cookies = browser.cookies().filter(|(_, value)| value.len() >= 20);
    let mut secrets: Vec<_> = cookies
        .map(|(name, value)| named(&format!("the cookie {name}"), value))
        .collect();
    anyhow::ensure!(secrets.len() >= 2, "a browser that signed in has cookies");
    secrets.extend([
        named("a form's token", token),
        named("a typing error", typo),
        named("a browser's verifier", wanted.verifier),
    ]);
    Ok(secrets)
}

/// What misguided callers do: a secret in each place that is not for it. Each answer is an error.
async fn misplace(world: &CredoWorld, known: &[Named]) -> anyhow::Result<Vec<Named>> {
    let (api, client) = (&world.api, world.client("app")?);
    let lost = |position: usize| format!("crs_{}{position}", random_text());
    let mut secrets: Vec<_> = (0..9)
        .map(|position| named(&format!("misplaced secret {position}"), lost(position)))
        .collect();
    let token = known
        .iter()
        .find(|(name, _)| name == "an access token")
        .context("no token")?;
    secrets.push(token.clone());
    let text = |position: usize| secrets[position].1.as_str();
    let post = |path: &str| api.request(reqwest::Method::POST, path);
    let get = |path: String| api.request(reqwest::Method::GET, &path);
    let requests = [
        get(format!("/auth/userinfo?access_token={}", text(9))),
        get(format!("/{}", text(0))),
        get(format!("/t/{}/sign-in", text(1))),
        get(format!("/auth/authorize?client_id={}&{}=1", text(2), text(2))),
        post("/auth/token").form(&[
            ("grant_type", text(3)),
            ("client_id", text(3)),
            ("client_secret", text(3)),
        ]),
        post("/auth/token")
            .basic_auth(text(4), Some(text(4)))
            .form(&[("grant_type", "client_credentials")]),
        post("/auth/authorize")
            .header("content-type", "application/json")
            .body(format!("{{\"{0}\":\"{0}\"", text(5))),
        api.form(
            "/auth/token",
            client,
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", text(6)),
                ("scope", text(6)),
            ],
        ),
        api.request(text(7).replace('_', "-").parse()?, "/auth/token"),
        get("/auth/userinfo".to_owned())
            .header("authorization", format!("Bearer {}", text(8)))
            .header("traceparent", text(8))
            .header("x-request-id", text(8))
            .header("origin", format!("https://{}", text(8))),
    ];
    for request in requests {
        let answer = Answer::of(request).await?;
        anyhow::ensure!(answer.status >= 300, "a misplaced secret was taken: {}", answer.status);
    }
    let password = random_text();
    let refused = world.admin.create_user(CreateUserRequest {
        tenant_id: password.clone(),
        email: password.clone(),
        password: password.clone(),
        ..CreateUserRequest::default()
    });
    anyhow::ensure!(refused.await.is_err(), "a password was taken for a tenant");
    let stranger = Admin::bearing(world.stack, Some(text(0)))?;
    for service in SERVICES {
        anyhow::ensure!(
            get_filter_fails(&stranger, service).await,
            "anybody may look into {service}"
        );
    }
    secrets.push(named("a password in the wrong field", password));
    Ok(secrets)
}

async fn get_filter_fails(admin: &Admin, service: &str) -> bool {
    get(admin, service).await.is_err()
}

/// What is no secret, and what the system does keep.
const MARK: &str = "no-secret-but-a-mark/1.0";

#[then(regex = r"^each place is really looked at$")]
pub async fn places_are_read(world: &mut CredoWorld) -> Result {
    let user = world.user("alice")?.id.clone();
    eventually(SOON, async || {
        let places = places(world.stack).await?;
        let holds = |text: &str, wanted: &[&str]| {
            let found = holding(&places, text);
            let has = |wanted: &&str| found.iter().any(|place| place.contains(wanted));
            anyhow::ensure!(wanted.iter().all(has), "{text:?} is in {found:?} alone");
            Ok(())
        };
        // The name of a caller goes from the request to the store, beside the event; the log tells of requests, the metrics
        // count them, and the traces name them.
        holds(MARK, &["Kafka", "auth table outbox", "audit table"])?;
        holds(&user, &["auth table session"])?;
        holds("/auth/token", &["log", "auth-api.log", "metrics of auth-api", "traces"])
    })
    .await?;
    Ok(())
}

#[then(regex = r"^none of the secrets is anywhere$")]
pub async fn no_secret(world: &mut CredoWorld) -> Result {
    ensure!(
        world.secrets.len() > 20,
        "few secrets went through: {}",
        world.secrets.len()
    );
    let places = places(world.stack).await?;
    ensure_absent(&places, &world.secrets)?;
    for service in SERVICES {
        set(&world.admin, service, "", 60).await?;
    }
    Ok(())
}
