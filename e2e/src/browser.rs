//! A browser as a person uses it who has switched script off: it follows redirects, keeps cookies, shows a page, and sends the
//! form of the button that is pressed.
//!
//! Refuses what a browser refuses: a `__Host-` cookie that is none, a button that is not there, a field that the form lacks.
//! Invariant: what goes to the server comes from the page alone, but for what a person types.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{Method, RequestBuilder, Url, header};

use crate::{answer::Answer, form::Form};

/// A longer chain is a loop.
const MAX_REDIRECTS: usize = 10;

/// What the person sees.
#[derive(Clone, Debug)]
pub struct Page {
    /// What stands in the address bar.
    pub url: Url,
    pub answer: Answer,
}

/// Where a click has led.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// A page on this machine.
    Page(Page),
    /// A URL that is not followed: an app's own scheme, a host elsewhere, or a port where nobody listens.
    Elsewhere(Url),
}

/// One person's browser.
#[derive(Clone, Debug)]
pub struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
    arrival: Option<Arrival>,
}

impl Browser {
    /// A browser that knows nothing yet. `http` must not follow redirects.
    pub fn new(http: reqwest::Client) -> Self {
        Self {
            http,
            cookies: BTreeMap::new(),
            arrival: None,
        }
    }

    /// Types a URL, or follows a link from somewhere else.
    ///
    /// # Errors
    /// If nobody answers, or the answer is none for a browser.
    pub async fn open(&mut self, url: &str) -> Result<&Arrival> {
        let url = Url::parse(url).with_context(|| format!("no URL: {url}"))?;
        self.go(Method::GET, url, None).await
    }

    /// Presses a button of the page, having typed into its form.
    ///
    /// # Errors
    /// If there is no such button or field, or nobody answers.
    pub async fn press(&mut self, button: &str, typed: &[(&str, &str)]) -> Result<&Arrival> {
        let page = self.page()?.clone();
        let form = Form::of_button(&page.answer.text, button, typed).with_context(|| format!("on {}", page.url))?;
        let mut action = page.url.join(&form.action).context("the form leads nowhere")?;
        action.set_fragment(None);
        if form.post {
            return self.go(Method::POST, action, Some((&page.url, form.fields))).await;
        }
        action.set_query(None);
        action.query_pairs_mut().extend_pairs(form.fields);
        self.go(Method::GET, action, None).await
    }

    /// What it keeps of the server, by name.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.cookies.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The page that is shown.
    ///
    /// # Errors
    /// If there is none.
    pub fn page(&self) -> Result<&Page> {
        match self.arrival.as_ref().context("nothing was opened yet")? {
            Arrival::Page(page) => Ok(page),
            Arrival::Elsewhere(url) => bail!("the browser is at {url}"),
        }
    }

    /// Where the browser was sent that is not ours to show.
    ///
    /// # Errors
    /// If it shows a page.
    pub fn elsewhere(&self) -> Result<&Url> {
        match self.arrival.as_ref().context("nothing was opened yet")? {
            Arrival::Elsewhere(url) => Ok(url),
            Arrival::Page(page) => bail!("the browser shows {}: {}", page.url, page.answer),
        }
    }

    /// Whether the page has an element of that id.
    ///
    /// # Errors
    /// If there is no page.
    pub fn shows(&self, id: &str) -> Result<bool> {
        Ok(crate::form::has_id(&self.page()?.answer.text, id))
    }

    async fn go(
        &mut self,
        method: Method,
        mut url: Url,
        sent_by: Option<(&Url, Vec<(String, String)>)>,
    ) -> Result<&Arrival> {
        let mut request = self.http.request(method, url.clone());
        if let Some((page, fields)) = sent_by {
            let same = if page.origin() == url.origin() {
                "same-origin"
            } else {
                "cross-site"
            };
            request = request
                .header(header::ORIGIN, page.origin().ascii_serialization())
                .header("sec-fetch-site", same)
                .form(&fields);
        } else {
            request = request.header("sec-fetch-site", "none");
        }
        for _ in 0..MAX_REDIRECTS {
            let Some(answer) = self.send(request).await? else {
                return Ok(self.arrival.insert(Arrival::Elsewhere(url)));
            };
            let location = answer.header("location");
            if !(300..400).contains(&answer.status) || location.is_empty() {
                return Ok(self.arrival.insert(Arrival::Page(Page { url, answer })));
            }
            ensure!(
                [302, 303].contains(&answer.status),
                "no redirect for a browser: {answer}"
            );
            url = url.join(location).with_context(|| format!("no URL: {location}"))?;
            if url.scheme() != "http" || url.host_str() != Some("127.0.0.1") {
                return Ok(self.arrival.insert(Arrival::Elsewhere(url)));
            }
            request = self.http.get(url.clone());
        }
        bail!("redirects without end: {url}")
    }

    /// The answer, or nothing if nobody listens.
    async fn send(&mut self, request: RequestBuilder) -> Result<Option<Answer>> {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = request
            .header(header::ACCEPT, "text/html")
            .header(header::ACCEPT_LANGUAGE, "en");
        let request = if cookies.is_empty() {
            request
        } else {
            request.header(header::COOKIE, cookies.join("; "))
        };
        let answer = match Answer::of(request).await {
            Err(error)
                if error
                    .downcast_ref::<reqwest::Error>()
                    .is_some_and(reqwest::Error::is_connect) =>
            {
                return Ok(None);
            }
            answer => answer?,
        };
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().context("a cookie is no text")?)?;
        }
        Ok(Some(answer))
    }

    fn keep(&mut self, cookie: &str) -> Result<()> {
        let mut parts = cookie.split(';').map(str::trim);
        let (name, value) = parts
            .next()
            .and_then(|pair| pair.split_once('='))
            .context("no cookie")?;
        let attributes: Vec<_> = parts.map(str::to_ascii_lowercase).collect();
        let has = |attribute: &str| attributes.iter().any(|known| known == attribute);
        let host_only = has("secure") && has("path=/") && !attributes.iter().any(|known| known.starts_with("domain"));
        ensure!(
            !name.starts_with("__Host-") || host_only,
            "a browser drops this cookie: {cookie}"
        );
        ensure!(has("httponly"), "a script could read this cookie: {cookie}");
        if has("max-age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    }
}
