use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::domain::IdNumber;
use crate::signing::SubjectKey;

/// Stands for a person in an entry: a keyed hash of the ID number, written as base64url without padding. As long as its key
/// exists, a resident's own entries can be found; once that is destroyed, nobody can tell whom an entry was about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubjectHash([u8; 32]);

/// A text that is no [`SubjectHash`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a subject's hash is 32 bytes, written as base64url without padding")]
pub struct SubjectHashError;

impl SubjectHash {
    /// Hashes a person.
    #[must_use]
    pub fn of(id_number: &IdNumber, key: &SubjectKey) -> Self {
        Self(key.hash(&[DOMAIN, id_number.reveal().as_bytes()]))
    }
}

/// What is hashed before the ID number: the same key and number hashed for anything else give another hash.
const DOMAIN: &[u8] = b"heyan ledger subject v1";

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
    use crate::signing::KeyId;

    #[test]
    fn a_hash_depends_on_the_key_and_the_person_and_is_read_as_it_is_written() {
        let key = |secret| SubjectKey::new(KeyId("subject-1".parse().unwrap()), &[secret; 32]);
        let hash = |number: &str, secret| SubjectHash::of(&number.parse().unwrap(), &key(secret));
        let own = hash("11010519491231002X", 7);
        assert_ne!(own, hash("440524188001010014", 7));
        assert_ne!(own, hash("11010519491231002X", 8));
        assert_eq!(own, hash("110105491231002", 7), "the old form and the new one are the same person");
        assert_eq!(SubjectHash::try_from(own.to_string()), Ok(own));
        assert_eq!(SubjectHash::try_from("AAAA".to_owned()), Err(SubjectHashError));
    }
}
