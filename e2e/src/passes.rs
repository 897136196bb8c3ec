//! The passes of a run, and what they add up to.

use std::{
    fmt,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use cucumber::{
    World as _,
    cli::{Empty, Opts},
    event::ScenarioFinished,
    gherkin::{Feature, Scenario},
    parser, runner,
    tag::Ext as _,
    writer::{self, Stats as _},
};
use futures::FutureExt as _;

use crate::{
    collector::Collector,
    stack::{Stack, variable},
    world::CredoWorld,
};

/// Scenarios that run side by side where nothing is broken.
const CONCURRENT_SCENARIOS: usize = 4;
/// The tags of scenarios that cannot run beside others, in the order of their passes.
const PASSES: [Pass; 3] = [Pass::Concurrent, Pass::Serial, Pass::Last];

/// Says how long scenarios tagged `@soak` last; without it none of them is run.
pub const SOAK_MINUTES: &str = "CREDO_SOAK_MINUTES";

type Arguments = Opts<parser::basic::Cli, runner::basic::Cli, writer::basic::Cli, Empty>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Concurrent,
    /// `@serial`: breaks parts of the stack.
    Serial,
    /// `@last`: looks at what all others left behind.
    Last,
}

impl Pass {
    fn of(feature: &Feature, scenario: &Scenario) -> Self {
        let tagged = |tag: &str| feature.tags.iter().chain(&scenario.tags).any(|known| known == tag);
        match (tagged("last"), tagged("serial")) {
            (true, _) => Self::Last,
            (false, true) => Self::Serial,
            (false, false) => Self::Concurrent,
        }
    }
}

/// Scenarios by how they ended.
#[derive(Debug, Default)]
pub struct Tally {
    passed: usize,
    failed: usize,
    /// What failed outside of scenarios: a feature that cannot be read, a part that cannot be mended.
    broken: usize,
    failures: Vec<String>,
}

impl Tally {
    /// Failure if anything failed, or nothing ran.
    pub fn exit_code(&self) -> ExitCode {
        if self.failed == 0 && self.broken == 0 && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(formatter, "failed: {failure}")?;
        }
        if self.broken > 0 {
            writeln!(formatter, "{} errors outside of scenarios", self.broken)?;
        }
        writeln!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Runs all passes over the features that the command line selects.
///
/// # Errors
/// If there is no stack.
pub async fn run() -> Result<Tally> {
    Stack::read()?;
    Collector::start(Stack::get()?).await?;
    let arguments = Arguments::parsed();
    let mut tally = Tally::default();
    for pass in PASSES {
        add(pass, &arguments, &mut tally).await;
    }
    Ok(tally)
}

async fn add(pass: Pass, arguments: &Arguments, tally: &mut Tally) {
    let (by_name, by_tag) = (arguments.re_filter.clone(), arguments.tags_filter.clone());
    let soaks = variable(SOAK_MINUTES).is_some();
    let selected = move |feature: &Feature, scenario: &Scenario| {
        let tags = feature.tags.iter().chain(&scenario.tags);
        if !soaks && tags.clone().any(|tag| tag == "soak") {
            return false;
        }
        by_name.as_ref().is_none_or(|name| name.is_match(&scenario.name))
            && by_tag.as_ref().is_none_or(|expression| expression.eval(tags))
    };
    let failures = Arc::new(Mutex::new(Vec::new()));
    let collected = Arc::clone(&failures);
    let concurrent = if pass == Pass::Concurrent {
        CONCURRENT_SCENARIOS
    } else {
        1
    };
    let report = CredoWorld::cucumber()
        .with_cli(Arguments {
            re_filter: None,
            tags_filter: None,
            ..arguments.clone()
        })
        .max_concurrent_scenarios(concurrent)
        .fail_on_skipped()
        .after(move |feature, _, scenario, finished, world| {
            if !matches!(finished, ScenarioFinished::StepPassed) {
                let name = format!("{}: {}", feature.name, scenario.name);
                collected.lock().unwrap_or_else(PoisonError::into_inner).push(name);
            }
            async move {
                if let Some(world) = world
                    && let Err(error) = world.tidy().await
                {
                    panic!("the stack cannot be mended: {error:#}");
                }
            }
            .boxed_local()
        })
        .filter_run(
            concat!(env!("CARGO_MANIFEST_DIR"), "/features"),
            move |feature, _, scenario| Pass::of(feature, scenario) == pass && selected(feature, scenario),
        )
        .await;
    let scenarios = *report.scenarios_stats();
    tally.passed += scenarios.passed;
    tally.failed += scenarios.failed + scenarios.skipped;
    tally.broken += report.parsing_errors() + report.hook_errors();
    tally
        .failures
        .append(&mut failures.lock().unwrap_or_else(PoisonError::into_inner));
}
