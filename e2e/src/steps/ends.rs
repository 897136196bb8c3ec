//! Every way in which an administrator ends what was issued, each in a tenant of its own, looked at from two replicas.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use credo_proto::admin::v1::{CreateClientRequest, CreateUserRequest, DeleteTenantRequest, RotateClientSecretRequest};
use cucumber::{gherkin::Step, then, when};
use futures::future::try_join_all;

use crate::{
    admin::Admin,
    answer::{Answer, Tokens},
    endings::{REASON, Target},
    failure,
    oauth::{Api, Client, Code, Method, SignIn, User, random_text},
    patience::eventually,
    world::CredoWorld,
};

/// DESIGN section 2: a token that is already out is refused within this.
const REFUSAL_TIME: Duration = Duration::from_secs(1);
const SCOPE: &str = "openid email offline_access";

/// Somebody who holds one of each kind of thing that is issued.
struct Holder {
    replicas: [Api; 2],
    admin: Admin,
    client: Client,
    user: User,
    tokens: Tokens,
    /// Not redeemed yet.
    code: Code,
    /// Of the client by itself.
    own_token: String,
}

#[then(regex = r"^each of these ends it on both replicas, for good:$")]
pub async fn each_ends(world: &mut CredoWorld, step: &Step) -> failure::Result {
    let table = step.table.as_ref().context("which?")?;
    let rows = table.rows.iter().skip(1).map(async |row| {
        let [end, undo, returning] = row.as_slice() else {
            bail!("a row has three cells");
        };
        let holder = Holder::new(world).await.with_context(|| format!("before: {end}"))?;
        holder.endure(end, undo, returning).await.with_context(|| end.clone())
    });
    try_join_all(rows).await?;
    Ok(())
}

#[then(
    regex = r"^a replaced client secret is refused by both replicas at once, and one that overlaps serves until then$"
)]
pub async fn secret_is_replaced(world: &mut CredoWorld) -> failure::Result {
    let mut holder = Holder::new(world).await?;
    let first = holder.client.clone();
    holder.client.secret = holder.rotate(3).await?;
    holder.expect_served(&holder.client).await?;
    holder.expect_served(&first).await?;
    let (second, third) = (holder.client.clone(), holder.rotate(0).await?);
    holder.client.secret = third;
    for old in [&first, &second] {
        holder.expect_refused(old).await?;
    }
    holder.expect_served(&holder.client).await?;
    Ok(())
}

#[when(regex = r"^the operator deletes the tenant$")]
pub async fn deletes_tenant(world: &mut CredoWorld) -> failure::Result {
    let request = DeleteTenantRequest {
        tenant_id: world.tenant()?.id.clone(),
        reason: REASON.to_owned(),
        ..Default::default()
    };
    let outcome = world.admin.tenants().delete_tenant(request).await;
    let ok = |_| tonic::Status::new(tonic::Code::Ok, "");
    world.status = Some(outcome.map_or_else(|status| status, ok));
    Ok(())
}

impl Holder {
    /// A tenant, a person, a client, and what was issued to them; both replicas have just served all of it.
    async fn new(world: &CredoWorld) -> Result<Self> {
        let second = world.stack.service("auth-api-2")?.http.as_deref();
        let replicas = [
            Api::new(&world.stack.base_url)?,
            Api::new(second.context("the second replica has no address")?)?,
        ];
        let admin = world.admin.clone();
        let (client, user) = populate(&admin).await?;
        let [near, far] = &replicas;
        let tokens = near.enter(&client, &user, SCOPE).await?;
        let code = far.sign_in(&client, &user, &SignIn::new(SCOPE)).await?;
        let own_token = far.client_credentials(&client, Some("read")).await?.tokens()?;
        for replica in &replicas {
            let userinfo = replica.userinfo(&tokens.access_token).await?;
            ensure!(userinfo.status == 200, "before it ends: {userinfo}");
            for token in [&tokens.access_token, &own_token.access_token] {
                ensure!(replica.introspect(&client, token).await?.is_active()?, "before it ends");
            }
        }
        Ok(Self {
            replicas,
            admin,
            client,
            user,
            tokens,
            code,
            own_token: own_token.access_token,
        })
    }

    async fn endure(&self, end: &str, undo: &str, returning: &str) -> Result<()> {
        self.act(end).await.with_context(|| end.to_owned())?;
        self.expect_no_token(end).await?;
        let is_open = returning == "everybody";
        self.expect_sign_in(is_open).await?;
        let ended: Vec<&str> = self.ended_by(end).collect();
        self.expect_dead(&ended, REFUSAL_TIME).await?;
        if !undo.is_empty() {
            self.act(undo).await.with_context(|| undo.to_owned())?;
            self.expect_sign_in_again().await.context(undo.to_owned())?;
            self.expect_no_token(end).await.context("it was revived")?;
            self.expect_dead(&ended, Duration::ZERO)
                .await
                .context("it was revived")?;
        }
        Ok(())
    }

    /// The access tokens that must die with it: what the client got for itself is not the person's.
    fn ended_by<'a>(&'a self, end: &str) -> impl Iterator<Item = &'a str> {
        let with_client = end.contains("client") || end.contains("tenant");
        [self.tokens.access_token.as_str()]
            .into_iter()
            .chain(with_client.then_some(self.own_token.as_str()))
    }

    async fn act(&self, what: &str) -> Result<()> {
        let target = Target {
            tenant_id: self.client.tenant_id.clone(),
            user_id: self.user.id.clone(),
            client_id: self.client.id.clone(),
            access_token: self.tokens.access_token.clone(),
        };
        target.act(&self.admin, what).await
    }

    /// From the moment on: no refresh, no exchange. The code is another session's, which outlives the first.
    async fn expect_no_token(&self, end: &str) -> Result<()> {
        for replica in self.replicas.iter().rev() {
            let refresh = replica.refresh(&self.client, self.tokens.refresh_token()?).await?;
            ensure_refused("refresh", &refresh)?;
            if end != "revoke the session" {
                ensure_refused("exchange", &replica.exchange(&self.client, &self.code).await?)?;
            }
        }
        Ok(())
    }

    /// Whether the person gets in now with the password that they had.
    async fn expect_sign_in(&self, is_open: bool) -> Result<()> {
        for replica in self.replicas.iter().rev() {
            let answer = replica.authorize(&self.client, &self.user, &SignIn::new(SCOPE)).await?;
            if is_open {
                ensure!(answer.status == 200, "they may come back: {answer}");
            } else {
                ensure_refused("sign-in", &answer)?;
            }
        }
        Ok(())
    }

    /// Another replica may take its second to learn that somebody is there again.
    async fn expect_sign_in_again(&self) -> Result<()> {
        eventually(REFUSAL_TIME, async || self.expect_sign_in(true).await).await
    }

    async fn expect_dead(&self, tokens: &[&str], within: Duration) -> Result<()> {
        let looks = self.replicas.iter().flat_map(|replica| {
            tokens
                .iter()
                .map(move |token| eventually(within, async || self.ensure_dead(replica, token).await))
        });
        try_join_all(looks).await?;
        Ok(())
    }

    async fn ensure_dead(&self, replica: &Api, token: &str) -> Result<()> {
        let userinfo = replica.userinfo(token).await?;
        ensure!(userinfo.status == 401, "userinfo still answers {userinfo}");
        let introspection = replica.introspect(&self.client, token).await?;
        ensure!(
            introspection.status == 401 || !introspection.is_active()?,
            "introspection still answers {introspection}"
        );
        Ok(())
    }

    /// The new secret.
    async fn rotate(&self, overlap_seconds: i64) -> Result<String> {
        let request = RotateClientSecretRequest {
            tenant_id: self.client.tenant_id.clone(),
            client_id: self.client.id.clone(),
            overlap: Some(prost_types::Duration {
                seconds: overlap_seconds,
                nanos: 0,
            }),
            ..Default::default()
        };
        let answer = self.admin.clients().rotate_client_secret(request).await?.into_inner();
        Ok(answer.client_secret)
    }

    async fn expect_served(&self, client: &Client) -> Result<()> {
        for replica in self.replicas.iter().rev() {
            let answer = replica.client_credentials(client, Some("read")).await?;
            ensure!(answer.status == 200, "the secret is good: {answer}");
        }
        Ok(())
    }

    async fn expect_refused(&self, client: &Client) -> Result<()> {
        for replica in self.replicas.iter().rev() {
            let answer = replica.client_credentials(client, Some("read")).await?;
            ensure!(answer.status == 401, "the secret is no more: {answer}");
        }
        Ok(())
    }
}

/// `invalid_grant`, or `invalid_client` where the client is not there any more.
fn ensure_refused(what: &str, answer: &Answer) -> Result<()> {
    let error = answer.json()?["error"].as_str().unwrap_or_default().to_owned();
    let is_refusal = matches!(
        (answer.status, error.as_str()),
        (400, "invalid_grant") | (401, "invalid_client")
    );
    ensure!(is_refusal, "{what} answers {answer}");
    Ok(())
}

async fn populate(admin: &Admin) -> Result<(Client, User)> {
    let tenant = admin.create_tenant(&format!("t{}", &random_text()[..20])).await?;
    let (email, password) = (format!("{}@example.test", random_text()), random_text());
    let request = CreateUserRequest {
        tenant_id: tenant.tenant_id.clone(),
        email: email.clone(),
        password: password.clone(),
        ..CreateUserRequest::default()
    };
    let user = admin.create_user(request).await?;
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let request = CreateClientRequest {
        tenant_id: tenant.tenant_id.clone(),
        display_name: "ends".to_owned(),
        first_party: true,
        grant_types: owned(&["authorization_code", "refresh_token", "client_credentials"]),
        redirect_uris: owned(&["https://app.example/callback"]),
        scopes: owned(&["openid", "email", "offline_access", "read"]),
        ..CreateClientRequest::default()
    };
    let (registered, secret) = admin.create_client(request).await?;
    let client = Client {
        tenant_id: tenant.tenant_id.clone(),
        issuer: tenant.issuer,
        id: registered.client_id,
        secret,
        method: Method::Basic,
        redirect_uri: "https://app.example/callback".to_owned(),
    };
    let user = User {
        tenant_id: tenant.tenant_id,
        id: user.user_id,
        email,
        password,
        display_name: user.display_name,
    };
    Ok((client, user))
}
