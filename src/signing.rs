//! Layer 1: signatures, and keyed hashes that stand for people.
//!
//! A key here is ready for use: what can be computed once was computed when it was made. Where its secret comes from is the
//! matter of whoever makes it.

mod sm2;
mod subject;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::Slug;

pub use self::sm2::DEFAULT_USER_ID;
pub use subject::{SubjectHash, SubjectKey};

/// How something is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// SM2 with SM3 (GB/T 32918.2, GB/T 32905), with the user id that GM/T 0009 gives those who have agreed on no other.
    Sm2,
}

impl Algorithm {
    /// Its name in files, options and replies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Sm2 => "sm2",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The name of a key. It is public.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub Slug);

impl KeyId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A signature of either algorithm: R and S of RFC 8032 section 5.1.6, or r and s of GB/T 32918.2, each of 32 bytes, big
/// end first.
pub type Signature = [u8; 64];

/// Bytes are no key of this algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no {0} key")]
pub struct NoSuchKey(pub Algorithm);

/// No signature could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no signature could be made with the key {0}")]
pub struct NotSigned(pub Algorithm);

/// A key that signs.
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
    /// Derived from the secret (as HKDF would, RFC 5869), and useless to find it.
    mac: SubjectKey,
}

enum Pair {
    Ed25519(Box<Ed25519KeyPair>),
    Sm2(sm2::Pair),
}

impl SigningKey {
    /// The key of a secret: the seed of an Ed25519 key, or the number d of an SM2 key, big end first.
    ///
    /// # Errors
    /// If these bytes are no such number. Every seed is a key.
    pub fn new(id: KeyId, algorithm: Algorithm, secret: &[u8; 32]) -> Result<Self, NoSuchKey> {
        let (pair, public) = match algorithm {
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(secret).map_err(|_| NoSuchKey(algorithm))?;
                let public = PublicKey::new(id, algorithm, pair.public_key().as_ref())?;
                (Pair::Ed25519(Box::new(pair)), public)
            }
            Algorithm::Sm2 => {
                let pair = sm2::Pair::new(secret).ok_or(NoSuchKey(algorithm))?;
                let public = PublicKey::new(id, algorithm, &pair.public())?;
                (Pair::Sm2(pair), public)
            }
        };
        let derived = SubjectKey::new(public.id().clone(), secret).hash(&[b"heyan mac beside signatures"]);
        let mac = SubjectKey::new(public.id().clone(), &Zeroizing::new(derived));
        Ok(Self { pair, public, mac })
    }

    /// What checks its signatures.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a message.
    ///
    /// # Errors
    /// If no signature comes of it: with Ed25519 never that is known of, with SM2 once in 2^254 times.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, NotSigned> {
        let failed = NotSigned(self.public.algorithm());
        match &self.pair {
            Pair::Ed25519(pair) => {
                let signature = pair.try_sign(message).map_err(|_| failed)?;
                signature.as_ref().try_into().map_err(|_| failed)
            }
            Pair::Sm2(pair) => pair.sign(message).ok_or(failed),
        }
    }
}

impl SigningKey {
    /// A MAC that the holder of this key alone can make and check (HMAC-SHA-256), for where a signature is too long.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.mac.hash(parts)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({}, …)", self.public.id)
    }
}

/// What checks the signatures of a key.
#[derive(Clone)]
pub struct PublicKey {
    id: KeyId,
    form: Arc<Form>,
}

enum Form {
    Ed25519(ParsedPublicKey),
    Sm2(sm2::Public),
}

impl PublicKey {
    /// The key of these bytes: 32 of Ed25519 (RFC 8032 section 5.1.5); 64 of SM2, the coordinates x and y, each big end
    /// first.
    ///
    /// # Errors
    /// If they are no point of the algorithm's curve, or more or fewer.
    pub fn new(id: KeyId, algorithm: Algorithm, bytes: &[u8]) -> Result<Self, NoSuchKey> {
        let form = match algorithm {
            Algorithm::Ed25519 => {
                let parsed = ParsedPublicKey::new(&ED25519, bytes);
                Form::Ed25519(parsed.ok().filter(|_| bytes.len() == 32).ok_or(NoSuchKey(algorithm))?)
            }
            Algorithm::Sm2 => Form::Sm2(sm2::Public::new(bytes).ok_or(NoSuchKey(algorithm))?),
        };
        Ok(Self { id, form: Arc::new(form) })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// How its signatures are made.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &*self.form {
            Form::Ed25519(_) => Algorithm::Ed25519,
            Form::Sm2(_) => Algorithm::Sm2,
        }
    }

    /// Its bytes, as [`new`](Self::new) takes them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &*self.form {
            Form::Ed25519(parsed) => parsed.as_ref(),
            Form::Sm2(public) => public.bytes(),
        }
    }

    /// Whether its holder signed this message.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        match &*self.form {
            Form::Ed25519(parsed) => parsed.verify_sig(message, signature).is_ok(),
            Form::Sm2(public) => public.verifies(message, signature),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.algorithm() == other.algorithm() && self.bytes() == other.bytes()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({}, {})", self.id, self.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(algorithm: Algorithm, secret: [u8; 32]) -> SigningKey {
        SigningKey::new(KeyId("receipt-1".parse().unwrap()), algorithm, &secret).unwrap()
    }

    fn hexadecimal(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|index| u8::from_str_radix(&text[index..index + 2], 16).unwrap()).collect()
    }

    /// RFC 8032 section 7.1, TEST 3.
    #[test]
    fn ed25519_signs_as_its_standard_says() {
        let secret = hexadecimal("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
        let key = key(Algorithm::Ed25519, secret.try_into().unwrap());
        let public = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
        assert_eq!(key.public().bytes(), hexadecimal(public));
        let signature = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
                         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";
        assert_eq!(key.sign(&[0xaf, 0x82]).unwrap().to_vec(), hexadecimal(signature));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_signed_verifies_and_nothing_else(
            secret in any::<[u8; 32]>(), message in proptest::collection::vec(any::<u8>(), 0..80), bit in any::<usize>(),
        ) {
            for algorithm in [Algorithm::Ed25519, Algorithm::Sm2] {
                let Ok(key) = SigningKey::new(KeyId("a".parse().unwrap()), algorithm, &secret) else { continue };
                let signature = key.sign(&message).unwrap();
                prop_assert!(key.public().verifies(&message, &signature));
                let mut wrong = signature;
                wrong[bit / 8 % 64] ^= 1 << (bit % 8);
                prop_assert!(!key.public().verifies(&message, &wrong));
                let mut other = message.clone();
                other.push(0);
                prop_assert!(!key.public().verifies(&other, &signature));
                let again = PublicKey::new(key.public().id().clone(), algorithm, key.public().bytes()).unwrap();
                prop_assert_eq!(&again, key.public());
                prop_assert!(again.verifies(&message, &signature));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_key_are_none() {
        let id = || KeyId("a".parse().unwrap());
        for algorithm in [Algorithm::Ed25519, Algorithm::Sm2] {
            for length in [0, 31, 33, 63, 65] {
                assert_eq!(PublicKey::new(id(), algorithm, &vec![4; length]).unwrap_err(), NoSuchKey(algorithm));
            }
        }
        assert_eq!(PublicKey::new(id(), Algorithm::Sm2, &[7; 64]).unwrap_err(), NoSuchKey(Algorithm::Sm2));
        for secret in [[0; 32], [255; 32]] {
            assert_eq!(SigningKey::new(id(), Algorithm::Sm2, &secret).unwrap_err(), NoSuchKey(Algorithm::Sm2));
        }
    }

    #[test]
    fn a_key_does_not_show_its_secret() {
        for algorithm in [Algorithm::Ed25519, Algorithm::Sm2] {
            assert_eq!(format!("{:?}", key(algorithm, [7; 32])), "SigningKey(receipt-1, …)");
        }
    }
}
