//! The phrases by which things are called, found as they are written, by their sound, in pinyin, and by initials.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::cues::Cues;
use super::nearly::Nearly;
use super::sound::{Ear, Latin, Text, normalise, spelled};
use super::{Entry, Finding, Form, Subject};

/// How sure a phrase is that is written as it should be.
const WRITTEN: f64 = 0.97;
/// One that sounds as it should.
const SOUNDS: f64 = 0.89;
/// One in pinyin.
const SPELLED: f64 = 0.88;
/// Its initials.
const INITIALS: f64 = 0.82;
/// One with a mistake.
const NEARLY: f64 = 0.66;

/// The fewest characters of a phrase that is found by its sound, or letters of one in pinyin or by initials.
const LEAST_SOUND: usize = 3;
const LEAST_LETTERS: usize = 5;
const LEAST_INITIALS: usize = 3;

/// Of 证明.
const PAPER_INITIALS: &str = "zm";

#[derive(Debug)]
pub(super) struct Vocabulary {
    phrases: Vec<Phrase>,
    written: Option<AhoCorasick>,
    sounds: Option<AhoCorasick>,
    spelled: Option<AhoCorasick>,
    initials: Option<AhoCorasick>,
    /// For each pattern of `initials`, what has these initials; the more official first.
    initialled: Vec<Vec<Initialled>>,
    nearly: Nearly,
    pub(super) ear: Ear,
}

/// What may be meant by initials, and the characters that they are of.
type Initialled = (Subject, Vec<char>);

#[derive(Debug)]
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
        let mut names: Vec<(String, Subject)> = Vec::new();
        let mut add = |name: &str, subject| names.push((normalise(name, MAX_NAME), subject));
        // Official names come first: their initials are the ones that officials use.
        for (place, entry) in entries.iter().enumerate() {
            entry.names.iter().for_each(|name| add(name, Subject::Entry(place)));
        }
        for (place, entry) in entries.iter().enumerate() {
            entry.everyday.iter().for_each(|name| add(name, Subject::Entry(place)));
        }
        cues.others.iter().for_each(|name| add(name, Subject::Other));

        let ear = Ear::new(&cues.lookalikes);
        let mut nearly = Nearly::default();
        let mut forms: BTreeMap<(String, Subject), bool> = BTreeMap::new();
        for (name, subject) in &names {
            let core = core(name, cues);
            if let Some(core) = core.filter(|core| core.chars().count() >= 2) {
                forms.entry((core.to_owned(), *subject)).or_insert(false);
                nearly.learn(&ear.sound(core), *subject);
            }
            forms.insert((name.clone(), *subject), core.is_some());
            // What is left of a shorter one with a mistake in it could be of many.
            if core.is_none_or(|core| core.chars().count() >= LEAST_SOUND) {
                nearly.learn(&ear.sound(name), *subject);
            }
        }
        let phrase = |((text, subject), whole): ((String, Subject), bool)| Phrase {
            length: text.chars().count(),
            text,
            subject,
            whole,
        };
        let phrases: Vec<Phrase> = forms.into_iter().map(phrase).collect();
        let (initials, initialled) = initials(&names, cues);
        let sound = |phrase: &Phrase| findable(phrase.length >= LEAST_SOUND, ear.sound(&phrase.text));
        let letters = |phrase: &Phrase| {
            let mut letters = spelled(&phrase.text).0;
            // A short one is sure enough with the paper's initials after it.
            if letters.len() < LEAST_LETTERS && !phrase.whole {
                letters.push_str(PAPER_INITIALS);
            }
            findable(letters.len() >= LEAST_LETTERS, letters)
        };
        Self {
            written: automaton(phrases.iter().map(|phrase| phrase.text.clone()).collect()),
            sounds: automaton(phrases.iter().map(sound).collect()),
            spelled: automaton(phrases.iter().map(letters).collect()),
            initials: automaton(initials),
            initialled,
            phrases,
            nearly,
            ear,
        }
    }

    /// What is called by its name, beside what is found already.
    pub(super) fn find(&self, text: &Text, findings: &mut Vec<Finding>) {
        for found in self.written.iter().flat_map(|written| written.find_overlapping_iter(&text.text)) {
            let Some(phrase) = self.phrases.get(found.pattern().as_usize()) else { continue };
            let start = text.character_at(found.start());
            findings.push(phrase.at(start..start + phrase.length, WRITTEN));
        }
        for found in self.sounds.iter().flat_map(|sounds| sounds.find_overlapping_iter(&text.sound)) {
            let begins = found.start() == 0 || text.sound.as_bytes().get(found.start() - 1) == Some(&b' ');
            let Some(phrase) = self.phrases.get(found.pattern().as_usize()).filter(|_| begins) else { continue };
            let start = text.syllable_at(found.start());
            let span = start..start + phrase.length;
            let alike = phrase.alike(text, &span);
            // Three syllables sound like much else; most of their characters must be right.
            if alike < phrase.length && (phrase.length > LEAST_SOUND || alike * 2 >= phrase.length) {
                findings.push(phrase.at(span, SOUNDS));
            }
        }
        if let Some(latin) = &text.latin {
            findings.extend(self.find_spelled(text, latin));
            let said: BTreeSet<Subject> = findings.iter().map(|finding| finding.subject).collect();
            findings.extend(self.find_initials(text, latin, &said));
        }
    }

    /// What is nearly written before any of these places.
    pub(super) fn find_nearly(&self, text: &Text, ends: impl Iterator<Item = usize>) -> Vec<Finding> {
        let near = ends.flat_map(|end| self.nearly.before(text, end));
        near.map(|(subject, span)| Finding { subject, span, score: NEARLY, form: Form::Whole }).collect()
    }

    fn find_spelled(&self, text: &Text, latin: &Latin) -> Vec<Finding> {
        let mut findings = Vec::new();
        for found in self.spelled.iter().flat_map(|spelled| spelled.find_overlapping_iter(&latin.letters)) {
            let Some(phrase) = self.phrases.get(found.pattern().as_usize()) else { continue };
            let from = latin.origins.get(found.start()).copied().unwrap_or_default();
            let to = latin.origins.get(found.end() - 1).copied().unwrap_or_default() + 1;
            if (from..to).any(|place| text.is_latin(place)) {
                findings.push(Finding { form: Form::Whole, ..phrase.at(from..to, SPELLED) });
            }
        }
        findings
    }

    /// Initials alone, or beside Hanzi that are written out. What they stand for is what is said in other words, too.
    fn find_initials(&self, text: &Text, latin: &Latin, said: &BTreeSet<Subject>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for found in self.initials.iter().flat_map(|initials| initials.find_overlapping_iter(&latin.initials)) {
            let Some(origins) = latin.initial_origins.get(found.range()) else { continue };
            let (Some(from), Some(to)) = (origins.first().copied(), origins.last().map(|last| last + 1)) else {
                continue;
            };
            let cuts =
                |edge: usize| edge.checked_sub(1).is_some_and(|before| text.is_latin(before)) && text.is_latin(edge);
            if cuts(from) || cuts(to) || origins.iter().filter(|place| text.is_latin(**place)).count() < 2 {
                continue;
            }
            let agrees = |(_, name): &&Initialled| {
                let mut pairs = origins.iter().zip(name);
                pairs.all(|(place, character)| text.is_latin(*place) || text.characters.get(*place) == Some(character))
            };
            let known = self.initialled.get(found.pattern().as_usize());
            let mut meant = known.into_iter().flatten().filter(agrees);
            let first = meant.next();
            // That the text is about something else, too, says nothing of the initials.
            let is_said = |(subject, _): &&Initialled| *subject != Subject::Other && said.contains(subject);
            let named = first.into_iter().chain(meant).find(is_said).or(first);
            findings.extend(named.map(|(subject, _)| Finding {
                subject: *subject,
                span: from..to,
                score: INITIALS,
                form: Form::Whole,
            }));
        }
        findings
    }
}

impl Phrase {
    fn at(&self, span: Range<usize>, score: f64) -> Finding {
        Finding { subject: self.subject, span, score, form: if self.whole { Form::Whole } else { Form::Core } }
    }

    /// How many of its characters are written there.
    fn alike(&self, text: &Text, span: &Range<usize>) -> usize {
        let written = text.characters.get(span.clone()).into_iter().flatten().zip(self.text.chars());
        written.filter(|(one, other)| **one == *other).count()
    }
}

/// The most characters of a name that are looked at.
const MAX_NAME: usize = 100;

/// A name without what says no more than that it is a paper, if it says so.
fn core<'a>(name: &'a str, cues: &Cues) -> Option<&'a str> {
    let ending = cues.endings.iter().find_map(|ending| name.strip_suffix(ending.as_str()));
    ending.or_else(|| cues.beginnings.iter().find_map(|beginning| name.strip_prefix(beginning.as_str())))
}

/// All initials, and what has them. Of what is alike to the last letter, the first counts.
fn initials(names: &[(String, Subject)], cues: &Cues) -> (Vec<String>, Vec<Vec<Initialled>>) {
    let mut known: BTreeMap<String, Vec<Initialled>> = BTreeMap::new();
    for (name, subject) in names {
        let core = core(name, cues).unwrap_or(name);
        let shortest = cues.endings.iter().min_by_key(|ending| ending.len()).map_or("", String::as_str);
        for form in [name.as_str(), core, &format!("{core}{shortest}")] {
            let (_, letters) = spelled(form);
            if letters.len() >= LEAST_INITIALS && letters.bytes().all(|letter| letter.is_ascii_alphabetic()) {
                let named = known.entry(letters).or_default();
                let entry = (*subject, form.chars().collect());
                if !named.contains(&entry) {
                    named.push(entry);
                }
            }
        }
    }
    known.into_iter().unzip()
}

/// A phrase too short to be found in a way keeps its number.
fn findable(is_long: bool, form: String) -> String {
    if is_long { form } else { UNFINDABLE.to_owned() }
}

/// What no text holds.
const UNFINDABLE: &str = "\u{FFFF}";

fn automaton(patterns: Vec<String>) -> Option<AhoCorasick> {
    AhoCorasick::builder().match_kind(MatchKind::Standard).build(patterns).ok()
}
