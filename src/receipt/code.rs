//! A code is what a receipt's reader can type, and what a QR code holds: 32 characters in groups of four, in Crockford's
//! alphabet, without regard to case, with hyphens and spaces where one likes.
//!
//! It is the number of the answer's entry in the ledger (5 bytes), how old the answer was and for how long the receipt is valid
//! (3 and 2 bytes), 8 bytes of a MAC, and two characters that find typing errors: every wrong character, and every two that
//! have changed places. What the code says stands in the ledger; so it can be checked for as long as the receipt is valid, and
//! nothing more is kept for it. The MAC is over all that it says, so that an entry that was altered, or another ledger under
//! the same number, says nothing.
//!
//! What it proves: nothing by itself. Who has it can ask the gateway, and believe what the gateway says. Nobody can find
//! another's code by trying: it takes 2^63 questions on average. Whoever sees the code can ask as well, so it belongs on
//! papers that may be read by all who may know the outcome. It does not say whom the verification is about, and neither does
//! the gateway.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::{ClaimRef, Outcome};
use crate::signing::SigningKey;

/// A short code of a receipt.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code {
    head: [u8; HEAD],
    mac: [u8; MAC],
}

/// What a code is about, as the ledger has it.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// The number of its entry.
    pub entry: u64,
    /// When it was recorded: the receipt's time, to the second.
    pub at: Timestamp,
    /// The verification.
    pub verification: Uuid,
    /// What was asked.
    pub claim: &'a ClaimRef,
    /// Its particulars, such as a status and a day.
    pub particulars: &'a Map<String, Value>,
    /// What came of it.
    pub outcome: Outcome,
}

/// When what a code says was so, and until when it is a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// When the receipt was issued.
    pub issued: Timestamp,
    /// The age of the oldest answer that counted, to the second; of one older than 48 days, to the minute, and rather older.
    pub as_of: Timestamp,
    /// From when on it is no proof any more.
    pub expires: Timestamp,
}

/// Why a text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It has not the form of one.
    #[error("a code has 32 letters and digits, hyphens aside, of which the first is 1")]
    Form,
    /// It is mistyped.
    #[error("the code is mistyped: please compare it once more")]
    Typo,
}

/// The bytes of the entry's number, of the age and of the validity.
const ENTRY: usize = 5;
const AGE: usize = 3;
const VALID: usize = 2;
const HEAD: usize = ENTRY + AGE + VALID;

/// The bytes of the MAC (truncated HMAC, RFC 2104 section 5).
const MAC: usize = 8;

/// The characters of a code: its version, 29 for 18 bytes, and two to check them.
const LENGTH: usize = 32;
const GROUP: usize = 4;
const VERSION: u32 = 1;

/// The digits of base 32: no I, L, O, U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The greatest prime that two digits can hold. Read as one number, a code leaves the remainder 1 (as in ISO/IEC 7064). A
/// changed digit, or two that have changed places, change the number by something that no prime so large divides.
const PRIME: u32 = 1021;

impl Code {
    /// The code of a receipt, under the key that signs receipts. `None`: the ledger has more entries than a code can number.
    pub(super) fn new(
        key: &SigningKey,
        recorded: &Recorded<'_>,
        as_of: Timestamp,
        valid_for: Duration,
    ) -> Option<Self> {
        let entry = recorded.entry.to_be_bytes();
        let [0, 0, 0, ref entry @ ..] = entry else { return None };
        let age = u64::try_from(recorded.at.as_second() - as_of.as_second()).unwrap_or(0);
        let age = Span::<22>::at_least(age).to_be_bytes();
        let valid_for = Span::<14>::at_most(valid_for.as_secs()).to_be_bytes();
        let mut head = [0; HEAD];
        head[..ENTRY].copy_from_slice(entry);
        head[ENTRY..ENTRY + AGE].copy_from_slice(&age[1..]);
        head[ENTRY + AGE..].copy_from_slice(&valid_for[2..]);
        Some(Self { head, mac: Self::mac(key, head, recorded) })
    }

    /// The number of the entry in the ledger that has what the code says. Anybody can write a code with any number: nothing of
    /// the entry may be told before [`opens`](Self::opens) says so.
    #[must_use]
    pub fn entry(&self) -> u64 {
        self.head[..ENTRY].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// When this was so, if one of these keys' holders has made the code of it.
    pub fn opens<'a>(
        &self,
        recorded: &Recorded<'_>,
        keys: impl IntoIterator<Item = &'a SigningKey>,
    ) -> Option<Validity> {
        let is_of = |key: &SigningKey| {
            let expected = Self::mac(key, self.head, recorded);
            // Always all of it, so that the time says nothing about how much is right.
            expected.iter().zip(self.mac).fold(0, |wrong, (one, other)| wrong | (one ^ other)) == 0
        };
        if recorded.entry != self.entry() || !keys.into_iter().any(is_of) {
            return None;
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        let age = Span::<22>(number(&self.head[ENTRY..ENTRY + AGE])).seconds();
        let valid_for = Span::<14>(number(&self.head[ENTRY + AGE..])).seconds();
        let issued = Timestamp::from_second(recorded.at.as_second()).ok()?;
        let as_of = issued.checked_sub(SignedDuration::from_secs(age)).unwrap_or(Timestamp::MIN);
        let expires = issued.checked_add(SignedDuration::from_secs(valid_for)).unwrap_or(Timestamp::MAX);
        Some(Validity { issued, as_of, expires })
    }

    fn mac(key: &SigningKey, head: [u8; HEAD], recorded: &Recorded<'_>) -> [u8; MAC] {
        let Recorded { entry: _, at, verification, claim, particulars, outcome } = recorded;
        let (matter, claim, outcome) = (claim.matter.as_str(), claim.claim.as_str(), outcome.as_str());
        let at = at.as_second().to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![b"heyan code", &head, &at, verification.as_bytes()];
        parts.extend([matter.as_bytes(), claim.as_bytes(), outcome.as_bytes()]);
        let told = (!particulars.is_empty()).then(|| Value::Object((*particulars).clone()).to_string());
        parts.extend(told.as_ref().map(String::as_bytes));
        let whole = key.mac(&parts);
        let mut mac = [0; MAC];
        mac.copy_from_slice(&whole[..MAC]);
        mac
    }

    fn digits(&self) -> [u32; LENGTH] {
        let mut digits = [0; LENGTH];
        digits[0] = VERSION;
        let (mut bits, mut count, mut place) = (0_u32, 0, 1);
        for byte in self.head.iter().chain(&self.mac) {
            bits = bits << 8 | u32::from(*byte);
            count += 8;
            while count >= 5 {
                count -= 5;
                digits[place] = bits >> count & 31;
                place += 1;
            }
        }
        digits[place] = bits << (5 - count) & 31;
        let missing = (PRIME + 1 - remainder(&digits)) % PRIME;
        [digits[LENGTH - 2], digits[LENGTH - 1]] = [missing / 32, missing % 32];
        digits
    }
}

/// A length of time in seconds, minutes, hours or days: two bits for the unit, and so many for the count.
struct Span<const BITS: u32>(u32);

impl<const BITS: u32> Span<BITS> {
    const UNITS: [u64; 4] = [1, 60, 3600, 86_400];

    /// This long, or as little shorter as can be said.
    fn at_most(seconds: u64) -> Self {
        Self::of(|unit| seconds / unit)
    }

    /// This long, or as little longer as can be said.
    fn at_least(seconds: u64) -> Self {
        Self::of(|unit| seconds.div_ceil(unit))
    }

    fn of(count: impl Fn(u64) -> u64) -> Self {
        for (code, unit) in (0..).zip(Self::UNITS) {
            if let Ok(count) = u32::try_from(count(unit))
                && count >> BITS == 0
            {
                return Self(code << BITS | count);
            }
        }
        // The longest of all.
        Self((4 << BITS) - 1)
    }

    fn seconds(&self) -> i64 {
        let unit = Self::UNITS.get((self.0 >> BITS) as usize).copied().unwrap_or(1);
        i64::try_from(u64::from(self.0 & ((1 << BITS) - 1)) * unit).unwrap_or(i64::MAX)
    }

    fn to_be_bytes(&self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

fn remainder(digits: &[u32]) -> u32 {
    digits.iter().fold(0, |remainder, digit| (remainder * 32 + digit) % PRIME)
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;

        for (index, digit) in self.digits().into_iter().enumerate() {
            if index > 0 && index % GROUP == 0 {
                formatter.write_char('-')?;
            }
            formatter.write_char(char::from(DIGITS[digit as usize]))?;
        }
        Ok(())
    }
}

/// A code opens a verification's outcome to whoever has it.
impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Code({}, …)", self.entry())
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.to_string()
    }
}

impl TryFrom<String> for Code {
    type Error = CodeError;

    fn try_from(text: String) -> Result<Self, CodeError> {
        text.parse()
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut digits = [0; LENGTH];
        let mut length = 0;
        for character in text.trim().chars().filter(|character| !matches!(character, '-' | ' ')) {
            *digits.get_mut(length).ok_or(CodeError::Form)? = digit(character).ok_or(CodeError::Form)?;
            length += 1;
        }
        if length != LENGTH || digits[0] != VERSION {
            return Err(CodeError::Form);
        }
        if remainder(&digits) != 1 {
            return Err(CodeError::Typo);
        }
        let mut bytes = [0; HEAD + MAC];
        let (mut bits, mut count, mut place) = (0_u32, 0, 0);
        for digit in &digits[1..LENGTH - 2] {
            bits = bits << 5 | digit;
            count += 5;
            if count >= 8 {
                count -= 8;
                bytes[place] = u8::try_from(bits >> count & 255).map_err(|_| CodeError::Form)?;
                place += 1;
            }
        }
        let (mut head, mut mac) = ([0; HEAD], [0; MAC]);
        head.copy_from_slice(&bytes[..HEAD]);
        mac.copy_from_slice(&bytes[HEAD..]);
        let code = Self { head, mac };
        // The bits that are left over are none, so that a code has one spelling.
        if code.digits() == digits { Ok(code) } else { Err(CodeError::Form) }
    }
}

/// A digit as people type it.
fn digit(character: char) -> Option<u32> {
    let character = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = DIGITS.iter().position(|digit| char::from(*digit) == character)?;
    u32::try_from(place).ok()
}
