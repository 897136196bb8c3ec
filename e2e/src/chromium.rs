//! A real Chromium, driven over the W3C's `WebDriver` by its own driver.
//!
//! It asks nobody but loopback addresses, forgets everything at the end, and is ended by its process.

use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::patience::eventually;

/// How long a page may take.
pub const SOON: Duration = Duration::from_secs(10);
/// How `WebDriver` names an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// What the driver says when it listens.
const LISTENS: &str = "started successfully on port ";
/// No page takes longer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// No certificate, no update, no host elsewhere is asked for.
const ARGUMENTS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// In CSS pixels.
    pub width: u32,
    /// Light text on dark.
    pub dark: bool,
}

/// One Chromium with one window.
#[derive(Debug)]
pub struct Chromium {
    driver: Child,
    http: reqwest::Client,
    session: String,
}

impl Chromium {
    /// Starts a driver on a free port and a Chromium of its own, which wants pages in `language`.
    ///
    /// # Errors
    /// If there is none, or it does not start.
    pub async fn start(language: &str) -> Result<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromedriver cannot be started (Debian: chromium-driver)")?;
        let output = driver.stdout.take().context("the driver has no output")?;
        let mut lines = BufReader::new(output).lines();
        let port = loop {
            let line = lines.next_line().await?.context("the driver ended")?;
            if let Some((_, port)) = line.split_once(LISTENS) {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        let mut arguments = ARGUMENTS.map(ToOwned::to_owned).to_vec();
        arguments.push(format!("--accept-lang={language}"));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        } } });
        let base = format!("http://127.0.0.1:{port}/session");
        let answer = command(&http, &base, Some(&wanted))
            .await
            .context("Chromium does not start")?;
        let id = answer["sessionId"].as_str().context("a session without an id")?;
        let session = format!("{base}/{id}");
        Ok(Self { driver, http, session })
    }

    /// Ends both.
    ///
    /// # Errors
    /// If the driver cannot be ended.
    pub async fn end(mut self) -> Result<()> {
        // The driver ends the browser; without the browser there is nothing to end.
        drop(self.http.delete(&self.session).send().await);
        self.driver.kill().await.context("the driver cannot be ended")
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        command(&self.http, &format!("{}/{path}", self.session), Some(body)).await
    }

    async fn get(&self, path: &str) -> Result<Value> {
        command(&self.http, &format!("{}/{path}", self.session), None).await
    }

    /// Types a URL.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.post("url", &json!({ "url": url })).await.map(drop)
    }

    /// What stands in the address bar.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn url(&self) -> Result<String> {
        Ok(self.get("url").await?.as_str().unwrap_or_default().to_owned())
    }

    /// What stands on the tab.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn title(&self) -> Result<String> {
        Ok(self.get("title").await?.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the page has what a selector finds: what was pressed may lead to it still.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn wait_for(&self, selector: &str) -> Result<()> {
        eventually(SOON, async || self.element(selector).await.map(drop)).await
    }

    async fn element(&self, selector: &str) -> Result<String> {
        let body = json!({ "using": "css selector", "value": selector });
        let found = self
            .post("element", &body)
            .await
            .with_context(|| format!("no {selector}"))?;
        Ok(found[ELEMENT].as_str().context("an element without an id")?.to_owned())
    }

    /// Clicks what a selector finds, as soon as it is there.
    ///
    /// # Errors
    /// If it does not come, or cannot be clicked.
    pub async fn click(&self, selector: &str) -> Result<()> {
        let click = async || {
            let element = self.element(selector).await?;
            self.post(&format!("element/{element}/click"), &json!({})).await
        };
        eventually(SOON, click).await.map(drop)
    }

    /// Types into a field, in place of what is there, as soon as it is there.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn fill(&self, selector: &str, text: &str) -> Result<()> {
        let fill = async || {
            let element = self.element(selector).await?;
            self.post(&format!("element/{element}/clear"), &json!({})).await?;
            let body = json!({ "text": text });
            self.post(&format!("element/{element}/value"), &body).await
        };
        eventually(SOON, fill).await.map(drop)
    }

    /// Presses keys, wherever the focus is.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn keys(&self, text: &str) -> Result<()> {
        let presses = |key: char| {
            [
                json!({ "type": "keyDown", "value": key }),
                json!({ "type": "keyUp", "value": key }),
            ]
        };
        let keys: Vec<Value> = text.chars().flat_map(presses).collect();
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] });
        self.post("actions", &body).await.map(drop)
    }

    /// Runs the body of a function in the page.
    ///
    /// # Errors
    /// If it throws.
    pub async fn run(&self, script: &str) -> Result<Value> {
        self.post("execute/sync", &json!({ "script": script, "args": [] }))
            .await
    }

    /// The same, for one that calls its last argument when it is done.
    ///
    /// # Errors
    /// If it throws or does not end.
    pub async fn run_async(&self, script: &str) -> Result<Value> {
        self.post("execute/async", &json!({ "script": script, "args": [] }))
            .await
    }

    /// Every cookie of the page that is shown.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn cookies(&self) -> Result<Vec<Value>> {
        Ok(self.get("cookie").await?.as_array().cloned().unwrap_or_default())
    }

    /// What the console said since it was last asked: refusals of the content security policy among them.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn console(&self) -> Result<Vec<String>> {
        let entries = self.post("se/log", &json!({ "type": "browser" })).await?;
        let message = |entry: &Value| entry["message"].as_str().unwrap_or_default().to_owned();
        Ok(entries
            .as_array()
            .map(|all| all.iter().map(message).collect())
            .unwrap_or_default())
    }

    /// The URLs that were asked for since this was last asked, those of other programs' schemes among them.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn requests(&self) -> Result<Vec<String>> {
        let entries = self.post("se/log", &json!({ "type": "performance" })).await?;
        let url = |entry: &Value| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let event = &event["message"];
            let sent = event["method"] == "Network.requestWillBeSent";
            let url = event["params"]["request"]["url"].as_str()?;
            sent.then(|| url.to_owned())
        };
        Ok(entries.as_array().into_iter().flatten().filter_map(url).collect())
    }

    /// A picture of the whole page, as PNG.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn picture(&self) -> Result<Vec<u8>> {
        let picture = self
            .devtools("Page.captureScreenshot", &json!({ "captureBeyondViewport": true }))
            .await?;
        Ok(STANDARD.decode(picture["data"].as_str().unwrap_or_default())?)
    }

    /// Looks at pages in another way.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn look(&self, view: View) -> Result<()> {
        let size = json!({ "width": view.width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size).await?;
        let scheme = if view.dark { "dark" } else { "light" };
        // Without motion: a colour on its way from one scheme to the other is neither.
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", &media).await.map(drop)
    }

    /// Switches the script of pages off.
    ///
    /// # Errors
    /// If the browser is gone.
    pub async fn without_script(&self) -> Result<()> {
        let off = json!({ "value": true });
        self.devtools("Emulation.setScriptExecutionDisabled", &off)
            .await
            .map(drop)
    }

    async fn devtools(&self, name: &str, parameters: &Value) -> Result<Value> {
        self.post("goog/cdp/execute", &json!({ "cmd": name, "params": parameters }))
            .await
    }
}

async fn command(http: &reqwest::Client, url: &str, body: Option<&Value>) -> Result<Value> {
    let request = match body {
        Some(body) => http.post(url).json(body),
        None => http.get(url),
    };
    let response = request.send().await.context("the driver does not answer")?;
    let ok = response.status().is_success();
    let mut answer: Value = response.json().await?;
    let value = answer["value"].take();
    if !ok {
        bail!("{}: {}", value["error"], value["message"]);
    }
    ensure!(value.get("error").is_none() || url.ends_with("/sync"), "{value}");
    Ok(value)
}
