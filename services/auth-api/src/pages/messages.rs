//! The words of the pages: Fluent messages, one file a language, compiled in.
//!
//! What is put into a message is isolated from the direction of the text around it, and cannot end that isolation: a name
//! never changes how the words beside it read. Templates print a phrase as markup, with each such part in a `<bdi>`; titles and
//! attributes take it plain. A test compares the files with each other and with what the templates ask for.

use std::{fmt, sync::LazyLock};

use askama::filters::HtmlSafe;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};

use super::Language;

/// Fluent puts these around what it puts into a message.
const ISOLATE: char = '\u{2068}';
const POP_ISOLATE: char = '\u{2069}';

/// English words.
pub(super) const ENGLISH: &str = include_str!("../../messages/en.ftl");
/// German words.
pub(super) const GERMAN: &str = include_str!("../../messages/de.ftl");

static ENGLISH_BUNDLE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle(Language::English, ENGLISH));
static GERMAN_BUNDLE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle(Language::German, GERMAN));

/// A message and what is to be put into it.
pub(super) struct Phrase<'a> {
    bundle: &'static FluentBundle<FluentResource>,
    key: &'a str,
    arguments: FluentArgs<'a>,
}

/// The message of that name, in that language.
pub(super) fn phrase(language: Language, key: &str) -> Phrase<'_> {
    let bundle = match language {
        Language::English => &*ENGLISH_BUNDLE,
        Language::German => &*GERMAN_BUNDLE,
    };
    Phrase {
        bundle,
        key,
        arguments: FluentArgs::new(),
    }
}

impl<'a> Phrase<'a> {
    /// Puts a text into it.
    pub(super) fn with(mut self, name: &'a str, text: impl AsRef<str>) -> Self {
        let text: String = text.as_ref().chars().filter(|character| !directs(*character)).collect();
        self.arguments.set(name, FluentValue::from(text));
        self
    }

    /// Puts a number into it.
    pub(super) fn count(mut self, name: &'a str, number: u32) -> Self {
        self.arguments.set(name, FluentValue::from(number));
        self
    }

    /// Without markup.
    pub(super) fn plain(&self) -> String {
        self.isolated().replace([ISOLATE, POP_ISOLATE], "")
    }

    fn isolated(&self) -> String {
        let pattern = self.bundle.get_message(self.key).and_then(|message| message.value());
        // A test keeps both from happening: what is missing shows its name, what cannot be formatted shows the rest.
        let Some(pattern) = pattern else {
            return self.key.to_owned();
        };
        let mut errors = Vec::new();
        self.bundle
            .format_pattern(pattern, Some(&self.arguments), &mut errors)
            .into_owned()
    }
}

impl HtmlSafe for Phrase<'_> {}

impl fmt::Display for Phrase<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.isolated().chars() {
            match character {
                ISOLATE => formatter.write_str("<bdi>")?,
                POP_ISOLATE => formatter.write_str("</bdi>")?,
                '&' => formatter.write_str("&#38;")?,
                '<' => formatter.write_str("&#60;")?,
                '>' => formatter.write_str("&#62;")?,
                '"' => formatter.write_str("&#34;")?,
                '\'' => formatter.write_str("&#39;")?,
                other => fmt::Write::write_char(formatter, other)?,
            }
        }
        Ok(())
    }
}

/// Whether a character changes the direction of what follows it (Unicode Standard Annex 9, section 2).
fn directs(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

fn bundle(language: Language, source: &str) -> FluentBundle<FluentResource> {
    let locale = language.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![locale]);
    // A test reads both files strictly.
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
    bundle.add_resource_overriding(resource);
    bundle
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Everything that may ask for a message.
    const SOURCES: [&str; 15] = [
        include_str!("../../templates/account.html"),
        include_str!("../../templates/base.html"),
        include_str!("../../templates/consent.html"),
        include_str!("../../templates/error.html"),
        include_str!("../../templates/form_post.html"),
        include_str!("../../templates/logout.html"),
        include_str!("../../templates/sign_in.html"),
        include_str!("../../templates/signed_out.html"),
        include_str!("account.rs"),
        include_str!("consent.rs"),
        include_str!("error.rs"),
        include_str!("form_post.rs"),
        include_str!("instant.rs"),
        include_str!("look.rs"),
        include_str!("sign_in.rs"),
    ];

    /// The messages of a file, and what is to be put into each.
    fn messages(source: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        FluentResource::try_new(source.to_owned()).expect("a file that Fluent can read");
        let mut messages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut key = "";
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
                key = name;
                assert!(messages.insert(key, BTreeSet::new()).is_none(), "{key} is there twice");
            }
            let names = line.split('$').skip(1);
            let names = names.map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap());
            messages.entry(key).or_default().extend(names);
        }
        messages.remove("");
        messages
    }

    /// Texts in double quotes that can be the name of a message.
    fn quoted(source: &'static str) -> impl Iterator<Item = &'static str> {
        source.split('"').skip(1).filter(|text| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'0'..=b'9'))
        })
    }

    #[test]
    fn languages_have_the_same_messages_with_the_same_parts() {
        let (english, german) = (messages(ENGLISH), messages(GERMAN));
        for (key, parts) in &english {
            assert_eq!(german.get(key), Some(parts), "{key}");
        }
        assert_eq!(english.len(), german.len(), "German has messages that English has not");
    }

    #[test]
    fn every_message_that_is_asked_for_exists_and_every_one_is_asked_for() {
        let messages = messages(ENGLISH);
        let quoted: BTreeSet<_> = SOURCES.into_iter().flat_map(quoted).collect();
        for key in messages.keys() {
            assert!(quoted.contains(key), "nobody asks for {key}");
        }
        for source in SOURCES {
            for rest in source.split("say(\"").skip(1) {
                let key = rest.split('"').next().unwrap();
                assert!(messages.contains_key(key), "there is no {key}");
            }
        }
    }

    #[test]
    fn what_is_put_in_is_isolated_and_escaped() {
        let phrase = phrase(Language::English, "back-to-app").with("client", "<b>\u{202e}A\u{2069}&'");
        assert_eq!(phrase.to_string(), "Back to <bdi>&#60;b&#62;A&#38;&#39;</bdi>");
        assert_eq!(phrase.plain(), "Back to <b>A&'");
    }

    #[test]
    fn numbers_choose_their_words() {
        let seconds = |language, seconds| phrase(language, "wait-seconds").count("seconds", seconds).plain();
        assert!(seconds(Language::English, 1).ends_with("in one second."));
        assert!(seconds(Language::English, 2).ends_with("in 2 seconds."));
        assert!(seconds(Language::German, 1).ends_with("in einer Sekunde wieder."));
    }
}
