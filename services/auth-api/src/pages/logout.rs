//! Signing out: the question, and that it is done.

use askama::Template;

use super::{BackLink, Look};

/// Asks whether to sign out. Its form posts `csrf` and what [`LogoutPage::fields`] holds.
#[derive(Clone, Debug, Default)]
pub struct LogoutPage {
    /// Where the form posts to: path and query.
    pub action: String,
    /// Who asks for it; none: nobody that we could tell.
    pub client_name: Option<String>,
    /// Who is signed in, if the name is known.
    pub name: Option<String>,
    /// Who is signed in.
    pub email: String,
    /// Where one goes instead: path of the account page.
    pub stay_url: Option<String>,
    /// The form's token.
    pub csrf: String,
    /// Hidden fields: name and value.
    pub fields: Vec<(String, String)>,
}

/// Says that nobody is signed in any more.
#[derive(Clone, Debug, Default)]
pub struct SignedOutPage {
    /// The way back to the app, only where it is registered.
    pub back: Option<BackLink>,
    /// Where one signs in again: path of the account page.
    pub sign_in_url: Option<String>,
}

#[derive(Template)]
#[template(path = "logout.html")]
struct LogoutMarkup<'a> {
    look: &'a Look,
    page: &'a LogoutPage,
    title: String,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutMarkup<'a> {
    look: &'a Look,
    page: &'a SignedOutPage,
    title: String,
}

impl LogoutPage {
    /// The page's HTML.
    #[must_use]
    pub fn render(&self, look: &Look) -> String {
        let markup = LogoutMarkup {
            look,
            page: self,
            title: look.title(&look.say("logout-heading").plain(), false),
        };
        markup.to_string()
    }
}

impl SignedOutPage {
    /// The page's HTML.
    #[must_use]
    pub fn render(&self, look: &Look) -> String {
        let markup = SignedOutMarkup {
            look,
            page: self,
            title: look.title(&look.say("signed-out-heading").plain(), false),
        };
        markup.to_string()
    }
}
