//! Adds up what test programs print, so that a run of many closes with what failed and one line of counts.

/// Tests by how they ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
    /// The names of those that failed.
    failures: Vec<String>,
}

impl Tally {
    /// Takes in one line of output: a `test result:` of libtest, or a line that begins with `N passed,` as the end-to-end
    /// tests close with. What cucumber prints of its scenarios on the way is in that already. `test NAME ... FAILED` and
    /// `failed: NAME` tell what failed.
    pub fn take_in(&mut self, line: &str) {
        let line = without_colour(line);
        let line = line.trim();
        let of_libtest = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"));
        if let Some(name) = of_libtest.or_else(|| line.strip_prefix("failed: ")) {
            self.failures.push(name.to_owned());
        }
        let plain = || {
            line.split_once(" passed, ")
                .and_then(|(count, _)| count.parse::<u64>().ok())
        };
        let counts = line.strip_prefix("test result:").or_else(|| plain().map(|_| line));
        for word_pair in counts
            .into_iter()
            .flat_map(|counts| counts.split([';', '.', ',', '(', ')']))
        {
            let mut words = word_pair.split_whitespace();
            let (Some(Ok(count)), Some(kind)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            match kind {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" | "skipped" => self.skipped += count,
                _ => {}
            }
        }
    }

    /// What failed and the closing line, if any test has run.
    pub fn summary(&self) -> Option<String> {
        let Self {
            passed,
            failed,
            skipped,
            failures,
        } = self;
        let mut lines: Vec<String> = failures.iter().map(|name| format!("failed: {name}")).collect();
        lines.push(format!("{passed} passed, {failed} failed, {skipped} skipped"));
        (*self != Self::default()).then(|| lines.join("\n"))
    }
}

fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut inside = false;
    for c in line.chars() {
        match c {
            '\x1b' => inside = true,
            'm' if inside => inside = false,
            _ if inside => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_and_features_add_up() {
        let mut tally = Tally::default();
        for line in [
            "test result: \x1b[32mok\x1b[0m. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.41s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "5 scenarios (4 passed, 1 skipped)",
            "failed: \x1b[31mA feature: its scenario",
            "4 passed, 1 failed",
            "test a::b ... ok",
            "test a::c ... \x1b[31mFAILED\x1b[0m",
        ] {
            tally.take_in(line);
        }
        assert_eq!(
            tally.summary().unwrap(),
            "failed: A feature: its scenario\nfailed: a::c\n18 passed, 2 failed, 1 skipped"
        );
        assert_eq!(Tally::default().summary(), None);
    }
}
