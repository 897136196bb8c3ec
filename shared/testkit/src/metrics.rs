//! `docs/metrics.md`: one section a service, which is what its registry shows at the start.
//!
//! Every series is there from the start, at zero; so the registry that a service begins with is its catalogue: names,
//! kinds, labels and all their values.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::PathBuf,
};

use prometheus::{
    Registry,
    proto::{Metric, MetricFamily, MetricType},
};

/// More values than this are told by their number and the first and last.
const MANY: usize = 16;
/// A label whose values are a list that stands elsewhere: it grows with every statement.
const LISTED: [(&str, &str); 1] = [("statement", "the files of `services/auth-api/store/sql`")];
/// Names of labels that would tell of somebody.
const FORBIDDEN: [&str; 8] = ["tenant", "user", "client", "session", "ip", "address", "email", "jti"];

/// Checks that the section of `service` in `docs/metrics.md` is what `registry` shows. With `CREDO_WRITE_DOCS=1` in the
/// environment it is written instead.
///
/// # Panics
/// If it is not.
#[expect(
    clippy::disallowed_methods,
    reason = "a person asks a test to write what it compares"
)]
pub fn assert_documented(service: &str, registry: &Registry) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let text = fs::read_to_string(&path).expect("docs/metrics.md");
    let (begin, end) = (
        format!("<!-- begin {service} -->\n"),
        format!("<!-- end {service} -->\n"),
    );
    let (head, rest) = text.split_once(&begin).expect("a section of the service");
    let (section, tail) = rest.split_once(&end).expect("its end");
    let wanted = section_of(&registry.gather());
    if std::env::var_os("CREDO_WRITE_DOCS").is_some() {
        fs::write(&path, format!("{head}{begin}{wanted}{end}{tail}")).expect("docs/metrics.md can be written");
        return;
    }
    assert_eq!(
        section, wanted,
        "docs/metrics.md is not what {service} shows: run this test with CREDO_WRITE_DOCS=1"
    );
}

fn section_of(families: &[MetricFamily]) -> String {
    let mut section = "| name | kind | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for family in families {
        let kind = match family.get_field_type() {
            MetricType::COUNTER => "counter",
            MetricType::GAUGE => "gauge",
            MetricType::HISTOGRAM => "histogram",
            other => panic!("{}: {other:?}", family.name()),
        };
        let mut labels = BTreeMap::<&str, BTreeSet<&str>>::new();
        for pair in family.get_metric().iter().flat_map(Metric::get_label) {
            labels.entry(pair.name()).or_default().insert(pair.value());
        }
        for label in labels.keys() {
            assert!(!FORBIDDEN.contains(label), "{} has the label {label}", family.name());
        }
        let labels: Vec<_> = labels.iter().map(|(name, values)| label(name, values)).collect();
        writeln!(
            section,
            "| `{}` | {kind} | {} | {} |",
            family.name(),
            labels.join("; "),
            family.help()
        )
        .expect("a string takes text");
    }
    section
}

fn label(name: &str, values: &BTreeSet<&str>) -> String {
    if let Some((_, place)) = LISTED.iter().find(|(listed, _)| *listed == name) {
        return format!("{name}: {place}");
    }
    let quoted: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
    // Numbers from 0 on need no list.
    let are_numbers = values.iter().all(|value| value.parse::<usize>().is_ok());
    if are_numbers && values.len() > MANY {
        return format!("{name}: `0` to `{}`", values.len() - 1);
    }
    format!("{name}: {}", quoted.join(" "))
}
