//! Layer 1: receipts (核验回执): signed proof that a verification took place and what it said. A receipt replaces the paper.
//!
//! A receipt is a JWS in compact serialization (RFC 7515 section 7.1) whose payload is a JWT's (RFC 7519). Those that are
//! signed with Ed25519 (`EdDSA`, RFC 8037) are checked by any JOSE library with the keys of `/.well-known/jwks.json`.
//! `check` is stricter than libraries are; `jwks` is the published keys; `code` is what fits where a receipt does not.
//!
//! It names nobody: whom it is about is one keyed hash, which no two receipts have in common, so that nobody can put the
//! receipts of one person together. The gateway can still tell whether a receipt is about somebody who stands before it.
//!
//! # SM2
//!
//! Receipts that are signed with SM2 have the algorithm `SM2SM3`, which no JOSE registry knows. Their signature is r and s
//! of GB/T 32918.2 one after the other, 32 bytes each, big end first, as RFC 7518 section 3.4 has it for ECDSA; not the ASN.1
//! that OpenSSL and GM/T 0009 write. Their user id is `1234567812345678`.

mod check;
mod code;
mod jwks;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::fmt::serde::timestamp::second::required as seconds;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::{AgencyId, ClaimRef, Outcome, Person, Slug};
use crate::signing::{Algorithm, KeyId, NotSigned, SigningKey, SubjectKey};

pub use check::{Checker, Invalid, MAX_LENGTH, MAX_SKEW, is_ahead};
pub use code::{Code, CodeError, Recorded, Validity};
pub use jwks::{JwksError, jwk, jwks, keys_of};

/// The `typ` of a receipt's header: nothing else that is signed can be taken for one (RFC 8725 section 3.11).
pub const TYPE: &str = "heyan-receipt+jwt";

/// What a receipt says, with its names on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The gateway that issued it.
    #[serde(rename = "iss")]
    pub issuer: Arc<str>,
    /// When it was issued.
    #[serde(rename = "iat", with = "seconds")]
    pub issued: Timestamp,
    /// From when on it is no proof any more.
    #[serde(rename = "exp", with = "seconds")]
    pub expires: Timestamp,
    /// The verification.
    pub verification: Uuid,
    /// Who asked.
    pub agency: AgencyId,
    /// What for.
    pub purpose: Slug,
    /// What was asked: the matter,
    pub matter: Slug,
    /// and the claim in it,
    pub claim: Slug,
    /// with its particulars, such as a status and a day.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub parameters: Map<String, Value>,
    /// What came of it.
    pub outcome: Outcome,
    /// The age of the oldest answer that counted.
    pub as_of: Timestamp,
    /// Whom it is about.
    pub subjects: Subjects,
    /// The number of its entry in the ledger.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ledger: Option<u64>,
    /// The digest of the rules that decided.
    pub rules: Arc<str>,
}

/// Whom a receipt is about, for those alone who hold the key and know the people and the verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subjects {
    /// The key of the hash.
    pub key: KeyId,
    /// The hash, in base64url (RFC 4648 section 5).
    pub hash: String,
}

/// What a receipt is to say of a verification.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The verification.
    pub verification: Uuid,
    /// Who asked.
    pub agency: &'a AgencyId,
    /// What for.
    pub purpose: &'a Slug,
    /// What was asked.
    pub claim: &'a ClaimRef,
    /// Its particulars, such as a status and a day.
    pub particulars: &'a Map<String, Value>,
    /// What came of it.
    pub outcome: Outcome,
    /// The age of the oldest answer that counted.
    pub as_of: Timestamp,
    /// Whom it is about, each in a role. Their order does not matter.
    pub subjects: &'a [(&'a str, &'a Person)],
    /// The number of its entry in the ledger, if it has one.
    pub ledger: Option<u64>,
    /// The digest of the rules that decided.
    pub rules: &'a Arc<str>,
}

/// Issues receipts.
#[derive(Debug)]
pub struct Issuer {
    key: Arc<SigningKey>,
    subject: Arc<SubjectKey>,
    name: Arc<str>,
    valid_for: Duration,
    /// The encoded header with its full stop: it is the same for all receipts of a key.
    header: String,
}

impl Issuer {
    /// An issuer of this name. Its receipts are valid for so long.
    #[must_use]
    pub fn new(key: Arc<SigningKey>, subject: Arc<SubjectKey>, name: &str, valid_for: Duration) -> Self {
        let public = key.public();
        let (alg, kid) = (jose_name(public.algorithm()), public.id());
        let header = format!(r#"{{"alg":"{alg}","typ":"{TYPE}","kid":"{kid}"}}"#);
        let header = URL_SAFE_NO_PAD.encode(header) + ".";
        Self { key, subject, name: name.into(), valid_for, header }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its receipts are signed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.key.public().algorithm()
    }

    /// A receipt. Equal ones are the same text: nothing in it is random.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn issue(&self, said: &Said<'_>, now: Timestamp) -> Result<String, NotSigned> {
        let failed = NotSigned(self.key.public().algorithm());
        let issued = Timestamp::from_second(now.as_second()).map_err(|_| failed)?;
        let valid_for = SignedDuration::try_from(self.valid_for).unwrap_or(SignedDuration::MAX);
        let receipt = Receipt {
            issuer: Arc::clone(&self.name),
            issued,
            expires: issued.saturating_add(valid_for).unwrap_or(Timestamp::MAX),
            verification: said.verification,
            agency: said.agency.clone(),
            purpose: said.purpose.clone(),
            matter: said.claim.matter.clone(),
            claim: said.claim.claim.clone(),
            parameters: said.particulars.clone(),
            outcome: said.outcome,
            as_of: said.as_of,
            subjects: subjects(&self.subject, said.verification, said.subjects),
            ledger: said.ledger,
            rules: Arc::clone(said.rules),
        };
        let payload = serde_json::to_vec(&receipt).map_err(|_| failed)?;
        let mut text = String::with_capacity(self.header.len() + payload.len() * 4 / 3 + 100);
        text.push_str(&self.header);
        URL_SAFE_NO_PAD.encode_string(payload, &mut text);
        let signature = self.key.sign(text.as_bytes())?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text)
    }

    /// The short code of a receipt that is issued at this moment. `None`: no entry of the ledger says the same, or one whose
    /// number no code can hold.
    #[must_use]
    pub fn code(&self, said: &Said<'_>, at: Timestamp) -> Option<Code> {
        let Said { verification, claim, particulars, outcome, as_of, .. } = *said;
        let recorded = Recorded { entry: said.ledger?, at, verification, claim, particulars, outcome };
        Code::new(&self.key, &recorded, as_of, self.valid_for)
    }
}

impl Receipt {
    /// What is told of a valid receipt.
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({
            "valid": true, "verification": self.verification.to_string(), "issuer": self.issuer,
            "agency": self.agency.to_string(), "purpose": self.purpose.as_str(), "matter": self.matter.as_str(),
            "claim": self.claim.as_str(), "parameters": self.parameters, "outcome": self.outcome.as_str(), "as_of": self.as_of.to_string(),
            "issued_at": self.issued.to_string(), "expires_at": self.expires.to_string(), "ledger": self.ledger,
            "rules": self.rules
        })
    }

    /// Whether it is about these people in these roles. `None`: its key is another one, perhaps one that was destroyed.
    #[must_use]
    pub fn is_about(&self, key: &SubjectKey, people: &[(&str, &Person)]) -> Option<bool> {
        (self.subjects.key == *key.id()).then(|| subjects(key, self.verification, people) == self.subjects)
    }
}

/// Whom a receipt is about. The verification is part of it, so that two receipts about one person have nothing in common.
fn subjects(key: &SubjectKey, verification: Uuid, people: &[(&str, &Person)]) -> Subjects {
    let mut people = people.to_vec();
    people.sort_by_key(|(role, _)| *role);
    let mut parts: Vec<&[u8]> = vec![b"heyan receipt", verification.as_bytes()];
    for (role, person) in &people {
        // No name is empty.
        let name = person.name.as_ref().map_or("", |name| name.reveal());
        parts.extend([role.as_bytes(), person.id_number.reveal().as_bytes(), name.as_bytes()]);
    }
    Subjects { key: key.id().clone(), hash: URL_SAFE_NO_PAD.encode(key.hash(&parts)) }
}

/// The `alg` of a header (RFC 8037 section 3.1; for SM2 there is no registered one).
const fn jose_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Ed25519 => "EdDSA",
        Algorithm::Sm2 => "SM2SM3",
    }
}
