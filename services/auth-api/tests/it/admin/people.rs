//! People as administrators: they sign in with a browser, and get what they asked for as far as it is theirs.

use std::time::Duration;

use credo_events::{Outcome, PartyKind};
use credo_proto::admin::v1::{
    Client as ClientMessage, CreateClientRequest, CreateClientResponse, CreateTenantRequest, CreateTenantResponse,
    ListClientsRequest, ListClientsResponse, ListTenantsRequest, ListTenantsResponse,
};
use credo_testkit::eventually;
use serde_json::json;
use tonic::{Code, Status};

use super::{ALL_SCOPES, Console, Refused as _};
use crate::support::{
    Answer, AuthorizeRequest, Browser, Call, Client, ClientSpec, PASSWORD, Tenant, Tokens, User, claims, sign_in_body,
};

/// What the design promises.
const REVOCATION_LAG: Duration = Duration::from_secs(1);

/// Somebody who may administer, and the program that they do it with.
struct Administrator<'a> {
    console: &'a Console,
    tenant: Tenant,
    client: Client,
    user: User,
    browser: Browser<'a>,
}

/// As `credo-migrate bootstrap` makes it.
fn login_client() -> ClientSpec {
    ClientSpec {
        scope: &ALL_SCOPES,
        ..ClientSpec::public()
    }
}

impl<'a> Administrator<'a> {
    /// Of a tenant, with these scopes, signed in with a browser.
    async fn of(console: &'a Console, tenant: &Tenant, scope: &str) -> Self {
        let world = &console.world;
        let client = world.add_client_of(tenant, login_client()).await;
        let user = world.add_user_of(tenant, "root@credo.example", Some(PASSWORD)).await;
        let statement = format!("UPDATE app_user SET admin_scope = '{scope}' WHERE id = '{}'", user.id);
        world.sql(&statement).await;
        let browser = Browser::new(&console.replica);
        browser.sign_in_to(&tenant.slug, &user).await;
        Self {
            console,
            tenant: tenant.clone(),
            client,
            user,
            browser,
        }
    }

    fn request(&self, scope: &str) -> AuthorizeRequest {
        AuthorizeRequest::of(&self.client).with("scope", scope)
    }

    async fn tokens(&self, scope: &str) -> Tokens {
        let code = self.browser.code_for(&self.request(scope)).await;
        Tokens::from(&self.console.replica.exchange(&self.client, &code).await)
    }

    /// As an update of the user does it.
    async fn loses(&self, left: &str) {
        let id = self.user.id;
        let statement = format!(
            "WITH changed AS (
               UPDATE app_user SET admin_scope = '{left}', epoch = epoch + 1, version = version + 1 WHERE id = '{id}'
               RETURNING id, tenant_id, epoch
             )
             INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
             SELECT 6, tenant_id, id, epoch, now() + interval '16 minutes' FROM changed"
        );
        self.console.world.sql(&statement).await;
    }

    async fn clients(&self, token: &str, tenant: &Tenant) -> Result<Vec<ClientMessage>, Status> {
        let list = ListClientsRequest {
            tenant_id: tenant.id.to_string(),
            ..Default::default()
        };
        let answer: ListClientsResponse = self.console.call_as(token, "ClientService/ListClients", list).await?;
        Ok(answer.clients)
    }
}

async fn list_tenants(console: &Console, token: &str) -> Result<ListTenantsResponse, Status> {
    console
        .call_as(token, "TenantService/ListTenants", ListTenantsRequest::default())
        .await
}

#[tokio::test]
async fn a_person_gets_what_is_asked_for_and_theirs_for_five_minutes() {
    let console = Console::new().await;
    let root = Administrator::of(&console, &console.system, "credo.client.read credo.user.read").await;
    let code = root
        .browser
        .code_for(&root.request("credo.client.read credo.tenant.read"))
        .await;
    let answer = console.replica.exchange(&root.client, &code).await;
    let body = answer.ok();
    assert_eq!(
        (&body["scope"], &body["expires_in"]),
        (&json!("credo.client.read"), &json!(300))
    );
    assert!(body.get("id_token").is_none());
    let tokens = Tokens::from(&answer);
    let said = claims(&tokens.access);
    assert_eq!(
        (&said["aud"], &said["sub"]),
        (&json!("credo-admin"), &json!(root.user.id.to_string()))
    );

    assert!(!root.clients(&tokens.access, &root.tenant).await.unwrap().is_empty());
    root.clients(&tokens.access, &console.world.tenant).await.unwrap();
    list_tenants(&console, &tokens.access)
        .await
        .refused(Code::PermissionDenied);

    let refreshed = console.replica.refresh(&root.client, &tokens.refresh).await;
    assert_eq!(refreshed.ok()["scope"], "credo.client.read");
    let refreshed = Tokens::from(&refreshed);
    root.clients(&refreshed.access, &root.tenant).await.unwrap();
    for more in ["credo.tenant.read", "credo.user.read", "openid"] {
        let call = Call::form(
            "/auth/token",
            [("grant_type", "refresh_token"), ("refresh_token", &refreshed.refresh)],
        );
        let answer = console
            .replica
            .send(call.param("scope", more).client(&root.client))
            .await;
        answer.refuses(400, "invalid_scope");
    }
    let bounds =
        "SELECT count(*) FROM session WHERE idle_ttl = interval '1 hour' AND expires_at <= now() + interval '12 hours'";
    assert_eq!(console.world.number(bounds).await, 1);
}

#[tokio::test]
async fn what_a_person_does_is_theirs_in_the_trail() {
    let console = Console::new().await;
    let root = Administrator::of(&console, &console.system, "credo.client.write").await;
    let tokens = root.tokens("credo.client.write").await;
    let request = CreateClientRequest {
        tenant_id: console.world.tenant.id.to_string(),
        display_name: "Made by hand".to_owned(),
        grant_types: vec!["client_credentials".to_owned()],
        ..Default::default()
    };
    let made: CreateClientResponse = console
        .call_as(&tokens.access, "ClientService/CreateClient", request)
        .await
        .unwrap();
    let events = console.world.events().await;
    let event = events.iter().find(|event| event.is("client_created")).unwrap();
    let actor = event.core.actor.as_ref().unwrap();
    assert_eq!(
        (actor.kind(), actor.id.as_slice()),
        (PartyKind::User, &root.user.id.as_bytes()[..])
    );
    assert_eq!(event.core.client_id, root.client.id.as_bytes());
    assert_eq!(event.core.outcome(), Outcome::Success);
    assert_eq!(event.aggregate.to_string(), made.client.unwrap().client_id);
}

#[tokio::test]
async fn who_may_not_administer_is_told_so_and_nothing_is_made() {
    let console = Console::new().await;
    let root = Administrator::of(&console, &console.system, "").await;
    let before = console.world.footprint().await;
    for scope in ["credo.client.read", &ALL_SCOPES] {
        let answer = root.browser.authorize(&root.request(scope)).await;
        answer.tells_client("access_denied");
    }
    root.loses("credo.user.read").await; // another's scope is none for this
    root.browser.sign_in_to("system", &root.user).await;
    let answer = root.browser.authorize(&root.request("credo.client.read")).await;
    answer.tells_client("access_denied");
    assert_eq!(console.world.number("SELECT count(*) FROM session").await, 0);
    assert!(console.world.footprint().await > before, "the sign-in left its mark");
}

#[tokio::test]
async fn only_our_own_programs_ask_for_admin_scopes_and_for_nothing_beside_them() {
    let console = Console::new().await;
    let root = Administrator::of(&console, &console.system, &ALL_SCOPES).await;
    let third_party = ClientSpec {
        first_party: false,
        ..login_client()
    };
    let third_party = console.world.add_client_of(&root.tenant, third_party).await;
    let unlisted = console.world.add_client_of(&root.tenant, ClientSpec::public()).await;
    let mixed = ClientSpec {
        scope: "openid offline_access credo.client.read credo.sessions",
        ..ClientSpec::public()
    };
    let mixed = console.world.add_client_of(&root.tenant, mixed).await;
    for (client, scope) in [
        (&third_party, "credo.client.read"),
        (&unlisted, "credo.client.read"),
        (&mixed, "openid credo.client.read"),
        (&mixed, "offline_access credo.client.read"),
        (&mixed, "credo.sessions credo.client.read"),
        (&mixed, "credo.client.write"),
        (&root.client, "credo.client.read credo.nothing"),
    ] {
        let request = AuthorizeRequest::of(client).with("scope", scope);
        root.browser.authorize(&request).await.tells_client("invalid_scope");
    }
    let mut body = sign_in_body(&root.client, &root.user.email);
    body["scopes"] = json!(["credo.client.read"]);
    let answer = console.replica.authorize(&root.client, body).await;
    answer.refuses(400, "invalid_scope");
    let claims = r#"{"userinfo":{"email":null},"id_token":{"email":null}}"#;
    let request = AuthorizeRequest::of(&mixed)
        .with("scope", "credo.client.read")
        .and("claims", claims);
    let code = root.browser.code_for(&request).await;
    let answer = console.replica.exchange(&mixed, &code).await;
    assert!(answer.ok().get("id_token").is_none());
    let said = crate::support::claims(&Tokens::from(&answer).access);
    assert!(said.get("userinfo_claims").is_none() && said.get("email").is_none());
}

#[tokio::test]
async fn tn_05_people_of_a_tenant_administer_their_own() {
    let console = Console::new().await;
    let other = console.world.add_tenant("other").await;
    let root = Administrator::of(&console, &console.world.tenant, &ALL_SCOPES).await;
    let token = root.tokens(&ALL_SCOPES).await.access;
    root.clients(&token, &root.tenant).await.unwrap();
    for tenant in [&other, &console.system] {
        root.clients(&token, tenant).await.refused(Code::NotFound);
    }
    let request = CreateTenantRequest {
        slug: "mine".to_owned(),
        display_name: "Mine".to_owned(),
        ..Default::default()
    };
    let made: Result<CreateTenantResponse, _> = console.call_as(&token, "TenantService/CreateTenant", request).await;
    made.refused(Code::PermissionDenied);
    let seen = list_tenants(&console, &token).await.unwrap().tenants;
    let seen: Vec<_> = seen.into_iter().map(|tenant| tenant.tenant_id).collect();
    assert_eq!(seen, [root.tenant.id.to_string()]);
}

#[tokio::test]
async fn ad_01_a_token_opens_only_what_it_is_for() {
    let console = Console::new().await;
    let root = Administrator::of(&console, &console.system, &ALL_SCOPES).await;
    let administering = root.tokens(&ALL_SCOPES).await;
    let plain_client = console.world.add_client_of(&root.tenant, ClientSpec::default()).await;
    let plain = console.replica.tokens(&plain_client, &root.user).await;

    root.clients(&plain.access, &root.tenant)
        .await
        .refused(Code::Unauthenticated);
    let (replica, token) = (&console.replica, &administering.access);
    replica.userinfo(token).await.challenges(401, "invalid_token");
    replica.sessions(token).await.challenges(401, "invalid_token");
    replica.logout_all(token, false).await.challenges(401, "invalid_token");
    let ended = replica.end_session(token, plain.session).await;
    ended.challenges(401, "invalid_token");
    replica.userinfo(&console.token).await.challenges(401, "invalid_token");
    assert!(
        !replica.is_active(&plain_client, token).await,
        "another client is told nothing"
    );
    replica.userinfo(&plain.access).await.ok();
    root.clients(token, &root.tenant).await.unwrap();
}

#[tokio::test]
async fn who_loses_a_scope_loses_what_was_issued_with_it() {
    let console = Console::new().await;
    let root = Administrator::of(&console, &console.system, "credo.client.read credo.user.read").await;
    let tokens = root.tokens("credo.client.read credo.user.read").await;
    root.clients(&tokens.access, &root.tenant).await.unwrap();
    let in_flight = root.browser.code_for(&root.request("credo.client.read")).await;

    root.loses("credo.user.read").await;
    let exchanged = console.replica.exchange(&root.client, &in_flight).await;
    exchanged.refuses(400, "invalid_grant");
    let refreshed = console.replica.refresh(&root.client, &tokens.refresh).await;
    refreshed.refuses(400, "invalid_grant");
    eventually(REVOCATION_LAG, || async {
        root.clients(&tokens.access, &root.tenant).await.is_err()
    })
    .await;
    root.clients(&tokens.access, &root.tenant)
        .await
        .refused(Code::Unauthenticated);

    let page = root.browser.authorize(&root.request("credo.client.read")).await;
    assert!(page.is_html(), "the browser is signed out too");
    root.browser.sign_in_to("system", &root.user).await;
    let answer = root.browser.authorize(&root.request("credo.client.read")).await;
    answer.tells_client("access_denied");
}

#[tokio::test]
async fn who_is_disabled_or_logs_out_administers_no_more() {
    let console = Console::new().await;
    let root = Administrator::of(&console, &console.system, &ALL_SCOPES).await;
    let tokens = root.tokens("credo.client.read").await;
    root.clients(&tokens.access, &root.tenant).await.unwrap();
    console.replica.revoke(&root.client, &tokens.refresh).await;
    root.clients(&tokens.access, &root.tenant)
        .await
        .refused(Code::Unauthenticated);

    let tokens = root.tokens("credo.client.read").await;
    console.world.disable_user(root.user.id).await;
    eventually(REVOCATION_LAG, || async {
        root.clients(&tokens.access, &root.tenant).await.is_err()
    })
    .await;
    let refreshed = console.replica.refresh(&root.client, &tokens.refresh).await;
    refreshed.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn a_browser_that_was_left_alone_does_not_administer() {
    let console = Console::new().await;
    let root = Administrator::of(&console, &console.system, &ALL_SCOPES).await;
    let old = "UPDATE browser_session SET auth_time = now() - interval '16 minutes'";
    console.world.sql(old).await;
    let request = root.request("credo.client.read");
    let silent = root.browser.authorize(&request.clone().with("prompt", "none")).await;
    silent.tells_client("login_required");
    let longer = root.browser.authorize(&request.clone().with("max_age", "86400")).await;
    assert!(longer.is_html(), "a client cannot ask for less");
    let page = root.browser.authorize(&request).await;
    let answer: Answer = root.browser.fill_sign_in(&page, &root.user.email, PASSWORD).await;
    let callback = root.browser.follow(answer).await.callback(crate::support::REDIRECT_URI);
    assert!(callback.contains_key("code"), "{callback:?}");
}
