//! What clients do, in one call each.

use auth_api::keys::TokenType;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Call, Client, PASSWORD, REDIRECT_URI, Replica, Tenant, User};

/// The verifier and the challenge of RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What the token endpoint gave.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub id: Option<String>,
    pub session: Uuid,
}

impl Tokens {
    #[track_caller]
    pub fn from(answer: &Answer) -> Self {
        let body = answer.ok();
        let access = body["access_token"].as_str().unwrap().to_owned();
        Self {
            session: claims(&access)["sid"]
                .as_str()
                .unwrap_or_default()
                .parse()
                .unwrap_or_default(),
            refresh: body["refresh_token"].as_str().unwrap_or_default().to_owned(),
            id: body["id_token"].as_str().map(ToOwned::to_owned),
            access,
        }
    }
}

/// The claims of a token, its signature not looked at.
#[track_caller]
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a token.
#[track_caller]
pub fn header_of(token: &str) -> Value {
    part(token, 0)
}

#[track_caller]
fn part(token: &str, position: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(position).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// The JSON of a sign-in that is right.
pub fn sign_in_body(client: &Client, email: &str) -> Value {
    json!({
        "email": email,
        "client_id": client.id.to_string(),
        "scopes": ["openid", "email", "profile"],
        "redirect_uri": REDIRECT_URI,
        "state": "a state",
        "nonce": "a nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "proof": { "type": "password", "password": PASSWORD },
    })
}

impl Replica {
    /// Sends a sign-in, as the client says who it is.
    pub async fn authorize(&self, client: &Client, body: Value) -> Answer {
        let call = Call::json("/auth/authorize", body);
        let call = match &client.secret {
            Some(secret) => call.basic(&client.id.to_string(), secret),
            None => call,
        };
        self.send(call).await
    }

    /// A sign-in of `email` with some password.
    pub async fn sign_in(&self, client: &Client, email: &str, password: &str) -> Answer {
        let mut body = sign_in_body(client, email);
        body["proof"]["password"] = password.into();
        self.authorize(client, body).await
    }

    /// A fresh code.
    pub async fn code(&self, client: &Client, user: &User) -> String {
        let answer = self.authorize(client, sign_in_body(client, &user.email)).await;
        answer.ok()["code"].as_str().unwrap().to_owned()
    }

    pub async fn exchange(&self, client: &Client, code: &str) -> Answer {
        self.exchange_with(client, code, Some(REDIRECT_URI), Some(VERIFIER))
            .await
    }

    pub async fn exchange_with(
        &self,
        client: &Client,
        code: &str,
        redirect_uri: Option<&str>,
        verifier: Option<&str>,
    ) -> Answer {
        let mut call = Call::form("/auth/token", [("grant_type", "authorization_code"), ("code", code)]);
        for (name, value) in [("redirect_uri", redirect_uri), ("code_verifier", verifier)] {
            if let Some(value) = value {
                call = call.param(name, value);
            }
        }
        self.send(call.client(client)).await
    }

    /// Signs in and exchanges.
    pub async fn tokens(&self, client: &Client, user: &User) -> Tokens {
        let code = self.code(client, user).await;
        Tokens::from(&self.exchange(client, &code).await)
    }

    /// Signs in for just these scopes, and exchanges.
    pub async fn tokens_for(&self, client: &Client, user: &User, scopes: &[&str]) -> Tokens {
        let mut body = sign_in_body(client, &user.email);
        body["scopes"] = json!(scopes);
        let answer = self.authorize(client, body).await;
        let code = answer.ok()["code"].as_str().unwrap().to_owned();
        Tokens::from(&self.exchange(client, &code).await)
    }

    /// A refresh that must succeed.
    pub async fn rotate(&self, client: &Client, tokens: &Tokens) -> Tokens {
        Tokens::from(&self.refresh(client, &tokens.refresh).await)
    }

    pub async fn refresh(&self, client: &Client, refresh_token: &str) -> Answer {
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.send(Call::form("/auth/token", parameters).client(client)).await
    }

    pub async fn client_credentials(&self, client: &Client, scope: Option<&str>) -> Answer {
        let mut call = Call::form("/auth/token", [("grant_type", "client_credentials")]);
        if let Some(scope) = scope {
            call = call.param("scope", scope);
        }
        self.send(call.client(client)).await
    }

    pub async fn userinfo(&self, access_token: &str) -> Answer {
        self.send(Call::get("/auth/userinfo").bearer(access_token)).await
    }

    pub async fn introspect(&self, client: &Client, token: &str) -> Answer {
        self.send(Call::form("/auth/introspect", [("token", token)]).client(client))
            .await
    }

    /// Whether introspection calls a token active.
    pub async fn is_active(&self, client: &Client, token: &str) -> bool {
        let body = self.introspect(client, token).await.ok();
        let active = body["active"].as_bool().unwrap();
        assert!(active || body.as_object().unwrap().len() == 1, "{body}");
        active
    }

    pub async fn revoke(&self, client: &Client, token: &str) -> Answer {
        self.send(Call::form("/auth/revoke", [("token", token)]).client(client))
            .await
    }

    pub async fn sessions(&self, access_token: &str) -> Answer {
        self.send(Call::get("/auth/sessions").bearer(access_token)).await
    }

    pub async fn end_session(&self, access_token: &str, session: Uuid) -> Answer {
        self.send(Call::new("DELETE", format!("/auth/sessions/{session}")).bearer(access_token))
            .await
    }

    pub async fn logout_all(&self, access_token: &str, except_current: bool) -> Answer {
        let target = format!("/auth/logout-all?except_current={except_current}");
        self.send(Call::new("POST", target).bearer(access_token)).await
    }

    /// A token with these claims, signed by the genuine key of `tenant`.
    pub async fn sign(&self, tenant: &Tenant, token_type: TokenType, claims: &Value) -> String {
        let keys = self.app.keyring.tenant(tenant.id).await.unwrap();
        keys.active.sign(token_type, claims).unwrap()
    }

    /// `token` as if it had been issued a quarter of an hour and a second earlier.
    pub async fn expired(&self, tenant: &Tenant, token: &str) -> String {
        let mut claims = claims(token);
        for claim in ["iat", "exp"] {
            claims[claim] = (claims[claim].as_i64().unwrap() - 901).into();
        }
        self.sign(tenant, TokenType::AccessToken, &claims).await
    }

    /// Asserts that nothing of a session works any more.
    pub async fn assert_dead(&self, client: &Client, tokens: &Tokens) {
        self.userinfo(&tokens.access).await.challenges(401, "invalid_token");
        assert!(!self.is_active(client, &tokens.access).await);
        assert!(!self.is_active(client, &tokens.refresh).await);
        self.refresh(client, &tokens.refresh)
            .await
            .refuses(400, "invalid_grant");
    }
}
