//! What a scenario knows: the tenant that it made, who lives there, what they hold, and what the server answered last.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use cucumber::World;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    admin::Admin,
    answer::{Answer, Tokens},
    browser::Browser,
    chromium::Chromium,
    credoctl::Operator,
    example::Example,
    faults::Faults,
    flood::Flood,
    jwt::unverified_claims,
    load::{Load, Seen},
    oauth::{Api, Client, Code, Method, SignIn, User},
    patience::eventually,
    secrets::Named,
    stack::Stack,
    tail::Tail,
};

/// What a session is called that has no other name.
pub const SESSION: &str = "session";

/// A tenant as its people see it.
#[derive(Clone, Debug)]
pub struct Tenant {
    pub id: String,
    pub issuer: String,
}

/// A session and all tokens that were issued in it, oldest first.
#[derive(Clone, Debug)]
pub struct Session {
    pub client: String,
    pub user: String,
    pub code: Code,
    pub tokens: Vec<Tokens>,
}

impl Session {
    /// The tokens that were issued last.
    ///
    /// # Errors
    /// If none were.
    pub fn newest(&self) -> Result<&Tokens> {
        self.tokens.last().context("the session has no tokens yet")
    }

    /// Its id.
    ///
    /// # Errors
    /// If it has no tokens yet.
    pub fn id(&self) -> Result<String> {
        let claims = unverified_claims(&self.newest()?.access_token)?;
        Ok(claims["sid"]
            .as_str()
            .context("the access token names no session")?
            .to_owned())
    }
}

/// What an app asks a person's browser for: it waits for the answer.
#[derive(Clone, Debug)]
pub struct Visit {
    pub client: String,
    pub wanted: SignIn,
}

/// The state of one scenario.
#[derive(Debug, World)]
#[world(init = Self::new)]
pub struct CredoWorld {
    pub stack: &'static Stack,
    pub api: Api,
    pub admin: Admin,
    pub tenants: Vec<Tenant>,
    pub users: HashMap<String, User>,
    pub clients: HashMap<String, Client>,
    pub sessions: HashMap<String, Session>,
    /// By the name of the person.
    pub browsers: HashMap<String, Browser>,
    /// What each browser was last sent away for.
    pub visits: HashMap<String, Visit>,
    /// A program of a client's developer that is running.
    pub example: Option<Example>,
    /// Every answer so far, the last one last.
    pub answers: Vec<Answer>,
    /// The answers of races, one list a race.
    pub rounds: Vec<Vec<Answer>>,
    /// What the last call of an admin API came to.
    pub status: Option<tonic::Status>,
    pub faults: Faults,
    pub load: Option<Load>,
    /// Askers without manners.
    pub flood: Option<Flood>,
    /// Somebody who follows the trail.
    pub tail: Option<Tail>,
    /// A real one, where a scenario needs it.
    pub chromium: Option<Chromium>,
    /// Apps on this machine that wait for an answer.
    pub apps: JoinSet<()>,
    pub seen: Vec<Seen>,
    /// Somebody with credoctl.
    pub operator: Option<Operator>,
    /// What must be found nowhere.
    pub secrets: Vec<Named>,
}

impl CredoWorld {
    async fn new() -> Result<Self> {
        let stack = Stack::get()?;
        let api = Api::new(&stack.base_url)?;
        Ok(Self {
            stack,
            admin: Admin::system(stack, &api).await?,
            api,
            tenants: Vec::new(),
            users: HashMap::new(),
            clients: HashMap::new(),
            sessions: HashMap::new(),
            browsers: HashMap::new(),
            visits: HashMap::new(),
            example: None,
            answers: Vec::new(),
            rounds: Vec::new(),
            status: None,
            faults: Faults::default(),
            load: None,
            flood: None,
            tail: None,
            chromium: None,
            apps: JoinSet::new(),
            seen: Vec::new(),
            operator: None,
            secrets: Vec::new(),
        })
    }

    /// Ends a load that still runs and mends what is still broken.
    ///
    /// # Errors
    /// If something cannot be mended.
    pub async fn tidy(&mut self) -> Result<()> {
        self.load = None;
        self.flood = None;
        self.apps.abort_all();
        if let Some(chromium) = self.chromium.take() {
            chromium.end().await?;
        }
        self.faults.mend_all(self.stack, &self.api, &self.admin).await
    }

    /// Starts a real browser, in place of another.
    ///
    /// # Errors
    /// If there is none.
    pub async fn start_chromium(&mut self, language: &str) -> Result<()> {
        if let Some(chromium) = self.chromium.take() {
            chromium.end().await?;
        }
        self.chromium = Some(Chromium::start(language).await?);
        Ok(())
    }

    /// The real browser.
    ///
    /// # Errors
    /// If none was started.
    pub fn chromium(&self) -> Result<&Chromium> {
        self.chromium.as_ref().context("no Chromium was started")
    }

    /// The first tenant of the scenario.
    ///
    /// # Errors
    /// If it made none.
    pub fn tenant(&self) -> Result<&Tenant> {
        self.tenants.first().context("the scenario has no tenant")
    }

    /// The second tenant of the scenario.
    ///
    /// # Errors
    /// If it made none.
    pub fn other_tenant(&self) -> Result<&Tenant> {
        self.tenants.get(1).context("the scenario has no other tenant")
    }

    /// A user by name.
    ///
    /// # Errors
    /// If there is none.
    pub fn user(&self, name: &str) -> Result<&User> {
        self.users.get(name).with_context(|| format!("nobody is called {name}"))
    }

    /// A client by name.
    ///
    /// # Errors
    /// If there is none.
    pub fn client(&self, name: &str) -> Result<&Client> {
        self.clients
            .get(name)
            .with_context(|| format!("no client is called {name}"))
    }

    /// A session by name; the empty name is that of the only one.
    ///
    /// # Errors
    /// If there is none.
    pub fn session(&self, name: &str) -> Result<&Session> {
        let name = if name.is_empty() { SESSION } else { name };
        self.sessions
            .get(name)
            .with_context(|| format!("there is no session {name}"))
    }

    /// The same, to be changed.
    ///
    /// # Errors
    /// If there is none.
    pub fn session_mut(&mut self, name: &str) -> Result<&mut Session> {
        let name = if name.is_empty() { SESSION } else { name };
        self.sessions
            .get_mut(name)
            .with_context(|| format!("there is no session {name}"))
    }

    /// A person's browser, new at first.
    pub fn browser(&mut self, user: &str) -> &mut Browser {
        let new = || Browser::new(self.api.http());
        self.browsers.entry(user.to_owned()).or_insert_with(new)
    }

    /// The last answer.
    ///
    /// # Errors
    /// If nothing was asked yet.
    pub fn answer(&self) -> Result<&Answer> {
        self.answers.last().context("nothing was answered yet")
    }

    /// The access token that was issued last.
    ///
    /// # Errors
    /// If none was.
    pub fn machine_token(&self) -> Result<String> {
        let issued = self.answers.iter().rev().find_map(|answer| answer.tokens().ok());
        Ok(issued.context("no token was issued")?.access_token)
    }

    /// The tenant's keys, found by discovery.
    ///
    /// # Errors
    /// If they are not there.
    pub async fn keys(&self) -> Result<Value> {
        self.api.discover(&self.tenant()?.issuer, "jwks_uri").await
    }

    /// Whether an access token is honoured: by userinfo, and by introspection where its client may ask.
    ///
    /// # Errors
    /// If the two differ or the server says something else.
    pub async fn honours(&self, client: &str, access_token: &str) -> Result<bool> {
        let client = self.client(client)?;
        let userinfo = self.api.userinfo(access_token).await?;
        let honoured = userinfo.status == 200;
        ensure!(
            honoured || userinfo.status == 401 && userinfo.header("www-authenticate").contains("invalid_token"),
            "userinfo: {userinfo}"
        );
        if client.method != Method::Public {
            let introspection = self.api.introspect(client, access_token).await?;
            if introspection.status != 401 {
                // a disabled client may not even ask
                ensure!(
                    introspection.is_active()? == honoured,
                    "userinfo answers {userinfo}, introspection {introspection}"
                );
            }
        }
        Ok(honoured)
    }

    /// Checks that an access token is refused, at the latest after `within`.
    ///
    /// # Errors
    /// If it is still honoured then.
    pub async fn expect_dead(&self, client: &str, access_token: &str, within: Duration) -> Result<()> {
        eventually(within, async || {
            ensure!(
                !self.honours(client, access_token).await?,
                "the access token is still honoured"
            );
            Ok(())
        })
        .await
    }
}
