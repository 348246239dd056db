//! A code is what a receipt's reader can type, and what a QR code holds in its alphanumeric mode (ISO/IEC 18004): 48
//! characters such as `1XXXXX-…`, in Crockford's alphabet, without regard to case, with hyphens and spaces where one likes.
//!
//! It is the verification's id (16 bytes), 8 bytes of a MAC by which the gateway knows its own codes, and two characters
//! that find typing errors: every wrong character, and every two that have changed places.
//!
//! What it proves: nothing by itself. Who has it can ask the gateway, as long as that keeps the verification, and believe
//! what the gateway says. Nobody can find another's code by trying: it takes 2^63 questions on average. Whoever sees the code
//! can ask as well, so it belongs on papers that may be read by all who may know the outcome. It does not say whom the
//! verification is about, and neither does the gateway.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::signing::SigningKey;

/// A short code of a verification.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code {
    verification: Uuid,
    mac: [u8; MAC],
}

/// Why a text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It has not the form of one.
    #[error("a code has 42 letters and digits, hyphens aside, of which the first is 1")]
    Form,
    /// It is mistyped.
    #[error("the code is mistyped: please compare it once more")]
    Typo,
}

/// The bytes of the MAC (truncated HMAC, RFC 2104 section 5).
const MAC: usize = 8;

/// The characters of a code: its version, 39 for 24 bytes, and two to check them.
const LENGTH: usize = 42;
const GROUP: usize = 6;
const VERSION: u32 = 1;

/// The digits of base 32: no I, L, O, U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The greatest prime that two digits can hold. Read as one number, a code leaves the remainder 1 (as in ISO/IEC 7064). A
/// changed digit, or two that have changed places, change the number by something that no prime so large divides.
const PRIME: u32 = 1021;

impl Code {
    /// The code of a verification, under the key that signs receipts.
    pub(super) fn new(key: &SigningKey, verification: Uuid) -> Self {
        let whole = key.mac(&[b"heyan code", verification.as_bytes()]);
        let mut mac = [0; MAC];
        mac.copy_from_slice(&whole[..MAC]);
        Self { verification, mac }
    }

    /// The verification, if one of these keys' holders has made the code.
    pub fn verification<'a>(&self, keys: impl IntoIterator<Item = &'a SigningKey>) -> Option<Uuid> {
        let is_of = |key: &SigningKey| {
            let expected = Self::new(key, self.verification).mac;
            // Always all of it, so that the time says nothing about how much is right.
            expected.iter().zip(self.mac).fold(0, |wrong, (one, other)| wrong | (one ^ other)) == 0
        };
        keys.into_iter().any(is_of).then_some(self.verification)
    }

    fn digits(&self) -> [u32; LENGTH] {
        let mut digits = [0; LENGTH];
        digits[0] = VERSION;
        let (mut bits, mut count, mut place) = (0_u32, 0, 1);
        for byte in self.verification.as_bytes().iter().chain(&self.mac) {
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
        write!(formatter, "Code({}, …)", self.verification)
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
        let mut bytes = [0; 16 + MAC];
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
        let (mut verification, mut mac) = ([0; 16], [0; MAC]);
        verification.copy_from_slice(&bytes[..16]);
        mac.copy_from_slice(&bytes[16..]);
        let code = Self { verification: Uuid::from_bytes(verification), mac };
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::signing::{Algorithm, KeyId};

    fn key(secret: u8) -> SigningKey {
        SigningKey::new(KeyId("receipt-1".parse().unwrap()), Algorithm::Ed25519, &[secret; 32]).unwrap()
    }

    #[test]
    fn a_code_fits_a_qr_code_and_is_read_as_people_type_it() {
        let verification: Uuid = "01932f6e-9c1a-7c3e-8f00-1234567890ab".parse().unwrap();
        let code = Code::new(&key(1), verification);
        let text = code.to_string();
        assert_eq!(text.len(), 48);
        assert!(text.bytes().all(|byte| byte == b'-' || DIGITS.contains(&byte)), "{text}");
        let loose = text.to_lowercase().replace('0', "o").replace('1', "l").replace('-', " ");
        for typed in [text.clone(), loose, format!("  {}\n", text.replace('-', ""))] {
            assert_eq!(typed.parse(), Ok(code));
        }
        assert_eq!(code.verification([&key(2), &key(1)]), Some(verification));
        assert_eq!(code.verification([&key(2)]), None);
        assert!(!format!("{code:?}").contains(&text[40..]), "{code:?}");
        for wrong in ["", "1", "eyJhbGciOiJFZERTQSJ9..", &text[2..], &format!("{text}0"), &"é".repeat(42)] {
            assert_eq!(wrong.parse::<Code>(), Err(CodeError::Form), "{wrong}");
        }
    }

    /// Every single wrong character and every exchange of two, of one code: there are some 2 000.
    #[test]
    fn typing_errors_are_found() {
        let text = Code::new(&key(1), Uuid::from_u128(0x0193_2f6e_9c1a_7c3e_8f00_1234_5678_90ab)).to_string();
        let plain: Vec<char> = text.replace('-', "").chars().collect();
        let parse = |typed: &[char]| typed.iter().collect::<String>().parse::<Code>();
        for place in 0..LENGTH {
            for digit in DIGITS.iter().map(|digit| char::from(*digit)).filter(|digit| *digit != plain[place]) {
                let mut typed = plain.clone();
                typed[place] = digit;
                assert!(parse(&typed).is_err(), "{typed:?}");
            }
            for other in (0..place).filter(|other| plain[*other] != plain[place]) {
                let mut typed = plain.clone();
                typed.swap(place, other);
                assert!(parse(&typed).is_err(), "{typed:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_code_is_read_back(verification in any::<u128>(), mac in any::<[u8; MAC]>()) {
            let code = Code { verification: Uuid::from_u128(verification), mac };
            prop_assert_eq!(code.to_string().parse(), Ok(code));
        }

        /// Two spellings of one code would be two codes to whoever compares them.
        #[test]
        fn a_code_has_one_spelling(text in "1[0-9A-HJKMNP-TV-Z]{41}") {
            if let Ok(code) = text.parse::<Code>() {
                prop_assert_eq!(code.to_string().replace('-', ""), text);
            }
        }
    }
}
