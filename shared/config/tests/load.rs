//! What operators may rely on: who wins, what is refused, what is never printed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{env, fs, path::PathBuf, process, time::Duration};

use credo_config::{ConfigError, Inputs, Spec};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

const SPEC: Spec = Spec {
    service: "auth-api",
    env_prefix: "CREDO_AUTH_API_",
    shared: &[
        ("CREDO_PUBLIC_BASE_URL", "public_base_url"),
        ("CREDO_MASTER_KEYS_FILE", "master_keys_file"),
        ("CREDO_TRUSTED_PROXIES", "trusted_proxies"),
    ],
    keys: &[
        "http.listen",
        "http.workers",
        "http.request_timeout",
        "http.compress",
        "database.url",
    ],
};

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    public_base_url: String,
    master_keys_file: Option<PathBuf>,
    #[serde(with = "credo_config::list")]
    trusted_proxies: Vec<String>,
    http: Http,
    database: Database,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_base_url: "default".to_owned(),
            master_keys_file: None,
            trusted_proxies: Vec::new(),
            http: Http::default(),
            database: Database::default(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Http {
    listen: String,
    workers: u16,
    #[serde(with = "credo_config::duration")]
    request_timeout: Duration,
    compress: bool,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: "default".to_owned(),
            workers: 2,
            request_timeout: Duration::from_secs(5),
            compress: false,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Database {
    url: Option<SecretString>,
}

/// A file that is gone at the end of the test.
struct TestFile(PathBuf);

impl TestFile {
    fn new(name: &str, content: &str) -> Self {
        let path = env::temp_dir().join(format!("credo-config-{}-{name}", process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn as_str(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn inputs(environment: &[(&str, &str)], set: &[&str]) -> Inputs {
    Inputs {
        config: None,
        set: set.iter().map(|&argument| argument.to_owned()).collect(),
        environment: environment
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
    }
}

fn decode(environment: &[(&str, &str)], set: &[&str]) -> Result<Settings, ConfigError> {
    inputs(environment, set).decode(&SPEC)
}

fn refusal(environment: &[(&str, &str)], set: &[&str]) -> String {
    decode(environment, set).unwrap_err().to_string()
}

#[test]
fn later_sources_win() {
    let file = TestFile::new("layers.toml", "[http]\nlisten = \"file\"");
    let cases = [
        (None, None, None, "default"),
        (Some(()), None, None, "file"),
        (Some(()), Some("env"), None, "env"),
        (Some(()), Some("env"), Some("http.listen=flag"), "flag"),
        (None, Some("env"), None, "env"),
        (Some(()), None, Some("http.listen=flag"), "flag"),
        (None, Some(""), None, "default"),
    ];
    for (in_file, variable, flag, expected) in cases {
        let mut inputs = inputs(&[], &[]);
        inputs.config = in_file.map(|()| file.0.clone());
        if let Some(value) = variable {
            let name = "CREDO_AUTH_API_HTTP_LISTEN";
            inputs.environment.push((name.into(), value.into()));
        }
        inputs.set.extend(flag.map(str::to_owned));
        let settings: Settings = inputs.decode(&SPEC).unwrap();
        assert_eq!(settings.http.listen, expected, "{inputs:?}");
    }
}

#[test]
fn variable_names_the_file() {
    let file = TestFile::new(
        "named.toml",
        "public_base_url = \"file\"\ntrusted_proxies = [\"10.0.0.0/8\"]",
    );
    let settings = decode(&[("CREDO_AUTH_API_CONFIG", file.as_str())], &[]).unwrap();
    assert_eq!(settings.public_base_url, "file");
    assert_eq!(settings.trusted_proxies, ["10.0.0.0/8"]);
}

#[test]
fn text_converts_to_the_type_of_the_setting() {
    let settings = decode(
        &[
            ("CREDO_AUTH_API_HTTP_WORKERS", "7"),
            ("CREDO_AUTH_API_HTTP_REQUEST_TIMEOUT", "300ms"),
            ("CREDO_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1"),
        ],
        &["http.compress=true"],
    )
    .unwrap();
    assert_eq!(settings.http.workers, 7);
    assert_eq!(settings.http.request_timeout, Duration::from_millis(300));
    assert!(settings.http.compress);
    assert_eq!(settings.trusted_proxies, ["10.0.0.0/8", "127.0.0.1"]);
}

#[test]
fn any_value_can_come_from_a_file() {
    let cases = [
        ("secret\n", "secret"),
        ("secret\r\n", "secret"),
        ("secret", "secret"),
        ("two\nlines\n", "two\nlines"),
    ];
    for (content, expected) in cases {
        let file = TestFile::new("secret", content);
        let by_variable = decode(&[("CREDO_AUTH_API_DATABASE_URL_FILE", file.as_str())], &[]);
        let by_flag = decode(&[], &[&format!("database.url_file={}", file.as_str())]);
        for settings in [by_variable.unwrap(), by_flag.unwrap()] {
            assert_eq!(settings.database.url.unwrap().expose_secret(), expected);
        }
    }
}

#[test]
fn name_that_ends_in_file_by_itself_is_a_path() {
    let settings = decode(&[("CREDO_MASTER_KEYS_FILE", "/etc/credo/keys")], &[]).unwrap();
    assert_eq!(settings.master_keys_file.unwrap(), PathBuf::from("/etc/credo/keys"));
}

#[test]
fn unknown_names_are_refused_with_the_nearest_known() {
    let file = TestFile::new("unknown.toml", "[http]\nlisten_on = \"x\"");
    let cases = [
        (
            refusal(&[("CREDO_AUTH_API_HTTP_LISTN", "x")], &[]),
            "unknown setting CREDO_AUTH_API_HTTP_LISTN, did you mean CREDO_AUTH_API_HTTP_LISTEN?",
        ),
        (
            refusal(&[], &["http.listn=x"]),
            "unknown setting http.listn, did you mean http.listen?",
        ),
        (refusal(&[], &["zebra=x"]), "unknown setting zebra"),
        (
            refusal(&[("CREDO_AUTH_API_CONFIG", file.as_str())], &[]),
            "unknown setting http.listen_on, did you mean http.listen?",
        ),
    ];
    for (refusal, expected) in cases {
        assert_eq!(refusal, expected);
    }
}

#[test]
fn variables_of_others_are_left_alone() {
    let others = [
        ("PATH", "/bin"),
        ("CREDO_OUTBOX_RELAY_ANYTHING", "x"),
        ("CREDO_AUTH_DATABASE_URL", "x"),
    ];
    assert!(decode(&others, &[]).is_ok());
}

#[test]
fn value_and_file_for_one_setting_are_refused() {
    let variables = [
        ("CREDO_AUTH_API_DATABASE_URL", "x"),
        ("CREDO_AUTH_API_DATABASE_URL_FILE", "/nowhere"),
    ];
    let file = TestFile::new("twice", "y");
    let variables = [variables[0], (variables[1].0, file.as_str())];
    assert_eq!(
        refusal(&variables, &[]),
        "CREDO_AUTH_API_DATABASE_URL and CREDO_AUTH_API_DATABASE_URL_FILE are both set; keep one"
    );
}

#[test]
fn refusals_name_the_setting() {
    let cases = [
        refusal(&[("CREDO_AUTH_API_HTTP_WORKERS", "many")], &[]),
        refusal(&[("CREDO_AUTH_API_HTTP_WORKERS", "70000")], &[]),
        refusal(&[("CREDO_AUTH_API_HTTP_REQUEST_TIMEOUT", "5")], &[]),
        refusal(&[("CREDO_AUTH_API_DATABASE_URL_FILE", "/nowhere/at/all")], &[]),
        refusal(&[("CREDO_AUTH_API_CONFIG", "/nowhere/at/all")], &[]),
        refusal(&[], &["http.listen"]),
    ];
    let names = [
        "CREDO_AUTH_API_HTTP_WORKERS",
        "CREDO_AUTH_API_HTTP_WORKERS",
        "CREDO_AUTH_API_HTTP_REQUEST_TIMEOUT",
        "CREDO_AUTH_API_DATABASE_URL_FILE",
        "CREDO_AUTH_API_CONFIG",
        "http.listen",
    ];
    for (refusal, name) in cases.iter().zip(names) {
        assert!(refusal.contains(name), "{refusal}");
    }
}

#[test]
fn missing_setting_is_named_with_its_variable() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its absence is looked at")]
    struct Strict {
        public_base_url: String,
    }
    let refusal = inputs(&[], &[]).decode::<Strict>(&SPEC).unwrap_err();
    assert!(refusal.to_string().contains("CREDO_PUBLIC_BASE_URL"), "{refusal}");
}

#[test]
fn secrets_are_not_printed() {
    let secret = "postgres://credo:hunter2@localhost/credo";
    let settings = decode(&[("CREDO_AUTH_API_DATABASE_URL", secret)], &[]).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    let broken = TestFile::new("broken.toml", "[database]\nurl = \"hunter2");
    let refusal = refusal(&[("CREDO_AUTH_API_CONFIG", broken.as_str())], &[]);
    assert!(!refusal.contains("hunter2"), "{refusal}");
}
