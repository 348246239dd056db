//! ID numbers as eight bytes: the first 17 digits; the check character follows from them.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use super::day::Day;
use super::dice::scramble;

/// The first 17 digits of a citizen identification number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Number(u64);

impl Number {
    /// The number of somebody born in this county on this day.
    pub(super) fn new(county: u32, born: Day, sequence: u32) -> Self {
        let (year, month, day) = born.parts();
        let date = u64::from(year * 10_000 + month * 100 + day);
        Self((u64::from(county) * 100_000_000 + date) * 1000 + u64::from(sequence))
    }

    /// Reads 18 characters; nothing if the check character is wrong.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 18] = text.as_bytes().try_into().ok()?;
        let mut digits = 0_u64;
        for byte in &bytes[..17] {
            digits = digits * 10 + u64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        }
        let number = Self(digits);
        (char::from(bytes[17].to_ascii_uppercase()) == number.check_character()).then_some(number)
    }

    /// The number with these first 17 digits; nothing if there are more.
    pub(super) fn of_digits(digits: u64) -> Option<Self> {
        (digits < 10_u64.pow(17)).then_some(Self(digits))
    }

    /// The first 17 digits.
    pub(super) fn digits(self) -> u64 {
        self.0
    }

    pub(super) fn is_male(self) -> bool {
        self.0 % 2 == 1
    }

    /// ISO 7064 MOD 11-2: the weight of each digit is a power of two modulo 11.
    fn check_character(self) -> char {
        let (mut rest, mut weight, mut sum) = (self.0, 2, 0);
        for _ in 0..17 {
            sum += rest % 10 * weight;
            weight = weight * 2 % 11;
            rest /= 10;
        }
        match (12 - sum % 11) % 11 {
            10 => 'X',
            digit => char::from_digit(u32::try_from(digit).unwrap_or(0), 10).unwrap_or('0'),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:017}{}", self.0, self.check_character())
    }
}

/// Who has which number. The numbers are ours, so nobody can choose them to collide.
pub(super) type Register<T> = HashMap<Number, T, BuildHasherDefault<Spread>>;

/// A hasher for one eight-byte number.
#[derive(Debug, Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = scramble(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = scramble(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::IdNumber;

    #[test]
    fn numbers_are_what_the_standard_says() {
        for sequence in 1..999 {
            let number = Number::new(210_102, Day::new(1949, 12, 31), sequence);
            let text = number.to_string();
            assert_eq!(text.parse::<IdNumber>().unwrap().reveal(), text);
            assert_eq!(Number::parse(&text), Some(number));
        }
        assert_eq!(
            Number::parse("11010519491231002X").map(|number| number.to_string()).as_deref(),
            Some("11010519491231002X")
        );
        assert_eq!(Number::parse("110105194912310021"), None);
        assert_eq!(Number::parse("1101051949123100XX"), None);
        assert_eq!(Number::parse("' OR '1'='1"), None);
    }
}
