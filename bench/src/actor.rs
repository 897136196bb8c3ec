//! Whoever makes requests: one connection, one session, a few people of its own, one request after the other.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::{
    endpoint::Endpoint,
    http::{Answer, Connection, Request},
    shared::{Caller, Shared, lock, take},
};

/// RFC 7636 appendix B: here nobody guesses it.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Answered,
    Refused,
    /// Nothing is left to ask with.
    Exhausted,
}

/// A session that can be refreshed.
struct Session {
    caller: Arc<Caller>,
    bearer: String,
    refresh_token: String,
}

/// One of them.
pub struct Actor {
    connection: Connection,
    shared: Arc<Shared>,
    /// Who signs in; nobody else does as they do.
    emails: Vec<String>,
    next_email: usize,
    sessions: Vec<Session>,
    next_session: usize,
    last_refusal: Option<String>,
}

impl Actor {
    /// Connected; signed in to nothing yet.
    pub async fn new(base_url: &str, shared: Arc<Shared>, emails: Vec<String>) -> Result<Self> {
        Ok(Self {
            connection: Connection::open(base_url).await?,
            shared,
            emails,
            next_email: 0,
            sessions: Vec::new(),
            next_session: 0,
            last_refusal: None,
        })
    }

    /// Signs somebody in and keeps the session.
    pub async fn sign_in(&mut self, caller: &Arc<Caller>, email: &str) -> Result<()> {
        let (step, code) = self.authorize(caller, email, None).await?;
        let code = code.filter(|_| step == Step::Answered);
        let code = code.with_context(|| format!("sign-in: {}", self.refusal()))?;
        let tokens = self.exchange(caller, &code).await?;
        let (access, refresh_token) = tokens.with_context(|| format!("exchange: {}", self.refusal()))?;
        self.sessions.push(Session {
            caller: Arc::clone(caller),
            bearer: format!("Bearer {access}"),
            refresh_token,
        });
        Ok(())
    }

    /// Signs in to the one client by its own people.
    pub async fn sign_in_once(&mut self) -> Result<()> {
        let caller = Arc::clone(&self.shared.signs_in);
        let email = self.email();
        self.sign_in(&caller, &email).await
    }

    /// Keeps a session that somebody else signed in to.
    pub fn take_session(&mut self, caller: &Arc<Caller>, refresh_token: &str) {
        self.sessions.push(Session {
            caller: Arc::clone(caller),
            bearer: "Bearer ".to_owned(),
            refresh_token: refresh_token.to_owned(),
        });
    }

    /// The last refusal, for a person.
    pub fn refusal(&self) -> &str {
        self.last_refusal.as_deref().unwrap_or("nothing was refused")
    }

    /// Connects anew: between two loads it may have been idle for long.
    pub async fn reconnect(&mut self) -> Result<()> {
        self.connection.reopen().await
    }

    /// One request of a kind; of the whole flow, all of it.
    pub async fn step(&mut self, endpoint: Endpoint) -> Result<Step> {
        let caller = Arc::clone(&self.shared.signs_in);
        let shared = Arc::clone(&self.shared);
        match endpoint {
            Endpoint::Refresh => self.refresh().await,
            Endpoint::Authorize | Endpoint::AuthorizePassword => {
                let email = self.email();
                let password = (endpoint == Endpoint::AuthorizePassword).then_some(shared.password.as_str());
                let (step, code) = self.authorize(&caller, &email, password).await?;
                lock(&shared.codes).extend(code);
                Ok(step)
            }
            Endpoint::CodeExchange => {
                let Some(code) = take(&shared.codes) else {
                    return Ok(Step::Exhausted);
                };
                let tokens = self.exchange(&caller, &code).await?;
                let step = if tokens.is_some() {
                    Step::Answered
                } else {
                    Step::Refused
                };
                lock(&shared.refresh_tokens).extend(tokens.map(|(_, refresh)| refresh));
                Ok(step)
            }
            Endpoint::Revoke => match take(&shared.refresh_tokens) {
                Some(token) => {
                    self.post("/auth/revoke", &caller.authorization, &format!("token={token}"))
                        .await
                }
                None => Ok(Step::Exhausted),
            },
            Endpoint::ClientCredentials => {
                let authorization = &shared.service.authorization;
                self.post("/auth/token", authorization, "grant_type=client_credentials")
                    .await
            }
            Endpoint::Introspect => {
                let body = format!("token={}", self.bearer()?.trim_start_matches("Bearer "));
                let request = form("/auth/introspect", &caller.authorization, &body);
                let answer = self.connection.send(request).await?;
                let active = answer.status == 200 && answer.body.contains("\"active\":true");
                Ok(note(active, answer, &mut self.last_refusal))
            }
            Endpoint::Userinfo => {
                let bearer = self.bearer()?.to_owned();
                self.get("/auth/userinfo", &bearer).await
            }
            Endpoint::Jwks => self.get(&shared.jwks_path, "").await,
            Endpoint::WholeFlow => self.whole_flow(&caller).await,
        }
    }

    async fn refresh(&mut self) -> Result<Step> {
        self.next_session = (self.next_session + 1) % self.sessions.len().max(1);
        let session = self.sessions.get_mut(self.next_session).context("no session")?;
        let body = format!("grant_type=refresh_token&refresh_token={}", session.refresh_token);
        let request = form("/auth/token", &session.caller.authorization, &body);
        let answer = self.connection.send(request).await?;
        if answer.status == 200 {
            session.bearer.truncate("Bearer ".len());
            session.bearer.push_str(answer.field("access_token")?);
            session.refresh_token.clear();
            session.refresh_token.push_str(answer.field("refresh_token")?);
        }
        Ok(note(answer.status == 200, answer, &mut self.last_refusal))
    }

    async fn authorize(
        &mut self,
        caller: &Caller,
        email: &str,
        password: Option<&str>,
    ) -> Result<(Step, Option<String>)> {
        let Caller {
            client_id,
            redirect_uri,
            authorization,
        } = caller;
        let proof = password.map_or_else(String::new, |password| {
            format!(r#","proof":{{"type":"password","password":"{password}"}}"#)
        });
        let body = format!(
            r#"{{"email":"{email}","client_id":"{client_id}","scopes":["openid"],"redirect_uri":"{redirect_uri}","state":"bench","nonce":"bench","code_challenge":"{CHALLENGE}","code_challenge_method":"S256"{proof}}}"#
        );
        let request = Request {
            content_type: JSON,
            ..form("/auth/authorize", authorization, &body)
        };
        let answer = self.connection.send(request).await?;
        let code = (answer.status == 200).then(|| answer.field("code")).transpose()?;
        let code = code.map(str::to_owned);
        Ok((note(code.is_some(), answer, &mut self.last_refusal), code))
    }

    /// Access and refresh token.
    async fn exchange(&mut self, caller: &Caller, code: &str) -> Result<Option<(String, String)>> {
        let redirect_uri: String = url::form_urlencoded::byte_serialize(caller.redirect_uri.as_bytes()).collect();
        let body =
            format!("grant_type=authorization_code&code={code}&redirect_uri={redirect_uri}&code_verifier={VERIFIER}");
        let answer = self
            .connection
            .send(form("/auth/token", &caller.authorization, &body))
            .await?;
        if note(answer.status == 200, answer, &mut self.last_refusal) == Step::Refused {
            return Ok(None);
        }
        let own = |name| answer.field(name).map(str::to_owned);
        Ok(Some((own("access_token")?, own("refresh_token")?)))
    }

    async fn whole_flow(&mut self, caller: &Arc<Caller>) -> Result<Step> {
        let kept = std::mem::take(&mut self.sessions);
        let outcome = self.whole_flow_anew(caller).await;
        self.sessions = kept;
        outcome
    }

    async fn whole_flow_anew(&mut self, caller: &Arc<Caller>) -> Result<Step> {
        let email = self.email();
        let (_, Some(code)) = self.authorize(caller, &email, None).await? else {
            return Ok(Step::Refused);
        };
        let Some((access, refresh_token)) = self.exchange(caller, &code).await? else {
            return Ok(Step::Refused);
        };
        self.take_session(caller, &refresh_token);
        if self.get("/auth/userinfo", &format!("Bearer {access}")).await? != Step::Answered
            || self.refresh().await? != Step::Answered
        {
            return Ok(Step::Refused);
        }
        let body = format!("token={}", self.sessions.first().context("no session")?.refresh_token);
        self.post("/auth/revoke", &caller.authorization, &body).await
    }

    async fn post(&mut self, path: &str, authorization: &str, body: &str) -> Result<Step> {
        let answer = self.connection.send(form(path, authorization, body)).await?;
        Ok(note(answer.status == 200, answer, &mut self.last_refusal))
    }

    async fn get(&mut self, path: &str, authorization: &str) -> Result<Step> {
        let request = Request {
            method: "GET",
            path,
            authorization,
            content_type: "",
            body: "",
        };
        let answer = self.connection.send(request).await?;
        Ok(note(answer.status == 200, answer, &mut self.last_refusal))
    }

    /// The value of the header that shows its newest access token.
    pub fn bearer(&self) -> Result<&str> {
        let Some(session) = self.sessions.first() else {
            bail!("not signed in")
        };
        Ok(&session.bearer)
    }

    fn email(&mut self) -> String {
        self.next_email = (self.next_email + 1) % self.emails.len().max(1);
        self.emails.get(self.next_email).cloned().unwrap_or_default()
    }
}

/// A form that is posted.
pub const fn form<'a>(path: &'a str, authorization: &'a str, body: &'a str) -> Request<'a> {
    Request {
        method: "POST",
        path,
        authorization,
        content_type: FORM,
        body,
    }
}

fn note(fine: bool, answer: Answer<'_>, last_refusal: &mut Option<String>) -> Step {
    if fine {
        return Step::Answered;
    }
    *last_refusal = Some(format!("{} {}", answer.status, answer.body));
    Step::Refused
}
