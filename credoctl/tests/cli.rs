//! The built program where no server is: its exit codes, its files, what goes to stdout and what to stderr.
//! What it does to real servers is in `e2e/features/credoctl.feature`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("credoctl-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_credoctl"))
            .args(arguments)
            .env_clear()
            .env("XDG_CONFIG_HOME", &self.0)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn contexts_are_private_files_and_open_ones_are_refused() {
    let home = Home::new("contexts");
    let added = home.run(&[
        "context",
        "add",
        "prod",
        "--auth-url",
        "https://id.example",
        "--tenant",
        "acme",
    ]);
    assert_eq!(added.status.code(), Some(0), "{}", text(&added.stderr));
    assert!(added.stdout.is_empty());
    let path = home.0.join("credo/contexts/prod.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let listed = home.run(&["context", "list", "-o", "json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["contexts"][0]["name"], "prod");
    assert_eq!(listed["contexts"][0]["current"], true);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let refused = home.run(&["context", "show"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stdout.is_empty() && text(&refused.stderr).contains("chmod 600"));
}

#[test]
fn what_is_missing_is_told_with_the_next_step() {
    let home = Home::new("missing");
    for (arguments, code, next) in [
        (&["tenant", "list"][..], 2, "credoctl context add"),
        (&["tenant", "list", "--context", "absent"], 3, "credoctl context list"),
        (&["tenant", "lsit"], 2, "'list'"),
        (&["tenant", "create"], 2, "<SLUG>"),
        (&["login", "--client-id", "x"], 2, "credoctl context add"),
        (&["smoke"], 2, "--smoke-client-id"),
        (&["oauth", "decode", "--token-file", "/nowhere"], 2, "is not there"),
    ] {
        let ran = home.run(arguments);
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {}", text(&ran.stderr));
        assert!(text(&ran.stderr).contains(next), "{arguments:?}: {}", text(&ran.stderr));
        assert!(ran.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn server_that_is_not_there_is_unavailable() {
    let home = Home::new("unavailable");
    let secret = home.0.join("secret");
    fs::write(&secret, "crs_not-to-be-shown\n").unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let secret = secret.to_str().unwrap();
    // Port 9 of loopback: nothing listens.
    let url = "http://127.0.0.1:9";
    let added = home.run(&[
        "context",
        "add",
        "gone",
        "--auth-url",
        url,
        "--auth-grpc",
        url,
        "--relay-grpc",
        url,
        "--audit-grpc",
        url,
        "--client-id",
        "c",
        "--secret-file",
        secret,
    ]);
    assert_eq!(added.status.code(), Some(0), "{}", text(&added.stderr));
    for arguments in [&["tenant", "list"][..], &["status"], &["doctor"]] {
        let ran = home.run(arguments);
        assert_eq!(ran.status.code(), Some(6), "{arguments:?}: {}", text(&ran.stderr));
        let all = [ran.stdout, ran.stderr].concat();
        assert!(!text(&all).contains("not-to-be-shown"));
    }
    let status = home.run(&["status", "-o", "json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["well"], false);
    assert!(
        status["lines"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line["part"] == "outbox-relay" && line["state"] == "down")
    );
}

#[test]
fn secret_that_others_can_read_is_refused() {
    let home = Home::new("secret");
    let secret = home.0.join("token");
    fs::write(&secret, "a.b.c").unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o644)).unwrap();
    let ran = home.run(&[
        "oauth",
        "decode",
        "--no-verify",
        "--token-file",
        secret.to_str().unwrap(),
    ]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stderr).contains("chmod 600"), "{}", text(&ran.stderr));
}

#[test]
fn shells_get_their_completion_and_help_is_data() {
    let home = Home::new("completion");
    for shell in ["bash", "zsh"] {
        let ran = home.run(&["completion", shell]);
        assert_eq!(ran.status.code(), Some(0));
        assert!(text(&ran.stdout).contains("revoke-issued-before"), "{shell}");
    }
    let help = home.run(&["user", "create", "--help"]);
    assert_eq!(help.status.code(), Some(0));
    let help = text(&help.stdout);
    assert!(
        help.contains("Examples:") && help.contains("--password-file") && help.contains("--profile-locale"),
        "{help}"
    );
    assert!(!help.contains("--password "), "{help}");
}
