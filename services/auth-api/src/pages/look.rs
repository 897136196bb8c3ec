//! What is common to all pages: whose they are, which language they speak, and where they are.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credo_auth_domain::{
    branding::{Appearance, Color},
    tenant::Tenant,
};

use super::{
    FORM_POST_SCRIPT, ICON, LANGUAGE_PARAMETER, Language, STYLE,
    consent::words,
    messages::{Phrase, phrase},
};

/// What a page of no tenant is headed with.
const PRODUCT: &str = "Credo";

static STYLE_URL: LazyLock<String> = LazyLock::new(|| versioned("credo.css", STYLE));
static SCRIPT_URL: LazyLock<String> = LazyLock::new(|| versioned("form-post.js", FORM_POST_SCRIPT));
static ICON_URL: LazyLock<String> = LazyLock::new(|| versioned("icon.svg", ICON));

/// How a page looks.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Which language it speaks.
    pub language: Language,
    /// Whose it is.
    pub theme: Theme,
    /// Path and query by which a GET shows it again, for the links to the other languages.
    pub here: String,
}

/// Whose page it is.
#[derive(Clone, Debug, Default)]
pub struct Theme {
    /// The tenant; none on pages that come before it is known who asks.
    pub tenant: Option<TenantTheme>,
}

/// What of a tenant is on its pages.
#[derive(Clone, Debug)]
pub struct TenantTheme {
    /// Its name in URLs.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Changes with its colours; none: it has Credo's.
    pub style_version: Option<String>,
    /// Changes with its logo; none: it has none.
    pub logo_version: Option<String>,
}

impl Theme {
    /// The theme of a tenant.
    #[must_use]
    pub fn of(tenant: &Tenant) -> Self {
        Self {
            tenant: Some(TenantTheme {
                slug: tenant.slug.clone(),
                name: tenant.display_name.clone(),
                style_version: style_version(&tenant.appearance),
                logo_version: tenant.appearance.logo_sha256.map(|digest| logo_version(&digest)),
            }),
        }
    }
}

/// A link to the page in a language.
pub(super) struct LanguageLink {
    pub(super) language: Language,
    pub(super) url: String,
    pub(super) current: bool,
}

impl Look {
    /// Says that a GET of `here` shows the page, where that is not the URL of the request itself.
    #[must_use]
    pub fn at(mut self, here: &str) -> Self {
        here.clone_into(&mut self.here);
        self
    }

    pub(super) fn say<'a>(&self, key: &'a str) -> Phrase<'a> {
        phrase(self.language, key)
    }

    /// What a scope gives, in words; none for one that we know only by its token.
    pub(super) fn scope(&self, scope: &str) -> Option<Phrase<'static>> {
        words(self, scope)
    }

    pub(super) fn name(&self) -> &str {
        self.theme.tenant.as_ref().map_or(PRODUCT, |tenant| &tenant.name)
    }

    /// What the browser's tab shows: what the page is first, as screen readers begin there.
    pub(super) fn title(&self, what: &str, failed: bool) -> String {
        let key = if failed { "title-failed" } else { "title" };
        self.say(key).with("what", what).with("tenant", self.name()).plain()
    }

    /// How long to wait, in minutes rounded up, or seconds if it is less.
    pub(super) fn wait(&self, retry_after_seconds: u32) -> String {
        if retry_after_seconds > 60 {
            let minutes = retry_after_seconds.div_ceil(60);
            self.say("wait-minutes").count("minutes", minutes).plain()
        } else {
            self.say("wait-seconds")
                .count("seconds", retry_after_seconds.max(1))
                .plain()
        }
    }

    /// That there were too many attempts, and how long to wait.
    pub(super) fn too_many_attempts(&self, retry_after_seconds: u32) -> String {
        let wait = self.wait(retry_after_seconds);
        self.say("too-many-attempts").with("wait", wait).plain()
    }

    pub(super) fn style_url() -> &'static str {
        &STYLE_URL
    }

    pub(super) fn script_url() -> &'static str {
        &SCRIPT_URL
    }

    pub(super) fn icon_url() -> &'static str {
        &ICON_URL
    }

    pub(super) fn theme_url(&self) -> Option<String> {
        let tenant = self.theme.tenant.as_ref()?;
        let version = tenant.style_version.as_ref()?;
        Some(format!("/t/{}/theme.css?v={version}", tenant.slug))
    }

    pub(super) fn logo_url(&self) -> Option<String> {
        let tenant = self.theme.tenant.as_ref()?;
        let version = tenant.logo_version.as_ref()?;
        Some(format!("/t/{}/logo?v={version}", tenant.slug))
    }

    pub(super) fn languages(&self) -> Vec<LanguageLink> {
        Language::ALL
            .into_iter()
            .map(|language| LanguageLink {
                language,
                url: self.here_in(language),
                current: language == self.language,
            })
            .collect()
    }

    /// [`Look::here`] with the language chosen, and everything else kept as it is.
    fn here_in(&self, language: Language) -> String {
        let (path, query) = self.here.split_once('?').unwrap_or((&self.here, ""));
        let choice = format!("{LANGUAGE_PARAMETER}={}", language.tag());
        let mut parameters: Vec<&str> = query
            .split('&')
            .filter(|one| !one.is_empty() && one.split('=').next() != Some(LANGUAGE_PARAMETER))
            .collect();
        parameters.push(&choice);
        format!("{path}?{}", parameters.join("&"))
    }
}

/// Changes with a tenant's colours; none if it has none of its own.
fn style_version(appearance: &Appearance) -> Option<String> {
    let colors = [appearance.accent_color, appearance.accent_color_dark];
    let own = colors.iter().any(Option::is_some);
    let name = |color: Option<Color>| color.map_or_else(|| "-".to_owned(), |color| color.to_string().replace('#', ""));
    own.then(|| colors.map(name).join("."))
}

fn logo_version(digest: &[u8; 32]) -> String {
    let start: [u8; 6] = digest.first_chunk().copied().unwrap_or_default();
    URL_SAFE_NO_PAD.encode(start)
}

/// Where a file of ours is; the version is of its content, so that it may be kept for ever.
fn versioned(name: &str, content: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content.as_bytes());
    let start: [u8; 6] = digest.as_ref().first_chunk().copied().unwrap_or_default();
    let version = URL_SAFE_NO_PAD.encode(start);
    format!("/assets/{name}?v={version}")
}
