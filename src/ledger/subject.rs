use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::domain::IdNumber;

/// With what people are hashed. As long as it exists, a resident's own entries can be found; once it is destroyed, nobody can
/// tell whom an entry was about.
pub struct SubjectKey {
    id: Arc<str>,
    bytes: Zeroizing<[u8; 32]>,
}

/// Stands for a person in an entry: HMAC-SHA256 of the ID number, as base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubjectHash([u8; 32]);

/// A text that is no [`SubjectHash`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a subject's hash is 32 bytes, written as base64url without padding")]
pub struct SubjectHashError;

impl SubjectKey {
    /// A key with the name under which it is kept.
    #[must_use]
    pub fn new(id: &str, mut bytes: [u8; 32]) -> Self {
        let key = Self { id: id.into(), bytes: Zeroizing::new(bytes) };
        bytes.zeroize();
        key
    }

    /// Its name, which says in an entry whose hashes these are.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Hashes a person.
    #[must_use]
    pub fn hash(&self, id_number: &IdNumber) -> SubjectHash {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &*self.bytes));
        context.update(DOMAIN);
        context.update(id_number.reveal().as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        SubjectHash(hash)
    }
}

/// What is hashed before the ID number: the same key and number hashed for anything else give another hash.
const DOMAIN: &[u8] = b"heyan ledger subject v1\0";

impl fmt::Debug for SubjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SubjectKey({}, …)", self.id)
    }
}

impl fmt::Display for SubjectHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl TryFrom<String> for SubjectHash {
    type Error = SubjectHashError;

    fn try_from(text: String) -> Result<Self, SubjectHashError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| SubjectHashError)?;
        bytes.try_into().map(Self).map_err(|_| SubjectHashError)
    }
}

impl From<SubjectHash> for String {
    fn from(hash: SubjectHash) -> Self {
        hash.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_the_key_and_the_person_and_is_what_hmac_says() {
        use ::hmac::{Hmac, KeyInit as _, Mac as _};

        let (one, other): (IdNumber, IdNumber) =
            ("11010519491231002X".parse().unwrap(), "440524188001010014".parse().unwrap());
        let key = SubjectKey::new("2026", [7; 32]);
        assert_ne!(key.hash(&one), key.hash(&other));
        assert_ne!(key.hash(&one), SubjectKey::new("2026", [8; 32]).hash(&one));
        // The old form and the new one are the same person.
        assert_eq!(key.hash(&one), key.hash(&"110105491231002".parse().unwrap()));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&[7; 32]).unwrap();
        mac.update(b"heyan ledger subject v1\x0011010519491231002X");
        let expected = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        assert_eq!(key.hash(&one).to_string(), expected);
        assert_eq!(SubjectHash::try_from(expected), Ok(key.hash(&one)));
        assert_eq!(format!("{key:?}"), "SubjectKey(2026, …)");
    }
}
