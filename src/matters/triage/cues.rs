//! Cues: patterns of words that belong to a matter, and words that say what kind of text it is.

use std::collections::BTreeMap;
use std::ops::Range;

use regex::{Regex, RegexSet};
use serde::Deserialize;

use super::sound::Text;
use super::{Finding, Subject};
use crate::diagnostic::unknown;

/// `config/triage.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cues {
    /// Lists of words, for use in patterns as `<name>`.
    words: BTreeMap<String, Vec<String>>,
    /// Patterns that show a text to ask for a paper.
    certificate: Vec<String>,
    /// Patterns that show a text to be about something else, unless it asks for a paper.
    chatter: Vec<String>,
    /// Patterns of what is expressly not wanted.
    negations: Vec<String>,
    /// Endings of names that say no more than that it is a paper.
    pub(super) endings: Vec<String>,
    /// Names of certificates and other things that are no matter.
    pub(super) others: Vec<String>,
    cues: Vec<Cue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cue {
    matter: String,
    patterns: Vec<String>,
    /// Whether it counts also where the text doesn't ask for a paper.
    #[serde(default)]
    alone: bool,
}

/// How sure a cue is.
const CUE_SCORE: f64 = 0.9;

#[derive(Debug)]
pub(super) struct CompiledCues {
    certificate: Regex,
    chatter: Regex,
    negations: Regex,
    set: RegexSet,
    each: Vec<(Subject, bool, Regex)>,
}

impl CompiledCues {
    pub(super) fn new(cues: &Cues, ids: &[&str]) -> Result<Self, Vec<(String, String)>> {
        let mut wrong = Vec::new();
        let mut each = Vec::new();
        let mut patterns = Vec::new();
        for (index, cue) in cues.cues.iter().enumerate() {
            let place = ids.iter().position(|id| *id == cue.matter);
            let subject = if cue.matter == "other" { Some(Subject::Other) } else { place.map(Subject::Entry) };
            if subject.is_none() {
                let valid = ids.iter().copied().chain(["other"]);
                wrong.push((format!("/cues/{index}/matter"), unknown("matter", &cue.matter, valid)));
            }
            for (number, pattern) in cue.patterns.iter().enumerate() {
                let place = format!("/cues/{index}/patterns/{number}");
                let compiled = cues.expand(pattern).and_then(|pattern| compile(&pattern).map(|regex| (pattern, regex)));
                match (compiled, subject) {
                    (Ok((pattern, regex)), Some(subject)) => {
                        patterns.push(pattern);
                        each.push((subject, cue.alone, regex));
                    }
                    (Ok(_), None) => {}
                    (Err(message), _) => wrong.push((place, message)),
                }
            }
        }
        let mut any = |name: &str, patterns: &[String]| {
            let expanded: Result<Vec<String>, String> = patterns.iter().map(|pattern| cues.expand(pattern)).collect();
            expanded
                .and_then(|all| compile(&all.join("|")))
                .map_err(|message| wrong.push((format!("/{name}"), message)))
                .ok()
        };
        let certificate = any("certificate", &cues.certificate);
        let chatter = any("chatter", &cues.chatter);
        let negations = any("negations", &cues.negations);
        match (certificate, chatter, negations, RegexSet::new(&patterns)) {
            (Some(certificate), Some(chatter), Some(negations), Ok(set)) if wrong.is_empty() => {
                Ok(Self { certificate, chatter, negations, set, each })
            }
            _ => Err(wrong),
        }
    }

    /// Whether a text asks for a paper.
    pub(super) fn asks(&self, text: &Text<'_>) -> bool {
        self.certificate.is_match(text.text)
    }

    /// Whether a text is about something else.
    pub(super) fn is_chatter(&self, text: &Text<'_>) -> bool {
        self.chatter.is_match(text.text) && !self.asks(text)
    }

    /// What is expressly not wanted.
    pub(super) fn negated(&self, text: &Text<'_>) -> Vec<Range<usize>> {
        self.negations.find_iter(text.text).map(|found| span(text, found.range())).collect()
    }

    pub(super) fn find(&self, text: &Text<'_>) -> Vec<Finding> {
        let asks = self.asks(text);
        let hits = self.set.matches(text.text).into_iter().filter_map(|index| self.each.get(index));
        hits.filter(|(_, alone, _)| asks || *alone)
            .flat_map(|(subject, _, regex)| {
                let finding = |range| Finding { subject: *subject, span: span(text, range), score: CUE_SCORE };
                regex.find_iter(text.text).map(move |found| finding(found.range()))
            })
            .collect()
    }
}

impl Cues {
    /// Puts the lists of words into a pattern.
    fn expand(&self, pattern: &str) -> Result<String, String> {
        let mut expanded = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once('<') {
            let (name, after) = after.split_once('>').ok_or("a < stands alone; <name> stands for a list of words")?;
            let known = self.words.keys().map(String::as_str);
            let words = self.words.get(name).ok_or_else(|| unknown("list of words", name, known))?;
            expanded += before;
            expanded += &format!("(?:{})", self.expand(&words.join("|"))?);
            rest = after;
        }
        Ok(expanded + rest)
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| format!("not a regular expression: {error}"))
}

fn span(text: &Text<'_>, bytes: Range<usize>) -> Range<usize> {
    text.character_at(bytes.start)..text.character_at(bytes.end)
}
