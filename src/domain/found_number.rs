use unicode_normalization::UnicodeNormalization as _;

use super::digits::folded;
use super::{IdNumber, IdNumberError};

/// Whether an ID number stands somewhere in a text: 18 characters that are one with its check character, also among other
/// digits, or 15 digits by themselves that are one of the old form. Digits of every script count as digits, full-width and
/// Chinese ones too, and what looks like an `X` as one; what people write between them (spaces, hyphens, dots, what cannot be
/// seen) does not part them.
#[must_use]
pub fn holds_id_number(text: &str) -> bool {
    if text.is_ascii() && text.bytes().filter(u8::is_ascii_digit).count() < 15 {
        return false;
    }
    let text: Vec<char> = text.nfkc().collect();
    let all: Vec<char> = text.iter().copied().map(folded).collect();
    // A Chinese numeral beside other digits may be a word of the sentence, so that these stand by themselves.
    let is_old = |text: &[char]| runs(text, is_digit).any(|digits| is_old(&digits));
    is_old(&text) || is_old(&all) || runs(&all, is_digit_or_between).any(|run| holds_new(&run))
}

/// The longest parts of a text of which every character is of a kind; an `X` that follows belongs to them.
fn runs(text: &[char], is_part: fn(char) -> bool) -> impl Iterator<Item = String> {
    text.split(move |character| !is_part(*character) && !is_check(*character)).map(|run| run.iter().collect())
}

fn holds_new(run: &str) -> bool {
    let characters: Vec<u8> = run.bytes().filter(|byte| byte.is_ascii_digit() || is_check(char::from(*byte))).collect();
    let is_one = |window: &[u8]| std::str::from_utf8(window).is_ok_and(|text| text.parse::<IdNumber>().is_ok());
    characters.windows(18).any(is_one)
}

fn is_old(digits: &str) -> bool {
    let digits = digits.trim_matches(is_check);
    digits.len() == 15
        && match digits.parse::<IdNumber>() {
            // What only the last three digits leave open is a number if it is one with others.
            Err(IdNumberError::AmbiguousCentury) => format!("{}001", &digits[..12]).parse::<IdNumber>().is_ok(),
            parsed => parsed.is_ok(),
        }
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

fn is_check(character: char) -> bool {
    matches!(character, 'x' | 'X')
}

fn is_digit_or_between(character: char) -> bool {
    let is_invisible = matches!(u32::from(character), 0xAD | 0x200B..=0x200F | 0x2060..=0x2064 | 0xFEFF);
    let is_dash = matches!(character, '-' | '_' | '.' | '·' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    is_digit(character) || character.is_whitespace() || is_dash || is_invisible
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_number_is_found_however_it_is_written() {
        for text in [
            "11010519491231002X",
            "11010519491231002x",
            "张三（11010519491231002X）的申请",
            "１１０１０５１９４９１２３１００２Ｘ",
            "案号440524188001010014号",
            "2026-440524188001010014",
            "9440524188001010014",
            "440524 18800101 0014",
            "440524-1880-0101-0014",
            "440524\u{200b}188001010014",
            "①①010519491231002X",
            "110105491231002",
            "old 110105491231002.",
            "１１０１０５４９１２３１００２",
            "110105491231997",
            "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X",
            "११०१०५१९४९१२३१००२X",
            "一一〇一〇五一九四九一二三一〇〇二X",
            "一一零一零五 一九四九一二三一 零零二Ｘ",
            "壹壹零壹零伍壹玖肆玖壹贰叁壹零零贰X",
            "11010519491231002Х",
            "11010519491231002х",
            "11010519491231002Χ",
            "11010519491231002×",
            "11010519491231002Ⅹ",
            "居民١١٠١٠٥٤٩١٢٣١٠٠٢",
            "第一110105491231002号",
            "𝟏𝟏𝟎𝟏𝟎𝟓𝟏𝟗𝟒𝟗𝟏𝟐𝟑𝟏𝟎𝟎𝟐𝐗",
        ] {
            assert!(holds_id_number(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for text in [
            "",
            "2026-000123",
            "辽民发〔2020〕52号",
            "20261123120000123456",
            "110105194912310021",
            "1101054912310021",
            "990105491231002",
            "990105491231997",
            "110105491331997",
            "（2026）辽01民终12345号",
            "窗口 3，王五，电话 024-12345678",
            "X",
            "二〇二六年十一月二十六日",
            "一二三四五六七八九一二三四五六七八九",
            "Х",
        ] {
            assert!(!holds_id_number(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_found_among_anything_but_digits(
            before in "[^0-9xX\\p{N}]{0,20}",
            after in "[^0-9xX\\p{N}]{0,20}",
            sequence in 0_u16..999,
            days in 0_i32..30_000,
        ) {
            let born = jiff::civil::date(1920, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let number = IdNumber::assemble("210102".parse().unwrap(), born, sequence).unwrap();
            let text = format!("{}{}{}", before, number.reveal(), after);
            prop_assert!(holds_id_number(&text));
        }

        #[test]
        fn a_number_is_found_in_the_digits_of_any_script(
            zero in prop::sample::select(vec!['０', '٠', '۰', '०', '০', '๐', '໐', '༠', '၀', '០', '᠐', '𝟎', '𑇐', '𞥐']),
            hanzi in any::<bool>(),
            sequence in 0_u16..999,
            days in 0_i32..30_000,
        ) {
            let born = jiff::civil::date(1920, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let number = IdNumber::assemble("210102".parse().unwrap(), born, sequence).unwrap();
            let written = |character: char| match character.to_digit(10) {
                Some(value) if hanzi => "〇一二三四五六七八九".chars().nth(value as usize).unwrap(),
                Some(value) => char::from_u32(u32::from(zero) + value).unwrap(),
                None => 'Х',
            };
            let text: String = number.reveal().chars().map(written).collect();
            prop_assert!(holds_id_number(&text), "{}", text);
        }

        #[test]
        fn any_text_is_looked_through_without_panic(text in "\\PC{0,60}") {
            let _ = holds_id_number(&text);
        }
    }
}
