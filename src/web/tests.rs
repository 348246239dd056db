//! What templates and handlers name is there.

use std::fs;
use std::path::{Path, PathBuf};

use super::PageError;
use super::assets;
use crate::document::DocumentSchema;
use crate::words::{Languages, WordsFile};

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Every text between two marks, in all templates and handlers.
fn named(begin: &str, end: char) -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web"), &mut paths);
    let mut named = Vec::new();
    for path in paths.into_iter().filter(|path| !path.ends_with("tests.rs")) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (at, _) in text.match_indices(begin) {
            let name = text[at + begin.len()..].split(end).next().unwrap();
            named.push((path.clone(), name.to_owned()));
        }
    }
    named
}

#[test]
fn every_text_that_is_named_is_there() {
    let schema = DocumentSchema::new("words", include_str!("../../schemas/words.schema.json")).unwrap();
    let text = include_str!("../../config/words/zh-CN.toml");
    let languages = Languages::load([WordsFile { tag: "zh-CN", shown: "zh-CN", text }], &schema);
    let words = languages.unwrap_or_else(|wrong| panic!("{wrong:#?}"));
    let words = words.find("zh-CN").unwrap();
    for begin in [".t(\"", ".fill(\"", ".fill_all(\"", ".text(\"", ".page(\""] {
        for (path, key) in named(begin, '"') {
            assert!(words.has(&key), "{} names the text {key}, which config/words lacks", path.display());
        }
    }
    for name in PageError::NAMES {
        assert!(words.has(&format!("errors.{name}_title")) && words.has(&format!("errors.{name}_text")), "{name}");
    }
}

#[test]
fn every_asset_that_is_named_is_there() {
    for (path, name) in named(".asset(\"", '"') {
        assert_ne!(assets::address(&name), assets::address("nothing"), "{}: {name}", path.display());
    }
}

/// Nothing in a page may stand in the way of its policy.
#[test]
fn templates_hold_no_script_and_no_style_of_their_own() {
    for mark in ["<style", " style=", " onclick=", " onsubmit=", "javascript:"] {
        assert_eq!(
            named(mark, '>').into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "html")).count(),
            0
        );
    }
    for (path, rest) in
        named("<script", '>').into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "html"))
    {
        assert!(rest.contains(" src=\"{{ page.asset("), "{}: {rest}", path.display());
    }
}
