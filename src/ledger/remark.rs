use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::IdNumber;

/// A text that a caller wrote freely: an officer, a case, a legal basis. An ID number that somebody put into it is masked, so
/// that the ledger holds none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Remark(Box<str>);

impl Remark {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Remark {
    fn from(text: &str) -> Self {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
            masked.push_str(&rest[..start]);
            let digits = &rest[start..];
            let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
            let end = if digits[end..].starts_with(['X', 'x']) { end + 1 } else { end };
            masked.push_str(&without_numbers(&digits[..end]));
            rest = &digits[end..];
        }
        masked.push_str(rest);
        Self(masked.into())
    }
}

impl From<String> for Remark {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Remark> for String {
    fn from(remark: Remark) -> Self {
        remark.0.into()
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Masks ID numbers in digits that may end in X. The old ones have no check character: only those that stand alone are taken
/// for one.
fn without_numbers(digits: &str) -> String {
    let mut text = digits.to_owned();
    let mut at = 0;
    while let Some(window) = digits.get(at..at + 18) {
        match window.parse::<IdNumber>() {
            Ok(number) => {
                text.replace_range(at..at + 18, &number.to_string());
                at += 18;
            }
            Err(_) => at += 1,
        }
    }
    match digits.parse::<IdNumber>() {
        Ok(_) if digits.len() == 15 => crate::domain::mask(digits),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_numbers_are_masked_and_everything_else_stays() {
        for (text, kept) in [
            ("", ""),
            ("案-2026-000123", "案-2026-000123"),
            ("身份证11010519491231002X。", "身份证1****************X。"),
            ("11010519491231002x", "1****************X"),
            ("9911010519491231002X9", "991****************X9"),
            ("440524188001010014/440524188001010014", "4****************4/4****************4"),
            ("旧号 110105491231002", "旧号 1*************2"),
            ("110105491231002 1", "1*************2 1"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("１２３abcX", "１２３abcX"),
        ] {
            assert_eq!(Remark::from(text).as_str(), kept);
            assert_eq!(Remark::from(kept).as_str(), kept, "masking twice is masking once");
        }
    }
}
