//! The goals, each with the figure that was reached. Ratios are taken inside a round; rounds with errors have none.

use comfy_table::Table;

use crate::{
    bench::Rounds,
    report::{Sample, spread},
};

/// What no line of the table has; one figure for each round without errors.
#[derive(Debug, Default)]
pub struct Beyond {
    /// What the disk takes for a page that must stay.
    pub flush_ms: f64,
    /// The p99 at half of what 64 connections reach, in milliseconds.
    pub half_load: Vec<f64>,
    /// Throughput with Redis stopped to that with it running.
    pub redis: Vec<f64>,
    /// Throughput with many tenants to that with one.
    pub scale: Vec<f64>,
    /// The p99 of good requests under a flood of forged tokens to that without one.
    pub flood: Vec<f64>,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// Only to be read.
    None,
}

/// One line.
struct Goal {
    name: String,
    bound: Bound,
    figures: Vec<f64>,
}

/// All of them for a person.
pub fn table(rounds: &Rounds, beyond: &Beyond) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(["goal", "wanted", "reached", "least", "most", "met"]);
    for goal in goals(rounds, beyond) {
        let (median, least, most) = spread(goal.figures.iter().copied());
        let (wanted, met) = match goal.bound {
            Bound::AtLeast(bound) => (format!(">= {bound}"), Some(median >= bound)),
            Bound::AtMost(bound) => (format!("<= {bound}"), Some(median <= bound)),
            Bound::None => (String::new(), None),
        };
        let met = match met {
            _ if median.is_nan() => "no round without errors",
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        };
        let text = |figure: f64| format!("{figure:.3}");
        table.add_row([goal.name, wanted, text(median), text(least), text(most), met.to_owned()]);
    }
    table.to_string()
}

fn goals(rounds: &Rounds, beyond: &Beyond) -> Vec<Goal> {
    let of = |connections: usize, figure: &dyn Fn(&Sample) -> f64| -> Vec<f64> {
        let clean = rounds
            .of("refresh", connections)
            .iter()
            .filter(|sample| sample.is_clean());
        clean.map(figure).collect()
    };
    let goal = |name: String, bound: Bound, figures: Vec<f64>| Goal { name, bound, figures };
    let rps = |name: &'static str| move |sample: &Sample| sample.get("rps") / sample.get(name);
    let own = |sample: &Sample| sample.get("auth_api_cpu_us") + sample.get("backends_cpu_us");
    let all = |sample: &Sample| sample.get("auth_api_cpu_us") + sample.get("postgres_cpu_us");
    let mut goals = Vec::new();
    for (connections, bound) in [(64, 0.8), (256, 1.0)] {
        let floor = of(connections, &rps("floor0_tps"));
        let seed = of(connections, &rps("seed_shape_rps"));
        let cpu = of(connections, &|sample| own(sample) / sample.get("floor0_cpu_us"));
        let cpu_all = of(connections, &|sample| all(sample) / sample.get("floor0_cpu_us"));
        let cpu_seed = of(connections, &|sample| sample.get("seed_shape_cpu_us") / all(sample));
        let at = |text: &str| format!("{text}, {connections} connections");
        goals.extend([
            goal(at("refresh / floor0"), Bound::AtLeast(bound), floor),
            goal(at("refresh / the seed's shape"), Bound::AtLeast(30.0), seed),
            goal(
                at("CPU of a refresh (auth-api and its backends) / of a floor0 commit"),
                Bound::AtMost(1.25),
                cpu,
            ),
            goal(
                at("the same with relay's and consumer's share of Postgres"),
                Bound::None,
                cpu_all,
            ),
            goal(at("CPU of the seed's shape / of a refresh"), Bound::None, cpu_seed),
        ]);
    }
    let half_load = beyond.half_load.iter().map(|p99_ms| p99_ms / beyond.flush_ms).collect();
    goals.extend([
        goal(
            "statements of a refresh, 64 connections".to_owned(),
            Bound::AtMost(0.15),
            of(64, &|sample| sample.get("statements")),
        ),
        goal(
            "p99 at half load / flush time".to_owned(),
            Bound::AtMost(10.0),
            half_load,
        ),
        goal(
            "flush time in milliseconds".to_owned(),
            Bound::None,
            vec![beyond.flush_ms],
        ),
        goal(
            "many tenants and sessions, Zipf clients / one".to_owned(),
            Bound::AtLeast(0.9),
            beyond.scale.clone(),
        ),
        goal(
            "Redis stopped / running".to_owned(),
            Bound::AtLeast(0.9),
            beyond.redis.clone(),
        ),
        goal(
            "p99 of 500 good requests a second, beside 5,000 forged tokens a second / alone".to_owned(),
            Bound::AtMost(1.5),
            beyond.flood.clone(),
        ),
    ]);
    goals
}
