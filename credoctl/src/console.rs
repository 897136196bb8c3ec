//! The terminal: data on stdout, everything else on stderr; questions only where somebody can answer them.
//!
//! Invariant: text from outside is shown with its control characters escaped.

mod ask;
mod progress;

use std::{
    fmt::Display,
    io::{self, ErrorKind, IsTerminal as _, Write as _},
};

pub use ask::{Danger, ask_reason, ask_secret, confirm};
pub use progress::Progress;

use crate::{environment, failure::Result};

/// Writes data.
///
/// # Errors
/// If stdout refuses; a reader that has seen enough is no error.
pub fn data(text: impl Display) -> Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Says something that is no data.
pub fn note(text: impl Display) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Whether a person can be asked.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether a person looks at the data.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// How the data may be painted.
#[derive(Clone, Copy, Debug)]
pub struct Paint(bool);

impl Paint {
    /// For stdout as it is.
    pub fn for_stdout() -> Self {
        Self(is_terminal() && !environment::no_color())
    }

    /// As a heading.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// As good news.
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// As a warning.
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// As bad news.
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Text from outside, harmless to a terminal.
pub fn harmless(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for letter in text.chars() {
        // Besides control characters: those that turn the direction of what follows.
        let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        if letter.is_control() || turns {
            clean.extend(letter.escape_unicode());
        } else {
            clean.push(letter);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(harmless("a\x1b[2Jb\n\u{202e}ü"), "a\\u{1b}[2Jb\\u{a}\\u{202e}ü");
    }

    #[test]
    fn nothing_is_painted_where_colour_is_unwelcome() {
        assert_eq!(Paint(false).red("down"), "down");
        assert_eq!(Paint(true).red("down"), "\x1b[31mdown\x1b[0m");
    }
}
