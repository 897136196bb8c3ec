//! No usable secret at rest or in passing: events, rows, logs and metrics are searched for canaries.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use auth_api::keys::TokenType;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_testkit::sqlx;
use prometheus::TextEncoder;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{
    AuthorizeRequest, Browser, Call, Client, ClientSpec, PASSWORD, REDIRECT_URI, Replica, Tokens, VERIFIER, World,
    claims, hex, sign_in_body,
};

/// Takes what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A text, and other forms in which it could have been written.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    let encoded = secret.rsplit(['.', '_']).next().unwrap();
    if let Ok(bytes) = URL_SAFE_NO_PAD.decode(encoded)
        && bytes.len() >= 16
    {
        let hex = hex(&bytes);
        forms.extend([encoded.as_bytes().to_vec(), hex.into_bytes(), bytes]);
    }
    forms
}

fn assert_absent(place: &str, haystack: &[u8], secrets: &[Secret]) {
    for (name, secret) in secrets {
        for form in forms(secret) {
            let found = haystack.windows(form.len()).any(|window| window == form);
            assert!(!found, "{place} holds {name}");
        }
    }
}

/// A secret and what it is.
type Secret = (&'static str, String);

/// What clients do that is right. Gives every secret that was in play.
async fn play_fair(world: &World, replica: &Replica) -> Vec<Secret> {
    let client = &world.client;
    let by_post = world.add_client(ClientSpec::post()).await;
    let mut body = sign_in_body(client, &world.user.email);
    body["state"] = "canary-state".into();
    replica.authorize(client, body).await.ok();
    let unused = replica.code(client, &world.user).await;
    let first = replica.tokens(client, &world.user).await;
    let second = replica.rotate(client, &first).await;
    replica.userinfo(&second.access).await.ok();
    replica.introspect(client, &second.refresh).await.ok();
    let last = replica.tokens(client, &world.user).await;
    replica.revoke(client, &last.access).await;
    let own = replica.client_credentials(&by_post, None).await.ok();
    vec![
        ("the password", PASSWORD.to_owned()),
        ("a client's secret", client.secret.clone().unwrap()),
        ("another client's secret", by_post.secret.unwrap()),
        ("a verifier", VERIFIER.to_owned()),
        ("the state", "canary-state".to_owned()),
        ("an unused code", unused),
        ("a first refresh token", first.refresh),
        ("a second refresh token", second.refresh),
        ("an access token", second.access),
        ("an ID token", last.id.unwrap()),
        ("a token of a client", own["access_token"].as_str().unwrap().to_owned()),
    ]
}

/// What a person with a browser does. Gives every secret that was in play.
async fn browse(world: &World, replica: &Replica) -> Vec<Secret> {
    let third_party = ClientSpec {
        first_party: false,
        ..ClientSpec::default()
    };
    let client = world.add_client(third_party).await;
    let browser = Browser::new(replica);
    let request = AuthorizeRequest::of(&client).with("state", "canary-state");
    let page = browser.authorize(&request).await;
    let typo = browser
        .fill_sign_in(&page, &world.user.email, "canary typed password")
        .await;
    let answer = browser.fill_sign_in(&typo, &world.user.email, PASSWORD).await;
    let sealed = answer.own_location().unwrap().split_once('=').unwrap().1.to_owned();
    let page = browser.follow(answer).await;
    let form = page.form_to("/auth/consent");
    let field = |name: &str| form.hidden.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let answer = browser.send_form(&form, &[("decision", "allow")]).await;
    vec![
        ("a typed password", "canary typed password".to_owned()),
        ("a browser's cookie", browser.session("demo").unwrap()),
        ("the cookie of forms", browser.cookie("__Host-credo-csrf").unwrap()),
        ("a form's token", field("csrf")),
        ("a request on its way", sealed),
        ("a browser's unused code", answer.callback(REDIRECT_URI)["code"].clone()),
    ]
}

/// What others do that is wrong. Gives every secret that was in play.
async fn play_foul(world: &World, replica: &Replica) -> Vec<Secret> {
    let (client, email) = (&world.client, &world.user.email);
    let (wrong_password, wrong_secret) = ("canary wrong password", "crs_canary-wrong-secret");
    let wrong_verifier = "canary-verifier-of-at-least-forty-three-characters";
    let thief = world.add_client(ClientSpec::default()).await;
    let impostor = Client {
        secret: Some(wrong_secret.to_owned()),
        ..client.clone()
    };
    let code = replica.code(client, &world.user).await;
    let mistaken = replica.exchange_with(client, &code, None, Some(wrong_verifier)).await;
    mistaken.refuses(400, "invalid_grant");
    replica
        .sign_in(client, email, wrong_password)
        .await
        .refuses(400, "invalid_grant");
    replica.exchange(&impostor, &code).await.refuses(401, "invalid_client");
    replica.exchange(&thief, &code).await.refuses(400, "invalid_grant");
    let tokens = Tokens::from(&replica.exchange(client, &code).await);
    replica.exchange(client, &code).await.refuses(400, "invalid_grant");
    let first = replica.tokens(client, &world.user).await;
    replica.rotate(client, &first).await;
    replica
        .refresh(&thief, &first.refresh)
        .await
        .refuses(400, "invalid_grant");
    replica
        .refresh(client, &first.refresh)
        .await
        .refuses(400, "invalid_grant");
    let forged = replica
        .sign(&world.tenant, TokenType::IdToken, &claims(&tokens.access))
        .await;
    replica.userinfo(&forged).await.challenges(401, "invalid_token");
    for path in [
        "/auth/userinfo?access_token=",
        "/auth/token?client_secret=",
        "/nothing/",
    ] {
        let call = Call::form(&format!("{path}canary-in-the-path"), [("token", "canary-in-the-body")]);
        replica.send(call).await;
    }
    vec![
        ("a wrong password", wrong_password.to_owned()),
        ("a wrong secret", wrong_secret.to_owned()),
        ("a wrong verifier", wrong_verifier.to_owned()),
        ("a code", code),
        ("a refresh token", tokens.refresh),
        ("a replayed refresh token", first.refresh),
        ("a forged token", forged),
        ("the path", "canary-in-the-path".to_owned()),
        ("the body", "canary-in-the-body".to_owned()),
    ]
}

#[tokio::test]
async fn hd_07_no_secret_is_stored_told_or_logged() {
    let world = World::new().await;
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let replica = world.replica().await;
    let mut secrets = play_fair(&world, &replica).await;
    secrets.extend(browse(&world, &replica).await);
    secrets.extend(play_foul(&world, &replica).await);
    drop(logging);
    let metrics = replica.app.metrics.registry.gather();
    let metrics = TextEncoder::new().encode_to_string(&metrics).unwrap();
    assert!(metrics.contains("credo_denials_total"));
    assert_absent("a metric", metrics.as_bytes(), &secrets);
    let log = log.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&log).contains("refused"), "nothing was logged");
    assert_absent("the log", &log, &secrets);

    let events = world.events().await;
    assert!(events.len() > 12);
    for event in &events {
        assert_absent(&event.core.r#type, &event.bytes, &secrets);
    }
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT to_jsonb(t)::text FROM session t UNION ALL SELECT to_jsonb(t)::text FROM sign_in_attempt t
         UNION ALL SELECT to_jsonb(t)::text FROM password t UNION ALL SELECT to_jsonb(t)::text FROM client_secret t
         UNION ALL SELECT to_jsonb(t)::text FROM signing_key t UNION ALL SELECT to_jsonb(t)::text FROM revocation t
         UNION ALL SELECT to_jsonb(t)::text FROM browser_session t UNION ALL SELECT to_jsonb(t)::text FROM consent t",
    )
    .fetch_all(world.owner())
    .await
    .unwrap();
    assert_absent("a row", rows.join("\n").as_bytes(), &secrets);
    assert!(
        !rows.join("\n").contains(&world.user.email),
        "attempts name accounts by a hash"
    );
}
