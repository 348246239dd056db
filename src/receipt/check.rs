use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{Receipt, TYPE, jose_name};
use crate::signing::{Algorithm, PublicKey, Signature};

/// The most bytes of a receipt. Ours have about a thousand.
pub const MAX_LENGTH: usize = 4096;

/// How far the clock of a gateway may be ahead of ours.
pub const MAX_SKEW: Duration = Duration::from_mins(1);

/// Checks receipts with a set of keys.
#[derive(Debug, Clone)]
pub struct Checker {
    keys: Vec<PublicKey>,
}

/// Why a text is no valid receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Invalid {
    /// It has not the form of one: three parts in canonical base64url, the first two of them strict JSON.
    #[error("this is no receipt")]
    Malformed,
    /// It is longer than [`MAX_LENGTH`].
    #[error("this is too long for a receipt")]
    TooLong,
    /// It is signed, and something else than a receipt.
    #[error("this is signed, but it is no receipt")]
    OtherType,
    /// It demands an extension that nobody here knows (`crit`, RFC 7515 section 4.1.11).
    #[error("the receipt demands an extension that is not known here")]
    Critical,
    /// Its algorithm is not allowed, or not that of its key.
    #[error("the receipt's algorithm is not the one of its key")]
    Algorithm,
    /// None of the keys has its key's name.
    #[error("the receipt was signed with a key that is not one of these")]
    UnknownKey,
    /// The signature is not of this text: something was changed.
    #[error("the receipt was altered")]
    Altered,
    /// It was valid once.
    #[error("the receipt has expired")]
    Expired,
    /// It was issued later than now.
    #[error("the receipt is not valid yet: one of the clocks is wrong")]
    NotYetValid,
}

impl Invalid {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Malformed,
        Self::TooLong,
        Self::OtherType,
        Self::Critical,
        Self::Algorithm,
        Self::UnknownKey,
        Self::Altered,
        Self::Expired,
        Self::NotYetValid,
    ];

    /// What is told of a receipt that is not valid, in these words.
    #[must_use]
    pub fn shown(self, words: &str) -> Value {
        json!({"valid": false, "reason": self.as_str(), "detail": words})
    }

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLong => "too-long",
            Self::OtherType => "other-type",
            Self::Critical => "unknown-extension",
            Self::Algorithm => "wrong-algorithm",
            Self::UnknownKey => "unknown-key",
            Self::Altered => "altered",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
        }
    }
}

/// A receipt's header. It has no other members: whatever could tell which key to believe (`jwk`, `jku`, `x5c`, …) is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// What a header demands, whatever else is in it: what an extension adds to a header is told as that.
#[derive(Deserialize)]
struct Demands {
    /// Not even `null`.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// Whether something was issued later than now, by more than clocks differ.
#[must_use]
pub fn is_ahead(issued: Timestamp, now: Timestamp) -> bool {
    let skew = SignedDuration::try_from(MAX_SKEW).unwrap_or(SignedDuration::ZERO);
    issued > now.saturating_add(skew).unwrap_or(Timestamp::MAX)
}

impl Checker {
    /// One that believes these keys alone.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> Self {
        Self { keys: keys.into_iter().cloned().collect() }
    }

    /// What a receipt says, if it is one of these keys' and valid now.
    ///
    /// # Errors
    /// The first thing that is wrong with it. Nothing that an unsigned text says is believed.
    pub fn check(&self, text: &str, now: Timestamp) -> Result<Receipt, Invalid> {
        if text.len() > MAX_LENGTH {
            return Err(Invalid::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Invalid::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Invalid::Malformed)?;
        // Canonical: no padding, no other alphabet, no bits beyond the last byte. So a receipt has one text.
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Invalid::Malformed);
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        if serde_json::from_slice::<Demands>(&header).is_ok_and(|demands| demands.crit) {
            return Err(Invalid::Critical);
        }
        let header: Header = serde_json::from_slice(&header).map_err(|_| Invalid::Malformed)?;
        let key = self.key(&header)?;
        let signature: Signature = signature.try_into().map_err(|_| Invalid::Altered)?;
        if !key.verifies(signed.as_bytes(), &signature) {
            return Err(Invalid::Altered);
        }
        // From here on it is what the key's holder wrote.
        if header.typ != TYPE {
            return Err(Invalid::OtherType);
        }
        let receipt: Receipt = serde_json::from_slice(&payload).map_err(|_| Invalid::Malformed)?;
        if is_ahead(receipt.issued, now) {
            return Err(Invalid::NotYetValid);
        }
        if now >= receipt.expires { Err(Invalid::Expired) } else { Ok(receipt) }
    }

    /// The key that a header names, if everything else in the header fits it.
    fn key(&self, header: &Header) -> Result<&PublicKey, Invalid> {
        let is_allowed = |algorithm: Algorithm| jose_name(algorithm) == header.alg;
        if ![Algorithm::Ed25519, Algorithm::Sm2].into_iter().any(is_allowed) {
            return Err(Invalid::Algorithm);
        }
        let key = self.keys.iter().find(|key| key.id().as_str() == header.kid).ok_or(Invalid::UnknownKey)?;
        if is_allowed(key.algorithm()) { Ok(key) } else { Err(Invalid::Algorithm) }
    }
}
