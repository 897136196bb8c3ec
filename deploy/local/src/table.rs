//! What a person needs to know of a stack that is ready: where it listens, who may sign in, and commands to paste.

use std::{fmt::Write as _, path::Path};

use crate::{
    landing::{CODE_CHALLENGE, CODE_VERIFIER},
    layout::Layout,
    operator,
    stack_file::{Demo, StackFile},
    terminal::Terminal,
};

/// The table. `commands` is where the commands lie as a file.
pub fn render(terminal: Terminal, stack: &StackFile, program: &Path, layout: &Layout) -> String {
    let mut table = String::new();
    for (heading, rows) in [
        ("Try it", to_try(stack)),
        ("Administrate it", to_administrate(stack, program, layout)),
        ("URLs", urls(stack, &layout.file("logs"))),
        ("Users", users(stack)),
        ("Clients", clients(stack)),
    ] {
        if !rows.is_empty() {
            section(&mut table, &terminal.heading(heading), &rows);
        }
    }
    if let Some(commands) = commands(stack, program) {
        let heading = terminal.heading("Commands, to be pasted in this order into one shell");
        let _infallible = writeln!(table, "{heading}\n\n{commands}");
    }
    table
}

/// The commands as a script, if there are users and clients to call with.
pub fn commands(stack: &StackFile, program: &Path) -> Option<String> {
    let demo = stack.demo.as_ref()?;
    let client = stack.client("first-party")?;
    let service = stack.client("service")?;
    let user = demo.users.first()?;
    let redirect_uri = client.redirect_uris.first()?;
    Some(format!(
        r#"# sign in as {email}: a code
BASE={base}
CLIENT={client_id}:{client_secret}
field() {{ sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }}
ANSWER=$(curl -sS -u "$CLIENT" "$BASE/auth/authorize" -H 'content-type: application/json' -d '{{
  "email": "{email}", "proof": {{"type": "password", "password": "{password}"}},
  "client_id": "{client_id}", "redirect_uri": "{redirect_uri}",
  "scopes": ["openid", "profile", "email", "offline_access"], "state": "a-state", "nonce": "a-nonce",
  "code_challenge": "{CODE_CHALLENGE}", "code_challenge_method": "S256"}}')
echo "$ANSWER"; CODE=$(echo "$ANSWER" | field code)

# the code for tokens
ANSWER=$(curl -sS -u "$CLIENT" "$BASE/auth/token" -d grant_type=authorization_code -d "code=$CODE" \
  -d redirect_uri={redirect_uri} -d code_verifier={CODE_VERIFIER})
echo "$ANSWER"; ACCESS=$(echo "$ANSWER" | field access_token); REFRESH=$(echo "$ANSWER" | field refresh_token)

# who is it
curl -sS -w '\n' "$BASE/auth/userinfo" -H "authorization: Bearer $ACCESS"

# new tokens
ANSWER=$(curl -sS -u "$CLIENT" "$BASE/auth/token" -d grant_type=refresh_token -d "refresh_token=$REFRESH")
echo "$ANSWER"; ACCESS=$(echo "$ANSWER" | field access_token); REFRESH=$(echo "$ANSWER" | field refresh_token)

# is the token good, and where am I signed in
curl -sS -w '\n' -u "$CLIENT" "$BASE/auth/introspect" -d "token=$ACCESS"
curl -sS -w '\n' "$BASE/auth/sessions" -H "authorization: Bearer $ACCESS"

# the end of the session
curl -sS -w 'revoked: %{{http_code}}\n' -u "$CLIENT" "$BASE/auth/revoke" -d "token=$REFRESH"
curl -sS -w '\n' -u "$CLIENT" "$BASE/auth/introspect" -d "token=$ACCESS"

# a service by itself
curl -sS -w '\n' -u {service_id}:{service_secret} "$BASE/auth/token" -d grant_type=client_credentials -d scope=demo.read

# what the audit trail says of the session, and of all in the last hour
SESSION=$(echo "$ACCESS" | cut -d. -f2 | tr '_-' '/+' | base64 -d 2>/dev/null | field sid)
{program} audit --session "$SESSION"
{program} audit
"#,
        base = stack.base_url,
        email = user.email,
        password = user.password,
        client_id = client.client_id,
        client_secret = client.client_secret.as_deref().unwrap_or_default(),
        service_id = service.client_id,
        service_secret = service.client_secret.as_deref().unwrap_or_default(),
        program = quote(program),
    ))
}

type Row = (String, String);

fn urls(stack: &StackFile, logs: &Path) -> Vec<Row> {
    let row = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut rows = Vec::new();
    if let Some(Demo { issuer, .. }) = &stack.demo {
        rows.push(row("public", &stack.base_url));
        rows.push(row("issuer", issuer));
        rows.push(row("discovery", &format!("{issuer}/.well-known/openid-configuration")));
    }
    for (name, service) in &stack.services {
        rows.push(row(
            name,
            &format!("gRPC {}   health and metrics {}", service.grpc, service.management),
        ));
    }
    rows.push(row("auth database", &format!("psql {}", stack.postgres.auth_url)));
    rows.push(row("audit database", &format!("psql {}", stack.postgres.audit_url)));
    rows.push(row("Redis", &stack.redis.url));
    rows.push(row(
        "Kafka",
        &format!("{}   topic {}", stack.kafka.brokers, stack.kafka.topic),
    ));
    rows.push(row("logs", &format!("{}", logs.display())));
    rows
}

fn to_try(stack: &StackFile) -> Vec<Row> {
    let Some((demo, native)) = stack.demo.as_ref().zip(stack.client("native")) else {
        return Vec::new();
    };
    let row = |name: &str, value: String| (name.to_owned(), value);
    let example = format!("examples/curl/sign_in.sh {} {}", demo.issuer, native.client_id);
    vec![
        row(
            "in a browser",
            format!("{}/   signs you in at each demo client", demo.landing_url),
        ),
        row("your account", format!("{}/account", demo.issuer)),
        row("from a shell", example),
        row(
            "in your app",
            "examples/README.md: the same by standard libraries".to_owned(),
        ),
    ]
}

/// Commands of credoctl, with a context that is there already.
fn to_administrate(stack: &StackFile, program: &Path, layout: &Layout) -> Vec<Row> {
    if stack.admin.is_none() || stack.demo.is_none() {
        return Vec::new();
    }
    let row = |name: &str, value: String| (name.to_owned(), value);
    let credoctl = quote(&program.with_file_name("credoctl"));
    let settings = format!("export CREDO_CONFIG_DIR={}", quote(&operator::folder(layout)));
    vec![
        row("first", settings),
        row("how is it", format!("{credoctl} status")),
        row("does it work", format!("{credoctl} smoke")),
        row("what happens", format!("{credoctl} audit tail")),
    ]
}

fn users(stack: &StackFile) -> Vec<Row> {
    let users = stack.demo.iter().flat_map(|demo| &demo.users);
    users.map(|user| (user.email.clone(), user.password.clone())).collect()
}

fn clients(stack: &StackFile) -> Vec<Row> {
    let describe = |client: &crate::stack_file::DemoClient| {
        let secret = client.client_secret.as_deref().unwrap_or("(public: no secret)");
        let redirect_uri = client
            .redirect_uris
            .first()
            .map_or("(client_credentials)", String::as_str);
        (
            client.name.clone(),
            format!("{}   {secret}   {redirect_uri}", client.client_id),
        )
    };
    stack.demo.iter().flat_map(|demo| &demo.clients).map(describe).collect()
}

fn section(table: &mut String, heading: &str, rows: &[Row]) {
    let width = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or_default();
    let lines = rows.iter().map(|(name, value)| format!("  {name:<width$}   {value}\n"));
    let _infallible = writeln!(table, "{heading}\n{}", lines.collect::<String>());
}

/// As one word of a shell.
fn quote(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = r#"{"state":"ready","base_url":"http://127.0.0.1:8080","services":{
        "auth-api":{"pid":1,"http":"http://127.0.0.1:8080","grpc":"http://127.0.0.1:9090","management":"http://127.0.0.1:9000"}},
        "collector":"http://127.0.0.1:3","admin":{"token_url":"t","client_id":"ad","client_secret":"s3","scope":"x"},"postgres":{"auth_url":"postgres://a","audit_url":"postgres://b","pid":4},"redis":{"url":"redis://c","pid":null},
        "kafka":{"brokers":"127.0.0.1:1","topic":"t","pid":6},
        "demo":{"tenant":"demo","tenant_id":"1","issuer":"http://127.0.0.1:8080/t/demo",
        "users":[{"email":"alice@demo.example","password":"pw"}],"clients":[
        {"name":"first-party","type":"confidential","first_party":true,"client_id":"fp","client_secret":"s1","redirect_uris":["http://127.0.0.1:2/callback/first-party"]},
        {"name":"native","type":"public","application_type":"native","client_id":"nt","redirect_uris":["http://127.0.0.1/callback"]},
        {"name":"service","type":"confidential","grant_types":["client_credentials"],"client_id":"sv","client_secret":"s2"}]}}"#;

    #[test]
    fn table_names_everything_and_commands_are_complete() {
        let stack: StackFile = serde_json::from_str(STACK).unwrap();
        let layout = Layout::find("run").unwrap();
        let table = render(Terminal::new(true), &stack, Path::new("/x y/credo-local"), &layout);
        for needed in [
            "http://127.0.0.1:8080/t/demo",
            "alice@demo.example",
            "CLIENT=fp:s1",
            "-u sv:s2",
            "sign_in.sh http://127.0.0.1:8080/t/demo nt",
            "'/x y/credo-local' audit",
            "'/x y/credoctl' status",
            "export CREDO_CONFIG_DIR=",
        ] {
            assert!(table.contains(needed), "{needed} is missing in:\n{table}");
        }
        assert!(!table.contains("{{"), "{table}");
    }
}
