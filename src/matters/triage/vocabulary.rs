//! The phrases by which things are called, found as they are written, by their sound, in pinyin, and by initials.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};

use super::cues::{CompiledCues, Cues};
use super::sound::{Text, blurred, normalise, spelled};
use super::{Entry, Finding, Subject};

/// How sure a phrase is that is written as it should be.
const WRITTEN: f64 = 0.97;
/// One that sounds as it should.
const SOUNDS: f64 = 0.87;
/// One in pinyin.
const SPELLED: f64 = 0.87;
/// Its initials.
const INITIALS: f64 = 0.8;
/// How much less sure it is where the text doesn't ask for a paper, and says other things besides.
const UNASKED: f64 = 0.5;

/// The fewest characters of a phrase that is found by its sound, or letters of one in pinyin or by initials.
const LEAST_SOUND: usize = 2;
const LEAST_LETTERS: usize = 6;
const LEAST_INITIALS: usize = 3;

#[derive(Debug)]
pub(super) struct Vocabulary {
    phrases: Vec<Phrase>,
    written: Option<AhoCorasick>,
    sounds: Option<AhoCorasick>,
    spelled: Option<AhoCorasick>,
    initials: BTreeMap<String, Vec<Subject>>,
}

#[derive(Debug, Clone)]
struct Phrase {
    text: String,
    subject: Subject,
    /// Its characters.
    length: usize,
    /// Whether it says by itself that it is a paper.
    whole: bool,
}

impl Vocabulary {
    pub(super) fn new(entries: &[Entry<'_>], cues: &Cues) -> Self {
        let mut phrases: BTreeMap<(String, Subject), bool> = BTreeMap::new();
        let mut learn = |name: &str, subject: Subject| {
            let name = normalise(name, 100);
            let core = cues.endings.iter().find_map(|ending| name.strip_suffix(ending.as_str()));
            if let Some(core) = core.filter(|core| core.chars().count() >= 2) {
                phrases.entry((core.to_owned(), subject)).or_insert(false);
            }
            let whole = core.is_some();
            phrases.insert((name, subject), whole);
        };
        for name in &cues.others {
            learn(name, Subject::Other);
        }
        let mut initials: BTreeMap<String, Vec<Subject>> = BTreeMap::new();
        for (place, entry) in entries.iter().enumerate() {
            for name in entry.names.iter().chain(&entry.everyday) {
                learn(name, Subject::Entry(place));
            }
        }
        // Official names come first: their initials are the ones that officials use.
        let official =
            entries.iter().enumerate().flat_map(|(place, entry)| entry.names.iter().map(move |name| (place, name)));
        let everyday =
            entries.iter().enumerate().flat_map(|(place, entry)| entry.everyday.iter().map(move |name| (place, name)));
        for (place, name) in official.chain(everyday) {
            let name = normalise(name, 100);
            let core = cues.endings.iter().find_map(|ending| name.strip_suffix(ending.as_str())).unwrap_or(&name);
            for form in [name.as_str(), core, &format!("{core}证明")] {
                let (_, letters) = spelled(form);
                let known = initials.entry(letters).or_default();
                if known.is_empty() {
                    known.push(Subject::Entry(place));
                }
            }
        }
        let phrases: Vec<Phrase> = phrases
            .into_iter()
            .map(|((text, subject), whole)| Phrase { length: text.chars().count(), text, subject, whole })
            .collect();
        let build = |patterns: Vec<String>| AhoCorasick::builder().match_kind(MatchKind::Standard).build(patterns).ok();
        let sound =
            |phrase: &Phrase| if phrase.length >= LEAST_SOUND { blurred(&phrase.text) } else { UNFINDABLE.to_owned() };
        let letters = |phrase: &Phrase| {
            let letters = spelled(&phrase.text).0;
            if letters.len() >= LEAST_LETTERS { letters } else { UNFINDABLE.to_owned() }
        };
        Self {
            written: build(phrases.iter().map(|phrase| phrase.text.clone()).collect()),
            sounds: build(phrases.iter().map(sound).collect()),
            spelled: build(phrases.iter().map(letters).collect()),
            phrases,
            initials,
        }
    }

    pub(super) fn find(&self, text: &Text<'_>, cues: &CompiledCues) -> Vec<Finding> {
        let asks = cues.asks(text);
        let total = text.characters.len();
        let sure = |phrase: &Phrase, score: f64| {
            // A bare phrase counts where the text asks for a paper, or is little else.
            if phrase.whole || asks || phrase.length * 2 >= total { score } else { score * UNASKED }
        };
        let mut findings = Vec::new();
        for found in self.written.iter().flat_map(|written| written.find_overlapping_iter(text.text)) {
            let Some(phrase) = self.phrases.get(found.pattern().as_usize()) else { continue };
            let start = text.character_at(found.start());
            findings.push(Finding {
                subject: phrase.subject,
                span: start..start + phrase.length,
                score: sure(phrase, WRITTEN),
            });
        }
        for found in self.sounds.iter().flat_map(|sounds| sounds.find_overlapping_iter(&text.sound)) {
            let begins = found.start() == 0 || text.sound.as_bytes().get(found.start() - 1) == Some(&b' ');
            let Some(phrase) = self.phrases.get(found.pattern().as_usize()).filter(|_| begins) else { continue };
            let start = text.syllable_at(found.start());
            let span = start..start + phrase.length;
            let written = text.characters.get(span.clone()).into_iter().flatten().zip(phrase.text.chars());
            let alike = written.filter(|(one, other)| **one == *other).count();
            // Two syllables sound like much else; of a short phrase most characters must be right.
            if alike < phrase.length && (phrase.length >= 4 || alike * 2 >= phrase.length && phrase.length >= 3) {
                findings.push(Finding { subject: phrase.subject, span, score: sure(phrase, SOUNDS) });
            }
        }
        findings.extend(self.find_latin(text));
        findings
    }

    fn find_latin(&self, text: &Text<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let Some(letters) = &text.letters else { return findings };
        for found in self.spelled.iter().flat_map(|spelled| spelled.find_overlapping_iter(letters)) {
            let Some(phrase) = self.phrases.get(found.pattern().as_usize()) else { continue };
            let from = text.origins.get(found.start()).copied().unwrap_or_default();
            let to = text.origins.get(found.end() - 1).copied().unwrap_or_default() + 1;
            let is_latin = text.characters.get(from..to).is_some_and(|span| span.iter().any(char::is_ascii_alphabetic));
            if is_latin {
                findings.push(Finding { subject: phrase.subject, span: from..to, score: SPELLED });
            }
        }
        for (start, run) in text.latin() {
            if run.len() < LEAST_INITIALS {
                continue;
            }
            for subject in self.initials.get(run).into_iter().flatten() {
                let start = text.character_at(start);
                findings.push(Finding { subject: *subject, span: start..start + run.len(), score: INITIALS });
            }
        }
        findings
    }
}

/// A pattern that no text holds: phrases too short to be found in a way keep their numbers.
const UNFINDABLE: &str = "\u{FFFF}";
