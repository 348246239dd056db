//! Numbers of applications at the court. A number carries what it was given for, so that the court keeps nothing: after
//! a restart it answers the number as before.

use super::day::Day;
use super::dice::scramble;
use super::number::Number;

/// What was applied for, and when it can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Application {
    /// The ID number and not a position in the register, which somebody else may have after a restart.
    pub(super) person: Number,
    /// Milliseconds since 1970.
    pub(super) ready: u64,
}

/// Gives and reads the numbers of one population.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbering {
    key: u64,
}

impl Numbering {
    pub(super) fn new(seed: u64) -> Self {
        Self { key: scramble(seed ^ PURPOSE) }
    }

    /// The number, with the day on which it is given at its front.
    pub(super) fn give(self, application: Application, today: Day) -> String {
        let block = u128::from(application.person.digits()) << TIME_BITS | u128::from(application.ready.min(TIME));
        let date = today.compact();
        let scrambled = self.scramble(block, &date);
        let letters = (0..LETTERS).rev().map(|place| letter(scrambled >> (place * LETTER_BITS)));
        format!("{PREFIX}{date}{}", letters.collect::<String>())
    }

    /// What a number was given for; nothing if it was mistyped, or given by another court. The block is longer than what
    /// it carries: one wrong letter, or a wrong day, and the rest of it isn't zero any more.
    pub(super) fn read(self, number: &str) -> Option<Application> {
        let (date, letters) = number.strip_prefix(PREFIX)?.split_at_checked(DATE)?;
        if letters.len() != LETTERS {
            return None;
        }
        let scrambled = letters.bytes().try_fold(0, |block: u128, letter| {
            let value = ALPHABET.iter().position(|known| *known == letter)?;
            Some(block << LETTER_BITS | u128::try_from(value).ok()?)
        })?;
        let block = self.unscramble(scrambled, date);
        let person = Number::of_digits(u64::try_from(block >> TIME_BITS).ok()?)?;
        Some(Application { person, ready: low(block) & TIME })
    }

    /// Takes one block to another, and no two to the same (a Feistel network). It need not keep a secret from anybody
    /// who wants to know it: everybody here is invented.
    fn scramble(self, block: u128, date: &str) -> u128 {
        let halves = (low(block >> HALF_BITS), low(block));
        let (left, right) =
            (0..ROUNDS).fold(halves, |(left, right), round| (right, left ^ self.round(round, right, date)));
        u128::from(left) << HALF_BITS | u128::from(right)
    }

    fn unscramble(self, block: u128, date: &str) -> u128 {
        let halves = (low(block >> HALF_BITS), low(block));
        let (left, right) =
            (0..ROUNDS).rev().fold(halves, |(left, right), round| (right ^ self.round(round, left, date), left));
        u128::from(left) << HALF_BITS | u128::from(right)
    }

    fn round(self, round: u64, half: u64, date: &str) -> u64 {
        let day = date.bytes().fold(round, |day, byte| day << 7 | u64::from(byte));
        scramble(scramble(half ^ self.key) ^ scramble(day)) & HALF
    }
}

/// The lower half of a block.
fn low(block: u128) -> u64 {
    u64::try_from(block & u128::from(HALF)).unwrap_or(0)
}

fn letter(bits: u128) -> char {
    let index = usize::try_from(bits % 32).unwrap_or(0);
    char::from(ALPHABET[index])
}

const PREFIX: &str = "LN";
/// Characters of a day.
const DATE: usize = 8;
/// The digits, and the capital letters that are taken for no digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LETTER_BITS: usize = 5;
const LETTERS: usize = 24;
/// Two halves make 24 letters.
const HALF_BITS: usize = 60;
const HALF: u64 = (1 << HALF_BITS) - 1;
/// Until the year 2109; the 17 digits above take 57 bits, and 21 remain zero.
const TIME_BITS: usize = 42;
const TIME: u64 = (1 << TIME_BITS) - 1;
const ROUNDS: u64 = 6;
const PURPOSE: u64 = 0xC0_0257_A991;

#[cfg(test)]
mod tests {
    use super::*;

    fn application(sequence: u32, ready: u64) -> Application {
        Application { person: Number::new(210_102, Day::new(1971, 2, 3), sequence), ready }
    }

    #[test]
    fn a_number_says_what_it_was_given_for() {
        let today = Day::new(2026, 11, 25);
        for sequence in 1..999 {
            let given = application(sequence, 1_700_000_000_000 + u64::from(sequence) * 86_400_000);
            let number = Numbering::new(7).give(given, today);
            assert!(number.starts_with("LN20261125") && number.len() == 34, "{number}");
            assert!(number.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()), "{number}");
            assert_eq!(Numbering::new(7).read(&number), Some(given));
            assert_eq!(Numbering::new(8).read(&number), None);
        }
        let one = Numbering::new(7).give(application(1, 1), today);
        let next = Numbering::new(7).give(application(1, 2), today);
        let same = one.bytes().zip(next.bytes()).skip(10).filter(|(one, next)| one == next).count();
        assert!(same < 8, "{one} {next}");
    }

    #[test]
    fn what_was_mistyped_is_no_number() {
        let numbering = Numbering::new(7);
        let number = numbering.give(application(12, 1_700_000_000_000), Day::new(2026, 11, 25));
        let mut tried = 0;
        for place in 0..number.len() {
            for other in ALPHABET.iter().map(|other| char::from(*other).to_string()) {
                let mut wrong = number.clone();
                wrong.replace_range(place..=place, &other);
                if wrong != number {
                    assert_eq!(numbering.read(&wrong), None, "{wrong}");
                    tried += 1;
                }
            }
        }
        assert!(tried > 1000);
        for wrong in [
            "",
            "LN",
            "LN1",
            "LN2026112",
            &number[..33],
            &format!("{number}0"),
            &number.to_lowercase(),
            "LN年月日年月日",
        ] {
            assert_eq!(numbering.read(wrong), None, "{wrong}");
        }
    }
}
