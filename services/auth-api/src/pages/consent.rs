//! Asking a person what a client may have.

use askama::Template;

use super::{Destination, Look, messages::Phrase};

/// The consent page. Its form posts `decision=allow` or `decision=deny`, `csrf` and `request`.
#[derive(Clone, Debug, Default)]
pub struct ConsentPage {
    /// Where the form posts to: path and query.
    pub action: String,
    /// Who asks.
    pub client_name: String,
    /// Where the person goes next: the validated redirect URI, of which the page shows the host.
    pub redirect_uri: String,
    /// As whom, if the name is known.
    pub name: Option<String>,
    /// As whom.
    pub email: String,
    /// What is asked for.
    pub scopes: Vec<ConsentScope>,
    /// Where it can be undone: path of the account page.
    pub account_url: String,
    /// Where one signs in as somebody else, if that is possible: path and query.
    pub switch_account_url: Option<String>,
    /// The form's token.
    pub csrf: String,
    /// The sealed request.
    pub request: String,
}

/// A scope that is asked for.
#[derive(Clone, Debug)]
pub struct ConsentScope {
    /// Its token.
    pub scope: String,
    /// Whether the person allowed it to this client before.
    pub already_granted: bool,
}

/// What a scope gives, in words; none for one that we know only by its token.
pub(super) fn words(look: &Look, scope: &str) -> Option<Phrase<'static>> {
    Some(look.say(match scope {
        "openid" => "scope-openid",
        "profile" => "scope-profile",
        "email" => "scope-email",
        "phone" => "scope-phone",
        "address" => "scope-address",
        "offline_access" => "scope-offline-access",
        "credo.sessions" => "scope-credo-sessions",
        _ => return None,
    }))
}

/// Who one is comes first, and how long it holds last.
fn rank(scope: &str) -> usize {
    const FIRST: [&str; 5] = ["openid", "profile", "email", "phone", "address"];
    match FIRST.iter().position(|known| *known == scope) {
        Some(position) => position,
        None if scope == "offline_access" => usize::MAX,
        None => FIRST.len(),
    }
}

#[derive(Template)]
#[template(path = "consent.html")]
struct Markup<'a> {
    look: &'a Look,
    page: &'a ConsentPage,
    title: String,
    destination: Destination,
}

impl ConsentPage {
    /// The page's HTML.
    #[must_use]
    pub fn render(&self, look: &Look) -> String {
        let markup = Markup {
            look,
            page: self,
            title: look.title(
                &look.say("consent-title").with("client", &self.client_name).plain(),
                false,
            ),
            destination: Destination::of(&self.redirect_uri),
        };
        markup.to_string()
    }
}

impl Markup<'_> {
    fn asked(&self, already_granted: bool) -> Vec<&str> {
        let scopes = self.page.scopes.iter();
        let mut scopes: Vec<_> = scopes
            .filter(|asked| asked.already_granted == already_granted)
            .map(|asked| asked.scope.as_str())
            .collect();
        scopes.sort_by_key(|scope| rank(scope));
        scopes
    }
}
