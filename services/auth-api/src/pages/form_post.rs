//! The answer of an authorization request by form (OAuth 2.0 Form Post Response Mode): the browser posts it to the client.
//!
//! A small script of our own sends it on; without script the person presses the button.

use askama::Template;

use super::Look;

/// The page that posts itself.
#[derive(Clone, Debug, Default)]
pub struct FormPostPage {
    /// The client's validated redirect URI.
    pub redirect_uri: String,
    /// Who it is.
    pub client_name: String,
    /// What is sent: name and value.
    pub fields: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "form_post.html")]
struct Markup<'a> {
    look: &'a Look,
    page: &'a FormPostPage,
    title: String,
}

impl FormPostPage {
    /// The page's HTML.
    #[must_use]
    pub fn render(&self, look: &Look) -> String {
        let markup = Markup {
            look,
            page: self,
            title: look.title(
                &look.say("form-post-heading").with("client", &self.client_name).plain(),
                false,
            ),
        };
        markup.to_string()
    }
}
