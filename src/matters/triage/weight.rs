//! How much a finding weighs, by where it stands.

use std::collections::BTreeSet;
use std::ops::Range;

use super::cues::{Cues, Reading};
use super::sound::Text;
use super::{Finding, Form};

/// Weighs findings.
#[derive(Debug)]
pub(super) struct Scales {
    /// What may stand between a name and the word for the paper.
    links: BTreeSet<String>,
    /// The characters of the longest link.
    longest_link: usize,
}

/// What a finding loses that is what the paper shall say, and for each character that lies between.
const PROVEN: f64 = 0.05;
const PROVEN_DISTANCE: f64 = 0.006;
/// How far after the word it may stand.
const MAX_PROVEN: usize = 12;

/// What a finding loses that is only said besides, for each character between it and the word for the paper, and how much at most.
const BESIDES: f64 = 0.2;
const BESIDES_DISTANCE: f64 = 0.004;
const BESIDES_FAR: usize = 20;
/// What a pattern loses that is telling by itself.
const TELLING: f64 = 0.12;
/// What a bare name loses more than a cue, which is more than a word.
const BARE: f64 = 0.06;
/// What the purpose of a paper weighs at most.
const CONTEXT: f64 = 0.55;

/// What a cue loses where no paper is asked for.
const UNASKED: f64 = 0.2;

/// How many characters after a negation begins what is not wanted, at most.
const NEGATED: usize = 4;

impl Scales {
    pub(super) fn new(cues: &Cues) -> Self {
        let links: BTreeSet<String> = cues.links.iter().cloned().collect();
        let longest_link = links.iter().map(|link| link.chars().count()).max().unwrap_or_default();
        Self { links, longest_link }
    }

    /// Gives every finding its weight; what is not wanted has none.
    pub(super) fn weigh(&self, text: &Text, reading: &Reading, findings: &mut Vec<Finding>) {
        let unwanted = unwanted(reading, findings);
        findings.retain(|finding| !unwanted.iter().any(|span| is_unwanted(span, finding)));
        for finding in findings {
            finding.score =
                if reading.asks { self.asked(text, reading, finding) } else { unasked(text, reading, finding) };
        }
    }

    fn asked(&self, text: &Text, reading: &Reading, finding: &Finding) -> f64 {
        if finding.form == Form::Whole || self.is_named(text, reading, finding.span.end) {
            return finding.score;
        }
        if let Some(distance) = proven(reading, &finding.span) {
            return finding.score - PROVEN - PROVEN_DISTANCE * distance;
        }
        let besides = match finding.form {
            Form::Cue { alone: true } => TELLING,
            Form::Whole | Form::Cue { alone: false } => BESIDES,
            Form::Core => BESIDES + BARE,
        };
        let score = finding.score - besides - BESIDES_DISTANCE * distance(reading, &finding.span);
        if reading.contexts.iter().any(|context| covers(context, &finding.span)) { score.min(CONTEXT) } else { score }
    }

    /// Whether the word for the paper follows.
    fn is_named(&self, text: &Text, reading: &Reading, end: usize) -> bool {
        let follows = |paper: &&Range<usize>| (end..=end + self.longest_link).contains(&paper.start);
        reading.papers.iter().filter(follows).any(|paper| {
            let between: String = text.characters.get(end..paper.start).into_iter().flatten().collect();
            between.is_empty() || self.links.contains(&between)
        })
    }
}

fn unasked(text: &Text, reading: &Reading, finding: &Finding) -> f64 {
    let is_most = finding.span.len() * 2 >= text.characters.len();
    match finding.form {
        Form::Whole => finding.score,
        Form::Cue { alone: true } if is_most || !reading.is_chatter => finding.score - UNASKED,
        _ if reading.is_chatter || !is_most => 0.0,
        Form::Core => finding.score,
        Form::Cue { .. } => finding.score - UNASKED,
    }
}

/// How far after a word that asks to certify something a finding stands, if it does.
fn proven(reading: &Reading, span: &Range<usize>) -> Option<f64> {
    let near = reading.proving.iter().filter(|word| {
        (word.start..=word.end + MAX_PROVEN).contains(&span.start) && reading.hits.in_one_clause(word.end, span.start)
    });
    near.map(|word| few(span.start.saturating_sub(word.end))).min_by(f64::total_cmp)
}

/// How far a finding is from the nearest word for the paper.
fn distance(reading: &Reading, span: &Range<usize>) -> f64 {
    let distances =
        reading.papers.iter().map(|paper| paper.start.saturating_sub(span.end) + span.start.saturating_sub(paper.end));
    few(distances.min().unwrap_or(BESIDES_FAR).min(BESIDES_FAR))
}

fn few(count: usize) -> f64 {
    u8::try_from(count).map_or(f64::from(u8::MAX), f64::from)
}

/// What stands right after words by which it is not wanted.
fn unwanted(reading: &Reading, findings: &[Finding]) -> Vec<Range<usize>> {
    let after = |negation: &Range<usize>| {
        let from = negation.end;
        let begins = |finding: &&Finding| {
            (from..=from + NEGATED).contains(&finding.span.start)
                && reading.hits.in_one_clause(from, finding.span.start)
        };
        // The earliest, and of these the longest that stays in the clause.
        let stays = |finding: &&Finding| reading.hits.in_one_clause(from, finding.span.end);
        let spans = findings.iter().filter(begins).filter(stays).map(|finding| finding.span.clone());
        spans.min_by_key(|span| (span.start, std::cmp::Reverse(span.end)))
    };
    reading.negations.iter().filter_map(after).collect()
}

/// Whether a finding is what is not wanted, or a pattern that reaches it from before the negation.
fn is_unwanted(span: &Range<usize>, finding: &Finding) -> bool {
    let reaches = finding.span.end == span.end && matches!(finding.form, Form::Cue { .. });
    reaches || covers(span, &finding.span)
}

fn covers(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
