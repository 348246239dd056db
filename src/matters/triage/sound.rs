//! Texts in one form, and how they sound.

use std::collections::BTreeMap;

use pinyin::ToPinyin as _;
use unicode_normalization::UnicodeNormalization as _;

/// A text in the form in which everything is compared: compatibility characters folded, simplified, lower case, white space
/// and marks of pinyin tones gone; punctuation is one comma.
pub(super) fn normalise(text: &str, most: usize) -> String {
    let mut folded = String::with_capacity(text.len().min(most * 4));
    for character in text.chars().take(most).map(mandarin) {
        match character {
            // Nothing that normalisation changes.
            ' '..='~' | '\u{4E00}'..='\u{9FFF}' => folded.push(character),
            _ => folded.extend(std::iter::once(character).nfkd().filter(|part| !is_mark(*part))),
        }
    }
    let simplified = fast2s::convert(&folded);
    let mut normal = String::with_capacity(simplified.len());
    for character in simplified.chars() {
        match character {
            _ if character.is_alphanumeric() => normal.extend(character.to_lowercase()),
            // Between letters a space ends a word; between Hanzi it means nothing.
            ' ' if normal.ends_with(|last: char| last.is_ascii_alphanumeric()) => normal.push(' '),
            ' ' | '\'' => {}
            _ if normal.is_empty() || normal.ends_with(',') => {}
            _ => normal.push(','),
        }
    }
    normal.truncate(normal.trim_end_matches([',', ' ']).len());
    normal
}

/// What is written in Cantonese only, as it is written elsewhere.
fn mandarin(character: char) -> char {
    match character {
        '冇' => '没',
        '唔' => '不',
        '佢' => '他',
        '喺' => '在',
        '嘅' => '的',
        '咗' => '了',
        '哋' => '们',
        '嚟' => '来',
        '睇' => '看',
        '畀' => '给',
        _ => character,
    }
}

/// Combining marks: the tones of pinyin.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36F}')
}

/// How characters are heard. One that is often written for another that looks like it counts as that other one.
#[derive(Debug, Default)]
pub(super) struct Ear(BTreeMap<char, char>);

impl Ear {
    /// In each group of characters that look alike, all sound like the first.
    pub(super) fn new(lookalikes: &[String]) -> Self {
        let mut heard = BTreeMap::new();
        for group in lookalikes {
            if let Some(first) = group.chars().next() {
                heard.extend(group.chars().skip(1).map(|other| (other, first)));
            }
        }
        Self(heard)
    }

    /// The sound of a phrase, every syllable ended by a space, and what many do not keep apart blurred: zh and z, n and l at
    /// the beginning, ang and an at the end, and so on.
    pub(super) fn sound(&self, phrase: &str) -> String {
        let mut sound = String::with_capacity(phrase.len() * 2);
        for character in phrase.chars() {
            self.push_sound(character, &mut sound);
        }
        sound
    }

    fn push_sound(&self, character: char, sound: &mut String) {
        let character = self.0.get(&character).copied().unwrap_or(character);
        match character.to_pinyin() {
            Some(pinyin) => blur(pinyin.plain(), |letter| sound.push(letter)),
            None => sound.push(character),
        }
        sound.push(' ');
    }
}

/// A normalised text, its characters, and its sound.
pub(super) struct Text {
    pub(super) text: String,
    pub(super) characters: Vec<char>,
    /// For each byte of `text`, and its end, the number of the character there.
    places: Vec<usize>,
    /// Each character's sound, every one ended by a space.
    pub(super) sound: String,
    /// For each byte of `sound`, and its end, the number of the character there.
    syllables: Vec<usize>,
    /// Its letters, where it holds Latin ones.
    pub(super) latin: Option<Latin>,
}

/// A text in letters.
#[derive(Default)]
pub(super) struct Latin {
    /// The pinyin of everything, blurred, without spaces.
    pub(super) letters: String,
    /// For each letter of `letters`, the character that it comes from.
    pub(super) origins: Vec<usize>,
    /// Of every Hanzi the first letter of its pinyin, and every Latin letter; what is neither is a comma, spaces are gone.
    pub(super) initials: String,
    /// For each letter of `initials`, the character that it comes from.
    pub(super) initial_origins: Vec<usize>,
}

impl Text {
    pub(super) fn new(text: String, ear: &Ear) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let mut places = Vec::with_capacity(text.len() + 1);
        let mut sound = String::with_capacity(characters.len() * 5);
        let mut syllables = Vec::with_capacity(characters.len() * 5 + 1);
        for (index, character) in characters.iter().enumerate() {
            places.resize(places.len() + character.len_utf8(), index);
            ear.push_sound(*character, &mut sound);
            syllables.resize(sound.len(), index);
        }
        places.push(characters.len());
        syllables.push(characters.len());
        let latin = characters.iter().any(char::is_ascii_alphabetic).then(|| Latin::new(&characters));
        Self { text, characters, places, sound, syllables, latin }
    }

    /// The number of the character at a byte of `text`.
    pub(super) fn character_at(&self, byte: usize) -> usize {
        self.places.get(byte).copied().unwrap_or(self.characters.len())
    }

    /// The number of the character whose sound is at a byte of `sound`.
    pub(super) fn syllable_at(&self, byte: usize) -> usize {
        self.syllables.get(byte).copied().unwrap_or(self.characters.len())
    }

    /// Whether a Latin letter stands at a place.
    pub(super) fn is_latin(&self, place: usize) -> bool {
        self.characters.get(place).is_some_and(char::is_ascii_alphabetic)
    }
}

impl Latin {
    fn new(characters: &[char]) -> Self {
        let mut latin = Self::default();
        let mut plain: Vec<(char, usize)> = Vec::with_capacity(characters.len() * 4);
        for (index, character) in characters.iter().enumerate() {
            let initial = match character.to_pinyin() {
                Some(pinyin) => {
                    plain.extend(pinyin.plain().chars().map(|letter| (letter, index)));
                    pinyin.plain().chars().next()
                }
                None if *character == ' ' => None,
                None if character.is_ascii_alphabetic() => {
                    plain.push((*character, index));
                    Some(*character)
                }
                None => {
                    plain.push((',', index));
                    Some(',')
                }
            };
            if let Some(initial) = initial {
                latin.initials.push(initial);
                latin.initial_origins.push(index);
            }
        }
        // Read without syllables' ends, n before g may belong to either; blurred alike everywhere, that does no harm.
        for (position, (letter, index)) in plain.iter().enumerate() {
            let before = position.checked_sub(1).and_then(|before| plain.get(before)).map(|(letter, _)| *letter);
            if let Some(letter) = blurred_letter(before, *letter) {
                latin.letters.push(letter);
                latin.origins.push(*index);
            }
        }
        latin
    }
}

/// The letters of a phrase in pinyin, blurred as a text's are, and its initials.
pub(super) fn spelled(phrase: &str) -> (String, String) {
    let characters: Vec<char> = phrase.chars().collect();
    let latin = Latin::new(&characters);
    (latin.letters, latin.initials)
}

/// A letter after another one, or nothing if it makes no difference to many.
fn blurred_letter(before: Option<char>, letter: char) -> Option<char> {
    match (before, letter) {
        (Some('z' | 'c' | 's'), 'h') | (Some('n'), 'g') => None,
        (_, 'l') => Some('n'),
        (_, 'ü') => Some('v'),
        _ => Some(letter),
    }
}

fn blur(syllable: &str, mut push: impl FnMut(char)) {
    let mut before = None;
    for letter in syllable.chars() {
        if let Some(blurred) = blurred_letter(before, letter) {
            push(blurred);
        }
        before = Some(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_folded() {
        assert_eq!(normalise("親屬關係證明！", 500), "亲属关系证明");
        assert_eq!(normalise("  hūn yīn，ＺＭ ", 500), "hun yin,zm");
        assert_eq!(normalise("单 身 证 明", 500), "单身证明");
        assert_eq!(normalise("dang'an", 500), "dangan");
        assert_eq!(normalise("佢冇結婚", 500), "他没结婚");
    }

    #[test]
    fn likenesses_sound_alike() {
        let ear = Ear::new(&["犬尤".to_owned()]);
        assert_eq!(ear.sound("婚姻状况证明"), ear.sound("婚因状况正明"));
        assert_eq!(ear.sound("亲属"), ear.sound("亲熟"));
        assert_eq!(ear.sound("养犬"), ear.sound("养尤"));
        assert_eq!(spelled("婚姻"), ("hunyin".to_owned(), "hy".to_owned()));
        assert_eq!(spelled("证明"), ("zenmin".to_owned(), "zm".to_owned()));
    }

    #[test]
    fn places_are_kept() {
        let text = Text::new("qin属gx".to_owned(), &Ear::default());
        let latin = text.latin.as_ref().unwrap();
        assert_eq!((latin.letters.as_str(), latin.initials.as_str()), ("qinsugx", "qinsgx"));
        assert_eq!(latin.origins, [0, 1, 2, 3, 3, 4, 5]);
        assert_eq!((text.character_at(3), text.character_at(6), text.syllable_at(0)), (3, 4, 0));
    }
}
