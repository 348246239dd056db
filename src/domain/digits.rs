//! Digits in whatever script they are written.

/// The character as ASCII writes it, if it is a digit of any script (Unicode `Nd`) or a Chinese numeral from zero to nine, or
/// if it looks like the `X` that ends some ID numbers; any other as it stands. Full-width and encircled ones are folded by
/// Unicode's NFKC, which comes first.
pub(super) fn folded(character: char) -> char {
    if character.is_ascii() {
        return character;
    }
    match character {
        'Х' | 'х' | 'Χ' | 'χ' | '×' | '✕' | '✖' | '╳' | '⨉' | '⨯' => 'X',
        _ => digit(character).and_then(|value| char::from_digit(value, 10)).unwrap_or(character),
    }
}

fn digit(character: char) -> Option<u32> {
    let hanzi = HANZI.iter().position(|numerals| numerals.contains(character));
    let value = hanzi.and_then(|value| u32::try_from(value).ok());
    value.or_else(|| {
        // The digits of a script stand one after another, from its zero on.
        let before = ZEROS.partition_point(|zero| *zero <= character);
        let zero = ZEROS.get(before.checked_sub(1)?)?;
        Some(u32::from(character) - u32::from(*zero)).filter(|value| *value < 10)
    })
}

/// The Chinese numerals, by what they are worth: everyday ones, and those of banknotes and bookkeepers.
const HANZI: [&str; 10] = ["〇○零", "一壹弌", "二贰貳弍", "三叁參弎", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖"];

/// The zero of every script whose digits NFKC leaves as they are (Unicode 17).
const ZEROS: [char; 67] = [
    '\u{660}',
    '\u{6F0}',
    '\u{7C0}',
    '\u{966}',
    '\u{9E6}',
    '\u{A66}',
    '\u{AE6}',
    '\u{B66}',
    '\u{BE6}',
    '\u{C66}',
    '\u{CE6}',
    '\u{D66}',
    '\u{DE6}',
    '\u{E50}',
    '\u{ED0}',
    '\u{F20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17E0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19D0}',
    '\u{1A80}',
    '\u{1A90}',
    '\u{1B50}',
    '\u{1BB0}',
    '\u{1C40}',
    '\u{1C50}',
    '\u{A620}',
    '\u{A8D0}',
    '\u{A900}',
    '\u{A9D0}',
    '\u{A9F0}',
    '\u{AA50}',
    '\u{ABF0}',
    '\u{104A0}',
    '\u{10D30}',
    '\u{10D40}',
    '\u{11066}',
    '\u{110F0}',
    '\u{11136}',
    '\u{111D0}',
    '\u{112F0}',
    '\u{11450}',
    '\u{114D0}',
    '\u{11650}',
    '\u{116C0}',
    '\u{116D0}',
    '\u{116DA}',
    '\u{11730}',
    '\u{118E0}',
    '\u{11950}',
    '\u{11BF0}',
    '\u{11C50}',
    '\u{11D50}',
    '\u{11DA0}',
    '\u{11DE0}',
    '\u{11F50}',
    '\u{16A60}',
    '\u{16AC0}',
    '\u{16B50}',
    '\u{16D70}',
    '\u{1E140}',
    '\u{1E2F0}',
    '\u{1E4F0}',
    '\u{1E5F1}',
    '\u{1E950}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_of_every_script_is_one() {
        assert!(ZEROS.is_sorted());
        for zero in ZEROS {
            for value in 0..10 {
                let character = char::from_u32(u32::from(zero) + value).unwrap();
                assert!(character.is_numeric(), "{character:?}");
                assert_eq!(folded(character), char::from_digit(value, 10).unwrap(), "{character:?}");
            }
        }
        let hanzi: String = "〇零一二三四五六七八九".chars().map(folded).collect();
        assert_eq!(hanzi, "00123456789");
    }

    #[test]
    fn other_characters_stay() {
        for character in ['0', '9', 'x', 'a', '十', '百', '号', '\u{65F}', '\u{66A}', '\u{E4F}', '½', '\u{10FFFF}']
        {
            assert_eq!(folded(character), character);
        }
    }
}
