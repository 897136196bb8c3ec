//! A person's own page: where they are signed in, which apps have access, and their password.

use askama::Template;
use time::OffsetDateTime;

use super::{Look, instant, messages::Phrase, user_agent};

/// The account page. Every form posts to a path below [`AccountPage::base`] and carries `csrf`:
/// `sign-out`; `sessions/revoke` with `session`; `apps/revoke` and `apps/forget` with `client`; `password` with
/// `current_password` and `new_password`.
#[derive(Clone, Debug, Default)]
pub struct AccountPage {
    /// Path of the page, without a slash at its end.
    pub base: String,
    /// Who it is, if the name is known.
    pub name: Option<String>,
    /// Who it is.
    pub email: String,
    /// Where they are signed in.
    pub sessions: Vec<AccountSession>,
    /// What they allowed.
    pub apps: Vec<ConnectedApp>,
    /// Whether they have a password to change.
    pub has_password: bool,
    /// What was just done.
    pub notice: Option<AccountNotice>,
    /// What was wrong with a change of the password.
    pub problem: Option<PasswordProblem>,
    /// The forms' token.
    pub csrf: String,
}

/// A browser or an app in which they are signed in.
#[derive(Clone, Debug)]
pub struct AccountSession {
    /// What `session` carries.
    pub id: String,
    /// What it is.
    pub kind: SessionKind,
    /// How the browser or program calls itself (`User-Agent`), if it did.
    pub user_agent: Option<String>,
    /// When it began.
    pub signed_in_at: OffsetDateTime,
    /// When it was last used, if that is known.
    pub seen_at: Option<OffsetDateTime>,
    /// Whether it is the browser that shows this page.
    pub current: bool,
}

/// What a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// A browser.
    Browser,
    /// An app, by its name.
    App(String),
}

/// A client that they allowed something.
#[derive(Clone, Debug)]
pub struct ConnectedApp {
    /// What `client` carries.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The scopes.
    pub scopes: Vec<String>,
    /// Since when, or until when if it is revoked.
    pub at: OffsetDateTime,
    /// Whether its access was taken away; it can then be forgotten.
    pub revoked: bool,
}

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountNotice {
    /// A session was ended.
    SessionEnded,
    /// An app lost its access.
    AppRevoked,
    /// A revoked app was forgotten.
    AppForgotten,
    /// The password is another one, and all other sessions have ended.
    PasswordChanged,
}

/// What was wrong with a change of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    /// The present one is missing.
    NoCurrent,
    /// The present one is another.
    WrongCurrent,
    /// The new one is missing.
    NoNew,
    /// The new one is too short.
    TooShort {
        /// How long it must be, in characters.
        minimum: u32,
    },
    /// The new one is too long.
    TooLong,
    /// The new one is on every list of leaked ones.
    Common,
    /// The new one is little else than names.
    Guessable,
    /// Too many attempts lately.
    TooManyAttempts {
        /// How long to wait.
        retry_after_seconds: u32,
    },
}

impl AccountNotice {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::SessionEnded,
        Self::AppRevoked,
        Self::AppForgotten,
        Self::PasswordChanged,
    ];

    /// Its name in the query of a redirect to the page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SessionEnded => "session-ended",
            Self::AppRevoked => "app-revoked",
            Self::AppForgotten => "app-forgotten",
            Self::PasswordChanged => "password-changed",
        }
    }

    /// The notice of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.name() == name)
    }

    fn read(self, look: &Look) -> Phrase<'static> {
        look.say(match self {
            Self::SessionEnded => "account-session-ended",
            Self::AppRevoked => "account-app-revoked",
            Self::AppForgotten => "account-app-forgotten",
            Self::PasswordChanged => "account-password-changed",
        })
    }
}

/// What is wrong with which field.
struct Problem {
    field: &'static str,
    message: String,
}

#[derive(Template)]
#[template(path = "account.html")]
struct Markup<'a> {
    look: &'a Look,
    page: &'a AccountPage,
    title: String,
    problem: Option<Problem>,
}

impl AccountPage {
    /// The page's HTML.
    #[must_use]
    pub fn render(&self, look: &Look) -> String {
        let markup = Markup {
            look,
            page: self,
            title: look.title(&look.say("account-heading").plain(), self.problem.is_some()),
            problem: self.problem.map(|problem| problem.read(look)),
        };
        markup.to_string()
    }
}

impl PasswordProblem {
    fn read(self, look: &Look) -> Problem {
        let current = |message| Problem {
            field: "current_password",
            message,
        };
        let new = |message| Problem {
            field: "new_password",
            message,
        };
        match self {
            Self::NoCurrent => current(look.say("password-no-current").plain()),
            Self::WrongCurrent => current(look.say("password-wrong-current").plain()),
            Self::NoNew => new(look.say("password-no-new").plain()),
            Self::TooShort { minimum } => new(look.say("password-too-short").count("minimum", minimum).plain()),
            Self::TooLong => new(look.say("password-too-long").plain()),
            Self::Common => new(look.say("password-common").plain()),
            Self::Guessable => new(look.say("password-guessable").plain()),
            Self::TooManyAttempts { retry_after_seconds } => current(look.too_many_attempts(retry_after_seconds)),
        }
    }
}

impl Markup<'_> {
    fn problem_of(&self, field: &str) -> Option<&Problem> {
        self.problem.as_ref().filter(|problem| problem.field == field)
    }

    /// The device of a session, in words.
    fn device(&self, session: &AccountSession) -> String {
        match user_agent::read(session.user_agent.as_deref().unwrap_or_default()) {
            (Some(browser), Some(system)) => {
                let phrase = self.look.say("device-both").with("browser", browser);
                phrase.with("system", system).plain()
            }
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            (None, None) => self.look.say("device-unknown").plain(),
        }
    }

    fn when(&self, instant: &OffsetDateTime) -> String {
        instant::in_words(self.look.language, *instant)
    }
}
