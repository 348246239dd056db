use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::jose_name;
use crate::domain::Slug;
use crate::signing::{Algorithm, KeyId, PublicKey};

/// Keys that check receipts, as a JWK Set (RFC 7517): Ed25519 as RFC 8037 has it; SM2 as a kind of its own, `"kty": "SM2"`.
///
/// No registry has that kind, so that libraries pass over the key (RFC 7517 section 5). As a curve of the kind `EC`, as an
/// expired draft of the IETF has it (draft-dang-webauthn-sm2), it makes some libraries refuse the whole set.
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> Value {
    json!({"keys": keys.into_iter().map(jwk).collect::<Vec<_>>()})
}

/// A key that checks receipts, as a JWK.
#[must_use]
pub fn jwk(key: &PublicKey) -> Value {
    let (id, alg) = (key.id().as_str(), jose_name(key.algorithm()));
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match key.algorithm() {
        Algorithm::Ed25519 => {
            json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key.bytes()), "kid": id, "alg": alg, "use": "sig"})
        }
        Algorithm::Sm2 => {
            let (x, y) = key.bytes().split_at(32);
            json!({"kty": "SM2", "crv": "SM2", "x": encode(x), "y": encode(y), "kid": id, "alg": alg, "use": "sig"})
        }
    }
}

/// A text holds no keys to check receipts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// It has another shape.
    #[error("this is no JWK Set (RFC 7517), as /.well-known/jwks.json is one")]
    Shape,
    /// A secret stands in it.
    #[error("a key in it has its secret beside it: whoever has this file can sign receipts. Rotate that key")]
    Secret,
    /// A key of a kind that is known here is broken.
    #[error("a key in it is broken")]
    Broken,
    /// Two keys have one name.
    #[error("two keys in it have the same \"kid\"")]
    Twice,
    /// None of its keys is of a kind that receipts are signed with.
    #[error("there is no key in it that receipts could be signed with")]
    None,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

/// Members that are not known are passed over, as RFC 7517 section 4 demands.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    kid: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<IgnoredAny>,
}

/// The keys of a JWK Set with which receipts can be signed. Others are passed over.
///
/// # Errors
/// If it is none, or a key in it is broken or secret.
pub fn keys_of(text: &str) -> Result<Vec<PublicKey>, JwksError> {
    let set: Set = serde_json::from_str(text).map_err(|_| JwksError::Shape)?;
    let mut keys = Vec::<PublicKey>::new();
    for jwk in set.keys {
        if jwk.d.is_some() {
            return Err(JwksError::Secret);
        }
        let algorithm = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => Algorithm::Ed25519,
            ("SM2" | "EC", Some("SM2")) => Algorithm::Sm2,
            _ => continue,
        };
        // Our keys have such names; one without can be nobody's that a receipt names.
        let Some(id) = jwk.kid.and_then(|kid| kid.parse::<Slug>().ok()) else { continue };
        let decode = |part: Option<String>| {
            let part = URL_SAFE_NO_PAD.decode(part.ok_or(JwksError::Broken)?);
            part.ok().filter(|part| part.len() == 32).ok_or(JwksError::Broken)
        };
        let mut bytes = decode(jwk.x)?;
        if algorithm == Algorithm::Sm2 {
            bytes.extend(decode(jwk.y)?);
        }
        let key = PublicKey::new(KeyId(id), algorithm, &bytes).map_err(|_| JwksError::Broken)?;
        if keys.iter().any(|other| other.id() == key.id()) {
            return Err(JwksError::Twice);
        }
        keys.push(key);
    }
    if keys.is_empty() { Err(JwksError::None) } else { Ok(keys) }
}
