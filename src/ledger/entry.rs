use std::sync::Arc;

use jiff::Timestamp;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Act, Administration, Remark, SubjectHash};
use crate::domain::{AgencyId, Answer, ClaimRef, Outcome, Slug};
use crate::signing::KeyId;

/// What an entry of the ledger says. Not one name or ID number of a resident is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// When.
    pub at: Timestamp,
    /// Identifies the request in everybody's logs.
    pub request: String,
    /// The verification, where there is one.
    pub verification: Option<Uuid>,
    /// Who asked; of what is done to the gateway itself, nobody.
    pub agency: Option<AgencyId>,
    /// On whose behalf; of what is done to the gateway itself, who does it.
    pub officer: Option<Remark>,
    /// What was asked; a request that was refused may not say.
    pub claim: Option<ClaimRef>,
    /// The particulars of what was asked, such as a status and a day.
    pub particulars: Map<String, Value>,
    /// What the fact is needed for.
    pub purpose: Option<Slug>,
    /// The agency's own case number.
    pub case: Option<Remark>,
    /// Why the agency may know this.
    pub legal_basis: Option<Remark>,
    /// About whom.
    pub subjects: Option<Subjects>,
    /// The digest of the rules in force.
    pub rules: Arc<str>,
}

/// What is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Departments are about to be asked: none is before this is durable.
    Asked,
    /// There is an answer. Where nobody had to be asked for it, it stands alone.
    Answered {
        /// What the gateway says.
        outcome: Outcome,
        /// The witnesses that have spoken, with what each has said; in a mismatch too, where whoever asks is not told.
        witnesses: Vec<Witness>,
    },
    /// The question was turned away.
    Refused {
        /// The problem's code, such as `not-granted`.
        code: Slug,
    },
    /// Somebody does something to the gateway itself: it does not take effect before this is durable.
    Administered(Administration),
}

/// A witness that was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// The source.
    pub source: Slug,
    /// What it says.
    pub answer: Answer,
}

/// The people of a question, as hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subjects {
    /// The id of the key that hashed them.
    pub key: KeyId,
    /// Each with its role, in the claim's order.
    pub hashes: Vec<Subject>,
}

/// One of the people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The role in the claim.
    pub role: String,
    /// The person.
    pub hash: SubjectHash,
}

/// Why bytes are no entry.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// They are not JSON of an entry's shape.
    #[error("not an entry of the ledger: {0}")]
    Shape(#[from] serde_json::Error),
    /// A newer program has written it.
    #[error("an entry of version {0}, which this heyan does not know: use a newer one")]
    Version(u32),
    /// What belongs to its kind is missing, or there is more.
    #[error("an entry whose members do not fit its kind")]
    Members,
    /// It is written otherwise than entries are.
    #[error("an entry that is not written as entries are")]
    NotCanonical,
}

impl Entry {
    /// The bytes that the ledger keeps: compact JSON, its members in a fixed order, those that are empty left out. What was
    /// written once is written so for ever; another shape gets another version.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        let mut bytes = Vec::with_capacity(USUAL_LENGTH);
        serde_json::to_writer(&mut bytes, self)?;
        Ok(bytes)
    }

    /// Reads what [`encode`](Self::encode) has written, and nothing else: another way to write the same entry is refused.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let version = serde_json::from_slice::<Version>(bytes)?.v;
        if version != VERSION {
            return Err(EntryError::Version(version));
        }
        let entry = serde_json::from_slice::<Written>(bytes)?.entry()?;
        if entry.encode()? == bytes { Ok(entry) } else { Err(EntryError::NotCanonical) }
    }
}

/// Version 1 of the encoding.
const VERSION: u32 = 1;

/// Most entries fit.
const USUAL_LENGTH: usize = 640;

impl Event {
    fn kind(&self) -> Kind {
        match self {
            Self::Asked => Kind::Asked,
            Self::Answered { .. } => Kind::Answered,
            Self::Refused { .. } => Kind::Refused,
            Self::Administered(_) => Kind::Administered,
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Asked,
    Answered,
    Refused,
    Administered,
}

impl Serialize for Entry {
    /// The order of members is part of the encoding.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("Entry", 22)?;
        entry.serialize_field("v", &VERSION)?;
        entry.serialize_field("kind", &self.event.kind())?;
        entry.serialize_field("at", &self.at)?;
        entry.serialize_field("request", &self.request)?;
        if let Some(verification) = &self.verification {
            entry.serialize_field("verification", verification)?;
        }
        if let Some(agency) = &self.agency {
            entry.serialize_field("agency", agency)?;
        }
        if let Some(officer) = &self.officer {
            entry.serialize_field("officer", officer)?;
        }
        if let Some(claim) = &self.claim {
            entry.serialize_field("matter", &claim.matter)?;
            entry.serialize_field("claim", &claim.claim)?;
        }
        if !self.particulars.is_empty() {
            entry.serialize_field("parameters", &self.particulars)?;
        }
        if let Some(purpose) = &self.purpose {
            entry.serialize_field("purpose", purpose)?;
        }
        if let Some(case) = &self.case {
            entry.serialize_field("case", case)?;
        }
        if let Some(legal_basis) = &self.legal_basis {
            entry.serialize_field("legal_basis", legal_basis)?;
        }
        if let Some(subjects) = &self.subjects {
            entry.serialize_field("subject_key", &subjects.key)?;
            entry.serialize_field("subjects", &subjects.hashes)?;
        }
        match &self.event {
            Event::Asked => {}
            Event::Answered { outcome, witnesses } => {
                entry.serialize_field("outcome", outcome)?;
                entry.serialize_field("witnesses", witnesses)?;
            }
            Event::Refused { code } => entry.serialize_field("refusal", code)?,
            Event::Administered(Administration { act, object, reason, until }) => {
                entry.serialize_field("act", act)?;
                if let Some(object) = object {
                    entry.serialize_field("object", object)?;
                }
                if let Some(reason) = reason {
                    entry.serialize_field("reason", reason)?;
                }
                if let Some(until) = until {
                    entry.serialize_field("until", until)?;
                }
            }
        }
        entry.serialize_field("rules", &self.rules)?;
        entry.end()
    }
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// An entry as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "v")]
    _version: u32,
    kind: Kind,
    at: Timestamp,
    request: String,
    verification: Option<Uuid>,
    agency: Option<AgencyId>,
    officer: Option<Remark>,
    matter: Option<Slug>,
    claim: Option<Slug>,
    #[serde(default)]
    parameters: Map<String, Value>,
    purpose: Option<Slug>,
    case: Option<Remark>,
    legal_basis: Option<Remark>,
    subject_key: Option<KeyId>,
    subjects: Option<Vec<Subject>>,
    outcome: Option<Outcome>,
    witnesses: Option<Vec<Witness>>,
    refusal: Option<Slug>,
    act: Option<Act>,
    object: Option<Remark>,
    reason: Option<Remark>,
    until: Option<Timestamp>,
    rules: Arc<str>,
}

impl Written {
    fn entry(self) -> Result<Entry, EntryError> {
        let is_plain = self.object.is_none() && self.reason.is_none() && self.until.is_none();
        let event = match (self.kind, self.outcome, self.witnesses, self.refusal, self.act) {
            (Kind::Asked, None, None, None, None) if is_plain => Event::Asked,
            (Kind::Answered, Some(outcome), Some(witnesses), None, None) if is_plain => {
                Event::Answered { outcome, witnesses }
            }
            (Kind::Refused, None, None, Some(code), None) if is_plain => Event::Refused { code },
            (Kind::Administered, None, None, None, Some(act)) => {
                let (object, reason, until) = (self.object, self.reason, self.until);
                Event::Administered(Administration { act, object, reason, until })
            }
            _ => return Err(EntryError::Members),
        };
        // What is done to the gateway itself is nobody's question; everything else is an agency's.
        if self.agency.is_some() == matches!(event, Event::Administered(_)) {
            return Err(EntryError::Members);
        }
        let claim = match (self.matter, self.claim) {
            (Some(matter), Some(claim)) => Some(ClaimRef { matter, claim }),
            (None, None) => None,
            _ => return Err(EntryError::Members),
        };
        let subjects = match (self.subject_key, self.subjects) {
            (Some(key), Some(hashes)) => Some(Subjects { key, hashes }),
            (None, None) => None,
            _ => return Err(EntryError::Members),
        };
        Ok(Entry {
            event,
            at: self.at,
            request: self.request,
            verification: self.verification,
            agency: self.agency,
            officer: self.officer,
            claim,
            particulars: self.parameters,
            purpose: self.purpose,
            case: self.case,
            legal_basis: self.legal_basis,
            subjects,
            rules: self.rules,
        })
    }
}

#[cfg(test)]
mod tests;
