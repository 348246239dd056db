use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::domain::holds_id_number;

/// By what somebody signs in: 2 to 64 lower-case letters, digits, dots, hyphens, underscores and at signs, beginning with a
/// letter or digit. Capitals mean the same.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(Arc<str>);

/// A text is not a [`UserName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserNameError {
    /// It is not of these characters, or not so many of them.
    #[error(
        "a user name has 2 to 64 letters, digits, dots, hyphens, underscores and at signs, and begins with a letter or digit"
    )]
    Shape,
    /// It would be on record with everything that is done under it.
    #[error("a user name does not hold an ID number: it is on record with everything that is done under it")]
    IdNumber,
}

impl UserName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = UserNameError;

    fn from_str(text: &str) -> Result<Self, UserNameError> {
        let text = text.trim().to_ascii_lowercase();
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_one = (2..=64).contains(&text.len())
            && text.bytes().all(|byte| is_plain(byte) || matches!(byte, b'.' | b'-' | b'_' | b'@'))
            && text.bytes().next().is_some_and(is_plain);
        if !is_one {
            return Err(UserNameError::Shape);
        }
        if holds_id_number(&text) { Err(UserNameError::IdNumber) } else { Ok(Self(text.into())) }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserName(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_are_written_in_one_way() {
        assert_eq!(" Zhang.San@Shenhe ".parse::<UserName>().unwrap().as_str(), "zhang.san@shenhe");
        for bad in ["", "a", ".a", "a b", "张三", "a/b", "a\nb", &"a".repeat(65)] {
            assert_eq!(bad.parse::<UserName>(), Err(UserNameError::Shape), "{bad:?}");
        }
        assert_eq!("u.11010519491231002X".parse::<UserName>(), Err(UserNameError::IdNumber));
    }
}
