//! `doctor`: looks at everything between this machine and a Credo that could be wrong, and says what to do about it.

mod grpc;
mod network;
mod web;

use std::process::ExitCode;

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::Session;
use crate::{
    cli,
    console::{self, Paint, Progress},
    failure::{Failure, Kind, Result},
    output::{self, Format, Style},
};

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// One line.
#[derive(Debug)]
pub struct Finding {
    pub check: String,
    pub verdict: Verdict,
    pub text: String,
    /// What to do, where something is to be done.
    pub next: Option<String>,
}

/// Findings, one after the other.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// All is well.
    pub fn ok(&mut self, check: impl Into<String>, text: impl Into<String>) {
        self.add(check, Verdict::Ok, text, None);
    }

    /// Somebody should look.
    pub fn warn(&mut self, check: impl Into<String>, text: impl Into<String>, next: &str) {
        self.add(check, Verdict::Warn, text, Some(next.to_owned()));
    }

    /// It does not work so.
    pub fn fail(&mut self, check: impl Into<String>, text: impl Into<String>, next: &str) {
        self.add(check, Verdict::Fail, text, Some(next.to_owned()));
    }

    /// A failure, with its own next step if it has one.
    pub fn failed(&mut self, check: impl Into<String>, failure: &Failure, next: &str) {
        self.fail(check, failure.message(), failure.next_step().unwrap_or(next));
    }

    fn add(&mut self, check: impl Into<String>, verdict: Verdict, text: impl Into<String>, next: Option<String>) {
        self.0.push(Finding {
            check: check.into(),
            verdict,
            text: text.into(),
            next,
        });
    }
}

#[derive(Debug, clap::Args)]
struct Nothing {}

/// The command.
pub fn command() -> Command {
    let lines = [
        "doctor",
        "doctor --context prod",
        "doctor -o json | jq '.findings[] | select(.verdict == \"fail\")'",
    ];
    cli::command::<Nothing>("doctor", "What is wrong between here and there, and what to do", &lines)
}

/// Looks.
///
/// # Errors
/// If the context cannot be read.
pub async fn run(session: Session, _matches: &ArgMatches) -> Result<ExitCode> {
    let chosen = session.chosen()?;
    let mut findings = Findings::default();
    let progress = Progress::begin("looking");
    if chosen.context.public.url.is_empty() {
        findings.fail(
            "context",
            "it does not say where Credo is",
            "credoctl context add NAME --auth-url URL",
        );
    } else {
        findings.ok("context", format!("{}, {}", chosen.label(), chosen.context.public.url));
        web::look(&session, &chosen, &mut findings, &progress).await;
    }
    grpc::look(&session, &chosen, &mut findings, &progress).await;
    drop(progress);
    show(session.globals.style(), &findings.0)?;
    let failed = findings.0.iter().any(|finding| finding.verdict == Verdict::Fail);
    Ok(if failed {
        ExitCode::from(Kind::Unavailable.code())
    } else {
        ExitCode::SUCCESS
    })
}

fn show(style: Style, findings: &[Finding]) -> Result<()> {
    let name = |verdict| match verdict {
        Verdict::Ok => "ok",
        Verdict::Warn => "warn",
        Verdict::Fail => "fail",
    };
    if !matches!(style.format, Format::Table | Format::Wide) {
        let findings: Vec<Value> = findings
            .iter()
            .map(|finding| json!({ "check": finding.check, "verdict": name(finding.verdict), "text": finding.text, "next": finding.next }))
            .collect();
        return output::value(style, &json!({ "findings": findings }));
    }
    let paint = Paint::for_stdout();
    let width = findings
        .iter()
        .map(|finding| finding.check.len())
        .max()
        .unwrap_or_default();
    for finding in findings {
        let verdict = format!("{:<4}", name(finding.verdict));
        let verdict = match finding.verdict {
            Verdict::Ok => paint.green(&verdict),
            Verdict::Warn => paint.yellow(&verdict),
            Verdict::Fail => paint.red(&verdict),
        };
        console::data(format!(
            "{verdict}  {:<width$}  {}",
            finding.check,
            console::harmless(&finding.text)
        ))?;
        if let Some(next) = &finding.next {
            console::data(format!("{:4}  {:width$}  next: {}", "", "", console::harmless(next)))?;
        }
    }
    Ok(())
}
