//! Texts in one form, and how they sound.

use pinyin::ToPinyin as _;
use unicode_normalization::UnicodeNormalization as _;

/// A text in the form in which everything is compared: compatibility characters folded, simplified, lower case, white space
/// and marks of pinyin tones gone; punctuation is one comma.
pub(super) fn normalise(text: &str, most: usize) -> String {
    let folded: String = text.chars().take(most).nfkd().filter(|character| !is_mark(*character)).nfkc().collect();
    let simplified = fast2s::convert(&folded);
    let mut normal = String::with_capacity(simplified.len());
    for character in simplified.chars() {
        match character {
            _ if character.is_alphanumeric() => normal.extend(character.to_lowercase()),
            // Between letters a space ends a word; between Hanzi it means nothing.
            ' ' if normal.ends_with(|last: char| last.is_ascii_alphanumeric()) => normal.push(' '),
            ' ' => {}
            _ if normal.is_empty() || normal.ends_with(',') => {}
            _ => normal.push(','),
        }
    }
    normal.truncate(normal.trim_end_matches([',', ' ']).len());
    normal
}

/// Combining marks: the tones of pinyin.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36F}')
}

/// A normalised text, its characters, and its sound.
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    /// For each byte of `text` that begins a character, and its end, the character's number.
    pub(super) characters: Vec<char>,
    /// Each character's sound, every one ended by a space.
    pub(super) sound: String,
    /// All letters of the sound without spaces, where the text holds Latin letters.
    pub(super) letters: Option<String>,
    /// For each letter of `letters`, the character that it comes from.
    pub(super) origins: Vec<usize>,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let mut sound = String::with_capacity(characters.len() * 5);
        let (mut letters, mut origins) = (String::new(), Vec::new());
        for (index, character) in characters.iter().enumerate() {
            let syllable = syllable(*character);
            push_blurred(&syllable, &mut sound);
            sound.push(' ');
            if character.is_alphanumeric() {
                letters.push_str(&syllable);
                origins.resize(letters.len(), index);
            }
        }
        let is_latin = characters.iter().any(char::is_ascii_alphabetic);
        Self { text, characters, sound, letters: is_latin.then_some(letters), origins }
    }

    /// The number of the character that begins at a byte of `text`.
    pub(super) fn character_at(&self, byte: usize) -> usize {
        self.text.get(..byte).map_or(0, |before| before.chars().count())
    }

    /// The number of the character whose sound begins at a byte of `sound`.
    pub(super) fn syllable_at(&self, byte: usize) -> usize {
        self.sound.as_bytes().iter().take(byte).filter(|byte| **byte == b' ').count()
    }

    /// Runs of Latin letters: where each begins, and the letters.
    pub(super) fn latin(&self) -> impl Iterator<Item = (usize, &'a str)> {
        let start = self.text.as_ptr() as usize;
        self.text
            .split(|character: char| !character.is_ascii_alphabetic())
            .filter(|run| !run.is_empty())
            .map(move |run| (run.as_ptr() as usize - start, run))
    }
}

/// How a character sounds, without its tone; other characters stand for themselves.
fn syllable(character: char) -> String {
    match character.to_pinyin() {
        Some(pinyin) => pinyin.plain().replace('ü', "v"),
        None => character.to_string(),
    }
}

/// What many speakers do not keep apart is one sound: zh and z, n and l at the beginning, ang and an at the end, and so on.
fn push_blurred(syllable: &str, sound: &mut String) {
    let (head, rest) = match syllable.as_bytes() {
        [b'z' | b'c' | b's', b'h', ..] => (&syllable[..1], &syllable[2..]),
        [b'l', ..] => ("n", &syllable[1..]),
        _ => ("", syllable),
    };
    sound.push_str(head);
    sound.push_str(match rest.strip_suffix('g') {
        Some(open) if open.ends_with('n') => open,
        _ => rest,
    });
}

/// The blurred sound of a phrase.
pub(super) fn blurred(phrase: &str) -> String {
    let mut sound = String::new();
    for character in phrase.chars() {
        push_blurred(&syllable(character), &mut sound);
        sound.push(' ');
    }
    sound
}

/// The letters of a phrase in pinyin, and their initials.
pub(super) fn spelled(phrase: &str) -> (String, String) {
    let mut letters = String::new();
    let mut initials = String::new();
    for character in phrase.chars() {
        let syllable = syllable(character);
        initials.extend(syllable.chars().next());
        letters.push_str(&syllable);
    }
    (letters, initials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_folded() {
        assert_eq!(normalise("親屬關係證明！", 500), "亲属关系证明");
        assert_eq!(normalise("  hūn yīn，ＺＭ ", 500), "hun yin,zm");
        assert_eq!(normalise("单 身 证 明", 500), "单身证明");
    }

    #[test]
    fn likenesses_sound_alike() {
        assert_eq!(blurred("婚姻状况证明"), blurred("婚因状况正明"));
        assert_eq!(blurred("亲属"), blurred("亲熟"));
        assert_eq!(spelled("婚姻"), ("hunyin".to_owned(), "hy".to_owned()));
    }
}
