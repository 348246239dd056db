//! Layer 1: the words of the pages, in every language that has a file under `config/words`.
//!
//! Texts stand in tables: `[counter] title = "…"` is the text `counter.title`. `{name}` in a text is filled in by the page. The
//! Chinese file that is part of the program says which texts there are; every other must have the same, with the same names in
//! braces, so that a page never lacks a word.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Display;
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, unknown};
use crate::document::{Document, DocumentSchema};

/// The words of one language.
#[derive(Debug)]
pub struct Words {
    tag: String,
    language: String,
    texts: HashMap<String, String>,
}

impl Words {
    /// The language (RFC 5646), such as `zh-CN`.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The language's name, in itself.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }

    /// Whether there is such a text.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.texts.contains_key(key)
    }

    /// The text of a key; one that is not there shows its key. A test holds every key in the program against the file.
    #[must_use]
    pub fn text<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// The text of a key, filled in. What stands in a value is never filled in itself.
    #[must_use]
    pub fn fill(&self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        let mut rest = self.text(key);
        let mut filled = String::with_capacity(rest.len() + 16);
        while let Some((before, from)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, after)) = from.split_once('}') else {
                filled.push('{');
                rest = from;
                continue;
            };
            match values.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => filled.push_str(&value.to_string()),
                None => filled.push_str(&format!("{{{name}}}")),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

/// The words of all languages.
#[derive(Debug, Clone)]
pub struct Languages(Vec<Arc<Words>>);

/// A file of words: the language that its name says, how its owner knows it, and its text.
#[derive(Debug, Clone, Copy)]
pub struct WordsFile<'a> {
    /// Such as `zh-CN`.
    pub tag: &'a str,
    /// The file's name in messages.
    pub shown: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl Languages {
    /// Reads the files.
    ///
    /// # Errors
    /// Everything that is wrong in any of them; that there is none.
    pub fn load<'a>(
        files: impl IntoIterator<Item = WordsFile<'a>>,
        schema: &DocumentSchema,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (mut all, mut errors) = (Vec::new(), Vec::new());
        for file in files {
            match read(file, schema) {
                Ok(words) if file.tag == DEFAULT => all.insert(0, Arc::new(words)),
                Ok(words) => all.push(Arc::new(words)),
                Err(wrong) => errors.extend(wrong),
            }
        }
        if errors.is_empty() && all.is_empty() {
            let message = "there is no file of words here: the pages speak no language".to_owned();
            errors.push(Diagnostic { file: "config/words".to_owned(), line: None, message });
        }
        if errors.is_empty() { Ok(Self(all)) } else { Err(errors) }
    }

    /// All of them, the first being the default.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Words>> {
        self.0.iter()
    }

    /// The language of this tag.
    #[must_use]
    pub fn find(&self, tag: &str) -> Option<&Arc<Words>> {
        self.0.iter().find(|words| words.tag.eq_ignore_ascii_case(tag))
    }

    /// The language that a reader wants: the one chosen, or the one that `Accept-Language` (RFC 9110 section 12.5.4) ranks
    /// highest, or the first. `None`: there is no language at all.
    #[must_use]
    pub fn wanted(&self, chosen: Option<&str>, accepted: Option<&str>) -> Option<&Arc<Words>> {
        let by_choice = chosen.and_then(|tag| self.find(tag));
        by_choice.or_else(|| self.accepted(accepted?)).or_else(|| self.0.first())
    }

    fn accepted(&self, field: &str) -> Option<&Arc<Words>> {
        let mut best: Option<(&Arc<Words>, u32)> = None;
        for range in field.split(',').take(MOST_RANGES) {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1000), thousandths);
            let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
            let near = || self.0.iter().find(|words| primary(&words.tag) == primary(tag));
            let found = self.find(tag).or_else(near);
            if let (Some(words), Some(weight @ 1..)) = (found, weight)
                && best.is_none_or(|(_, other)| weight > other)
            {
                best = Some((words, weight));
            }
        }
        best.map(|(words, _)| words)
    }
}

/// More are of no use.
const MOST_RANGES: usize = 20;

/// A weight between 0 and 1, in thousandths.
fn thousandths(text: &str) -> Option<u32> {
    let weight: f32 = text.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 1000")]
    (0.0..=1.0).contains(&weight).then_some((weight * 1000.0) as u32)
}

/// The language that says which texts there are.
const DEFAULT: &str = "zh-CN";

/// The file of the texts that there are.
const REFERENCE: &str = include_str!("../config/words/zh-CN.toml");

/// A file as it is written.
#[derive(serde::Deserialize)]
struct Written {
    language: String,
    #[serde(flatten)]
    tables: IndexMap<String, IndexMap<String, String>>,
}

fn read(file: WordsFile<'_>, schema: &DocumentSchema) -> Result<Words, Vec<Diagnostic>> {
    let document = Document::read(file.shown, file.text, schema)?;
    let Written { language, tables } = document.fill().map_err(|error| vec![error])?;
    let (mut texts, mut errors) = (HashMap::new(), Vec::new());
    if !is_tag(file.tag) {
        errors.push(document.error("", "a file of words is called as its language, such as en.toml or zh-CN.toml"));
    }
    for (table, entries) in tables {
        for (name, text) in entries {
            let (place, key) = (format!("/{table}/{name}"), format!("{table}.{name}"));
            match reference().get(&key) {
                None => {
                    let message = unknown("text", &key, reference().keys().map(String::as_str));
                    errors.push(document.error(&place, message));
                }
                Some(names) if *names != braces(&text) => {
                    let listed: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
                    let listed = if listed.is_empty() { "nothing".to_owned() } else { listed.join(", ") };
                    errors.push(document.error(&place, format!("this text fills in {listed}, and has to name that")));
                }
                Some(_) => drop(texts.insert(key, text)),
            }
        }
    }
    let is_missing = |key: &&String| !texts.contains_key(*key);
    // What was wrong is there.
    let missing: Vec<&str> = reference().keys().filter(is_missing).map(String::as_str).collect();
    if errors.is_empty() && !missing.is_empty() {
        errors.push(document.error("", format!("these texts are missing: {}", missing.join(", "))));
    }
    if errors.is_empty() { Ok(Words { tag: file.tag.to_owned(), language, texts }) } else { Err(errors) }
}

/// Each text that there is, with the names that it fills in.
fn reference() -> &'static BTreeMap<String, BTreeSet<String>> {
    static REFERENCES: OnceLock<BTreeMap<String, BTreeSet<String>>> = OnceLock::new();
    REFERENCES.get_or_init(|| {
        // A file that is part of the program and broken has no texts: then every file has too many, and says so.
        let tables = toml::from_str::<Written>(REFERENCE).map(|written| written.tables).unwrap_or_default();
        let entries = tables.iter().flat_map(|(table, entries)| {
            entries.iter().map(move |(name, text)| (format!("{table}.{name}"), braces(text)))
        });
        entries.collect()
    })
}

/// The names in a text's braces.
fn braces(text: &str) -> BTreeSet<String> {
    let names = text.split('{').skip(1).filter_map(|from| from.split_once('}'));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Whether a text is written like a language tag.
fn is_tag(text: &str) -> bool {
    let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 35 && text.split('-').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(files: &[(&str, &str)]) -> Result<Languages, Vec<String>> {
        let schema = DocumentSchema::new("words", include_str!("../schemas/words.schema.json")).unwrap();
        let files = files.iter().map(|(tag, text)| WordsFile { tag, shown: tag, text });
        Languages::load(files, &schema).map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
    }

    fn shipped() -> Languages {
        let english = include_str!("../config/words/en.toml");
        load(&[("en", english), ("zh-CN", REFERENCE)]).unwrap_or_else(|wrong| panic!("{wrong:#?}"))
    }

    #[test]
    fn the_shipped_languages_have_the_same_texts() {
        let languages = shipped();
        let tags: Vec<&str> = languages.iter().map(|words| words.tag()).collect();
        assert_eq!(tags, ["zh-CN", "en"], "Chinese comes first");
        assert!(languages.iter().all(|words| words.texts.len() == reference().len()));
    }

    #[test]
    fn what_is_missing_unknown_or_filled_in_otherwise_is_told_with_its_line() {
        let english = include_str!("../config/words/en.toml");
        let told = |text: &str| load(&[("en", text)]).unwrap_err().join("\n");
        let removed = english.lines().filter(|line| !line.starts_with("sign_out")).collect::<Vec<_>>().join("\n");
        assert!(told(&removed).contains("these texts are missing: layout.sign_out"), "{}", told(&removed));
        let renamed = english.replacen("sign_out", "sign_oot", 1);
        assert!(told(&renamed).contains("did you mean \"layout.sign_out\"?"), "{}", told(&renamed));
        let filled = english.replacen("a few seconds", "{count} seconds", 1);
        assert!(
            told(&filled).contains("en:") && told(&filled).contains("this text fills in nothing"),
            "{}",
            told(&filled)
        );
        assert!(load(&[]).unwrap_err()[0].contains("no language"));
        assert!(load(&[("no language", english)]).is_err());
    }

    #[test]
    fn the_language_is_the_readers() {
        let languages = shipped();
        let wanted = |chosen, accepted| languages.wanted(chosen, accepted).unwrap().tag().to_owned();
        assert_eq!(wanted(None, None), "zh-CN");
        assert_eq!(wanted(None, Some("en-GB,en;q=0.9")), "en");
        assert_eq!(wanted(None, Some("fr, zh;q=0.5, en;q=0.4")), "zh-CN");
        assert_eq!(wanted(None, Some("en;q=0, fr")), "zh-CN");
        assert_eq!(wanted(None, Some("en;q=NaN, q;;;,")), "zh-CN");
        assert_eq!(wanted(Some("en"), Some("zh-CN")), "en");
        assert_eq!(wanted(Some("xx"), Some("zh-CN")), "zh-CN");
    }

    #[test]
    fn values_are_filled_in_once() {
        let texts = [("a.b".to_owned(), "{x} and {y}, {z} {".to_owned())].into();
        let words = Words { tag: "en".to_owned(), language: "English".to_owned(), texts };
        assert_eq!(words.fill("a.b", &[("x", &"{y}"), ("y", &2)]), "{y} and 2, {z} {");
        assert_eq!(words.text("no.text"), "no.text");
    }
}
