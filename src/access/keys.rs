//! The keys of an issuer: a JWK Set (RFC 7517), read once.

use std::collections::HashMap;
use std::fmt;

use aws_lc_rs::signature::{self as algorithms, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json;
use super::refusal::JwtRefusal;
use crate::callers::SignatureAlgorithm;

/// The most bytes of a set, and the most keys in it.
pub(super) const MOST_BYTES: usize = 128 * 1024;
const MOST_KEYS: usize = 64;

/// The keys of an issuer by their ids.
pub(super) struct KeySet {
    keys: HashMap<String, Key>,
    /// What they were read from.
    text: Vec<u8>,
}

/// A key, and the one algorithm family that it is for. The token's `alg` never chooses how a key is understood: the key does.
enum Key {
    Curve(SignatureAlgorithm, ParsedPublicKey),
    Rsa { modulus: Vec<u8>, exponent: Vec<u8>, only: Option<SignatureAlgorithm> },
}

/// Why a JWK Set is refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// It is larger than any is.
    #[error("it has more than {MOST_BYTES} bytes or {MOST_KEYS} keys")]
    TooLarge,
    /// It is not a JWK Set.
    #[error("it is not a JWK Set (RFC 7517)")]
    Malformed,
    /// Two of its keys have one id.
    #[error("two of its keys have the same kid")]
    SameId,
    /// It publishes what must be secret.
    #[error("it holds a private or secret key")]
    Secret,
    /// There is no key in it that a token could be signed with.
    #[error("it holds no key that signs tokens: one with a kid, of the types OKP (Ed25519), EC (P-256, P-384) or RSA")]
    Empty,
}

impl KeySet {
    /// Reads a set. Keys that are not for signatures, or of an unknown type, are passed over (RFC 7517 section 5).
    pub(super) fn read(text: Vec<u8>) -> Result<Self, KeySetError> {
        if text.len() > MOST_BYTES {
            return Err(KeySetError::TooLarge);
        }
        let set = json::object(&text).ok_or(KeySetError::Malformed)?;
        let Some(Value::Array(items)) = set.get("keys") else { return Err(KeySetError::Malformed) };
        if items.len() > MOST_KEYS {
            return Err(KeySetError::TooLarge);
        }
        let mut keys = HashMap::new();
        for item in items {
            let Value::Object(members) = item else { return Err(KeySetError::Malformed) };
            if ["d", "k", "p", "q"].iter().any(|secret| members.contains_key(*secret)) {
                return Err(KeySetError::Secret);
            }
            let Some((id, key)) = key(members) else { continue };
            if keys.insert(id.to_owned(), key).is_some() {
                return Err(KeySetError::SameId);
            }
        }
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { keys, text }) }
    }

    /// Whether another set was read from the same text.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// Whether the key of this id has signed the message by this algorithm.
    pub(super) fn verify(
        &self,
        id: &str,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), JwtRefusal> {
        let holds = match self.keys.get(id).ok_or(JwtRefusal::UnknownKey)? {
            Key::Curve(own, key) if *own == algorithm => key.verify_sig(message, signature).is_ok(),
            Key::Rsa { modulus, exponent, only } if only.is_none_or(|only| only == algorithm) => {
                let parameters = rsa(algorithm).ok_or(JwtRefusal::KeyOfAnotherAlgorithm)?;
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature).is_ok()
            }
            Key::Curve(..) | Key::Rsa { .. } => return Err(JwtRefusal::KeyOfAnotherAlgorithm),
        };
        if holds { Ok(()) } else { Err(JwtRefusal::Signature) }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.keys.keys()).finish()
    }
}

/// A key that signs tokens, with its id.
fn key(members: &Map<String, Value>) -> Option<(&str, Key)> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let id = text("kid").filter(|id| !id.is_empty())?;
    let signs = members.get("use").is_none_or(|purpose| purpose == "sig");
    let verifies = match members.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|operation| operation == "verify"),
        Some(_) => false,
    };
    let declared = members.get("alg").map(|name| name.as_str().and_then(SignatureAlgorithm::named));
    // One that is for an algorithm which no token may have.
    if !signs || !verifies || declared == Some(None) {
        return None;
    }
    let declared = declared.flatten();
    let curve =
        |algorithm: SignatureAlgorithm, parameters: &'static dyn algorithms::VerificationAlgorithm, point: Vec<u8>| {
            let key = ParsedPublicKey::new(parameters, point).ok()?;
            declared.is_none_or(|declared| declared == algorithm).then_some(Key::Curve(algorithm, key))
        };
    // Uncompressed (SEC 1 section 2.3.3): whether the point is on its curve is checked by whoever parses it.
    let point = |size: usize| {
        let (x, y) = (bytes("x")?, bytes("y")?);
        (x.len() == size && y.len() == size).then(|| [&[4], &*x, &*y].concat())
    };
    let key = match (text("kty")?, text("crv")) {
        ("OKP", Some("Ed25519")) => {
            curve(SignatureAlgorithm::EdDsa, &algorithms::ED25519, bytes("x").filter(|x| x.len() == 32)?)?
        }
        ("EC", Some("P-256")) => curve(SignatureAlgorithm::Es256, &algorithms::ECDSA_P256_SHA256_FIXED, point(32)?)?,
        ("EC", Some("P-384")) => curve(SignatureAlgorithm::Es384, &algorithms::ECDSA_P384_SHA384_FIXED, point(48)?)?,
        ("RSA", _) => {
            let (modulus, exponent) = (bytes("n")?, bytes("e")?);
            if declared.is_some_and(|declared| rsa(declared).is_none()) || !(256..=1024).contains(&modulus.len()) {
                return None;
            }
            Key::Rsa { modulus, exponent, only: declared }
        }
        _ => return None,
    };
    Some((id, key))
}

fn rsa(algorithm: SignatureAlgorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        SignatureAlgorithm::Rs256 => &algorithms::RSA_PKCS1_2048_8192_SHA256,
        SignatureAlgorithm::Rs384 => &algorithms::RSA_PKCS1_2048_8192_SHA384,
        SignatureAlgorithm::Rs512 => &algorithms::RSA_PKCS1_2048_8192_SHA512,
        SignatureAlgorithm::Ps256 => &algorithms::RSA_PSS_2048_8192_SHA256,
        SignatureAlgorithm::Ps384 => &algorithms::RSA_PSS_2048_8192_SHA384,
        SignatureAlgorithm::Ps512 => &algorithms::RSA_PSS_2048_8192_SHA512,
        SignatureAlgorithm::EdDsa | SignatureAlgorithm::Es256 | SignatureAlgorithm::Es384 => return None,
    })
}
