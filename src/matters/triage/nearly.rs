//! Names written with one character too many, too few, wrong, or two the wrong way round.

use std::collections::HashMap;
use std::ops::Range;

use super::Subject;
use super::sound::Text;

/// Long names, by their sound with one syllable left out: two that differ in one syllable share such a remainder.
#[derive(Debug, Default)]
pub(super) struct Nearly(HashMap<String, Vec<(Subject, usize)>>);

/// The fewest and the most characters of such a name.
const LENGTHS: Range<usize> = 4..13;

impl Nearly {
    /// Learns a name by its sound, every syllable ended by a space.
    pub(super) fn learn(&mut self, sound: &str, subject: Subject) {
        let syllables: Vec<&str> = sound.split_inclusive(' ').collect();
        if !LENGTHS.contains(&syllables.len()) {
            return;
        }
        for remainder in remainders(&syllables).chain([sound.to_owned()]) {
            let known = self.0.entry(remainder).or_default();
            let name = (subject, syllables.len());
            if !known.contains(&name) {
                known.push(name);
            }
        }
    }

    /// The names nearly written in the characters before a place, each with where it begins.
    pub(super) fn before(&self, text: &Text, end: usize) -> Vec<(Subject, Range<usize>)> {
        let sounds: Vec<&str> = text.sound.split_inclusive(' ').skip(end.saturating_sub(LENGTHS.end)).collect();
        let sounds = sounds.get(..end.min(LENGTHS.end)).unwrap_or(&sounds);
        let mut found = Vec::new();
        // The longest first: what it covers is the surest.
        for length in (LENGTHS.start - 1..=sounds.len()).rev() {
            let syllables = sounds.get(sounds.len() - length..).unwrap_or_default();
            let span = end - length..end;
            for sound in remainders(syllables).chain([syllables.concat()]) {
                let near = self.0.get(&sound).into_iter().flatten();
                found
                    .extend(near.filter(|(_, name)| name.abs_diff(length) <= 1).map(|(name, _)| (*name, span.clone())));
            }
            if !found.is_empty() {
                break;
            }
        }
        found.dedup();
        found
    }
}

/// A row of syllables with each in turn left out.
fn remainders<'a>(syllables: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    (0..syllables.len()).map(|left_out| {
        let kept = syllables.iter().enumerate().filter(|(index, _)| *index != left_out);
        kept.map(|(_, syllable)| *syllable).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::sound::Ear;
    use super::*;

    #[test]
    fn one_mistake_is_forgiven() {
        let ear = Ear::default();
        let mut nearly = Nearly::default();
        nearly.learn(&ear.sound("婚姻状况"), Subject::Entry(8));
        let before = |text: &str| {
            let text = Text::new(text.to_owned(), &ear);
            nearly.before(&text, text.characters.len()).into_iter().next()
        };
        assert_eq!(before("开婚姻状"), Some((Subject::Entry(8), 0..4)));
        assert_eq!(before("婚姻况状"), Some((Subject::Entry(8), 0..4)));
        assert_eq!(before("婚姻的状况"), Some((Subject::Entry(8), 0..5)));
        assert_eq!(before("婚姻情况"), Some((Subject::Entry(8), 0..4)));
        assert_eq!(before("就业情况"), None);
        assert_eq!(before(""), None);
    }
}
