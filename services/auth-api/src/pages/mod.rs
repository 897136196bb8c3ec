//! What people see: view structs in, HTML out. No request, no store, no clock.
//!
//! A page is plain data with a `render(&self, &Look) -> String`. Its markup stands in `templates/`, its words in
//! `messages/`; both are compiled in. Every page is whole without script, and everything that comes from outside is escaped
//! by the templates. What else belongs to an answer (status, headers, content security policy) is `http/browser/page.rs`.

mod account;
mod consent;
mod destination;
mod error;
mod form_post;
mod instant;
mod language;
mod logout;
mod look;
mod messages;
mod sign_in;
#[cfg(test)]
mod tests;
mod user_agent;

pub use account::{AccountNotice, AccountPage, AccountSession, ConnectedApp, PasswordProblem, SessionKind};
pub use consent::{ConsentPage, ConsentScope};
pub use destination::{Destination, source_expression};
pub use error::{BackLink, ErrorKind, ErrorPage};
pub use form_post::FormPostPage;
pub use language::{LANGUAGE_PARAMETER, Language};
pub use logout::{LogoutPage, SignedOutPage};
pub use look::{Look, TenantTheme, Theme};
pub use sign_in::{ContinueAs, SignInError, SignInPage, SignInReason};

/// Where the style sheet is, with a version that changes with its content.
pub const STYLE: &str = include_str!("../../assets/credo.css");
/// Sends the form of [`FormPostPage`] on.
pub const FORM_POST_SCRIPT: &str = include_str!("../../assets/form-post.js");
/// The sign in the browser's tab.
pub const ICON: &str = include_str!("../../assets/icon.svg");
