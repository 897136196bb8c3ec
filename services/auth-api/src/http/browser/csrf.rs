//! A form that changes something is sent by our own page, in the browser that got it (RFC 9700 section 4.7).
//!
//! A cookie of 32 random bytes, and in the form a MAC over it, the form's purpose and the signed-in browser: a form of
//! another purpose, of another browser or from before a sign-in is refused, and so is one that a browser says comes from
//! another site. Refused means 403, and nothing changed.

use aws_lc_rs::{hmac, rand};
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_ids::BrowserSessionId;

use super::{
    cookies::{self, Cookies},
    visit::Visit,
};
use crate::{app::App, pages::ErrorKind, refusal::Refusal};

/// The form's field.
pub(in crate::http) const FIELD: &str = "csrf";
const COOKIE: &str = "__Host-credo-csrf";
const COOKIE_BYTES: usize = 32;
/// Where a request comes from, as the browser says (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// What a form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Purpose {
    /// To sign in. It is not tied to a signed-in browser: another tab may have signed in meanwhile.
    SignIn,
    /// To confirm a logout. It is not tied to one signed-in browser: it may end several.
    Logout,
    /// To say what a client may have.
    Consent,
    /// To change something on the person's own page.
    Account,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::SignIn => b"sign-in",
            Self::Logout => b"logout",
            Self::Consent => b"consent",
            Self::Account => b"account",
        }
    }
}

/// What a page with a form needs.
pub(in crate::http) struct FormToken {
    /// The value of the field [`FIELD`].
    pub field: String,
    /// The cookie, if the browser has none yet.
    pub set_cookie: Option<HeaderValue>,
}

/// The token of a form for `purpose`, sent by the signed-in browser `browser` if the form is only for it.
pub(in crate::http) fn issue(
    app: &App,
    cookies: &Cookies,
    purpose: Purpose,
    browser: Option<BrowserSessionId>,
) -> Result<FormToken, Refusal> {
    let (bytes, set_cookie) = if let Some(bytes) = read(cookies) {
        (bytes, None)
    } else {
        let mut bytes = [0; COOKIE_BYTES];
        rand::fill(&mut bytes)?;
        let cookie = cookies::set(COOKIE, &URL_SAFE_NO_PAD.encode(bytes), None)?;
        (bytes, Some(cookie))
    };
    let master = app.keyring.masters().active();
    let mac = hmac::sign(&master.csrf, &message(&bytes, (purpose, browser)));
    let field = URL_SAFE_NO_PAD.encode([&[master.id][..], mac.as_ref()].concat());
    Ok(FormToken { field, set_cookie })
}

/// What a form that is not genuine is answered with.
pub(in crate::http) fn forged(visit: &Visit, kind: ErrorKind) -> Response {
    visit.error(kind).with_status(StatusCode::FORBIDDEN).into_response()
}

/// Whether a form is genuine, or the page that is to be shown instead. `field` is what it sent as [`FIELD`].
pub(in crate::http) fn check(
    app: &App,
    headers: &HeaderMap,
    form: (Purpose, Option<BrowserSessionId>),
    field: Option<&str>,
) -> Result<(), ErrorKind> {
    check_site(app, headers)?;
    if !headers.contains_key(header::COOKIE) {
        return Err(refused(ErrorKind::NoCookies));
    }
    is_ours(app, headers, form, field).ok_or_else(|| refused(ErrorKind::Forbidden))
}

fn is_ours(
    app: &App,
    headers: &HeaderMap,
    form: (Purpose, Option<BrowserSessionId>),
    field: Option<&str>,
) -> Option<()> {
    let bytes = read(&Cookies::of(headers))?;
    let field = URL_SAFE_NO_PAD.decode(field?).ok()?;
    let (id, shown) = field.split_first()?;
    let master = app.keyring.masters().find(*id).filter(|key| !key.demoted)?;
    hmac::verify(&master.csrf, &message(&bytes, form), shown).ok()
}

fn refused(kind: ErrorKind) -> ErrorKind {
    tracing::info!(reason = "forged_form", ?kind, "refused");
    kind
}

/// Whether the request comes from another site, as far as the browser tells.
fn check_site(app: &App, headers: &HeaderMap) -> Result<(), ErrorKind> {
    let own = |origin: &HeaderValue| origin == app.settings.public_base_url.as_str();
    let cross_site = headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site");
    if cross_site || !headers.get_all(header::ORIGIN).iter().all(own) {
        return Err(refused(ErrorKind::Forbidden));
    }
    Ok(())
}

fn read(cookies: &Cookies) -> Option<[u8; COOKIE_BYTES]> {
    URL_SAFE_NO_PAD.decode(cookies.get(COOKIE)?).ok()?.try_into().ok()
}

/// What the MAC covers; the purpose alone has no fixed length, and stands last.
fn message(cookie: &[u8; COOKIE_BYTES], (purpose, browser): (Purpose, Option<BrowserSessionId>)) -> Vec<u8> {
    let mut message = cookie.to_vec();
    message.push(u8::from(browser.is_some()));
    message.extend(browser.iter().flat_map(BrowserSessionId::as_bytes));
    message.extend(purpose.label());
    message
}
