use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::StoreKey;
use crate::departments::Question;
use crate::durable::NotSaved;

/// The keys of a store, one for each use, all derived from the one that the operator holds (HKDF, RFC 5869).
///
/// A nonce is random: one key may seal about 2^32 values before two nonces could be equal (NIST SP 800-38D section 8.3).
/// At a hundred questions a second that stay open, that takes a year and a third.
pub(super) struct Sealing {
    sealing: RandomizedNonceKey,
    /// Replies have one of their own: there may be as many again.
    sealing_replies: RandomizedNonceKey,
    naming: hmac::Key,
    check: [u8; LENGTH],
}

/// Stands for an application's question, or for a request that has a key, on the disk. Without the store's key nobody can try
/// people until it fits.
pub(super) type Name = [u8; LENGTH];

impl Sealing {
    pub(super) fn new(key: &StoreKey) -> Result<Self, Unspecified> {
        let root = Salt::new(HKDF_SHA256, b"heyan store").extract(key.bytes());
        let derive = |purpose: &str| derive(&root, purpose);
        Ok(Self {
            sealing: RandomizedNonceKey::new(&AES_256_GCM, &*derive("sealing")?)?,
            sealing_replies: RandomizedNonceKey::new(&AES_256_GCM, &*derive("sealing replies")?)?,
            naming: hmac::Key::new(hmac::HMAC_SHA256, &*derive("naming")?),
            check: *derive("check")?,
        })
    }

    /// Tells a file of another key; says nothing about the key.
    pub(super) fn check(&self) -> &[u8; LENGTH] {
        &self.check
    }

    /// Encrypts a value so that it can be opened in this row of this table alone.
    pub(super) fn seal(&self, table: &str, row: &[u8], value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, NotSaved> {
        self.try_seal(table, row, value).map_err(|_| {
            tracing::error!(store.table = table, "a value cannot be encrypted, so it is not kept");
            NotSaved
        })
    }

    fn try_seal(&self, table: &str, row: &[u8], value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, Unspecified> {
        let mut content = serde_json::to_vec(value).map_err(|_| Unspecified)?;
        let nonce = self.key(table).seal_in_place_append_tag(place(table, row), &mut content)?;
        content.splice(..0, *nonce.as_ref());
        Ok(content)
    }

    /// Decrypts what was sealed for this row of this table.
    pub(super) fn open<T: DeserializeOwned>(&self, table: &str, row: &[u8], sealed: &[u8]) -> Result<T, NotSaved> {
        self.try_open(table, row, sealed).map_err(|_| {
            tracing::error!(store.table = table, "a row was not sealed for its place: somebody changed the file");
            NotSaved
        })
    }

    fn try_open<T: DeserializeOwned>(&self, table: &str, row: &[u8], sealed: &[u8]) -> Result<T, Unspecified> {
        let (nonce, content) = sealed.split_first_chunk().ok_or(Unspecified)?;
        let mut content = Zeroizing::new(content.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let content = self.key(table).open_in_place(nonce, place(table, row), &mut content)?;
        serde_json::from_slice(content).map_err(|_| Unspecified)
    }

    fn key(&self, table: &str) -> &RandomizedNonceKey {
        if table == super::REPLIES { &self.sealing_replies } else { &self.sealing }
    }

    /// Equal for questions whose application is the same one: the operation, the person and every parameter, whatever their
    /// order. On whose behalf it is asked does not matter.
    pub(super) fn name(&self, question: &Question) -> Name {
        let (operation, about) = (&question.operation, &question.about);
        let mut parameters = Value::Object((*question.parameters).clone());
        parameters.sort_all_objects();
        // No name is empty.
        let name = about.name.as_ref().map_or("", |name| name.reveal());
        let parameters = parameters.to_string();
        let (source, operation) = (operation.source.as_str(), operation.operation.as_str());
        self.hash(&[source, operation, about.id_number.reveal(), name, &parameters])
    }

    /// Of the reply to a request that an agency named with this key.
    pub(super) fn name_of_reply(&self, agency: &str, key: &str) -> Name {
        self.hash(&["reply", agency, key])
    }

    fn hash(&self, parts: &[&str]) -> Name {
        let mut naming = hmac::Context::with_key(&self.naming);
        for part in parts {
            // With its length, so that no two questions are the same bytes.
            naming.update(&(part.len() as u64).to_be_bytes());
            naming.update(part.as_bytes());
        }
        let mut hash = [0; LENGTH];
        hash.copy_from_slice(naming.sign().as_ref());
        hash
    }
}

/// Of every key and every hash here.
const LENGTH: usize = 32;

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        LENGTH
    }
}

fn derive(root: &Prk, purpose: &str) -> Result<Zeroizing<[u8; LENGTH]>, Unspecified> {
    let mut derived = Zeroizing::new([0; LENGTH]);
    root.expand(&[purpose.as_bytes()], Length)?.fill(&mut *derived)?;
    Ok(derived)
}

/// Where a sealed value stands: no table's name holds a zero byte.
fn place(table: &str, row: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([table.as_bytes(), &[0], row].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_never_sealed_alike_twice_and_opens_only_as_it_was_sealed() {
        let sealing = Sealing::new(&StoreKey::generate().unwrap()).unwrap();
        let seal = || sealing.seal("table", b"row", "secret").unwrap();
        assert_ne!(seal(), seal());
        let sealed = seal();
        assert_eq!(sealing.open::<String>("table", b"row", &sealed).as_deref(), Ok("secret"));
        assert_eq!(sealing.open::<String>("table", b"rows", &sealed), Err(NotSaved));
        assert_eq!(sealing.open::<String>("tables", b"row", &sealed), Err(NotSaved));
        for index in 0..sealed.len() {
            let mut wrong = sealed.clone();
            wrong[index] ^= 1;
            assert_eq!(sealing.open::<String>("table", b"row", &wrong), Err(NotSaved));
            assert_eq!(sealing.open::<String>("table", b"row", &sealed[..index]), Err(NotSaved));
        }
    }
}
