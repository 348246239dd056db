use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use super::{Division, mask};

/// A citizen identification number (公民身份号码, GB 11643-1999): six digits of division, eight of birth
/// date, three of sequence, and a check character by ISO 7064 MOD 11-2.
///
/// The 15-digit numbers of GB 11643-1989 are upgraded when parsed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdNumber([u8; 18]);

/// Why a text is not an ID number. No variant holds the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdNumberError {
    /// Neither 18 nor 15 characters.
    #[error("an ID number has 18 characters, or 15 in the old form")]
    Length,
    /// A character that is not a digit (nor X at the end).
    #[error(
        "characters other than digits stand in the ID number, such as spaces or full-width digits; only its last may be X"
    )]
    Character,
    /// The first six digits are no administrative division, present or former.
    #[error("the first six digits are no administrative division")]
    Division,
    /// The birth date is not in the calendar, or nobody's.
    #[error("the birth date in the number is not a calendar date from 1800 on")]
    BirthDate,
    /// The check character is wrong.
    #[error("the check character does not fit the digits")]
    CheckCharacter,
    /// An old number whose sequence was kept for people born in an earlier century.
    #[error("this old number is of a person of a hundred years or more: give the 18-digit number")]
    AmbiguousCentury,
}

/// Sex as GB/T 2261.1 codes it and as the sequence's parity says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// Code 1, odd sequence.
    Male,
    /// Code 2, even sequence.
    Female,
}

impl Sex {
    /// The code of GB/T 2261.1.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Male => "1",
            Self::Female => "2",
        }
    }
}

impl IdNumber {
    /// Builds the number of a person from its parts, with the right check character.
    ///
    /// # Errors
    /// [`IdNumberError::Division`] for a division that is not a county's, [`IdNumberError::Character`] for a
    /// sequence past 999, [`IdNumberError::BirthDate`] for a year outside 1800–9999.
    pub fn assemble(division: Division, born: Date, sequence: u16) -> Result<Self, IdNumberError> {
        if sequence > 999 {
            return Err(IdNumberError::Character);
        }
        let county = division.county_code().ok_or(IdNumberError::Division)?;
        let (year, month, day) = (born.year(), born.month(), born.day());
        let digits = format!("{county}{year:04}{month:02}{day:02}{sequence:03}");
        let head: [u8; 17] = digits.as_bytes().try_into().map_err(|_| IdNumberError::BirthDate)?;
        Self::complete(head)
    }

    /// The 18 characters. Never for a log, a URL or an error.
    #[must_use]
    pub fn reveal(&self) -> &str {
        // Only ASCII digits and X get into the array.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The birth date in the number.
    #[must_use]
    pub fn birth_date(&self) -> Date {
        birth_date(&self.0).unwrap_or_default()
    }

    /// The sex that the sequence's last digit says.
    #[must_use]
    pub fn sex(&self) -> Sex {
        if self.0[16] % 2 == 1 { Sex::Male } else { Sex::Female }
    }

    /// The division that issued the number; it may have been abolished since.
    #[must_use]
    pub fn division(&self) -> &str {
        &self.reveal()[..6]
    }

    fn complete(head: [u8; 17]) -> Result<Self, IdNumberError> {
        let mut number = [0; 18];
        number[..17].copy_from_slice(&head);
        number[17] = check_character(&head);
        Self::checked(number)
    }

    fn checked(number: [u8; 18]) -> Result<Self, IdNumberError> {
        if !number[..17].iter().all(u8::is_ascii_digit) || !matches!(number[17], b'0'..=b'9' | b'X') {
            return Err(IdNumberError::Character);
        }
        let county = std::str::from_utf8(&number[..6]).map_err(|_| IdNumberError::Character)?;
        if !Division::issues_id_numbers(county) {
            return Err(IdNumberError::Division);
        }
        birth_date(&number).ok_or(IdNumberError::BirthDate)?;
        let mut head = [0; 17];
        head.copy_from_slice(&number[..17]);
        if check_character(&head) != number[17] {
            return Err(IdNumberError::CheckCharacter);
        }
        Ok(Self(number))
    }

    /// The old form had two digits of year and no check character. All were issued to people born in the
    /// 1900s, but for the sequences 996 to 999, which were kept for people of a hundred years and more.
    fn upgraded(old: &[u8]) -> Result<Self, IdNumberError> {
        if !old.iter().all(u8::is_ascii_digit) {
            return Err(IdNumberError::Character);
        }
        if old[12..] >= b"996"[..] {
            return Err(IdNumberError::AmbiguousCentury);
        }
        let mut head = [0; 17];
        head[..6].copy_from_slice(&old[..6]);
        head[6..8].copy_from_slice(b"19");
        head[8..].copy_from_slice(&old[6..]);
        Self::complete(head)
    }
}

impl FromStr for IdNumber {
    type Err = IdNumberError;

    fn from_str(text: &str) -> Result<Self, IdNumberError> {
        let is_last = |at: usize, byte: u8| matches!(byte, b'X' | b'x') && at + 1 == text.len();
        if !text.bytes().enumerate().all(|(at, byte)| byte.is_ascii_digit() || is_last(at, byte)) {
            return Err(IdNumberError::Character);
        }
        let bytes = text.as_bytes();
        match bytes.len() {
            18 => {
                let mut number = [0; 18];
                number.copy_from_slice(bytes);
                number[17] = number[17].to_ascii_uppercase();
                Self::checked(number)
            }
            15 => Self::upgraded(bytes),
            _ => Err(IdNumberError::Length),
        }
    }
}

impl fmt::Display for IdNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&mask(self.reveal()))
    }
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "IdNumber({self})")
    }
}

fn birth_date(number: &[u8; 18]) -> Option<Date> {
    let digits =
        |from: usize, to: usize| number[from..to].iter().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0'));
    let (year, month, day) = (digits(6, 10), digits(10, 12), digits(12, 14));
    // Nobody who was born earlier is subject of anything.
    if year < 1800 {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// ISO 7064 MOD 11-2 over the first 17 digits.
fn check_character(head: &[u8; 17]) -> u8 {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = head.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    b"10X98765432"[(sum % 11) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<IdNumber, IdNumberError> {
        text.parse()
    }

    #[test]
    fn the_standards_own_example_is_accepted() {
        // GB 11643-1999, 附录: 11010519491231002X and 440524188001010014.
        assert!(parse("11010519491231002X").is_ok());
        assert!(parse("11010519491231002x").is_ok());
        assert!(parse("440524188001010014").is_ok());
    }

    #[test]
    fn every_part_is_checked() {
        assert_eq!(parse("110105194912310021"), Err(IdNumberError::CheckCharacter));
        assert_eq!(parse("11010519490229002X"), Err(IdNumberError::BirthDate));
        assert_eq!(parse("99010519491231002X"), Err(IdNumberError::Division));
        assert_eq!(parse("21019919491231002X"), Err(IdNumberError::Division));
        assert_eq!(parse("1101051949123100X2"), Err(IdNumberError::Character));
        assert_eq!(parse("1101051949123100"), Err(IdNumberError::Length));
        assert_eq!(parse("110105194912310"), Err(IdNumberError::BirthDate));
        assert_eq!(parse("11010517991231002X"), Err(IdNumberError::BirthDate));
        assert_eq!(parse(""), Err(IdNumberError::Length));
    }

    #[test]
    fn what_only_looks_like_digits_is_told_as_such() {
        let full_width = "１１０１０５１９４９１２３１００２Ｘ";
        let number = "11010519491231002";
        for text in [
            "１１０１０５",
            full_width,
            &format!("{number}Ｘ"),
            &format!("{number}Х"),
            &format!(" {number}X"),
            &format!("{number}X "),
            "110105 19491231 002X",
            "110105-19491231-002X",
            "11010549123100X",
            "\u{200b}11010519491231002X",
        ] {
            assert_eq!(parse(text), Err(IdNumberError::Character), "{text}");
        }
        for text in [number, "1101051949123100211", "X", "1"] {
            assert_eq!(parse(text), Err(IdNumberError::Length), "{text}");
        }
    }

    #[test]
    fn old_numbers_are_upgraded_and_never_guessed_at() {
        let upgraded = parse("110105491231002").unwrap();
        assert_eq!(upgraded.reveal(), "11010519491231002X");
        assert_eq!(parse("110105491231997"), Err(IdNumberError::AmbiguousCentury));
    }

    #[test]
    fn printing_masks() {
        let number = parse("11010519491231002X").unwrap();
        assert_eq!(format!("{number}"), "1****************X");
        assert_eq!(format!("{number:?}"), "IdNumber(1****************X)");
    }

    proptest! {
        #[test]
        fn one_changed_digit_is_always_found(sequence in 0_u16..999, position in 0_usize..17, by in 1_u8..10) {
            let division = "210102".parse().unwrap();
            let number = IdNumber::assemble(division, jiff::civil::date(1980, 2, 29), sequence).unwrap();
            let mut broken = number.0;
            broken[position] = b'0' + (broken[position] - b'0' + by) % 10;
            prop_assert!(parse(std::str::from_utf8(&broken).unwrap()).is_err());
        }

        #[test]
        fn any_text_is_accepted_or_refused_without_panic(text in "\\PC{0,20}") {
            let _ = parse(&text);
        }
    }
}
