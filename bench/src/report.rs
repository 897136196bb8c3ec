//! Figures of rounds, their medians, the table and the file.

use std::fmt;

use comfy_table::Table;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{floor::Floor, load::Load};

/// The figures of one round, by name.
#[derive(Clone, Debug)]
pub struct Sample(Vec<(&'static str, f64)>);

/// Medians over rounds.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Summary(Map<String, Value>);

/// What of a round is measured beside the load.
#[derive(Clone, Copy, Debug)]
pub struct Beside {
    pub floor: Floor,
    /// Requests a second of the seed's shape, and the processor time of each: its server's and Postgres'.
    pub seed_shape: (f64, f64),
    /// Events that waited for the relay at the end of the window.
    pub backlog: i64,
}

/// Columns of the table.
const COLUMNS: [&str; 17] = [
    "endpoint",
    "connections",
    "rps",
    "p50_ms",
    "p99_ms",
    "errors",
    "auth_api_cpu_us",
    "postgres_cpu_us",
    "backends_cpu_us",
    "wal_bytes",
    "statements",
    "flushes",
    "backlog",
    "floor0_tps",
    "floor0_cpu_us",
    "seed_shape_rps",
    "seed_shape_cpu_us",
];

impl Sample {
    /// Of a load over HTTP.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn of(load: &Load, beside: Beside) -> Self {
        let answered = load.seconds.len() as f64;
        let used = &load.used;
        let each = |amount: u64| amount as f64 / answered;
        let counted = |amount: i64| amount as f64 / answered;
        Self(vec![
            ("rps", load.rps()),
            ("p50_ms", load.percentile_ms(50)),
            ("p99_ms", load.percentile_ms(99)),
            ("errors", load.errors as f64),
            ("auth_api_cpu_us", each(used.auth_api_us)),
            ("postgres_cpu_us", each(used.postgres_us)),
            ("backends_cpu_us", each(used.backends_us)),
            ("downstream_cpu_us", each(used.downstream_us)),
            ("generator_cpu_us", each(used.generator_us)),
            ("wal_bytes", counted(used.wal_bytes)),
            ("wal_bytes_all", counted(used.wal_bytes_all)),
            ("statements", counted(used.statements)),
            ("flushes", counted(used.flushes)),
            ("hot_share", used.hot_updates as f64 / used.updates as f64),
            ("backlog", beside.backlog as f64),
            ("floor0_tps", beside.floor.tps),
            ("floor0_cpu_us", beside.floor.cpu_us),
            ("seed_shape_rps", beside.seed_shape.0),
            ("seed_shape_cpu_us", beside.seed_shape.1),
        ])
    }

    /// One figure; not a number if the round does not have it.
    pub fn get(&self, name: &str) -> f64 {
        let found = self.0.iter().find(|(own, _)| *own == name);
        found.map_or(f64::NAN, |(_, value)| *value)
    }

    /// Whether ratios may be taken of it.
    pub fn is_clean(&self) -> bool {
        self.get("errors") == 0.0
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.0.iter().filter(|(_, value)| value.is_finite()) {
            write!(formatter, "{name} {value:.2}  ")?;
        }
        Ok(())
    }
}

impl Summary {
    /// The median, least and greatest of each figure.
    pub fn of(endpoint: &str, connections: usize, samples: &[Sample]) -> Self {
        let mut summary = Map::new();
        summary.insert("endpoint".to_owned(), json!(endpoint));
        summary.insert("connections".to_owned(), json!(connections));
        let names = samples.first().map(|sample| &sample.0[..]).unwrap_or_default();
        for (name, _) in names {
            let (median, least, most) = spread(samples.iter().map(|sample| sample.get(name)));
            summary.insert((*name).to_owned(), json!(median));
            summary.insert(format!("{name}_min"), json!(least));
            summary.insert(format!("{name}_max"), json!(most));
        }
        Self(summary)
    }
}

/// Median, least and greatest.
pub fn spread(values: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let at = |place: Option<&f64>| place.copied().unwrap_or(f64::NAN);
    (percentile(&values, 50), at(values.first()), at(values.last()))
}

/// All of it for a person.
pub fn table(summaries: &[Summary]) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(COLUMNS);
    for summary in summaries {
        table.add_row(COLUMNS.iter().map(|name| match summary.0.get(*name) {
            Some(Value::Number(number)) => number.as_f64().map_or_else(String::new, brief),
            Some(Value::String(text)) => text.clone(),
            _ => "-".to_owned(),
        }));
    }
    table.to_string()
}

/// Three figures that matter.
fn brief(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Of sorted values; nothing has none.
pub fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let at = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}
