use std::fmt;
use std::path::Path;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::private_file::{self, PrivateFileError};

/// What everything personal in the store is encrypted with: 32 random bytes, kept apart from the store.
///
/// Written as 64 hexadecimal digits, or as Base64. In an environment variable or a file: whoever has the variable's value
/// parses it.
pub struct StoreKey(Zeroizing<[u8; 32]>);

/// Why there is no key. No variant holds what was given instead.
#[derive(Debug, thiserror::Error)]
pub enum StoreKeyError {
    /// It is not 32 bytes.
    #[error("a key is 32 bytes, written as 64 hexadecimal digits or as Base64")]
    Malformed,
    /// The system's random generator failed.
    #[error("the system has no random numbers to make a key of")]
    NoEntropy,
    /// The file that is to hold it is not read.
    #[error(transparent)]
    File(#[from] PrivateFileError),
}

impl StoreKey {
    /// A new key from the system's random generator.
    ///
    /// # Errors
    /// If the system has none.
    pub fn generate() -> Result<Self, StoreKeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(|_| StoreKeyError::NoEntropy)?;
        Ok(Self(bytes))
    }

    /// The key in a file that its owner alone can read.
    ///
    /// # Errors
    /// If others can read it too, if nobody can, or if there is no key in it.
    pub fn from_file(path: &Path) -> Result<Self, StoreKeyError> {
        let text = private_file::read(path)?;
        std::str::from_utf8(&text).map_err(|_| StoreKeyError::Malformed)?.parse()
    }

    /// The key as text, to be kept somewhere safe.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in *self.0 {
            for digit in [byte >> 4, byte & 0xF] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
            }
        }
        text
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for StoreKey {
    type Err = StoreKeyError;

    fn from_str(text: &str) -> Result<Self, StoreKeyError> {
        let text = text.trim_ascii();
        let bytes = if text.len() == 64 { hexadecimal(text) } else { base64(text) };
        bytes.map(Self).ok_or(StoreKeyError::Malformed)
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StoreKey(…)")
    }
}

fn hexadecimal(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
        let digit = |index: usize| char::from(pair[index]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

/// Base64 of either alphabet, padded or not (RFC 4648 sections 4 and 5).
fn base64(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { alphabet::URL_SAFE } else { alphabet::STANDARD };
    // The decoder wants to be able to write its last group whole.
    let mut room = Zeroizing::new([0; 36]);
    let length = GeneralPurpose::new(&alphabet, config).decode_slice(text, &mut *room).ok()?;
    let mut bytes = Zeroizing::new([0; 32]);
    bytes.copy_from_slice(room.get(..32).filter(|_| length == 32)?);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn a_key_is_read_in_every_notation() {
        let key = StoreKey::generate().unwrap();
        let bytes = key.bytes();
        let hexadecimal = key.reveal().to_string();
        let encoded = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|engine| engine.encode(bytes));
        for text in encoded.iter().chain([&hexadecimal, &hexadecimal.to_uppercase(), &format!(" {hexadecimal}\n")]) {
            assert_eq!(text.parse::<StoreKey>().unwrap().bytes(), bytes);
        }
        let long = STANDARD.encode([7; 33]);
        let foreign = hexadecimal.replace(|character: char| character.is_ascii_digit(), "g");
        for wrong in ["", "abc", &hexadecimal[1..], &hexadecimal[2..], &long, &foreign, &"é".repeat(32)] {
            assert!(matches!(wrong.parse::<StoreKey>(), Err(StoreKeyError::Malformed)), "{wrong}");
        }
    }

    #[test]
    fn a_key_shows_itself_on_demand_alone() {
        assert_eq!(format!("{:?}", StoreKey::generate().unwrap()), "StoreKey(…)");
        let (one, other) = (StoreKey::generate().unwrap(), StoreKey::generate().unwrap());
        assert_ne!(one.reveal(), other.reveal());
    }

    #[test]
    fn a_file_with_a_key_is_its_owners_alone() {
        let path = std::env::temp_dir().join(format!("heyan-key-{}", uuid::Uuid::now_v7()));
        let key = StoreKey::generate().unwrap();
        std::fs::write(&path, format!("{}\n", *key.reveal())).unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        for open in [0o644, 0o640, 0o604] {
            mode(open);
            let error = StoreKey::from_file(&path).unwrap_err();
            assert!(error.to_string().contains(&format!("chmod 600 '{}'", path.display())), "{error}");
        }
        mode(0o400);
        assert_eq!(StoreKey::from_file(&path).unwrap().bytes(), key.bytes());
        mode(0o600);
        std::fs::write(&path, "0".repeat(100_000)).unwrap();
        assert!(matches!(StoreKey::from_file(&path), Err(StoreKeyError::Malformed)));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(StoreKey::from_file(&path), Err(StoreKeyError::File(PrivateFileError::Unreadable { .. }))));
    }
}
