//! What words mean at the counter: `config/triage.toml`, as it is written and as it is read.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;

use super::patterns::{Builder, Hits, Lexicon, Pattern};
use super::sound::Text;
use super::{Finding, Form, Subject};
use crate::diagnostic::unknown;

/// `config/triage.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cues {
    /// Lists of words, for use in patterns as `<name>`.
    words: BTreeMap<String, Vec<String>>,
    /// Words for the paper itself.
    papers: Vec<String>,
    /// Words after which stands what shall be certified.
    proving: Vec<String>,
    /// Patterns that ask for a paper without naming it.
    requests: Vec<String>,
    /// Patterns that show a text to be about something else, unless it asks for a paper.
    chatter: Vec<String>,
    /// Patterns in which nothing is certified, though it sounds so.
    figures: Vec<String>,
    /// Patterns before what is expressly not wanted.
    negations: Vec<String>,
    /// Patterns of what a paper is for; the matter is looked for elsewhere first.
    contexts: Vec<String>,
    /// What may stand between a name and the word for the paper.
    pub(super) links: Vec<String>,
    /// Endings of names that say no more than that it is a paper.
    pub(super) endings: Vec<String>,
    /// Beginnings of names that say no more than that something is certified.
    pub(super) beginnings: Vec<String>,
    /// Characters that are taken for each other because they look alike; those after the first count as the first.
    pub(super) lookalikes: Vec<String>,
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
    /// Whether it says only what the text is about, so that whatever is said of that counts more.
    #[serde(default)]
    weak: bool,
}

/// How sure a cue is, at its best, and a weak one.
const CUE: f64 = 0.93;
const WEAK: f64 = 0.83;

/// The cues, ready to be found.
#[derive(Debug)]
pub(super) struct CompiledCues {
    lexicon: Lexicon,
    papers: Vec<Pattern>,
    proving: Vec<Pattern>,
    requests: Vec<Pattern>,
    chatter: Vec<Pattern>,
    figures: Vec<Pattern>,
    negations: Vec<Pattern>,
    contexts: Vec<Pattern>,
    cues: Vec<CompiledCue>,
}

#[derive(Debug)]
struct CompiledCue {
    subject: Subject,
    form: Form,
    score: f64,
    pattern: Pattern,
}

/// What a text says besides what it may mean.
pub(super) struct Reading {
    pub(super) hits: Hits,
    /// Where words for the paper stand.
    pub(super) papers: Vec<Range<usize>>,
    /// Where words stand after which something shall be certified.
    pub(super) proving: Vec<Range<usize>>,
    /// What a paper is for.
    pub(super) contexts: Vec<Range<usize>>,
    /// Where words stand before what is not wanted.
    pub(super) negations: Vec<Range<usize>>,
    /// Whether a paper is asked for.
    pub(super) asks: bool,
    /// Whether it is about something else, unless a paper is asked for.
    pub(super) is_chatter: bool,
    /// Whether nothing is certified, though it sounds so.
    pub(super) is_figure: bool,
}

impl CompiledCues {
    pub(super) fn new(cues: &Cues, ids: &[&str]) -> Result<Self, Vec<(String, String)>> {
        let mut builder = Builder::new(&cues.words);
        let mut wrong = Vec::new();
        let mut list = |name: &str, patterns: &[String]| {
            let mut all = Vec::new();
            for (number, pattern) in patterns.iter().enumerate() {
                match builder.pattern(pattern) {
                    Ok(variants) => all.extend(variants),
                    Err(message) => wrong.push((format!("/{name}/{number}"), message)),
                }
            }
            all
        };
        let papers = list("papers", &cues.papers);
        let proving = list("proving", &cues.proving);
        let requests = list("requests", &cues.requests);
        let chatter = list("chatter", &cues.chatter);
        let figures = list("figures", &cues.figures);
        let negations = list("negations", &cues.negations);
        let contexts = list("contexts", &cues.contexts);
        let mut compiled = Vec::new();
        for (index, cue) in cues.cues.iter().enumerate() {
            let patterns = list(&format!("cues/{index}/patterns"), &cue.patterns);
            let place = ids.iter().position(|id| *id == cue.matter).map(Subject::Entry);
            if let Some(subject) = place.or((cue.matter == OTHER).then_some(Subject::Other)) {
                let form = Form::Cue { alone: cue.alone };
                let score = if cue.weak { WEAK } else { CUE };
                compiled.extend(patterns.into_iter().map(|pattern| CompiledCue { subject, form, score, pattern }));
            }
        }
        wrong.extend(cues.unknown_matters(ids));
        if wrong.is_empty() {
            let lexicon = builder.build();
            Ok(Self { lexicon, papers, proving, requests, chatter, figures, negations, contexts, cues: compiled })
        } else {
            Err(wrong)
        }
    }

    /// What a text says besides.
    pub(super) fn read(&self, text: &Text) -> Reading {
        let hits = self.lexicon.hits(text);
        let papers = places(&self.papers, &hits);
        let figures = places(&self.figures, &hits);
        let is_requested = is_found(&self.requests, &hits);
        // A figure of speech with the word for the paper in it asks for none; beside it, one may be asked for.
        let is_figurative =
            |paper: &Range<usize>| figures.iter().any(|figure| figure.start <= paper.start && paper.end <= figure.end);
        Reading {
            is_figure: !figures.is_empty() && !is_requested && papers.iter().all(is_figurative),
            asks: is_requested || !papers.is_empty(),
            papers,
            proving: places(&self.proving, &hits),
            contexts: places(&self.contexts, &hits),
            negations: places(&self.negations, &hits),
            is_chatter: is_found(&self.chatter, &hits),
            hits,
        }
    }

    /// What the cues find.
    pub(super) fn find<'a>(&'a self, reading: &'a Reading) -> impl Iterator<Item = Finding> + 'a {
        self.cues.iter().flat_map(|CompiledCue { subject, form, score, pattern }| {
            let finding = |span| Finding { subject: *subject, span, score: *score, form: *form };
            pattern.find(&reading.hits).map(finding)
        })
    }
}

/// In place of a matter's id: it is no matter.
const OTHER: &str = "other";

impl Cues {
    fn unknown_matters<'a>(&'a self, ids: &'a [&str]) -> impl Iterator<Item = (String, String)> + 'a {
        let is_unknown = |cue: &Cue| cue.matter != OTHER && !ids.contains(&cue.matter.as_str());
        self.cues.iter().enumerate().filter(move |(_, cue)| is_unknown(cue)).map(|(index, cue)| {
            let valid = ids.iter().copied().chain([OTHER]);
            (format!("/cues/{index}/matter"), unknown("matter", &cue.matter, valid))
        })
    }
}

fn places(patterns: &[Pattern], hits: &Hits) -> Vec<Range<usize>> {
    patterns.iter().flat_map(|pattern| pattern.find(hits)).collect()
}

fn is_found(patterns: &[Pattern], hits: &Hits) -> bool {
    patterns.iter().any(|pattern| pattern.find(hits).next().is_some())
}
