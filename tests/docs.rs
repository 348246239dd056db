//! The documents say what the code does, where a test can tell.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::fs;
use std::path::Path;

use heyan::domain::Cause;
use heyan::receipt::Invalid;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn every_cause_is_explained_as_it_is_dealt_with() {
    let text = read("docs/resilience.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect();
    assert_eq!(rows.len(), Cause::ALL.len(), "a row for each cause, and no other");
    for (row, cause) in rows.iter().zip(Cause::ALL) {
        let said = |yes: bool, word: &'static str| if yes { word } else { "no" };
        let retried = if cause == Cause::Denied { "once" } else { said(cause.may_pass(), "yes") };
        let expected = [retried, said(cause.is_the_departments(), "counts"), said(cause.is_passing(), "yes")];
        assert_eq!((row[0], &row[2..5]), (&*format!("`{}`", cause.as_str()), &expected[..]));
        assert!(row.len() == 6 && !row[1].is_empty() && !row[5].is_empty(), "{row:?}");
    }
}

#[test]
fn documents_name_files_that_are_there() {
    for (document, folder) in [
        ("README.md", ""),
        ("docs/cache.md", "docs/"),
        ("docs/resilience.md", "docs/"),
        ("docs/pending.md", "docs/"),
        ("docs/rights.md", "docs/"),
        ("docs/receipts.md", "docs/"),
        ("docs/ledger.md", "docs/"),
        ("docs/access.md", "docs/"),
        ("docs/telemetry.md", "docs/"),
        ("docs/runbook.md", "docs/"),
        ("docs/counter.md", "docs/"),
        ("docs/signing-in.md", "docs/"),
        ("docs/security-review.md", "docs/"),
        ("SECURITY.md", ""),
    ] {
        let text = read(document);
        for (index, _) in text.match_indices("](") {
            let target = text[index + 2..].split(')').next().unwrap();
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(target.split('#').next().unwrap());
            assert!(target.contains("://") || path.exists(), "{document} names {target}, which is not there");
        }
    }
    assert!(read("README.md").lines().count() <= 115, "README.md is to stay short");
}

#[test]
fn every_reason_against_a_receipt_is_explained() {
    let text = read("docs/receipts.md");
    for reason in Invalid::ALL {
        assert!(text.contains(&format!("`{}`", reason.as_str())), "{}", reason.as_str());
    }
}

/// Each test that is named as `path::name` is there, and is one.
#[test]
fn promises_name_tests_that_are_there() {
    let mut named = 0;
    for document in ["SECURITY.md", "docs/security-review.md"] {
        let text = read(document);
        for test in text.split('`').skip(1).step_by(2).filter(|code| code.contains(".rs::")) {
            let (path, name) = test.split_once("::").unwrap();
            let code = read(path);
            let (before, _) = code.split_once(&format!("fn {name}() {{")).unwrap_or_else(|| panic!("no {test}"));
            let above: Vec<&str> = before.lines().rev().take(3).collect();
            assert!(above.iter().any(|line| matches!(line.trim(), "#[test]" | "#[tokio::test]")), "{test} is no test");
            named += 1;
        }
        for row in text.lines().filter(|line| document == "SECURITY.md" && line.starts_with("| ")).skip(2) {
            assert!(row.contains(".rs::"), "a promise without a test: {row}");
        }
    }
    assert!(named > 30, "{named}");
}
