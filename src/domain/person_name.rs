use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use super::mask;

/// A person's name as registers hold it: NFC, 1 to 50 characters, the middle dot always U+00B7.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonName(Arc<str>);

/// Why a text is not a name. No variant holds the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PersonNameError {
    /// Nothing but white space.
    #[error("a name has at least one character")]
    Empty,
    /// More than 50 characters.
    #[error("a name has at most 50 characters")]
    TooLong,
    /// A control, format or other character that cannot be part of a name.
    #[error("a name holds letters, Hanzi, spaces, middle dots, hyphens and apostrophes only")]
    Character,
}

/// Longest name, in characters after normalisation.
const MAX_CHARACTERS: usize = 50;

/// What people and systems type where a name's middle dot (间隔号, GB/T 15834) belongs.
const MIDDLE_DOTS: [char; 14] = [
    '\u{00B7}', '\u{2022}', '\u{2027}', '\u{2219}', '\u{22C5}', '\u{30FB}', '\u{FF65}', '\u{0387}', '\u{16EB}',
    '\u{2E31}', '\u{25CF}', '\u{2024}', '\u{FF0E}', '\u{A78F}',
];

impl PersonName {
    /// The name. Never for a log, a URL or an error.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for PersonName {
    type Err = PersonNameError;

    fn from_str(text: &str) -> Result<Self, PersonNameError> {
        // Four bytes a character, and no more than a handful of marks that composition takes away.
        if text.len() > MAX_CHARACTERS * 4 * 4 {
            return Err(PersonNameError::TooLong);
        }
        let name: String = text.trim_matches([' ', '\u{3000}']).chars().map(fold_dot).nfc().map(fold_dot).collect();
        if name.is_empty() {
            return Err(PersonNameError::Empty);
        }
        if name.chars().count() > MAX_CHARACTERS {
            return Err(PersonNameError::TooLong);
        }
        let all_allowed = name.chars().all(is_allowed);
        if !all_allowed || !name.chars().any(is_letter) {
            return Err(PersonNameError::Character);
        }
        Ok(Self(name.into()))
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&mask(&self.0))
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PersonName({self})")
    }
}

fn fold_dot(character: char) -> char {
    if MIDDLE_DOTS.contains(&character) { '\u{00B7}' } else { character }
}

fn is_letter(character: char) -> bool {
    // Registers write characters that had no code yet with the private use areas.
    character.is_alphabetic() || is_private_use(character) || character == '\u{3007}'
}

fn is_private_use(character: char) -> bool {
    matches!(u32::from(character), 0xE000..=0xF8FF | 0xF_0000..=0xF_FFFD | 0x10_0000..=0x10_FFFD)
}

fn is_allowed(character: char) -> bool {
    let is_mark = matches!(u32::from(character), 0x0300..=0x036F | 0xFE00..=0xFE0F | 0xE_0100..=0xE_01EF);
    is_letter(character) || is_mark || matches!(character, ' ' | '\u{00B7}' | '-' | '\'' | '\u{2019}' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Result<PersonName, PersonNameError> {
        text.parse()
    }

    #[test]
    fn every_look_alike_of_the_middle_dot_is_the_middle_dot() {
        for dot in MIDDLE_DOTS {
            assert_eq!(name(&format!("阿依古丽{dot}买买提")).unwrap().reveal(), "阿依古丽·买买提");
        }
    }

    #[test]
    fn characters_outside_the_basic_plane_count_as_one() {
        assert_eq!(name("𠮷田𬀩").unwrap().reveal(), "𠮷田𬀩");
        assert!(name(&"𠮷".repeat(50)).is_ok());
        assert_eq!(name(&"𠮷".repeat(51)), Err(PersonNameError::TooLong));
    }

    #[test]
    fn names_are_composed() {
        assert_eq!(name("Zoe\u{0308}").unwrap(), name("Zoë").unwrap());
    }

    #[test]
    fn what_is_no_name_is_refused() {
        assert_eq!(name(""), Err(PersonNameError::Empty));
        assert_eq!(name("  "), Err(PersonNameError::Empty));
        for text in ["张\0三", "张\n三", "张\u{202E}三", "张\u{200B}三", "<b>", "张三&", "张%三", "·", "123"]
        {
            assert_eq!(name(text), Err(PersonNameError::Character), "{text:?}");
        }
    }

    #[test]
    fn printing_masks() {
        assert_eq!(format!("{:?}", name("欧阳建国").unwrap()), "PersonName(欧**国)");
    }

    proptest! {
        #[test]
        fn parsing_what_was_parsed_changes_nothing(text in "[\\p{Han}a-zA-Z·•・ ]{1,60}") {
            if let Ok(parsed) = name(&text) {
                prop_assert_eq!(name(parsed.reveal()).unwrap(), parsed);
            }
        }
    }
}
