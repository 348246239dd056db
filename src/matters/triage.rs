//! Triage (分诊): the matter behind a demand's free text, as people say it at a counter.
//!
//! Three things are looked for: phrases of the vocabulary as they are written; the same phrases by their sound, for wrong
//! characters and for pinyin; and cues, which are patterns of words that belong to a matter. How much a finding weighs depends
//! on where it stands: what names the paper ("单身证明") weighs most, then what the paper shall say ("证明我没结婚"), then what
//! is said besides. Where findings overlap, the longer one counts. What words mean is data (`config/triage.toml` and the
//! matters' everyday names); this is the reader.

mod cues;
mod nearly;
mod patterns;
mod sound;
mod vocabulary;
mod weight;

use std::ops::Range;

use cues::{CompiledCues, Reading};

pub use cues::Cues;
use sound::{Text, normalise};
use vocabulary::Vocabulary;
use weight::Scales;

/// A matter or a retained item, with what it is called.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its id.
    pub id: &'a str,
    /// Whether committees still issue it.
    pub retained: bool,
    /// Official names.
    pub names: Vec<&'a str>,
    /// What people say.
    pub everyday: Vec<&'a str>,
}

/// A matter or a retained item that may be meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// Its id.
    pub id: String,
    /// Whether committees still issue it.
    pub retained: bool,
    /// How sure that is, from 0 to 1.
    pub score: f64,
}

/// Finds matters.
#[derive(Debug)]
pub struct Triage {
    subjects: Vec<(String, bool)>,
    vocabulary: Vocabulary,
    cues: CompiledCues,
    scales: Scales,
}

/// What somebody may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// An entry, by its place.
    Entry(usize),
    /// A certificate, or another thing, that is no entry.
    Other,
}

/// Something found in a text.
#[derive(Debug, Clone)]
struct Finding {
    subject: Subject,
    /// Which characters.
    span: Range<usize>,
    score: f64,
    form: Form,
}

/// How something is found.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// A name that says by itself that it is a paper.
    Whole,
    /// A name that may be the name of something else, too.
    Core,
    /// A pattern of words; some count also where no paper is asked for.
    Cue { alone: bool },
}

/// The most characters of a text that are looked at.
const MAX_CHARACTERS: usize = 500;

/// What is less sure is not reported.
const LEAST_SCORE: f64 = 0.5;

/// What is as sure as this is a demand of its own, whatever else the text demands.
const SURE: f64 = 0.8;

/// The fewest Hanzi of a text that names a paper.
const LEAST_HANZI: usize = 2;

/// What papers' names end with, besides the words that ask for one.
const PAPERS: [&str; 2] = ["证", "声明"];

/// Scores of demands that are made together differ by no more than this.
const CLOSE: f64 = 0.09;

impl Triage {
    /// Learns the entries' names.
    ///
    /// # Errors
    /// What is wrong with the cues: each with its place.
    pub fn new<'a>(entries: impl IntoIterator<Item = Entry<'a>>, cues: &Cues) -> Result<Self, Vec<(String, String)>> {
        let entries: Vec<Entry<'a>> = entries.into_iter().collect();
        let subjects: Vec<(String, bool)> = entries.iter().map(|entry| (entry.id.to_owned(), entry.retained)).collect();
        let ids: Vec<&str> = subjects.iter().map(|(id, _)| id.as_str()).collect();
        let compiled = CompiledCues::new(cues, &ids)?;
        let vocabulary = Vocabulary::new(&entries, cues);
        Ok(Self { vocabulary, cues: compiled, scales: Scales::new(cues), subjects })
    }

    /// What may be meant, best first, and of several demands in one text the first said first; empty if nothing is.
    #[must_use]
    pub fn rank(&self, text: &str) -> Vec<Match> {
        let text = Text::new(normalise(text, MAX_CHARACTERS), &self.vocabulary.ear);
        let reading = self.cues.read(&text);
        if reading.is_figure {
            return Vec::new();
        }
        let mut findings: Vec<Finding> = self.cues.find(&reading).collect();
        self.vocabulary.find(&text, &mut findings);
        self.scales.weigh(&text, &reading, &mut findings);
        let is_nothing = reading.is_chatter && !reading.asks;
        if !is_nothing && !findings.iter().any(|finding| finding.score >= SURE) {
            let ends = reading.papers.iter().map(|paper| paper.start).chain([text.characters.len()]);
            findings.extend(self.vocabulary.find_nearly(&text, ends));
        }
        self.matches(&outermost(findings, &reading))
    }

    /// Whether a text names or asks for a paper, be it in the list or not. Where it does not, nobody knows what is meant.
    #[must_use]
    pub fn names_paper(&self, text: &str) -> bool {
        let text = Text::new(normalise(text, MAX_CHARACTERS), &self.vocabulary.ear);
        let reading = self.cues.read(&text);
        if reading.is_figure || text.characters.iter().filter(|one| is_hanzi(**one)).count() < LEAST_HANZI {
            return false;
        }
        if reading.asks {
            return true;
        }
        let mut findings = Vec::new();
        self.vocabulary.find(&text, &mut findings);
        let is_other = |finding: &Finding| finding.subject == Subject::Other && finding.form == Form::Whole;
        let whole: String = text.characters.iter().collect();
        !reading.is_chatter && (findings.iter().any(is_other) || PAPERS.iter().any(|paper| whole.contains(paper)))
    }

    fn matches(&self, findings: &[Finding]) -> Vec<Match> {
        let mut best: Vec<(usize, f64, usize)> = Vec::new();
        let mut other = 0.0;
        for finding in findings {
            let place = match finding.subject {
                Subject::Entry(place) => place,
                Subject::Other => {
                    other = finding.score.max(other);
                    continue;
                }
            };
            match best.iter_mut().find(|(known, ..)| *known == place) {
                // Where it is said best is where it is said.
                Some((_, score, start)) if finding.score > *score => {
                    (*score, *start) = (finding.score, finding.span.start);
                }
                Some(_) => {}
                None => best.push((place, finding.score, finding.span.start)),
            }
        }
        let top = best.iter().map(|(_, score, _)| *score).fold(0.0, f64::max);
        // Where another paper is demanded by name, what is said besides is only why.
        if other >= SURE && top < SURE {
            return Vec::new();
        }
        best.retain(|(_, score, _)| *score >= LEAST_SCORE);
        let key = |(_, score, start): &(usize, f64, usize)| {
            if *score >= SURE && *score >= top - CLOSE { (0, *start, 0.0) } else { (1, 0, -*score) }
        };
        best.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
        let entry = |(place, score, _): (usize, f64, usize)| {
            let (id, retained) = self.subjects.get(place)?.clone();
            Some(Match { id, retained, score })
        };
        best.into_iter().filter_map(entry).collect()
    }
}

fn is_hanzi(character: char) -> bool {
    matches!(u32::from(character), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0x2_0000..=0x3_FFFF)
}

/// The findings that no longer one of another subject covers, or an equally long one that is surer.
fn outermost(mut findings: Vec<Finding>, reading: &Reading) -> Vec<Finding> {
    findings.retain(|finding| finding.score >= LEAST_SCORE);
    let covered = |finding: &Finding| {
        let ends_a_demand = reading.papers.iter().any(|paper| paper.end == finding.span.end);
        findings.iter().any(|other| {
            let covers = other.span.start <= finding.span.start && finding.span.end <= other.span.end;
            if !covers || other.subject == finding.subject {
                return false;
            }
            // A pattern may reach from one demand, which ends with the paper's name, into the next.
            let is_named = ends_a_demand && matches!(other.form, Form::Cue { .. });
            let longer = other.span.len() > finding.span.len() && other.score >= finding.score - 0.1 && !is_named;
            longer || other.span == finding.span && other.score > finding.score + 0.05
        })
    };
    findings.iter().filter(|finding| !covered(finding)).cloned().collect()
}
