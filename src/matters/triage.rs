//! Triage (分诊): the matter behind a demand's free text, as people say it at a counter.
//!
//! Three things are looked for: phrases of the vocabulary as they are written; the same phrases by their sound, for wrong
//! characters and for pinyin; and cues, which are patterns of words that belong to a matter. Where findings overlap, the
//! longer one counts. What words mean is data (`config/triage.toml` and the matters' everyday names); this is the reader.

mod cues;
mod sound;
mod vocabulary;

use std::ops::Range;

use cues::CompiledCues;
pub use cues::Cues;
use sound::{Text, normalise};
use vocabulary::Vocabulary;

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
}

/// The most characters of a text that are looked at.
const MAX_CHARACTERS: usize = 500;

/// What is less sure is not reported.
const LEAST_SCORE: f64 = 0.5;

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
        Ok(Self { vocabulary: Vocabulary::new(&entries, cues), cues: compiled, subjects })
    }

    /// What may be meant, best first, and of several demands in one text the first said first; empty if nothing is.
    #[must_use]
    pub fn rank(&self, text: &str) -> Vec<Match> {
        let text = normalise(text, MAX_CHARACTERS);
        let text = Text::new(&text);
        let mut findings = self.vocabulary.find(&text, &self.cues);
        findings.extend(self.cues.find(&text));
        let negated = self.cues.negated(&text);
        findings.retain(|finding| {
            !negated.iter().any(|span| span.start <= finding.span.start && finding.span.end <= span.end)
        });
        let findings = outermost(&findings);
        if self.cues.is_chatter(&text) {
            return Vec::new();
        }
        self.matches(findings)
    }

    fn matches(&self, findings: Vec<Finding>) -> Vec<Match> {
        let mut best: Vec<(usize, f64, usize)> = Vec::new();
        for finding in findings {
            let Subject::Entry(place) = finding.subject else { continue };
            match best.iter_mut().find(|(known, ..)| *known == place) {
                Some((_, score, start)) => {
                    *score = score.max(finding.score);
                    *start = finding.span.start.min(*start);
                }
                None => best.push((place, finding.score, finding.span.start)),
            }
        }
        best.retain(|(_, score, _)| *score >= LEAST_SCORE);
        let top = best.iter().map(|(_, score, _)| *score).fold(0.0, f64::max);
        // What is nearly as sure as the best is a demand of its own, in the order in which they were made.
        let key = |(_, score, start): &(usize, f64, usize)| {
            if *score >= top - CLOSE { (0, *start, 0.0) } else { (1, 0, -*score) }
        };
        best.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
        let entry = |(place, score, _): (usize, f64, usize)| {
            let (id, retained) = self.subjects.get(place)?.clone();
            Some(Match { id, retained, score })
        };
        best.into_iter().filter_map(entry).collect()
    }
}

/// Scores that differ by no more than this are alike.
const CLOSE: f64 = 0.2;

/// The findings that no longer one of another subject covers, or an equally long one that is surer.
fn outermost(findings: &[Finding]) -> Vec<Finding> {
    let covered = |finding: &Finding| {
        findings.iter().any(|other| {
            let longer = other.span.len() > finding.span.len();
            let surer = other.span == finding.span && other.score > finding.score + 0.05;
            other.subject != finding.subject
                && other.span.start <= finding.span.start
                && finding.span.end <= other.span.end
                && ((longer && other.score >= finding.score - 0.1) || surer)
        })
    };
    findings.iter().filter(|finding| !covered(finding)).cloned().collect()
}
