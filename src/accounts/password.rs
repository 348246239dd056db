use std::collections::BTreeSet;
use std::fmt;

use zeroize::Zeroizing;

use super::UserName;

/// A password as it was typed. Its characters are normalised (NFC), so that it is the same on every keyboard.
pub struct Password(Zeroizing<String>);

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too few characters.
    #[error("a password has {} characters or more", Password::SHORTEST)]
    Short,
    /// More than can be meant.
    #[error("a password has {} characters at most", Password::LONGEST)]
    Long,
    /// It is made of a few characters only.
    #[error("a password has at least {} different characters", Password::FEWEST)]
    Monotonous,
    /// It is the user's name with little besides.
    #[error("a password is not the user's name with a few characters more")]
    UserName,
    /// It is one of those that are tried first.
    #[error("this password is one of those that are tried first")]
    Common,
}

impl Password {
    /// The fewest characters.
    pub const SHORTEST: usize = 12;
    /// The most characters.
    pub const LONGEST: usize = 256;
    /// The fewest different characters.
    pub const FEWEST: usize = 5;

    /// What was typed.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        use unicode_normalization::UnicodeNormalization as _;

        Self(Zeroizing::new(typed.nfc().collect()))
    }

    /// The password.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it may be the password of this user. It asks for length, and against what is guessed first; it does not ask for
    /// kinds of characters, as NIST SP 800-63B section 3.1.1.2 advises.
    ///
    /// # Errors
    /// The first thing that is weak about it.
    pub fn check(&self, user: &UserName) -> Result<(), WeakPassword> {
        let length = self.0.chars().count();
        if length < Self::SHORTEST {
            return Err(WeakPassword::Short);
        }
        if length > Self::LONGEST {
            return Err(WeakPassword::Long);
        }
        let plain = Zeroizing::new(self.0.to_lowercase());
        if plain.chars().collect::<BTreeSet<_>>().len() < Self::FEWEST {
            return Err(WeakPassword::Monotonous);
        }
        let without = Zeroizing::new(plain.replace(user.as_str(), ""));
        if without.len() < plain.len() && without.chars().count() < Self::SHORTEST / 2 {
            return Err(WeakPassword::UserName);
        }
        let without = COMMON.iter().fold(without, |rest, common| Zeroizing::new(rest.replace(common, "")));
        if without.chars().count() < Self::SHORTEST / 3 { Err(WeakPassword::Common) } else { Ok(()) }
    }
}

/// What most of the passwords are made of that are tried first and are long enough.
const COMMON: [&str; 22] = [
    "1qaz2wsx3edc4rfv",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1234567890",
    "0987654321",
    "123456789",
    "87654321",
    "123456",
    "654321",
    "112233",
    "password",
    "passw0rd",
    "p@ssw0rd",
    "iloveyou",
    "woaini",
    "5201314",
    "admin",
    "qwerty",
    "abcdef",
    "abc123",
    "heyan",
];

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused_and_the_rest_taken() {
        let user: UserName = "zhangsan".parse().unwrap();
        let check = |text: &str| Password::new(text).check(&user);
        assert_eq!(check("elevenchars"), Err(WeakPassword::Short));
        assert_eq!(check(&"aé中b1".repeat(52)), Err(WeakPassword::Long));
        assert_eq!(check("abababababababab"), Err(WeakPassword::Monotonous));
        assert_eq!(check("ZhangSan-2026"), Err(WeakPassword::UserName));
        assert_eq!(check("Password123456"), Err(WeakPassword::Common));
        assert_eq!(check("1234567890ab"), Err(WeakPassword::Common));
        for good in ["correct horse battery", "今天下午三点去社区开会吧", "k3Q-x9Tz-72mW"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn it_is_the_same_on_every_keyboard_and_shows_itself_nowhere() {
        assert_eq!(Password::new("e\u{301}").reveal(), Password::new("\u{e9}").reveal());
        assert_eq!(format!("{:?}", Password::new("secret")), "Password(…)");
    }
}
