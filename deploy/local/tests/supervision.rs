//! The stack program as a process, with the one part that starts at once: what is promised about starting, breaking and
//! ending holds for each part alike. Needs redis-server, which the test stack has installed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and blocks no runtime"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A stack of its own per test.
struct Stack {
    name: &'static str,
    program: Option<Child>,
}

impl Stack {
    fn up(name: &'static str) -> Self {
        let mut stack = Self { name, program: None };
        stack.start();
        stack
    }

    fn start(&mut self) {
        let program = self
            .command(&["run", "--only", "redis"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.program = Some(program);
        eventually("the stack is ready", || self.file().is_file());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_credo-local"));
        command
            .args(["--stack", self.name])
            .args(arguments)
            .env_remove("CREDO_REDIS_URL")
            .current_dir(root());
        command
    }

    fn ask(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn ask_ok(&self, arguments: &[&str]) -> String {
        let output = self.ask(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{arguments:?}: {text}");
        text
    }

    fn file(&self) -> PathBuf {
        root().join(".credo").join(self.name).join("stack.json")
    }

    /// Redis's process id as stack.json has it.
    fn redis(&self) -> Option<u64> {
        let stack: serde_json::Value = serde_json::from_str(&fs::read_to_string(self.file()).unwrap()).unwrap();
        stack["redis"]["pid"].as_u64()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        drop(self.ask(&["stop"]));
        if let Some(mut program) = self.program.take() {
            drop(program.wait());
        }
        drop(self.ask(&["reset"]));
    }
}

#[test]
fn second_program_is_refused_and_the_first_goes_on() {
    let stack = Stack::up("it-second");
    let refused = stack.ask(&["run", "--only", "redis"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stdout).contains("runs already"));
    assert!(stack.ask_ok(&["status"]).contains("running"));
}

#[test]
fn killed_part_starts_again_on_the_same_port() {
    let stack = Stack::up("it-kill");
    let (before, port) = (stack.redis().unwrap(), port_of(&stack));
    stack.ask_ok(&["kill", "redis"]);
    assert_eq!(stack.redis(), None);
    assert!(!is_alive(before));
    stack.ask_ok(&["start", "redis"]);
    assert!(is_alive(stack.redis().unwrap()));
    assert_eq!(port_of(&stack), port);
}

#[test]
fn part_that_dies_is_noticed_and_may_be_started() {
    let stack = Stack::up("it-die");
    signal("KILL", stack.redis().unwrap());
    eventually("the death is noticed", || stack.redis().is_none());
    assert!(stack.ask_ok(&["status"]).contains("dead"));
    stack.ask_ok(&["start", "redis"]);
    assert!(stack.ask_ok(&["status"]).contains("running"));
}

#[test]
fn paused_part_stops_in_good_order() {
    let stack = Stack::up("it-pause");
    stack.ask_ok(&["pause", "redis"]);
    assert!(stack.ask_ok(&["status"]).contains("paused"));
    assert!(stack.ask_ok(&["stop", "redis"]).contains("stopped"));
}

#[test]
fn what_is_not_there_cannot_be_stopped() {
    let stack = Stack::up("it-absent");
    assert!(!stack.ask(&["stop", "kafka"]).status.success());
    stack.ask_ok(&["stop", "redis"]);
    assert!(!stack.ask(&["kill", "redis"]).status.success());
}

#[test]
fn nothing_outlives_a_program_that_is_killed() {
    let mut stack = Stack::up("it-orphan");
    let redis = stack.redis().unwrap();
    let mut program = stack.program.take().unwrap();
    program.kill().unwrap();
    program.wait().unwrap();
    eventually("the part ends", || !is_alive(redis));
    fs::remove_file(stack.file()).unwrap();
    stack.start();
}

#[test]
fn end_removes_the_stack_file_and_every_process() {
    let mut stack = Stack::up("it-end");
    let redis = stack.redis().unwrap();
    let mut program = stack.program.take().unwrap();
    signal("TERM", u64::from(program.id()));
    assert!(program.wait().unwrap().success());
    assert!(!is_alive(redis) && !stack.file().exists());
}

#[test]
fn test_passes_on_the_exit_code_and_adds_up() {
    let stack = Stack {
        name: "it-test",
        program: None,
    };
    let script = "echo 'test result: ok. 3 passed; 0 failed; 1 ignored'; test -f \"$CREDO_TEST_STACK_FILE\" && exit 7";
    let output = stack.ask(&["test", "--only", "redis", "--", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(7));
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .ends_with("3 passed, 0 failed, 1 skipped")
    );
    assert!(!stack.file().exists());
}

#[test]
fn test_ends_well_for_a_command_that_closes_its_output_first() {
    let stack = Stack {
        name: "it-close",
        program: None,
    };
    let script = "echo 'test result: ok. 1 passed; 0 failed; 0 ignored'; exec >&-; sleep 0.2; exit 5";
    let output = stack.ask(&["test", "--only", "redis", "--", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(5));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn port_of(stack: &Stack) -> String {
    let text = fs::read_to_string(stack.file()).unwrap();
    let stack: serde_json::Value = serde_json::from_str(&text).unwrap();
    stack["redis"]["url"].as_str().unwrap().to_owned()
}

fn is_alive(pid: u64) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn signal(name: &str, pid: u64) {
    assert!(
        Command::new("kill")
            .args(["-s", name, &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(1), "not within a minute: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
