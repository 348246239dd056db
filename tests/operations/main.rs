//! What is shipped for operators fits what the gateway does: alerts and dashboard name metrics that there are, each alert and
//! each cause has its section in the runbook, and Prometheus itself finds nothing wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use heyan::domain::Cause;
use heyan::telemetry::metrics::{ALL, Kind};
use serde_json::Value;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names of all series, and of what Prometheus itself knows.
fn series() -> BTreeSet<String> {
    let of = |kind, name: String| match kind {
        Kind::Counter => vec![format!("{name}_total")],
        Kind::Gauge => vec![name],
        Kind::Histogram => ["_bucket", "_sum", "_count"].map(|suffix| format!("{name}{suffix}")).to_vec(),
    };
    let ours = ALL.iter().flat_map(|metric| of(metric.kind, metric.prometheus()));
    ours.chain(["up".to_owned()]).collect()
}

/// The words of an expression that are neither a function, a label nor a value.
fn named(expression: &str) -> BTreeSet<String> {
    const WORDS: [&str; 15] = [
        "sum",
        "by",
        "rate",
        "increase",
        "histogram_quantile",
        "max",
        "min",
        "min_over_time",
        "time",
        "label_values",
        "d",
        "s",
        "m",
        "h",
        "job",
    ];
    let mut outside = String::new();
    let mut depth = 0;
    for character in expression.chars() {
        match character {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            other if depth == 0 => outside.push(other),
            _ => {}
        }
    }
    // What stands in the brackets after `by` are labels.
    let mut rest = String::new();
    let mut parts = outside.split("by (");
    rest.push_str(parts.next().unwrap());
    for part in parts {
        rest.push_str(part.split_once(')').unwrap().1);
    }
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words =
        rest.split(|character| !is_part(character)).filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    words.filter(|word| !WORDS.contains(word)).map(str::to_owned).collect()
}

#[test]
fn the_dashboard_shows_what_there_is() {
    let dashboard: Value = serde_json::from_str(&read("config/operations/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row");
    let (known, mut count) = (series(), 0);
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            let names = named(expression);
            assert!(!names.is_empty() && names.is_subset(&known), "{expression}: {:?}", names.difference(&known));
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

/// The alerts, each with its name, its expression and where its runbook is.
fn alerts() -> Vec<(String, String, String)> {
    let text = read("config/operations/alerts.yaml");
    let alert = |block: &str| {
        let (name, rest) = block.split_once('\n').unwrap();
        let expression = rest.split_once("expr:").unwrap().1.split_once("labels:").unwrap().0;
        let expression = expression.split_once("for:").map_or(expression, |(before, _)| before);
        let runbook = rest.split_once("runbook: ").unwrap().1.lines().next().unwrap();
        (name.trim().to_owned(), expression.replace('|', " "), runbook.trim().to_owned())
    };
    text.split("- alert:").skip(1).map(alert).collect()
}

#[test]
fn every_alert_watches_what_there_is_has_a_test_and_says_what_to_do() {
    let (known, runbook, tests) = (series(), read("docs/runbook.md"), read("tests/operations/alerts.test.yaml"));
    let alerts = alerts();
    assert!(alerts.len() > 10);
    for (name, expression, place) in alerts {
        let names = named(&expression);
        assert!(!names.is_empty() && names.is_subset(&known), "{name}: {:?}", names.difference(&known));
        assert_eq!(place, format!("docs/runbook.md#{}", name.to_lowercase()));
        assert!(runbook.contains(&format!("\n### {name}\n")), "{name} is not in the runbook");
        assert!(tests.contains(&format!("alertname: {name}\n")), "{name} has no test");
    }
}

#[test]
fn the_runbook_has_a_section_for_each_cause_and_each_place_that_it_names() {
    let runbook = read("docs/runbook.md");
    let sections: BTreeSet<String> =
        runbook.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_lowercase).collect();
    for cause in Cause::ALL {
        assert!(sections.contains(cause.as_str()), "{} has no section", cause.as_str());
    }
    for link in runbook.split("](#").skip(1) {
        let target = link.split(')').next().unwrap();
        assert!(sections.contains(target), "there is no section {target}");
    }
    let alerts = alerts().len();
    assert_eq!(sections.len(), alerts + Cause::ALL.len(), "a section of neither an alert nor a cause");
}

#[test]
fn the_unit_names_options_that_there_are() {
    let unit = read("config/operations/heyan.service");
    let help = Command::new(env!("CARGO_BIN_EXE_heyan")).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let words = unit.lines().filter(|line| line.starts_with("Exec")).flat_map(str::split_whitespace);
    let options: Vec<&str> = words.filter(|word| word.starts_with("--")).collect();
    assert!(options.len() >= 2 && options.iter().all(|option| help.contains(option)), "{options:?}");
    for must in ["NoNewPrivileges=yes", "ProtectSystem=strict", "LimitCORE=0", "UMask=0077", "CapabilityBoundingSet=\n"]
    {
        assert!(unit.contains(must), "{must}");
    }
}
