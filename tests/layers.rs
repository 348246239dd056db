//! The layers of the house: what each module may import. Every `use crate::` is held against this table.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// Each module with its layer. A module imports modules of lower layers, and those of its own layer that are named here.
const LAYERS: &[(&str, u8, &[&str])] = &[
    ("domain", 0, &[]),
    ("clock", 0, &[]),
    ("diagnostic", 0, &[]),
    ("document", 0, &["diagnostic"]),
    ("breaker", 1, &[]),
    ("demands", 1, &[]),
    ("departments", 1, &[]),
    ("durable", 1, &["departments"]),
    ("ledger", 1, &["signing"]),
    ("claims", 1, &["departments"]),
    ("matters", 1, &["claims", "departments"]),
    ("counter", 1, &["claims"]),
    ("receipt", 1, &["signing"]),
    ("rights", 1, &[]),
    ("watch", 1, &[]),
    ("signing", 1, &[]),
    ("situation", 1, &["departments"]),
    ("transition", 1, &[]),
    ("callers", 1, &["rights"]),
    ("accounts", 1, &[]),
    ("words", 1, &[]),
    ("access", 2, &[]),
    ("cache", 2, &[]),
    ("callbacks", 2, &[]),
    ("config", 2, &[]),
    ("desk", 2, &[]),
    ("keys", 2, &[]),
    ("ledger_store", 2, &[]),
    ("papers", 2, &[]),
    ("private_file", 2, &[]),
    ("sources", 2, &["private_file"]),
    ("store", 2, &["private_file"]),
    // It knows words alone, and whoever does something may tell it.
    ("telemetry", 2, &[]),
    ("gateway", 3, &[]),
    ("api", 4, &[]),
    ("web", 4, &["api"]),
    ("server", 4, &["api", "web"]),
    ("simulator", 4, &[]),
    ("cli", 5, &[]),
    ("main", 5, &["cli"]),
    ("lib", 5, &[]),
    ("heyan", 5, &[]),
];

/// What telemetry may know: it stands below the modules beside it.
const OF_TELEMETRY: [&str; 2] = ["domain", "clock"];

/// The simulator must not share code with what it is there to test.
const OF_SIMULATOR: [&str; 2] = ["domain", "clock"];

fn layer(module: &str) -> (u8, &'static [&'static str]) {
    let found = LAYERS.iter().find(|(name, ..)| *name == module);
    let (_, layer, own) = found.unwrap_or_else(|| panic!("the module {module} has no layer: give it one here"));
    (*layer, own)
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The program's text without its unit tests, which may look at the whole.
fn without_tests(path: &Path) -> String {
    let is_tests = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"));
    let text = fs::read_to_string(path).unwrap();
    if is_tests { String::new() } else { text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned() }
}

#[test]
fn every_import_goes_down() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let mut wrong = Vec::new();
    for path in all {
        let inner = path.strip_prefix(&source).unwrap();
        let module = inner.components().next().unwrap().as_os_str().to_string_lossy();
        let module = module.trim_end_matches(".rs");
        let (own, partners) = layer(module);
        for (index, _) in without_tests(&path).match_indices("crate::") {
            let text = without_tests(&path);
            let target: String = text[index + 7..]
                .chars()
                .take_while(|character| character.is_ascii_lowercase() || *character == '_')
                .collect();
            let allowed = match module {
                "telemetry" => OF_TELEMETRY.contains(&target.as_str()) || target == "telemetry",
                "simulator" => OF_SIMULATOR.contains(&target.as_str()) || target == "simulator",
                _ if target == "telemetry" => own >= 2,
                _ => target == module || layer(&target).0 < own || partners.contains(&target.as_str()),
            };
            if !allowed {
                wrong.push(format!("{}: {module} imports {target}", inner.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What decides knows no runtime, no network, no web framework and no log.
#[test]
fn the_core_is_pure() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    for path in all {
        let inner = path.strip_prefix(&source).unwrap();
        let module =
            inner.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        if layer(&module).0 > 1 {
            continue;
        }
        let text = without_tests(&path);
        for foreign in ["tokio", "axum", "hyper", "reqwest", "tracing", "std::net", "std::fs"] {
            assert!(!text.contains(&format!("{foreign}::")), "{} knows {foreign}", inner.display());
        }
    }
}
