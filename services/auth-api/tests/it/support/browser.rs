//! A browser: it keeps cookies, reads forms and sends them back, and runs no script.

use std::{collections::BTreeMap, sync::Mutex};

use super::{Answer, BASE_URL, Call, PASSWORD, Replica, User};

/// What it calls itself.
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// What every cookie of ours must say of itself.
const FLAGS: [&str; 4] = ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"];

/// A browser.
pub struct Browser<'a> {
    replica: &'a Replica,
    pub cookies: Mutex<BTreeMap<String, String>>,
}

/// A form of a page: where it goes, and what it brings along by itself.
#[derive(Clone, Debug)]
pub struct PageForm {
    pub action: String,
    pub hidden: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    pub fn new(replica: &'a Replica) -> Self {
        Self {
            replica,
            cookies: Mutex::default(),
        }
    }

    /// The same browser in front of another replica.
    pub fn at<'b>(&self, replica: &'b Replica) -> Browser<'b> {
        Browser {
            replica,
            cookies: Mutex::new(self.cookies.lock().unwrap().clone()),
        }
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// The value of the cookie that says who is signed in to the tenant of that slug.
    pub fn session(&self, slug: &str) -> Option<String> {
        self.cookie(&format!("__Host-credo_{slug}"))
    }

    /// Sends a request with the cookies, and keeps those of the answer.
    pub async fn send(&self, call: Call) -> Answer {
        let line = {
            let cookies = self.cookies.lock().unwrap();
            let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            pairs.join("; ")
        };
        let call = call.header("user-agent", USER_AGENT);
        let call = if line.is_empty() {
            call
        } else {
            call.header("cookie", line)
        };
        let answer = self.replica.send(call).await;
        self.keep(&answer);
        answer
    }

    fn keep(&self, answer: &Answer) {
        let mut cookies = self.cookies.lock().unwrap();
        for line in answer.headers.get_all("set-cookie") {
            let mut parts = line.to_str().unwrap().split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let flags: Vec<_> = parts.collect();
            assert!(name.starts_with("__Host-"), "{name}");
            assert!(FLAGS.iter().all(|flag| flags.contains(flag)), "{name}: {flags:?}");
            assert!(
                !flags.iter().any(|flag| flag.starts_with("Domain")),
                "{name}: {flags:?}"
            );
            if flags.contains(&"Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.send(Call::get(target).header("sec-fetch-site", "none")).await
    }

    /// Follows redirects while they stay with us; the last answer.
    pub async fn open(&self, target: &str) -> Answer {
        let answer = self.get(target).await;
        self.follow(answer).await
    }

    /// Goes where an answer sends the browser, while that is one of our own pages.
    pub async fn follow(&self, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            let Some(target) = answer.own_location() else {
                return answer;
            };
            answer = self.get(&target).await;
        }
        panic!("redirected in a circle");
    }

    /// Sends the first form of a page back, with what the person filled in.
    pub async fn submit(&self, page: &Answer, filled: &[(&str, &str)]) -> Answer {
        let form = page.forms().into_iter().next().expect("a page with a form");
        self.send_form(&form, filled).await
    }

    /// Sends a form back, with what the person filled in.
    pub async fn send_form(&self, form: &PageForm, filled: &[(&str, &str)]) -> Answer {
        let mut call = Call::form(&form.action, [])
            .header("origin", BASE_URL)
            .header("sec-fetch-site", "same-origin");
        for (name, value) in &form.hidden {
            if !filled.iter().any(|(given, _)| given == name) {
                call = call.param(name, value);
            }
        }
        for (name, value) in filled {
            call = call.param(name, value);
        }
        self.send(call).await
    }

    /// Fills in a sign-in page.
    pub async fn fill_sign_in(&self, page: &Answer, email: &str, password: &str) -> Answer {
        self.submit(page, &[("email", email), ("password", password)]).await
    }

    /// Signs in to the tenant's own pages.
    pub async fn sign_in_to(&self, slug: &str, user: &User) {
        let page = self.get(&format!("/t/{slug}/sign-in")).await;
        let answer = self.fill_sign_in(&page, &user.email, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
    }
}

impl Answer {
    /// Where a redirect goes, if that is one of our own pages.
    pub fn own_location(&self) -> Option<String> {
        let location = self.header("location").filter(|_| self.status == 303)?;
        let path = location.strip_prefix(BASE_URL).unwrap_or(location);
        path.starts_with('/').then(|| path.to_owned())
    }

    /// The forms of a page.
    pub fn forms(&self) -> Vec<PageForm> {
        let mut forms: Vec<PageForm> = Vec::new();
        for tag in tags(&self.text()) {
            let attribute = |name: &str| {
                tag.iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value.clone())
            };
            match tag[0].0.as_str() {
                "form" => forms.push(PageForm {
                    action: attribute("action").unwrap_or_default(),
                    hidden: Vec::new(),
                }),
                "input" if attribute("type").as_deref() == Some("hidden") => {
                    let field = (attribute("name").unwrap(), attribute("value").unwrap_or_default());
                    forms.last_mut().expect("a field in a form").hidden.push(field);
                }
                _ => {}
            }
        }
        forms
    }

    /// The form that goes to `action`.
    pub fn form_to(&self, action: &str) -> PageForm {
        let found = self.forms().into_iter().find(|form| form.action.starts_with(action));
        found.unwrap_or_else(|| panic!("no form goes to {action}: {}", self.text()))
    }
}

/// The tags of a page, each as its name and its attributes.
fn tags(html: &str) -> Vec<Vec<(String, String)>> {
    html.split('<')
        .skip(1)
        .filter_map(|rest| {
            let mut found = Vec::new();
            let mut rest = rest;
            loop {
                rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '/');
                let end = rest.find(|letter: char| letter.is_whitespace() || "=>/".contains(letter))?;
                if end == 0 {
                    break;
                }
                let name = rest[..end].to_ascii_lowercase();
                rest = rest[end..].trim_start();
                let mut value = String::new();
                if let Some(behind) = rest.strip_prefix('=') {
                    let quoted = behind.strip_prefix('"').and_then(|text| text.split_once('"'));
                    let (text, left) = quoted.unwrap_or_else(|| {
                        let end = behind
                            .find(|letter: char| letter.is_whitespace() || letter == '>')
                            .unwrap_or(behind.len());
                        behind.split_at(end)
                    });
                    (value, rest) = (unescape(text), left);
                }
                found.push((name, value));
            }
            (!found.is_empty()).then_some(found)
        })
        .collect()
}

fn unescape(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#38;", "&"),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
