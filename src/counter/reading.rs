//! What people type, read as they mean it: full-width digits, spaces, hyphens, a pasted line break and marks that nobody sees
//! are no errors. Nothing is guessed that could mean two things.

use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization as _;

use crate::domain::{Division, IdNumber, IdNumberError, PersonName, PersonNameError};

/// Reads an ID number.
///
/// # Errors
/// Why it is none, once everything that may stand between its characters is taken away.
pub fn id_number(text: &str) -> Result<IdNumber, IdNumberError> {
    plain(text).chars().filter(|character| !is_between(*character)).map(check_character).collect::<String>().parse()
}

/// An ID number in the groups that a card is read in: six, eight, four. Anything else as it was typed.
#[must_use]
pub fn grouped(text: &str) -> String {
    let plain: String = plain(text).chars().filter(|character| !is_between(*character)).map(check_character).collect();
    let is_one = plain.len() == 18 && plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'X');
    if is_one { format!("{} {} {}", &plain[..6], &plain[6..14], &plain[14..]) } else { text.to_owned() }
}

/// Reads a name. Between Hanzi no space belongs, and a full stop there is meant as the middle dot.
///
/// # Errors
/// Why it is none.
pub fn name(text: &str) -> Result<PersonName, PersonNameError> {
    let characters: Vec<char> = text.chars().filter(|character| !is_invisible(*character)).collect();
    let mut name = String::with_capacity(text.len());
    for (index, character) in characters.iter().copied().enumerate() {
        let next = characters[index + 1..].iter().copied().find(|next| !next.is_whitespace());
        let last = name.chars().last();
        match character {
            _ if character.is_whitespace() => {
                let is_needed = matches!((last, next), (Some(last), Some(next)) if !joins(last) && !joins(next));
                if is_needed && last != Some(' ') {
                    name.push(' ');
                }
            }
            '.' | '\u{FF0E}' | '\u{3002}' | '\u{FF61}' | '\u{FE52}'
                if last.is_some_and(is_hanzi) && next.is_some_and(is_hanzi) =>
            {
                name.push('·');
            }
            _ => name.push(character),
        }
    }
    name.parse()
}

/// Reads a day: `2026-11-23`, `2026.11.23`, `2026年11月23日`, `20261123`, or 今天, 昨天. `None` where it is no day.
#[must_use]
pub fn day(text: &str, today: Date) -> Option<Date> {
    let text: String = plain(text).chars().filter(|character| !character.is_whitespace()).collect();
    match text.to_ascii_lowercase().as_str() {
        "今天" | "今日" | "today" => return Some(today),
        "昨天" | "昨日" | "yesterday" => return today.yesterday().ok(),
        _ => {}
    }
    let text = text.strip_suffix(['日', '号', '號']).unwrap_or(&text);
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return date(&text[..4], &text[4..6], &text[6..]);
    }
    let parts: Vec<&str> = text.split(['-', '/', '.', '年', '月', '\u{2013}', '\u{2014}', '\u{2212}']).collect();
    match parts[..] {
        [year, month, day] => date(year, month, day),
        _ => None,
    }
}

/// A day as people write it.
#[must_use]
pub fn written_day(day: Date) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

/// Reads a whole number: digits, or one Hanzi up to ten, with or without what is counted.
#[must_use]
pub fn whole_number(text: &str) -> Option<i64> {
    const HANZI: [&str; 11] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十"];
    let text: String = plain(text).chars().filter(|character| !character.is_whitespace()).collect();
    let text = text.strip_suffix("人").unwrap_or(&text);
    let text = text.strip_suffix(['个', '名', '位']).unwrap_or(text);
    match text {
        "〇" | "没有" | "无" => return Some(0),
        "两" | "俩" => return Some(2),
        "仨" => return Some(3),
        _ => {}
    }
    if let Some(number) = HANZI.iter().position(|hanzi| *hanzi == text) {
        return i64::try_from(number).ok();
    }
    let is_one = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| text.parse().ok())?
}

/// Why a text names no division, or more than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDivision {
    /// Nothing is called so, or has this code.
    Unknown,
    /// Several are called so: the city belongs before it.
    Several,
}

/// Reads a division: by its code, or one of Liaoning by its name, with its city before it where that is needed.
///
/// # Errors
/// If it names none, or several.
pub fn division(text: &str) -> Result<Division, NoDivision> {
    let text: String = plain(text).chars().filter(|character| !is_between(*character)).collect();
    if let Ok(division) = text.parse::<Division>() {
        return Ok(division);
    }
    let wanted = text.strip_prefix("辽宁省").or_else(|| text.strip_prefix("辽宁")).unwrap_or(&text);
    if wanted.is_empty() {
        return if text.is_empty() { Err(NoDivision::Unknown) } else { "21".parse().map_err(|_| NoDivision::Unknown) };
    }
    let all: Vec<Division> = Division::of_liaoning().collect();
    let is_called = |division: &Division| names(division).iter().any(|name| name == wanted);
    let mut found = all.into_iter().filter(is_called);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(NoDivision::Several),
        (None, _) => Err(NoDivision::Unknown),
    }
}

/// A division as a worker would write it, with its city; its code where it has no name.
#[must_use]
pub fn written_division(division: Division) -> String {
    names(&division).pop().unwrap_or_else(|| division.name().unwrap_or(division.code()).to_owned())
}

/// A text in one line, without what nobody sees.
#[must_use]
pub fn line(text: &str) -> String {
    let visible: String = text.chars().filter(|character| !is_invisible(*character)).collect();
    let spaced = visible.split(|character: char| character.is_whitespace() || character.is_control());
    spaced.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A number of letters and digits, without what people put between them.
pub(super) fn code(text: &str) -> String {
    plain(text).chars().filter(|character| !is_between(*character)).collect()
}

/// What a division of Liaoning may be called, the longest last.
fn names(division: &Division) -> Vec<String> {
    let Some(name) = division.name() else { return Vec::new() };
    let mut names = vec![name.to_owned()];
    let city = division.code().get(..4).filter(|city| city.len() < division.code().len());
    // What lies in no city stands by its own name: 沈抚示范区 and the like.
    if let Some(city) = city.and_then(|city| city.parse::<Division>().ok()?.name()) {
        if let Some(short) = city.strip_suffix('市') {
            names.push(format!("{short}{name}"));
        }
        names.push(format!("{city}{name}"));
    }
    names
}

/// Compatible digits and letters as plain ones (NFKC).
fn plain(text: &str) -> String {
    text.nfkc().filter(|character| !is_invisible(*character)).collect()
}

/// What looks like the X of a check character.
fn check_character(character: char) -> char {
    match character {
        'x' | '×' | 'Х' | 'х' | 'Χ' | 'χ' => 'X',
        other => other,
    }
}

/// What people put between the characters of a number.
fn is_between(character: char) -> bool {
    let is_dash = matches!(character, '-' | '_' | '.' | '·' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    character.is_whitespace() || character.is_control() || is_dash
}

/// Marks that steer how a text is set, and are not seen: zero-width ones, those of direction, a byte order mark.
fn is_invisible(character: char) -> bool {
    matches!(
        u32::from(character),
        0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2064 | 0x2066..=0x206F | 0xFEFF
    )
}

/// What no space stands beside.
fn joins(character: char) -> bool {
    is_hanzi(character) || matches!(character, '·' | '\u{2022}' | '\u{2027}' | '\u{2219}' | '\u{22C5}' | '\u{30FB}')
}

fn is_hanzi(character: char) -> bool {
    matches!(
        u32::from(character),
        0x3007 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xE000..=0xFAFF | 0x2_0000..=0x3_FFFF | 0xF_0000..=0x10_FFFD
    )
}

fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    let number = |text: &str, most: usize| {
        let is_one = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_one.then(|| text.parse::<i16>().ok())?
    };
    let year = number(year, 4).filter(|_| year.len() == 4)?;
    let (month, day) = (i8::try_from(number(month, 2)?).ok()?, i8::try_from(number(day, 2)?).ok()?);
    Date::new(year, month, day).ok().filter(|day| day.year() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as on;
    use proptest::prelude::*;

    #[test]
    fn an_id_number_is_read_however_it_is_typed() {
        for text in [
            "11010519491231002X",
            "110105 19491231 002x",
            "110105-1949-1231-002X",
            "１１０１０５１９４９１２３１００２Ｘ",
            "11010519491231002×",
            "11010519491231002Х",
            "\u{202E}11010519491231002X\u{202C}",
            "\u{FEFF}110105\u{200B}19491231002X\r\n",
            " 110105 194912 31002X　",
            "110105491231002",
        ] {
            assert_eq!(id_number(text).unwrap().reveal(), "11010519491231002X", "{text:?}");
        }
        assert_eq!(id_number(""), Err(IdNumberError::Length));
        assert_eq!(id_number("👵👵"), Err(IdNumberError::Character));
        assert_eq!(id_number("110105 19491231 0021"), Err(IdNumberError::CheckCharacter));
    }

    #[test]
    fn a_number_is_shown_as_the_card_is_read() {
        assert_eq!(grouped("11010519491231002x"), "110105 19491231 002X");
        assert_eq!(grouped("１１０１０５ 19491231-002X"), "110105 19491231 002X");
        for other in ["", "1101", "110105491231002", "<b>", "X10105194912310020X"] {
            assert_eq!(grouped(other), other);
        }
    }

    #[test]
    fn a_name_is_read_however_it_is_typed() {
        for (text, wanted) in [
            (" 王秀英\n", "王秀英"),
            ("王 秀英", "王秀英"),
            ("王　三", "王三"),
            ("王\r\n三", "王三"),
            ("王\u{200B}\u{202E}三", "王三"),
            ("阿依古丽.买买提", "阿依古丽·买买提"),
            ("阿依古丽 • 买买提", "阿依古丽·买买提"),
            ("阿依古丽。买买提", "阿依古丽·买买提"),
            ("Anna  Maria", "Anna Maria"),
            ("𠮷 田", "𠮷田"),
        ] {
            assert_eq!(name(text).unwrap().reveal(), wanted, "{text:?}");
        }
        assert_eq!(name(" \u{202E} \n"), Err(PersonNameError::Empty));
        assert_eq!(name("<b>王</b>"), Err(PersonNameError::Character));
        assert_eq!(name("王😀"), Err(PersonNameError::Character));
        assert_eq!(name(&"王".repeat(51)), Err(PersonNameError::TooLong));
    }

    #[test]
    fn a_day_is_read_however_it_is_typed() {
        let today = on(2026, 11, 26);
        for text in [
            "2026-11-03",
            "2026/11/3",
            "2026.11.03",
            "20261103",
            "2026年11月3日",
            "2026 年 11 月 03 日",
            "２０２６－１１－０３",
            "2026-11-03\n",
            "\u{202E}20261103",
            "2026年11月3号",
        ] {
            assert_eq!(day(text, today), Some(on(2026, 11, 3)), "{text:?}");
        }
        assert_eq!((day("今天", today), day("昨天", today)), (Some(today), Some(on(2026, 11, 25))));
        for text in ["", "2026", "2026-02-30", "26-11-03", "2026-11", "1-2-3-4", "2026年", "0000-01-01", "😀"] {
            assert_eq!(day(text, today), None, "{text:?}");
        }
    }

    #[test]
    fn a_number_of_people_is_read() {
        for (text, wanted) in [("2", 2), ("２", 2), ("两个", 2), ("三", 3), ("0", 0), (" 1 个人", 1), ("十", 10)]
        {
            assert_eq!(whole_number(text), Some(wanted), "{text}");
        }
        for text in ["", "-1", "1.5", "很多", "99999999999999999999", "个"] {
            assert_eq!(whole_number(text), None, "{text}");
        }
    }

    #[test]
    fn a_division_is_read_by_code_and_by_name() {
        for (text, code) in [
            ("21", "21"),
            ("210102", "210102"),
            ("辽宁", "21"),
            ("辽宁省", "21"),
            ("沈阳市", "2101"),
            ("沈阳和平区", "210102"),
            ("辽宁省沈阳市和平区", "210102"),
            ("沈阳市 和平区", "210102"),
            ("鞍山市铁西区", "210303"),
            ("210102001", "210102001"),
            ("２１０１０２", "210102"),
        ] {
            assert_eq!(division(text).map(|one| one.code().to_owned()), Ok(code.to_owned()), "{text}");
        }
        assert_eq!(division("铁西区"), Err(NoDivision::Several));
        assert_eq!(division(""), Err(NoDivision::Unknown));
        assert_eq!(division("月球"), Err(NoDivision::Unknown));
        assert_eq!(written_division("210102".parse().unwrap()), "沈阳市和平区");
        assert_eq!(written_division("2101".parse().unwrap()), "沈阳市");
        assert_eq!(written_division("21".parse().unwrap()), "辽宁省");
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_panics(text in "\\PC{0,40}|[\\x00-\\u{3000}]{0,40}|[0-9Xx年月日. ·-]{0,30}") {
            let today = on(2026, 11, 26);
            let _ = (id_number(&text), grouped(&text), name(&text), day(&text, today), whole_number(&text));
            let _ = (division(&text), line(&text));
        }

        #[test]
        fn what_is_shown_is_read_again(sequence in 0_u16..999, days in 0_i32..40_000) {
            let born = on(1910, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let number = IdNumber::assemble("210102".parse().unwrap(), born, sequence).unwrap();
            prop_assert_eq!(id_number(&grouped(number.reveal())), Ok(number));
            prop_assert_eq!(grouped(&grouped(number.reveal())), grouped(number.reveal()));
            prop_assert_eq!(day(&written_day(born), born), Some(born));
            prop_assert_eq!(day(&born.to_string(), born), Some(born));
        }

        #[test]
        fn a_name_that_was_read_is_read_the_same(text in "[\\p{Han}a-zA-Z·•. \\n\u{3000}]{1,40}") {
            if let Ok(read) = name(&text) {
                prop_assert_eq!(name(read.reveal()), Ok(read.clone()));
            }
        }

        #[test]
        fn every_division_is_read_by_its_written_name(index in 0_usize..200) {
            let all: Vec<Division> = Division::of_liaoning().collect();
            let one = all[index % all.len()];
            prop_assert_eq!(division(&written_division(one)), Ok(one));
        }

        #[test]
        fn a_line_has_no_break_in_it(text in "\\PC{0,20}[\\r\\n\\t]{0,3}\\PC{0,20}") {
            let line = line(&text);
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
