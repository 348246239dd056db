use std::sync::Arc;

use jiff::Timestamp;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::{Remark, SubjectHash};
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
    /// Who asked.
    pub agency: AgencyId,
    /// On whose behalf.
    pub officer: Option<Remark>,
    /// What was asked; a request that was refused may not say.
    pub claim: Option<ClaimRef>,
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
        /// The witnesses that were heard.
        witnesses: Vec<Witness>,
    },
    /// The question was turned away.
    Refused {
        /// The problem's code, such as `not-granted`.
        code: Slug,
    },
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
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Asked,
    Answered,
    Refused,
}

impl Serialize for Entry {
    /// The order of members is part of the encoding.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("Entry", 17)?;
        entry.serialize_field("v", &VERSION)?;
        entry.serialize_field("kind", &self.event.kind())?;
        entry.serialize_field("at", &self.at)?;
        entry.serialize_field("request", &self.request)?;
        if let Some(verification) = &self.verification {
            entry.serialize_field("verification", verification)?;
        }
        entry.serialize_field("agency", &self.agency)?;
        if let Some(officer) = &self.officer {
            entry.serialize_field("officer", officer)?;
        }
        if let Some(claim) = &self.claim {
            entry.serialize_field("matter", &claim.matter)?;
            entry.serialize_field("claim", &claim.claim)?;
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
    agency: AgencyId,
    officer: Option<Remark>,
    matter: Option<Slug>,
    claim: Option<Slug>,
    purpose: Option<Slug>,
    case: Option<Remark>,
    legal_basis: Option<Remark>,
    subject_key: Option<KeyId>,
    subjects: Option<Vec<Subject>>,
    outcome: Option<Outcome>,
    witnesses: Option<Vec<Witness>>,
    refusal: Option<Slug>,
    rules: Arc<str>,
}

impl Written {
    fn entry(self) -> Result<Entry, EntryError> {
        let event = match (self.kind, self.outcome, self.witnesses, self.refusal) {
            (Kind::Asked, None, None, None) => Event::Asked,
            (Kind::Answered, Some(outcome), Some(witnesses), None) => Event::Answered { outcome, witnesses },
            (Kind::Refused, None, None, Some(code)) => Event::Refused { code },
            _ => return Err(EntryError::Members),
        };
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
            purpose: self.purpose,
            case: self.case,
            legal_basis: self.legal_basis,
            subjects,
            rules: self.rules,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::signing::SubjectKey;

    fn full() -> Entry {
        let hash = hash(1);
        Entry {
            event: Event::Answered {
                outcome: Outcome::NoRecord,
                witnesses: vec![Witness { source: "police".parse().unwrap(), answer: Answer::NoRecord }],
            },
            at: "2026-11-25T08:00:00.000000001Z".parse().unwrap(),
            request: "request \"1\"".to_owned(),
            verification: Some(Uuid::from_u128(1)),
            agency: AgencyId("fund".parse().unwrap()),
            officer: Some("经办人 7".into()),
            claim: Some("marital-status/spouses".parse().unwrap()),
            purpose: Some("housing".parse().unwrap()),
            case: Some("案-1".into()),
            legal_basis: Some("条例".into()),
            subjects: Some(Subjects {
                key: KeyId("subject-1".parse().unwrap()),
                hashes: vec![Subject { role: "person".to_owned(), hash }],
            }),
            rules: "sha256:00".into(),
        }
    }

    fn hash(secret: u8) -> SubjectHash {
        let key = SubjectKey::new(KeyId("subject-1".parse().unwrap()), &[secret; 32]);
        SubjectHash::of(&"11010519491231002X".parse().unwrap(), &key)
    }

    fn bare(event: Event) -> Entry {
        let (verification, officer, claim, purpose, case, legal_basis, subjects) = Default::default();
        Entry { event, verification, officer, claim, purpose, case, legal_basis, subjects, ..full() }
    }

    /// These bytes stand in ledgers: they must never change.
    #[test]
    fn version_1_is_written_so_for_ever() {
        let refused = bare(Event::Refused { code: "not-granted".parse().unwrap() });
        for (entry, text) in [
            (
                full(),
                r#"{"v":1,"kind":"answered","at":"2026-11-25T08:00:00.000000001Z","request":"request \"1\"","verification":"00000000-0000-0000-0000-000000000001","agency":"fund","officer":"经办人 7","matter":"marital-status","claim":"spouses","purpose":"housing","case":"案-1","legal_basis":"条例","subject_key":"subject-1","subjects":[{"role":"person","hash":"HASH"}],"outcome":"no_record","witnesses":[{"source":"police","answer":"no-record"}],"rules":"sha256:00"}"#,
            ),
            (
                Entry { event: Event::Asked, ..full() },
                r#"{"v":1,"kind":"asked","at":"2026-11-25T08:00:00.000000001Z","request":"request \"1\"","verification":"00000000-0000-0000-0000-000000000001","agency":"fund","officer":"经办人 7","matter":"marital-status","claim":"spouses","purpose":"housing","case":"案-1","legal_basis":"条例","subject_key":"subject-1","subjects":[{"role":"person","hash":"HASH"}],"rules":"sha256:00"}"#,
            ),
            (
                refused,
                r#"{"v":1,"kind":"refused","at":"2026-11-25T08:00:00.000000001Z","request":"request \"1\"","agency":"fund","refusal":"not-granted","rules":"sha256:00"}"#,
            ),
        ] {
            let text = text.replace("HASH", &hash(1).to_string());
            assert_eq!(String::from_utf8(entry.encode().unwrap()).unwrap(), text);
            assert_eq!(Entry::decode(text.as_bytes()).unwrap(), entry);
        }
    }

    #[test]
    fn whatever_is_not_written_so_is_refused() {
        let text = String::from_utf8(full().encode().unwrap()).unwrap();
        let changed = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            Entry::decode(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string()
        };
        assert!(changed("\"v\":1", "\"v\":2").contains("version 2"));
        assert!(changed("\"v\":1", "\"v\": 1").contains("not written as"));
        assert!(changed("00.000000001Z", "00.000000001+00:00").contains("not written as"));
        assert!(changed("案", "\\u6848").contains("not written as"));
        assert!(changed("\"kind\":\"answered\"", "\"kind\":\"asked\"").contains("fit its kind"));
        assert!(changed("\"matter\":\"marital-status\",", "").contains("fit its kind"));
        assert!(changed("\"subject_key\":\"subject-1\",", "").contains("fit its kind"));
        assert!(changed("\"outcome\":\"no_record\"", "\"outcome\":\"perhaps\"").contains("not an entry"));
        assert!(changed("\"rules\"", "\"name\":\"张三\",\"rules\"").contains("not an entry"));
        assert!(changed("\"agency\":\"fund\"", "\"agency\":\"fund\",\"agency\":\"fund\"").contains("not an entry"));
        for bytes in [&b""[..], b"{}", b"[]", b"\xff", &text.as_bytes()[1..], &text.as_bytes()[..text.len() - 1]] {
            assert!(Entry::decode(bytes).is_err());
        }
    }

    fn event() -> impl Strategy<Value = Event> {
        let answer = prop_oneof![Just(Answer::Confirms), Just(Answer::Mismatch), Just(Answer::Pending)];
        let witness = answer.prop_map(|answer| Witness { source: "court".parse().unwrap(), answer });
        prop_oneof![
            Just(Event::Asked),
            Just(Event::Refused { code: "rate-limited".parse().unwrap() }),
            proptest::collection::vec(witness, 0..4)
                .prop_map(|witnesses| Event::Answered { outcome: Outcome::Conflict, witnesses }),
        ]
    }

    proptest! {
        #[test]
        fn reading_is_the_inverse_of_writing(
            event in event(),
            second in -62_000_000_000_i64..250_000_000_000,
            nanosecond in 0..1_000_000_000_i32,
            request in any::<String>(),
            words in option::of(any::<String>()),
            secret in any::<u8>(),
            keeps in any::<bool>(),
        ) {
            let mut entry = if keeps { Entry { event, ..full() } } else { bare(event) };
            entry.at = Timestamp::new(second, nanosecond).unwrap();
            entry.request = request;
            entry.officer = words.as_deref().map(Remark::from);
            if let Some(subjects) = &mut entry.subjects {
                subjects.hashes.push(Subject { role: "spouse".to_owned(), hash: hash(secret) });
            }
            let bytes = entry.encode().unwrap();
            prop_assert_eq!(Entry::decode(&bytes).unwrap(), entry);
        }

        #[test]
        fn any_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(Entry::decode(&bytes).is_err());
        }
    }
}
