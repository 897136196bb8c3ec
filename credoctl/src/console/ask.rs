//! Questions: before what ends something, for a reason, for a secret. Where nobody can answer, the call is refused.

use std::io::{self, BufRead as _, Write as _};

use secrecy::SecretString;

use super::can_ask;
use crate::failure::{Failure, Result};

/// How much a verb may hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// Nothing is lost that cannot be set again.
    None,
    /// Something ends. What follows, in a sentence.
    Ends(&'static str),
    /// It cannot be undone: the name has to be typed.
    ForGood(&'static str),
}

/// Asks before something dangerous. `what` names the verb, the target, the tenant and the context; `name` is what has to be
/// typed if it is for good.
///
/// # Errors
/// If the answer is no, or nobody can answer.
pub fn confirm(danger: Danger, what: &str, name: &str) -> Result<()> {
    let (consequence, wanted) = match danger {
        Danger::None => return Ok(()),
        Danger::Ends(consequence) => (consequence, "yes"),
        Danger::ForGood(consequence) => (consequence, name),
    };
    if !can_ask() {
        return Err(Failure::usage(format!(
            "{what}: {consequence} This wants a yes, and nobody is here to say it"
        ))
        .next("--yes if it is meant, --dry-run to see whether it would go"));
    }
    let answer = line(&format!("{what}\n{consequence}\nType {wanted} to go on: "))?;
    if answer == wanted {
        return Ok(());
    }
    Err(Failure::error("nothing was changed"))
}

/// The reason that an event shall carry: as given, or asked for.
///
/// # Errors
/// If none is given and nobody can be asked.
pub fn ask_reason(given: Option<&String>) -> Result<String> {
    if let Some(reason) = given {
        return Ok(reason.clone());
    }
    if !can_ask() {
        return Err(Failure::usage("this wants a reason, which the audit trail keeps").next("--reason \"…\""));
    }
    let reason = line("Reason, for the audit trail: ")?;
    if reason.is_empty() {
        return Err(Failure::error("nothing was changed: there is no reason"));
    }
    Ok(reason)
}

/// A secret, typed unseen.
///
/// # Errors
/// If nobody can type. `instead` says how else to give it.
pub fn ask_secret(prompt: &str, instead: &str) -> Result<SecretString> {
    if !can_ask() {
        return Err(Failure::usage(format!("{prompt}: nobody is here to type it")).next(instead));
    }
    let typed = rpassword::prompt_password(format!("{prompt}: "))?;
    Ok(SecretString::from(typed))
}

fn line(question: &str) -> Result<String> {
    let mut out = io::stderr().lock();
    write!(out, "{question}")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}
