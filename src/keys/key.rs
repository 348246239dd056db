use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{KeysError, Malformed};
use crate::signing::{Algorithm, KeyId, PublicKey, SigningKey, SubjectKey};

/// What a key is for. A key serves one use, so that what one use does can never be taken for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyUse {
    /// Signs receipts.
    Receipt,
    /// Signs the ledger's checkpoints.
    Ledger,
    /// Hides subjects behind hashes.
    Subject,
}

/// How a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyAlgorithm {
    /// Signs with Ed25519.
    Ed25519,
    /// Signs with SM2 and SM3.
    Sm2,
    /// Hashes with HMAC-SHA-256.
    HmacSha256,
}

/// What a key does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It signs, or hides.
    Active,
    /// It checks what it signed, or finds what it hid.
    Retired,
    /// Its secret is gone since then.
    Destroyed(Timestamp),
}

/// The secret of a key: 32 bytes.
pub struct Secret(Zeroizing<[u8; 32]>);

/// A key, or what is left of one.
#[derive(Debug)]
pub struct Key {
    id: KeyId,
    usage: KeyUse,
    algorithm: KeyAlgorithm,
    made: Timestamp,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Whole { secret: Secret, ready: Ready },
    Destroyed { at: Timestamp, public: Option<PublicKey> },
}

/// A key that can be used.
#[derive(Debug)]
pub(super) enum Ready {
    Signs(Arc<SigningKey>),
    Hides(Arc<SubjectKey>),
}

impl KeyUse {
    /// All uses.
    pub const ALL: [Self; 3] = [Self::Receipt, Self::Ledger, Self::Subject];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Ledger => "ledger",
            Self::Subject => "subject",
        }
    }

    pub(super) const fn default_algorithm(self) -> KeyAlgorithm {
        match self {
            Self::Receipt | Self::Ledger => KeyAlgorithm::Ed25519,
            Self::Subject => KeyAlgorithm::HmacSha256,
        }
    }

    /// The algorithm that is wanted, if this use can have it.
    pub(super) fn algorithm(self, wanted: Option<Algorithm>) -> Result<KeyAlgorithm, KeysError> {
        let Some(wanted) = wanted else { return Ok(self.default_algorithm()) };
        if self.allows(wanted.into()) { Ok(wanted.into()) } else { Err(KeysError::Algorithm(self, wanted)) }
    }

    fn allows(self, algorithm: KeyAlgorithm) -> bool {
        algorithm == self.default_algorithm() || (self, algorithm) == (Self::Receipt, KeyAlgorithm::Sm2)
    }
}

impl fmt::Display for KeyUse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl From<Algorithm> for KeyAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Ed25519 => Self::Ed25519,
            Algorithm::Sm2 => Self::Sm2,
        }
    }
}

impl KeyAlgorithm {
    /// With what it signs; `None`: it does not sign.
    #[must_use]
    pub const fn signing(self) -> Option<Algorithm> {
        match self {
            Self::Ed25519 => Some(Algorithm::Ed25519),
            Self::Sm2 => Some(Algorithm::Sm2),
            Self::HmacSha256 => None,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.signing().map_or("hmac-sha256", Algorithm::name))
    }
}

impl State {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Destroyed(_) => "destroyed",
        }
    }
}

impl Secret {
    /// A new one from the system's random generator.
    fn generate() -> Result<Self, KeysError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(|_| KeysError::NoEntropy)?;
        Ok(Self(bytes))
    }

    pub(super) fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl Key {
    pub(super) fn generate(usage: KeyUse, algorithm: KeyAlgorithm, made: Timestamp) -> Result<Self, KeysError> {
        loop {
            // One in 2^32 texts is no SM2 key.
            if let Ok(key) = Self::of(usage, algorithm, made, Secret::generate()?) {
                return Ok(key);
            }
        }
    }

    /// The key of a secret. Its name follows from it.
    pub(super) fn of(
        usage: KeyUse,
        algorithm: KeyAlgorithm,
        made: Timestamp,
        secret: Secret,
    ) -> Result<Self, Malformed> {
        if !usage.allows(algorithm) {
            return Err(Malformed::Algorithm);
        }
        let bytes = secret.reveal();
        let (id, ready) = match algorithm.signing() {
            Some(signing) => {
                let unnamed = SigningKey::new(name(usage, &[])?, signing, bytes)?;
                let id = name(usage, unnamed.public().bytes())?;
                (id.clone(), Ready::Signs(Arc::new(SigningKey::new(id, signing, bytes)?)))
            }
            None => {
                // Under its own key, so that the name helps nobody who tries keys until one fits more than any hash does.
                let known = SubjectKey::new(name(usage, &[])?, bytes).hash(&[b"heyan name of this key"]);
                let id = name(usage, &known)?;
                (id.clone(), Ready::Hides(Arc::new(SubjectKey::new(id, bytes))))
            }
        };
        Ok(Self { id, usage, algorithm, made, content: Content::Whole { secret, ready } })
    }

    /// What is left of a destroyed key.
    pub(super) fn ruin(
        (id, usage, algorithm): (KeyId, KeyUse, KeyAlgorithm),
        made: Timestamp,
        at: Timestamp,
        public: Option<PublicKey>,
    ) -> Result<Self, Malformed> {
        if !usage.allows(algorithm) {
            return Err(Malformed::Algorithm);
        }
        let is_its_own = public.as_ref().is_none_or(|public| name(usage, public.bytes()).as_ref() == Ok(&id));
        let is_of_use = id.as_str().strip_prefix(usage.name()).is_some_and(|rest| rest.starts_with('-'));
        let content = Content::Destroyed { at, public };
        if is_its_own && is_of_use { Ok(Self { id, usage, algorithm, made, content }) } else { Err(Malformed::Name) }
    }

    /// The same key without its secret.
    pub(super) fn into_destroyed(self, distrust: bool, now: Timestamp) -> Self {
        let public = self.public().filter(|_| !distrust).cloned();
        let at = self.destroyed().unwrap_or(now);
        Self { content: Content::Destroyed { at, public }, ..self }
    }

    /// Its name: what it is for, and 16 hexadecimal digits that belong to its secret.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// What it is for.
    #[must_use]
    pub fn usage(&self) -> KeyUse {
        self.usage
    }

    /// How it works.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// When it was made.
    #[must_use]
    pub fn made(&self) -> Timestamp {
        self.made
    }

    /// When its secret was destroyed, if it was.
    #[must_use]
    pub fn destroyed(&self) -> Option<Timestamp> {
        match &self.content {
            Content::Whole { .. } => None,
            Content::Destroyed { at, .. } => Some(*at),
        }
    }

    /// What checks its signatures, if it signs or signed and nobody distrusts it.
    #[must_use]
    pub fn public(&self) -> Option<&PublicKey> {
        match &self.content {
            Content::Whole { ready: Ready::Signs(key), .. } => Some(key.public()),
            Content::Whole { ready: Ready::Hides(_), .. } => None,
            Content::Destroyed { public, .. } => public.as_ref(),
        }
    }

    pub(super) fn secret(&self) -> Option<&Secret> {
        match &self.content {
            Content::Whole { secret, .. } => Some(secret),
            Content::Destroyed { .. } => None,
        }
    }

    pub(super) fn ready(&self) -> Option<&Ready> {
        match &self.content {
            Content::Whole { ready, .. } => Some(ready),
            Content::Destroyed { .. } => None,
        }
    }
}

/// The name of a key of which this is known. A file whose key was changed no longer fits its name.
fn name(usage: KeyUse, known: &[u8]) -> Result<KeyId, Malformed> {
    use std::fmt::Write as _;

    let digest = Sha256::digest(known);
    let text = digest.iter().take(8).fold(format!("{usage}-"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    text.parse().map(KeyId).map_err(|_| Malformed::Name)
}
