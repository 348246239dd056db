use std::fmt;

use aws_lc_rs::hmac;

use super::KeyId;

/// Stands for somebody or something where nobody may see who it is: HMAC-SHA-256 (RFC 2104) under a [`SubjectKey`].
pub type SubjectHash = [u8; 32];

/// A key under which subjects are hashed. Without it nobody can try people until one fits; once it is destroyed, nobody can
/// ever again.
pub struct SubjectKey {
    id: KeyId,
    key: hmac::Key,
}

impl SubjectKey {
    /// The key of this secret.
    #[must_use]
    pub fn new(id: KeyId, secret: &[u8; 32]) -> Self {
        Self { id, key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The hash of these parts. Each goes in with its length, so that no two lists are the same bytes. What the first part
    /// names keeps hashes of one use from being those of another.
    #[must_use]
    pub fn hash(&self, parts: &[&[u8]]) -> SubjectHash {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SubjectKey({}, …)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: u8) -> SubjectKey {
        SubjectKey::new(KeyId("subject-1".parse().unwrap()), &[secret; 32])
    }

    #[test]
    fn a_hash_is_of_its_parts_and_its_key() {
        let hash = key(1).hash(&[b"use", b"ab"]);
        assert_eq!(hash, key(1).hash(&[b"use", b"ab"]));
        for other in [key(1).hash(&[b"usea", b"b"]), key(1).hash(&[b"use", b"a", b"b"]), key(2).hash(&[b"use", b"ab"])]
        {
            assert_ne!(hash, other);
        }
        assert_eq!(format!("{:?}", key(1)), "SubjectKey(subject-1, …)");
    }

    /// HMAC-SHA-256 of the lengths and parts, computed with Python's `hmac`.
    #[test]
    fn a_hash_is_what_anybody_computes() {
        use std::fmt::Write as _;

        let hash = key(1).hash(&[b"use", b"ab"]);
        let text = hash.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        assert_eq!(text, "e86b87bc973e9892e9ec4457ed4c3762777db92ec650a24f9df2d56497271ba4");
    }
}
