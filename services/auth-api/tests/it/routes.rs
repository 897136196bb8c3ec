//! Every route of the table has its cases here: nobody, another tenant, another method.

use auth_api::http::ROUTES;
use serde_json::json;

use crate::support::{
    Answer, BASE_URL, Browser, Call, Client, ClientSpec, PASSWORD, Replica, Tenant, Tokens, User, World, claims,
    sign_in_body,
};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// A person's own page.
const ACCOUNT: &str = "/t/{slug}/account";

/// Two tenants that have all the same, in one database.
struct Walls {
    world: World,
    replica: Replica,
    there: Tenant,
    /// Of the other tenant.
    client: Client,
    /// Of the other tenant, with the e-mail address of the first one's.
    user: User,
    mine: Tokens,
    theirs: Tokens,
}

/// No telling one from the other.
#[track_caller]
fn assert_same(one: &Answer, other: &Answer) {
    assert_eq!((one.status, &one.body), (other.status, &other.body));
}

impl Walls {
    async fn new() -> Self {
        let world = World::new().await;
        let replica = world.replica().await;
        let there = world.add_tenant("there").await;
        let client = world.add_client_of(&there, ClientSpec::default()).await;
        let user = world
            .add_user_of(&there, &world.user.email, Some("another password altogether"))
            .await;
        let mine = replica.tokens(&world.client, &world.user).await;
        let theirs = replica
            .sign_in(&client, &user.email, "another password altogether")
            .await;
        let code = theirs.ok()["code"].as_str().unwrap().to_owned();
        let theirs = Tokens::from(&replica.exchange(&client, &code).await);
        Self {
            world,
            replica,
            there,
            client,
            user,
            mine,
            theirs,
        }
    }

    /// A path of the route, of the first tenant.
    fn path(&self, route: &str) -> String {
        route
            .replace("{slug}", "demo")
            .replace("{name}", "credo.css")
            .replace("{id}", &self.mine.session.to_string())
    }

    /// What nobody in particular gets.
    async fn anonymous(&self, route: &str) {
        let path = self.path(route);
        let send = |call: Call| self.replica.send(call);
        match route {
            "/auth/authorize" => {
                let body = sign_in_body(&self.world.client, &self.world.user.email);
                send(Call::json(&path, body)).await.refuses(401, "invalid_client");
            }
            "/auth/logout" | "/auth/signed-out" => {
                let answer = Browser::new(&self.replica).open(&path).await; // nobody is signed in: nothing to ask
                assert!(answer.status == 200 && answer.is_html() && answer.forms().is_empty());
            }
            "/auth/continue" | "/auth/sign-in" | "/auth/consent" => {
                let answer = send(Call::get(path)).await;
                assert_eq!(answer.status, 400, "{}", answer.text());
            }
            "/auth/token" => {
                let form = Call::form(&path, [("grant_type", "client_credentials")]);
                send(form).await.refuses(401, "invalid_client");
            }
            "/auth/introspect" | "/auth/revoke" => {
                let form = Call::form(&path, [("token", &self.mine.access)]);
                send(form).await.refuses(401, "invalid_client");
            }
            "/auth/userinfo" | "/auth/sessions" => {
                send(Call::get(path)).await.challenges(401, "");
            }
            "/auth/sessions/{id}" => {
                send(Call::new("DELETE", path)).await.challenges(401, "");
            }
            "/auth/logout-all" => {
                send(Call::new("POST", path)).await.challenges(401, "");
            }
            "/.well-known/change-password" => {
                let answer = send(Call::get(path)).await;
                assert!(answer.status == 404 && answer.is_html());
            }
            _ if route.starts_with(ACCOUNT) => {
                let call = if route == ACCOUNT {
                    Call::get(path)
                } else {
                    Call::form(&path, [])
                };
                assert_eq!(send(call).await.own_location().as_deref(), Some("/t/demo/sign-in"));
            }
            "/t/{slug}/sign-in" => {
                let page = send(Call::get(&path)).await;
                assert!(page.status == 200 && page.is_html());
                assert_eq!(send(Call::form(&path, [("email", "a@b.example")])).await.status, 403);
            }
            "/assets/{name}" | "/t/{slug}/theme.css" | "/openapi.json" => {
                assert_eq!(send(Call::get(path)).await.status, 200);
            }
            "/t/{slug}/logo" => assert_eq!(send(Call::get(path)).await.status, 404),
            _ if route.contains("{slug}") => {
                send(Call::get(path)).await.ok(); // what is public
            }
            _ => panic!("{route} has no case for nobody"),
        }
    }

    /// What the other tenant gets of the first one's: exactly what it gets of nothing.
    async fn wrong_tenant(&self, route: &str) {
        let path = self.path(route);
        let replica = &self.replica;
        match route {
            "/auth/authorize" => {
                let of_ours = replica.sign_in(&self.client, &self.world.user.email, PASSWORD).await;
                let of_nobody = replica.sign_in(&self.client, "nobody@demo.example", PASSWORD).await;
                of_ours.refuses(400, "invalid_grant");
                assert_same(&of_ours, &of_nobody);
            }
            // A request is nobody's: the browser that brings it along decides, and its cookie names the tenant. The last says
            // the same to everybody.
            "/auth/continue" | "/auth/sign-in" | "/auth/consent" | "/auth/signed-out" | "/openapi.json" => {}
            "/.well-known/change-password" => {
                let browser = Browser::new(replica);
                browser.sign_in_to("demo", &self.world.user).await;
                assert_eq!(browser.get(&path).await.header("location"), Some("/t/demo/account"));
            }
            _ if route.starts_with(ACCOUNT) => {
                let browser = Browser::new(replica);
                browser.sign_in_to("demo", &self.world.user).await;
                let there = path.replace("demo", "there");
                let call = if route == ACCOUNT {
                    Call::get(&there)
                } else {
                    Call::form(&there, [])
                };
                assert_eq!(
                    browser.send(call).await.own_location().as_deref(),
                    Some("/t/there/sign-in")
                );
                browser.set_cookie("__Host-credo_there", &browser.session("demo").unwrap());
                assert_eq!(browser.get("/t/there/account").await.status, 303);
            }
            "/auth/token" => {
                let ours = replica.refresh(&self.client, &self.mine.refresh).await;
                ours.refuses(400, "invalid_grant");
                assert_same(&ours, &replica.refresh(&self.client, "crt_nothing").await);
            }
            "/auth/introspect" => {
                for token in [&self.mine.access, &self.mine.refresh] {
                    let ours = replica.introspect(&self.client, token).await;
                    assert_same(&ours, &replica.introspect(&self.client, "nothing").await);
                }
            }
            "/auth/revoke" => {
                for token in [&self.mine.access, &self.mine.refresh] {
                    let ours = replica.revoke(&self.client, token).await;
                    assert_same(&ours, &replica.revoke(&self.client, "nothing").await);
                }
            }
            _ => self.wrong_tenant_bearer(route, &path).await,
        }
        // And the first tenant's session does not notice.
        assert_eq!(replica.userinfo(&self.mine.access).await.status, 200, "{route}");
        assert!(
            replica.is_active(&self.world.client, &self.mine.refresh).await,
            "{route}"
        );
    }

    /// The same, for what a bearer or anybody may ask.
    async fn wrong_tenant_bearer(&self, route: &str, path: &str) {
        let replica = &self.replica;
        match route {
            "/auth/userinfo" => {
                let claims_of_ours = claims(&self.mine.access);
                let forged = replica
                    .sign(&self.there, auth_api::keys::TokenType::AccessToken, &claims_of_ours)
                    .await;
                replica.userinfo(&forged).await.challenges(401, "invalid_token");
                assert_eq!(
                    replica.userinfo(&self.theirs.access).await.ok()["sub"],
                    json!(self.user.id)
                );
            }
            "/auth/sessions" => {
                let list = replica.sessions(&self.theirs.access).await.ok();
                let ids: Vec<_> = list["sessions"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| &it["session_id"])
                    .collect();
                assert_eq!(ids, [&json!(self.theirs.session)]);
            }
            "/auth/sessions/{id}" => {
                let ours = replica.end_session(&self.theirs.access, self.mine.session).await;
                let nothing = replica.end_session(&self.theirs.access, uuid::Uuid::now_v7()).await;
                assert_eq!(ours.status, 404);
                assert_same(&ours, &nothing);
            }
            "/auth/logout-all" => {
                replica.logout_all(&self.theirs.access, true).await.ok();
            }
            "/auth/logout" => {
                let browser = Browser::new(replica);
                browser.sign_in_to("demo", &self.world.user).await;
                let hint = self.theirs.id.as_deref().unwrap();
                let theirs = format!("{path}?id_token_hint={hint}&client_id={}", self.client.id);
                assert_eq!(browser.open(&theirs).await.status, 200);
                assert!(browser.session("demo").is_some());
            }
            "/t/{slug}/sign-in" => {
                let browser = Browser::new(replica);
                browser.sign_in_to("demo", &self.world.user).await;
                let page = browser.get(&path.replace("demo", "there")).await;
                // Somebody whose refusal is not one of many: counts of those are written later.
                let carl = self
                    .world
                    .add_user_of(&self.world.tenant, "carl@demo.example", Some(PASSWORD))
                    .await;
                let answer = browser.fill_sign_in(&page, &carl.email, PASSWORD).await;
                assert_eq!((answer.status, browser.session("there")), (400, None));
                assert_eq!(browser.get(&path.replace("demo", "nowhere")).await.status, 404);
            }
            "/assets/{name}" => assert_eq!(replica.send(Call::get("/assets/Cargo.toml")).await.status, 404),
            "/t/{slug}/theme.css" | "/t/{slug}/logo" => {
                let nothing = replica.send(Call::get(path.replace("demo", "nowhere"))).await;
                assert_eq!(nothing.status, 404);
            }
            _ if route.contains("{slug}") => {
                let ours = replica.send(Call::get(path)).await.ok();
                let theirs = replica.send(Call::get(path.replace("demo", "there"))).await.ok();
                assert_ne!(ours, theirs);
                assert!(!theirs.to_string().contains("/t/demo"));
                if let Some(keys) = ours["keys"].as_array() {
                    assert!(keys.iter().all(|key| !theirs["keys"].as_array().unwrap().contains(key)));
                }
            }
            _ => panic!("{route} has no case for another tenant"),
        }
    }

    /// Methods that the route does not have: 405 that names those it has, and nothing happens.
    async fn wrong_method(&self, route: &str) {
        let allowed: &[&str] = match route {
            "/auth/token" | "/auth/introspect" | "/auth/revoke" | "/auth/logout-all" => &["POST"],
            "/auth/authorize" | "/auth/userinfo" | "/auth/sign-in" | "/auth/consent" | "/auth/logout"
            | "/t/{slug}/sign-in" => &["GET", "HEAD", "POST"],
            "/auth/sessions/{id}" => &["DELETE"],
            "/auth/sessions"
            | "/auth/continue"
            | "/assets/{name}"
            | "/auth/signed-out"
            | "/.well-known/change-password"
            | "/openapi.json" => &["GET", "HEAD"],
            _ if route.starts_with(ACCOUNT) && route != ACCOUNT => &["POST"],
            _ if route.contains("{slug}") => &["GET", "HEAD"],
            _ => panic!("{route} has no methods"),
        };
        let before = self.world.footprint().await;
        for method in METHODS {
            let overriding = Call::new(method, self.path(route))
                .bearer(&self.theirs.access)
                .header("x-http-method-override", allowed[0]);
            if allowed.contains(&method) {
                continue;
            }
            let answer = self.replica.send(overriding).await;
            let mut named: Vec<_> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
            named.sort_unstable();
            assert_eq!((answer.status, named.as_slice()), (405, allowed), "{method} {route}");
        }
        assert_eq!(self.world.footprint().await, before);
    }
}

#[tokio::test]
async fn every_route_has_its_cases() {
    let walls = Walls::new().await;
    for route in ROUTES {
        walls.anonymous(route).await;
        walls.wrong_tenant(route).await;
        walls.wrong_method(route).await;
    }
    walls.replica.userinfo(&walls.theirs.access).await.ok();
}

#[tokio::test]
async fn iv_07_other_paths_are_not_found() {
    let world = World::new().await;
    let replica = world.replica().await;
    for path in [
        "/",
        "/auth",
        "/auth/",
        "//auth/token",
        "/auth//token",
        "/auth/token/",
        "/auth/./token",
        "/auth/x/../token",
        "/auth/token;x=y",
        "/auth/token.",
        "/auth%2ftoken",
        "/auth/%74oken",
        "/auth/%2e%2e/auth/token",
        "/Auth/Token",
        "/AUTH/TOKEN",
        "/t/demo",
        "/t/demo/",
        "/t/demo/auth/token",
        "/t/demo/.well-known/openid-configuration/",
        "/t/demo/x/../jwks.json",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/t/demo/x",
        "/metrics",
        "/readyz",
        "/credo.admin.v1.TenantService/ListTenants",
        "/grpc.health.v1.Health/Check",
    ] {
        for method in ["GET", "POST"] {
            let answer = replica.send(Call::new(method, path)).await;
            assert_eq!(answer.status, 404, "{method} {path}");
            assert_eq!(
                answer.json(),
                json!({ "type": "about:blank", "title": "Not found", "status": 404 })
            );
        }
    }
    let absolute = format!("{BASE_URL}/auth/nothing?x=y");
    assert_eq!(replica.send(Call::get(absolute)).await.status, 404);
}
