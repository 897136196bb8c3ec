//! What went wrong, in plain words: what it means, what to do, and a reference for those who help.
//!
//! No page tells whether an account exists, nor of our insides.

use askama::Template;

use super::{Look, messages::Phrase};

/// An error page.
#[derive(Clone, Debug)]
pub struct ErrorPage {
    /// What went wrong.
    pub kind: ErrorKind,
    /// The id of the request.
    pub reference: String,
    /// The way back to the app, only where its redirect URI was validated.
    pub back: Option<BackLink>,
}

/// A link to the app.
#[derive(Clone, Debug)]
pub struct BackLink {
    /// Its name.
    pub client_name: String,
    /// Where it is: registered for it.
    pub url: String,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No client has that id (or it is disabled, or its tenant is suspended).
    UnknownClient,
    /// The redirect URI is missing, or not one that the client registered.
    BadRedirectUri,
    /// The request cannot be read: a parameter is missing, twice there or malformed, and it may not go back to the client.
    BadRequest,
    /// The request of this page is too old or was changed on the way.
    Expired,
    /// Too many requests or attempts.
    TooMany {
        /// How long to wait.
        retry_after_seconds: u32,
    },
    /// The form came from elsewhere, or its token is gone: nothing was changed.
    Forbidden,
    /// The browser keeps no cookies, so nobody can sign in.
    NoCookies,
    /// There is no such page.
    NotFound,
    /// It cannot be told whose account page is meant.
    WhichAccount,
    /// A defect.
    Internal,
    /// Not now.
    Unavailable,
}

impl ErrorKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::UnknownClient,
        Self::BadRedirectUri,
        Self::BadRequest,
        Self::Expired,
        Self::TooMany {
            retry_after_seconds: 90,
        },
        Self::Forbidden,
        Self::NoCookies,
        Self::NotFound,
        Self::WhichAccount,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::UnknownClient | Self::BadRedirectUri | Self::BadRequest | Self::Expired | Self::NoCookies => 400,
            Self::Forbidden => 403,
            Self::NotFound | Self::WhichAccount => 404,
            Self::TooMany { .. } => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// What `Retry-After` says, in seconds.
    #[must_use]
    pub const fn retry_after_seconds(self) -> Option<u32> {
        match self {
            Self::TooMany { retry_after_seconds } => Some(retry_after_seconds),
            Self::Unavailable => Some(1),
            _ => None,
        }
    }

    /// Heading, what it means, what to do.
    const fn words(self) -> [&'static str; 3] {
        match self {
            Self::UnknownClient => ["error-unknown-client", "error-unknown-client-meaning", "error-tell-app"],
            Self::BadRedirectUri => [
                "error-bad-redirect-uri",
                "error-bad-redirect-uri-meaning",
                "error-tell-app",
            ],
            Self::BadRequest => ["error-bad-request", "error-bad-request-meaning", "error-tell-app"],
            Self::Expired => ["error-expired", "error-expired-meaning", "error-start-again"],
            Self::TooMany { .. } => ["error-too-many", "error-too-many-meaning", "error-again"],
            Self::Forbidden => ["error-forbidden", "error-forbidden-meaning", "error-start-again"],
            Self::NoCookies => ["error-no-cookies", "error-no-cookies-meaning", "error-no-cookies-do"],
            Self::NotFound => ["error-not-found", "error-not-found-meaning", "error-not-found-do"],
            Self::WhichAccount => [
                "error-which-account",
                "error-which-account-meaning",
                "error-which-account-do",
            ],
            Self::Internal => ["error-internal", "error-internal-meaning", "error-again"],
            Self::Unavailable => ["error-unavailable", "error-unavailable-meaning", "error-again"],
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct Markup<'a> {
    look: &'a Look,
    page: &'a ErrorPage,
    title: String,
    heading: Phrase<'static>,
    meaning: Phrase<'static>,
    advice: String,
}

impl ErrorPage {
    /// The page's HTML.
    #[must_use]
    pub fn render(&self, look: &Look) -> String {
        let [heading, meaning, advice] = self.kind.words();
        let advice = match self.kind {
            ErrorKind::TooMany { retry_after_seconds } => look.wait(retry_after_seconds),
            _ => look.say(advice).plain(),
        };
        let markup = Markup {
            look,
            page: self,
            title: look.title(&look.say(heading).plain(), true),
            heading: look.say(heading),
            meaning: look.say(meaning),
            advice,
        };
        markup.to_string()
    }
}
