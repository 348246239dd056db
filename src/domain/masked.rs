use unicode_normalization::UnicodeNormalization as _;

use super::digits::folded;

/// A text without the numbers by which somebody could be found: every digit of them is an asterisk. What is masked:
///
/// - 18 digits, the last of which may be an X, that read as an ID number with a day of birth in it, whether or not the check
///   digit is right: a number with a slip still leads to somebody;
/// - 15 digits that read as an old one;
/// - any other 15 digits or more in a row, such as a bank card's;
/// - mobile numbers.
///
/// Digits of any script, full-width, encircled and Chinese ones count; spaces, hyphens, dots and what cannot be seen do not part
/// them.
#[must_use]
pub fn without_personal_numbers(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut masked = vec![false; characters.len()];
    for run in runs(&characters) {
        mask_run(&run, &mut masked);
    }
    characters.into_iter().zip(masked).map(|(character, is_masked)| if is_masked { '*' } else { character }).collect()
}

/// A digit, or a check character (`X`), with where it stands and whether it follows the one before it without anything that
/// can be seen.
struct Digit {
    at: usize,
    value: u8,
    adjoins: bool,
}

/// The longest rows of digits with nothing but separators between them.
fn runs(characters: &[char]) -> Vec<Vec<Digit>> {
    let (mut runs, mut run, mut adjoins) = (Vec::new(), Vec::new(), false);
    for (at, character) in characters.iter().enumerate() {
        let values = digits(*character);
        if !values.is_empty() {
            for value in values {
                run.push(Digit { at, value, adjoins });
                adjoins = true;
            }
        } else if !is_invisible(*character) {
            adjoins = false;
            if !is_separator(*character) && !run.is_empty() {
                runs.push(std::mem::take(&mut run));
            }
        }
    }
    runs.push(run);
    runs
}

fn mask_run(run: &[Digit], masked: &mut [bool]) {
    let values: Vec<u8> = run.iter().map(|digit| digit.value).collect();
    let mut hide = |from: usize, count: usize| run[from..from + count].iter().for_each(|digit| masked[digit.at] = true);
    for (from, window) in values.windows(18).enumerate() {
        if is_new(window) {
            hide(from, 18);
        }
    }
    let is_whole = |from: usize, count: usize| {
        let ends = from + count;
        !run[from].adjoins && run.get(ends).is_none_or(|next| !next.adjoins || next.value == CHECK)
    };
    for (from, window) in values.windows(15).enumerate() {
        if is_whole(from, 15) && is_old(window) {
            hide(from, 15);
        }
    }
    for (from, window) in values.windows(11).enumerate() {
        if is_whole(from, 11) && is_mobile(window) {
            hide(from, 11);
        }
    }
    let mut from = 0;
    while from < run.len() {
        let count = 1 + run[from + 1..].iter().take_while(|digit| digit.adjoins).count();
        if count >= 15 {
            hide(from, count);
        }
        from += count;
    }
}

/// Digits by their value, and the check character of an ID number.
const CHECK: u8 = 10;

fn digits(character: char) -> Vec<u8> {
    let value = |character: char| match folded(character) {
        'x' | 'X' => Some(CHECK),
        other => other.to_digit(10).and_then(|digit| u8::try_from(digit).ok()),
    };
    std::iter::once(character).nfkc().map(value).collect::<Option<Vec<u8>>>().unwrap_or_default()
}

fn is_new(window: &[u8]) -> bool {
    let all_digits = window[..17].iter().all(|value| *value < CHECK);
    let century = number(&window[6..8]);
    all_digits && (1..=8).contains(&window[0]) && (18..=20).contains(&century) && is_day(&window[10..14])
}

fn is_old(window: &[u8]) -> bool {
    window.iter().all(|value| *value < CHECK) && (1..=8).contains(&window[0]) && is_day(&window[8..12])
}

fn is_day(month_and_day: &[u8]) -> bool {
    (1..=12).contains(&number(&month_and_day[..2])) && (1..=31).contains(&number(&month_and_day[2..]))
}

fn is_mobile(window: &[u8]) -> bool {
    window.iter().all(|value| *value < CHECK) && window[0] == 1 && window[1] >= 3
}

fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(*digit))
}

fn is_separator(character: char) -> bool {
    let is_dash = matches!(character, '-' | '_' | '.' | '·' | '－' | '．' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    character.is_whitespace() || is_dash
}

/// Characters that leave no mark: format characters, and those that choose another one's shape.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(
        u32::from(character),
        0xAD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
            | 0x1_BCA0..=0x1_BCA3 | 0x1_D173..=0x1_D17A | 0xE_0000..=0xE_0FFF
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::IdNumber;

    #[test]
    fn what_leads_to_somebody_is_masked_however_it_is_written() {
        for (text, masked) in [
            ("身份证11010519491231002X。", "身份证******************。"),
            ("11010519491231002x", "******************"),
            ("110105194912310021", "******************"),
            ("１１０１０５１９４９１２３１００２Ｘ", "******************"),
            ("110105 19491231 002X", "****** ******** ****"),
            ("110105-1949-1231-002X", "******-****-****-****"),
            ("11010519491231\u{200b}002X", "**************\u{200b}****"),
            ("一一零一零五一九四九一二三一零零二X", "******************"),
            ("११०१०५१९४९१२३१००२Х", "******************"),
            ("旧号110105491231002", "旧号***************"),
            ("卡号6222021234567890123", "卡号*******************"),
            ("电话13912345678。", "电话***********。"),
            ("139 1234 5678", "*** **** ****"),
            ("9911010519491231002X9", "*********************"),
        ] {
            assert_eq!(without_personal_numbers(text), masked, "{text}");
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "",
            "案-2026-000123",
            "辽民发〔2020〕52号 二（一）",
            "2026-11-23 2026-11-24",
            "2026-11-23 10.30",
            "窗口 3，024-12345678",
            "二〇二六年十一月二十三日",
            "一五一十说了三遍",
            "X 光片",
            "编号 20261123000123",
            "😀 ①②③",
        ] {
            assert_eq!(without_personal_numbers(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_id_number_is_left(
            before in "\\PC{0,20}",
            after in "\\PC{0,20}",
            separator in "[ \\-.\u{200b}]{0,1}",
            sequence in 0_u16..999,
            days in 0_i32..30_000,
        ) {
            let born = jiff::civil::date(1920, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let number = IdNumber::assemble("210102".parse().unwrap(), born, sequence).unwrap();
            let number = number.reveal();
            let written = [&number[..6], &number[6..14], &number[14..]].join(&separator);
            let kept = without_personal_numbers(&format!("{before}{written}{after}"));
            prop_assert!(!kept.contains(&written));
            prop_assert!(!crate::domain::holds_id_number(&kept) || crate::domain::holds_id_number(&before)
                || crate::domain::holds_id_number(&after));
            prop_assert_eq!(without_personal_numbers(&kept), kept);
        }
    }
}
