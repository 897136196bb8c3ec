//! The answer that is a page: its headers are the same for all, but for what its form may lead to.
//!
//! Browsers apply `form-action` (Content Security Policy Level 3, section 6.4.1) to the redirect after a POST too: a sign-in
//! form that allowed `'self'` alone could never lead back to a client. So it is made for each answer from the request's own
//! validated redirect URI. Nothing else comes from the request.
//! Chromium also holds a client to it that, once reached, sends the browser on to another origin before it shows a page.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::pages::{ErrorKind, ErrorPage, Look, source_expression};

/// Nothing from elsewhere, no script, no frame; `form-action` follows.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";
/// The same with our own script.
const SCRIPT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; \
                             base-uri 'none'; frame-ancestors 'none'";
/// What no page needs.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), \
                           fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), \
                           payment=(), picture-in-picture=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()";

/// Where the forms of a page may lead to, the redirects after them included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::http) enum FormAction {
    /// To pages of our own.
    #[default]
    SelfOnly,
    /// To pages of our own and to this validated redirect URI.
    Redirect(String),
}

/// A page and what its answer says of it.
#[derive(Debug)]
pub(in crate::http) struct Page {
    html: String,
    status: StatusCode,
    language: &'static str,
    form_action: FormAction,
    script: bool,
    retry_after_seconds: Option<u32>,
}

impl Page {
    /// A page, 200, whose forms lead to our own pages.
    pub(in crate::http) fn new(html: String, look: &Look) -> Self {
        Self {
            html,
            status: StatusCode::OK,
            language: look.language.tag(),
            form_action: FormAction::SelfOnly,
            script: false,
            retry_after_seconds: None,
        }
    }

    /// An error page with the status of its kind.
    pub(in crate::http) fn error(error: &ErrorPage, look: &Look) -> Self {
        let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(error.render(look), look)
            .with_status(status)
            .retry_after(error.kind.retry_after_seconds())
    }

    /// An error page that knows no client.
    pub(in crate::http) fn plain_error(kind: ErrorKind, reference: &str, look: &Look) -> Self {
        let error = ErrorPage {
            kind,
            reference: reference.to_owned(),
            back: None,
        };
        Self::error(&error, look)
    }

    /// With that status.
    pub(in crate::http) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With `Retry-After`.
    pub(in crate::http) fn retry_after(mut self, seconds: Option<u32>) -> Self {
        self.retry_after_seconds = seconds;
        self
    }

    /// Lets its forms lead there.
    pub(in crate::http) fn with_form_action(mut self, form_action: FormAction) -> Self {
        self.form_action = form_action;
        self
    }

    /// Lets it run the script of [`crate::pages::FormPostPage`].
    pub(in crate::http) fn with_script(mut self) -> Self {
        self.script = true;
        self
    }

    fn policy(&self) -> String {
        let policy = if self.script { SCRIPT_POLICY } else { POLICY };
        let redirect = match &self.form_action {
            FormAction::SelfOnly => None,
            FormAction::Redirect(uri) => source_expression(uri),
        };
        let redirect = redirect.map_or_else(String::new, |source| format!(" {source}"));
        format!("{policy}; form-action 'self'{redirect}")
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let policy = HeaderValue::try_from(self.policy());
        let mut response = (self.status, self.html).into_response();
        let headers = response.headers_mut();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        set(header::CONTENT_TYPE, "text/html; charset=utf-8");
        set(header::CONTENT_LANGUAGE, self.language);
        set(header::CACHE_CONTROL, "no-store");
        set(header::X_FRAME_OPTIONS, "DENY");
        // Not `no-referrer`: with it a browser sends `Origin: null` even to ourselves, and nobody could tell our own forms.
        set(header::REFERRER_POLICY, "same-origin");
        set(
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        );
        set(
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        );
        set(header::HeaderName::from_static("permissions-policy"), PERMISSIONS);
        // A policy that cannot be a header is impossible (its characters are checked); the strictest is in place without it.
        if let Ok(policy) = policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(form_action: FormAction, script: bool) -> String {
        let mut page = Page::new(String::new(), &Look::default()).with_form_action(form_action);
        page.script = script;
        page.policy()
    }

    #[test]
    fn forms_lead_to_ourselves_and_to_the_redirect_alone() {
        assert!(policy(FormAction::SelfOnly, false).ends_with("; form-action 'self'"));
        let native = FormAction::Redirect("http://127.0.0.1:4711/cb".to_owned());
        assert!(policy(native, false).ends_with("; form-action 'self' http://127.0.0.1:4711"));
        let app = FormAction::Redirect("com.example.app:/cb".to_owned());
        assert!(policy(app, false).ends_with("; form-action 'self' com.example.app:"));
        let hostile = FormAction::Redirect("https://a;script-src".to_owned());
        assert!(policy(hostile, false).ends_with("; form-action 'self' https:"));
    }

    #[test]
    fn no_page_but_one_may_run_script() {
        assert!(!policy(FormAction::SelfOnly, false).contains("script-src"));
        assert!(policy(FormAction::SelfOnly, true).contains("script-src 'self';"));
    }
}
