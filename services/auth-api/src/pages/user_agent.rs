//! What a browser calls itself, in a few words. A hint for people, no fact: anyone may send anything.

/// Names that browsers send, the more particular first, for nearly all of them also claim to be another.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// The same of systems.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// Browser and system, as far as `user_agent` names any that we know.
pub(super) fn read(user_agent: &str) -> (Option<&'static str>, Option<&'static str>) {
    (find(&BROWSERS, user_agent), find(&SYSTEMS, user_agent))
}

fn find(names: &[(&'static str, &'static str)], user_agent: &str) -> Option<&'static str> {
    let (_, name) = names.iter().find(|(mark, _)| user_agent.contains(mark))?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_known_by_their_most_particular_name() {
        for (user_agent, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                (Some("Chrome"), Some("Linux")),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                (Some("Edge"), Some("Windows")),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1",
                (Some("Safari"), Some("iPhone")),
            ),
            ("curl/8.0", (None, None)),
            ("", (None, None)),
        ] {
            assert_eq!(read(user_agent), expected, "{user_agent}");
        }
    }
}
