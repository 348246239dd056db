use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::domain::AgencyId;

/// Somebody whose access tokens are taken (RFC 9068).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Its name: the `iss` of its tokens, to the letter.
    pub issuer: String,
    /// Who we are to it: one of the `aud` of its tokens, to the letter.
    pub audience: String,
    /// Where its keys are.
    pub keys: KeyPlace,
    /// How its tokens may be signed.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// The claim that names the agency.
    pub agency_claim: String,
    /// Which agency each value of that claim means; `None`: the value is the agency's id.
    pub agencies: Option<BTreeMap<String, AgencyId>>,
    /// The claim that names the officer.
    pub officer_claim: Option<String>,
    /// Whether its tokens must be bound to a client certificate (RFC 8705).
    pub certificate_bound: bool,
    /// By how much its clock may differ from ours.
    pub leeway: Duration,
    /// How long its tokens may be good for at the most.
    pub longest: Duration,
}

/// Where an issuer's keys are, and how long they serve.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyPlace {
    /// The address or the file.
    pub source: KeySource,
    /// How often they are read again.
    pub refresh: Duration,
    /// How long they serve while they cannot be read.
    pub keep: Duration,
}

/// Where a JWK Set (RFC 7517) is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// At an address: `https://`, or `http://` of this machine.
    Address {
        /// The address.
        url: String,
        /// The file of authorities that its server's certificate must come from; `None`: the system's.
        ca: Option<PathBuf>,
    },
    /// In a file.
    File(PathBuf),
}

/// How a token may be signed (RFC 7518 section 3.1, RFC 8037). `none` and the keyed hashes are none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum SignatureAlgorithm {
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA with P-256 and SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA with P-384 and SHA-384.
    #[serde(rename = "ES384")]
    Es384,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// RSASSA-PSS with SHA-384.
    #[serde(rename = "PS384")]
    Ps384,
    /// RSASSA-PSS with SHA-512.
    #[serde(rename = "PS512")]
    Ps512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    #[serde(rename = "RS384")]
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    #[serde(rename = "RS512")]
    Rs512,
}

impl SignatureAlgorithm {
    /// The `alg` of a token.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "EdDSA" => Self::EdDsa,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            _ => return None,
        })
    }
}
