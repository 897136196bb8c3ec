//! buf on the definitions: style, and that no caller of an earlier version breaks.
//!
//! `baseline.binpb` holds the definitions as of the last change: `make baseline` writes it, and refuses what would break them.
//! It is a file of the tree and no commit, because a fresh clone may have no history.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and is told in the environment where its tools are"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn definitions() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn buf(arguments: &[&str]) -> Output {
    let tools = env::var("CREDO_TEST_TOOLS").expect("there are no tools: run `make test TESTS='-p credo-proto'`");
    let program = PathBuf::from(tools).join("buf/node_modules/.bin/buf");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(definitions()).output().unwrap()
}

fn assert_nothing_said(output: &Output, advice: &str) {
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}{errors}{advice}");
}

#[test]
fn definitions_keep_the_style() {
    assert_nothing_said(&buf(&["lint"]), "");
}

#[test]
fn definitions_break_no_caller_of_the_baseline() {
    let advice = "if it must be: `make baseline BREAKING=1`";
    assert_nothing_said(&buf(&["breaking", "--against", "baseline.binpb"]), advice);
}

#[test]
fn what_breaks_callers_is_found() {
    let folder = env::temp_dir().join(format!("credo-buf-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let text = "syntax = \"proto3\";\npackage credo.admin.v1;\nenum ErrorReason { ERROR_REASON_UNSPECIFIED = 0; }\n";
    fs::create_dir_all(folder.join("credo/admin/v1")).unwrap();
    fs::write(folder.join("credo/admin/v1/error_reason.proto"), text).unwrap();
    let output = buf(&["breaking", folder.to_str().unwrap(), "--against", "baseline.binpb"]);
    fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(100), "{output:?}");
    assert!(
        said.contains("ERROR_REASON_NOT_FOUND") || said.contains("Previously present"),
        "{said}"
    );
}
