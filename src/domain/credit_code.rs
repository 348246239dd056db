use std::fmt;
use std::str::FromStr;

use super::mask;

/// A unified social credit code (统一社会信用代码, GB 32100-2015): registration authority, kind, six digits
/// of division, nine characters of organisation, and a check character modulo 31.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CreditCode([u8; 18]);

/// Why a text is not a credit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreditCodeError {
    /// Not 18 characters.
    #[error("a unified social credit code has 18 characters")]
    Length,
    /// A character outside the code's alphabet (no I, O, S, V, Z), or a letter in the division.
    #[error("a unified social credit code holds digits and letters without I, O, S, V, Z")]
    Character,
    /// The check character is wrong.
    #[error("the check character does not fit the code")]
    CheckCharacter,
}

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

impl CreditCode {
    /// The 18 characters.
    #[must_use]
    pub fn reveal(&self) -> &str {
        // Only ASCII gets into the array.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for CreditCode {
    type Err = CreditCodeError;

    fn from_str(text: &str) -> Result<Self, CreditCodeError> {
        let mut code: [u8; 18] = text.as_bytes().try_into().map_err(|_| CreditCodeError::Length)?;
        code.make_ascii_uppercase();
        if !code[2..8].iter().all(u8::is_ascii_digit) {
            return Err(CreditCodeError::Character);
        }
        let mut sum = 0;
        let mut weight = 1;
        for character in &code[..17] {
            sum += value(*character)? * weight;
            weight = weight * 3 % 31;
        }
        if value(code[17])? == (31 - sum % 31) % 31 { Ok(Self(code)) } else { Err(CreditCodeError::CheckCharacter) }
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&mask(self.reveal()))
    }
}

impl fmt::Debug for CreditCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CreditCode({self})")
    }
}

fn value(character: u8) -> Result<usize, CreditCodeError> {
    ALPHABET.iter().position(|known| *known == character).ok_or(CreditCodeError::Character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_codes_are_accepted_and_broken_ones_refused() {
        // 91110000600037341L is the example in several public implementations of the standard.
        assert!("91110000600037341L".parse::<CreditCode>().is_ok());
        assert_eq!("91110000600037342L".parse::<CreditCode>(), Err(CreditCodeError::CheckCharacter));
        assert_eq!("9111000060003734IL".parse::<CreditCode>(), Err(CreditCodeError::Character));
        assert_eq!("91110000".parse::<CreditCode>(), Err(CreditCodeError::Length));
    }
}
