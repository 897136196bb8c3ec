//! What went wrong, as the operator reads it: what, why, and what to do next. Owns the exit codes.
//!
//! Invariants: no text in here carries a secret; whoever makes a failure out of an answer takes named fields of it. And what a
//! terminal is shown of it obeys nothing that a server wrote: control characters and those that turn the text are spelt out.

mod advice;
mod status;

use std::{fmt, io, process::ExitCode};

use crate::console::harmless;

/// What kind of end a failure is; scripts branch on its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anything that has no code of its own.
    Error,
    /// What was typed, or what is configured, cannot be.
    Usage,
    NotFound,
    /// Not signed in, or not allowed.
    Denied,
    /// It is there already, or has changed, or its state does not allow it.
    Conflict,
    /// Something does not answer, or is not well.
    Unavailable,
}

impl Kind {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Error => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Denied => 4,
            Self::Conflict => 5,
            Self::Unavailable => 6,
        }
    }
}

/// The exit code of a program that Ctrl-C ended.
pub const INTERRUPTED: u8 = 130;

/// One failure.
#[derive(Debug, thiserror::Error)]
pub struct Failure {
    pub kind: Kind,
    said: Box<Said>,
}

#[derive(Debug)]
struct Said {
    message: String,
    /// Of the catalogue in `error_reason.proto`, or an OAuth error code.
    reason: Option<String>,
    /// One line each, such as a field and what is wrong with it.
    details: Vec<String>,
    request_id: Option<String>,
    next: Option<String>,
}

/// What everything here answers.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure of a kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            said: Box::new(Said {
                message: message.into(),
                reason: None,
                details: Vec::new(),
                request_id: None,
                next: None,
            }),
        }
    }

    /// What was typed cannot be.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Anything else.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Kind::Error, message)
    }

    /// Something does not answer.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    /// With what the operator could do next.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.said.next = Some(next.into());
        self
    }

    /// With where it happened in front.
    pub fn at(mut self, place: &str) -> Self {
        self.said.message = format!("{place}: {}", self.said.message);
        self
    }

    /// With the server's reason.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.said.reason = Some(reason.into());
        self
    }

    /// The server's reason, if it gave one.
    pub fn why(&self) -> Option<&str> {
        self.said.reason.as_deref()
    }

    /// With a line more.
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.said.details.push(line.into());
        self
    }

    /// With the id under which the server's log knows the call.
    pub fn request_id(mut self, id: Option<String>) -> Self {
        self.said.request_id = id;
        self
    }

    /// The message, without the rest.
    pub fn message(&self) -> &str {
        &self.said.message
    }

    /// What to do next, if it is known.
    pub fn next_step(&self) -> Option<&str> {
        self.said.next.as_deref()
    }

    /// As an exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind.code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.said.message.split('\n').map(harmless).collect();
        write!(f, "error: {}", lines.join("\n"))?;
        if let Some(reason) = &self.said.reason {
            write!(f, " ({})", harmless(reason))?;
        }
        for detail in &self.said.details {
            write!(f, "\n  {}", harmless(detail))?;
        }
        if let Some(id) = &self.said.request_id {
            write!(f, "\n  request  {}", harmless(id))?;
        }
        if let Some(next) = &self.said.next {
            write!(f, "\n  next     {next}")?;
        }
        Ok(())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::error(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::error(format!("the answer is not the JSON that it should be: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_says_what_why_and_what_next() {
        let failure = Failure::new(Kind::Conflict, "the slug is taken")
            .reason("ALREADY_EXISTS")
            .detail("slug: is another tenant's")
            .request_id(Some("0192".to_owned()))
            .next("credoctl tenant list");
        assert_eq!(
            failure.to_string(),
            "error: the slug is taken (ALREADY_EXISTS)\n  slug: is another tenant's\n  request  0192\n  next     credoctl tenant list"
        );
        assert_eq!(failure.kind.code(), 5);
    }

    #[test]
    fn nothing_that_a_server_wrote_steers_the_terminal() {
        for evil in ["\u{1b}[2J", "\u{9b}2J", "\u{202e}gpj", "\r\u{7}", "\u{2066}"] {
            let failure = Failure::error(evil)
                .reason(evil)
                .detail(evil)
                .request_id(Some(evil.to_owned()));
            let text = failure.to_string();
            assert!(
                !text
                    .chars()
                    .any(|letter| letter != '\n' && harmless(&letter.to_string()) != letter.to_string()),
                "{text:?}"
            );
            assert_eq!(
                text.matches("\\u{").count(),
                4 * evil
                    .chars()
                    .filter(|letter| !letter.is_ascii() || letter.is_control())
                    .count()
            );
        }
        assert_eq!(
            Failure::error("x").detail("a\n  next     rm -rf /").to_string(),
            "error: x\n  a\\u{a}  next     rm -rf /"
        );
    }
}
