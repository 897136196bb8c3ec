//! Signing in with an e-mail address and a password.

use askama::Template;

use super::{Look, messages::Phrase};

/// The sign-in page. Its form posts `email`, `password`, `csrf` and, if there is one, `request`.
#[derive(Clone, Debug, Default)]
pub struct SignInPage {
    /// Where the form posts to: path and query.
    pub action: String,
    /// Who wants to know who is there; none: the tenant's own account page.
    pub client_name: Option<String>,
    /// What stands in the field: a hint, or what was typed before.
    pub email: String,
    /// What was wrong with what was typed before.
    pub error: Option<SignInError>,
    /// Why somebody who is signed in is asked again.
    pub reason: Option<SignInReason>,
    /// Who is signed in already and may go on so; posts `continue=yes`, `csrf` and `request` to the same place.
    pub continue_as: Option<ContinueAs>,
    /// The form's token.
    pub csrf: String,
    /// The sealed request.
    pub request: Option<String>,
}

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInError {
    /// No address.
    NoEmail,
    /// No password.
    NoPassword,
    /// Neither.
    NoEmailAndPassword,
    /// They do not belong together, or nobody has that address, or the account is disabled.
    Wrong,
    /// Too many attempts lately.
    TooManyAttempts {
        /// How long to wait.
        retry_after_seconds: u32,
    },
}

/// Why somebody who is signed in is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInReason {
    /// The client wants a fresh sign-in (`prompt=login`, `max_age`).
    Again,
    /// The client lets the person choose who to be (`prompt=select_account`).
    Choose,
    /// The sign-in of before ended: too long ago, or ended from elsewhere.
    Ended,
}

/// Who is signed in already.
#[derive(Clone, Debug)]
pub struct ContinueAs {
    /// Their name, if it is known.
    pub name: Option<String>,
    /// Their address.
    pub email: String,
}

/// A field that something is wrong with, and the message that says what.
struct Problem {
    field: &'static str,
    message: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Markup<'a> {
    look: &'a Look,
    page: &'a SignInPage,
    title: String,
    problems: Vec<Problem>,
}

impl SignInPage {
    /// The page's HTML.
    #[must_use]
    pub fn render(&self, look: &Look) -> String {
        let markup = Markup {
            look,
            page: self,
            title: look.title(&look.say("sign-in-heading").plain(), self.error.is_some()),
            problems: self.problems(look),
        };
        markup.to_string()
    }

    fn problems(&self, look: &Look) -> Vec<Problem> {
        let problem = |field, key| Problem {
            field,
            message: look.say(key).plain(),
        };
        let email = problem("email", "sign-in-no-email");
        let password = problem("password", "sign-in-no-password");
        match self.error {
            None => Vec::new(),
            Some(SignInError::NoEmail) => vec![email],
            Some(SignInError::NoPassword) => vec![password],
            Some(SignInError::NoEmailAndPassword) => vec![email, password],
            Some(SignInError::Wrong) => vec![problem("password", "sign-in-wrong")],
            Some(SignInError::TooManyAttempts { retry_after_seconds }) => vec![Problem {
                field: "password",
                message: look.too_many_attempts(retry_after_seconds),
            }],
        }
    }
}

impl Markup<'_> {
    fn problem(&self, field: &str) -> Option<&Problem> {
        self.problems.iter().find(|problem| problem.field == field)
    }

    fn reason(&self) -> Option<Phrase<'static>> {
        self.page.reason.map(|reason| {
            self.look.say(match reason {
                SignInReason::Again => "sign-in-again",
                SignInReason::Choose => "sign-in-choose",
                SignInReason::Ended => "sign-in-ended",
            })
        })
    }

    /// The one field that the person most likely goes on with; after a failure the summary has the focus.
    fn focused(&self) -> &'static str {
        match (self.problems.is_empty(), self.page.email.is_empty()) {
            (false, _) => "summary",
            (true, true) => "email",
            (true, false) => "password",
        }
    }
}
