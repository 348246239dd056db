use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{Note, Outcome, PersonName, closed_list};

/// What was answered so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// Why it is still needed.
    pub need: Option<Need>,
    /// Whether a document by law proves it.
    pub papers_prove_it: Option<bool>,
    /// Whether it is the committee's own duty.
    pub own_duty: Option<bool>,
    /// What the departments said.
    pub check: Option<Checked>,
    /// How the committee verified it.
    pub verified: Option<Verified>,
    /// Whom it touches.
    pub scope: Option<Scope>,
    /// Whether there may be a legal risk.
    pub risk: Option<Risk>,
    /// Why none is seen, where none is.
    pub no_risk_because: Option<Note>,
    /// The deliberation with residents.
    pub deliberation: Option<Deliberation>,
    /// What was done against the risk; empty: nothing yet.
    pub precautions: Option<Vec<Precaution>>,
    /// Who signs.
    pub signature: Option<Signature>,
}

impl Answers {
    /// Whether residents have to deliberate: where it touches everybody (二（一）) or may be risky (三（四）).
    #[must_use]
    pub fn needs_deliberation(&self) -> bool {
        self.scope == Some(Scope::Everybody) || self.risk == Some(Risk::Possible)
    }
}

closed_list! {
    /// Why the resident still needs it: the rule's two cases.
    pub enum Need {
        /// Measures do not connect yet (政策措施衔接不到位).
        MeasuresDoNotConnect = "measures-do-not-connect",
        /// A civil or commercial party expressly demands it (各类民商事主体明确要求).
        PartyDemandsIt = "party-demands-it",
        /// Neither.
        Neither = "neither",
    }
}

/// What the departments said, and to which question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// What they said.
    pub finding: Finding,
    /// The verification, where it is known; without one, the worker has said it: see [`Checked::holds`].
    pub verification: Option<Uuid>,
}

impl Checked {
    /// Whether it can be taken. What departments said is what a verification says that is known; the worker's own word is enough
    /// only for what lets nobody act, and that no department can be asked is so only where none can.
    #[must_use]
    pub fn holds(self, checkable: bool) -> bool {
        let is_known = self.verification.is_some();
        match self.finding {
            Finding::NotAsked => true,
            Finding::Referred => is_known || !checkable,
            Finding::NoRecord | Finding::Unavailable | Finding::Mismatch | Finding::Conflict => is_known,
            Finding::Confirmed | Finding::Refuted | Finding::Pending => is_known || checkable,
        }
    }
}

closed_list! {
    /// What a check came to.
    pub enum Finding {
        /// No department is connected for it.
        Referred = "referred",
        /// A department could not be asked.
        Unavailable = "unavailable",
        /// Nobody who was asked holds a record.
        NoRecord = "no-record",
        /// A name given is not the recorded one.
        Mismatch = "mismatch",
        /// Departments contradict each other.
        Conflict = "conflict",
        /// A department needs more time.
        Pending = "pending",
        /// It is so.
        Confirmed = "confirmed",
        /// It is not so.
        Refuted = "refuted",
        /// Nobody was asked.
        NotAsked = "not-asked",
    }
}

impl From<Outcome> for Finding {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Confirmed => Self::Confirmed,
            Outcome::Refuted => Self::Refuted,
            Outcome::NoRecord => Self::NoRecord,
            Outcome::Mismatch => Self::Mismatch,
            Outcome::Conflict => Self::Conflict,
            Outcome::Pending => Self::Pending,
            Outcome::Unavailable => Self::Unavailable,
            Outcome::Referred => Self::Referred,
        }
    }
}

closed_list! {
    /// How the committee verified the fact.
    pub enum Verified {
        /// From what it has on record of its own work.
        OwnRecords = "own-records",
        /// On the spot.
        OnTheSpot = "on-the-spot",
        /// By papers that the resident showed.
        ShownPapers = "shown-papers",
        /// By asking those who know.
        Inquiry = "inquiry",
        /// It could not.
        CouldNot = "could-not",
    }
}

closed_list! {
    /// Whom it touches (二（一）).
    pub enum Scope {
        /// The resident alone.
        Resident = "resident",
        /// The community's public interest, or most residents' own interests.
        Everybody = "everybody",
    }
}

closed_list! {
    /// Whether there may be a legal risk.
    pub enum Risk {
        /// None is seen.
        NoneSeen = "none-seen",
        /// There may be one.
        Possible = "possible",
    }
}

/// A deliberation with residents: how many, never who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliberation {
    /// On which day.
    pub on: Date,
    /// In which form.
    pub form: Form,
    /// How many were there.
    pub present: u32,
    /// How many of them agreed.
    pub agreed: u32,
    /// What the meeting resolved, as it is in the minutes.
    pub resolved: Resolution,
    /// What else is worth saying; no names.
    pub note: Option<Note>,
}

impl Deliberation {
    /// The most people that are believed.
    pub const MOST_PRESENT: u32 = 20_000;

    /// What the meeting came to: agreed only if most of those present did, whatever was written down.
    #[must_use]
    pub fn resolution(&self) -> Resolution {
        match self.resolved {
            Resolution::Agreed if self.agreed * 2 <= self.present => Resolution::NotAgreed,
            resolved => resolved,
        }
    }
}

closed_list! {
    /// The form of a deliberation.
    pub enum Form {
        /// 居（村）民代表会议.
        Representatives = "representatives",
        /// 居（村）民会议.
        Assembly = "assembly",
        /// 议事协商会.
        Council = "council",
        /// From door to door.
        DoorToDoor = "door-to-door",
    }
}

closed_list! {
    /// What a meeting resolved.
    pub enum Resolution {
        /// It agrees.
        Agreed = "agreed",
        /// It does not.
        NotAgreed = "not-agreed",
        /// Not yet.
        LeftOpen = "left-open",
    }
}

closed_list! {
    /// What is done against a legal risk.
    #[derive(PartialOrd, Ord)]
    pub enum Precaution {
        /// It says only what was verified, and how.
        OnlyWhatWasVerified = "only-what-was-verified",
        /// It names its purpose and whom it is for.
        NamedPurpose = "named-purpose",
        /// It ends on a named day.
        NamedEnd = "named-end",
        /// A lawyer or the judicial office was asked.
        LegalAdvice = "legal-advice",
        /// The resident answers for what he said, in writing.
        WrittenDeclaration = "written-declaration",
        /// What was looked at is kept on file.
        PapersOnFile = "papers-on-file",
    }
}

/// Who signs, and who answers for the seal (二（一）, 二（三）). They act in office; they are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The head who signs.
    #[serde(with = "official")]
    pub signer: PersonName,
    /// In which office.
    pub office: Office,
    /// The seal.
    pub seal: Seal,
}

closed_list! {
    /// An office of a committee's head.
    pub enum Office {
        /// 书记、主任 in one person.
        Both = "both",
        /// 书记.
        Secretary = "secretary",
        /// 主任.
        Director = "director",
        /// 副主任, in charge.
        Deputy = "deputy",
    }
}

/// Who approves that the seal is used, and who keeps it: two people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawSeal")]
pub struct Seal {
    #[serde(with = "official")]
    approver: PersonName,
    #[serde(with = "official")]
    keeper: PersonName,
}

/// The seal's approver and keeper are one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("who approves the seal's use does not keep it")]
pub struct OnePerson;

impl Seal {
    /// A seal in the hands of two people.
    ///
    /// # Errors
    /// If they are one (辽民发〔2020〕52号 二（三）).
    pub fn new(approver: PersonName, keeper: PersonName) -> Result<Self, OnePerson> {
        let plain = |name: &PersonName| name.reveal().split_whitespace().collect::<String>().to_lowercase();
        if plain(&approver) == plain(&keeper) { Err(OnePerson) } else { Ok(Self { approver, keeper }) }
    }

    /// Who approves.
    #[must_use]
    pub fn approver(&self) -> &PersonName {
        &self.approver
    }

    /// Who keeps it.
    #[must_use]
    pub fn keeper(&self) -> &PersonName {
        &self.keeper
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSeal {
    #[serde(with = "official")]
    approver: PersonName,
    #[serde(with = "official")]
    keeper: PersonName,
}

impl TryFrom<RawSeal> for Seal {
    type Error = OnePerson;

    fn try_from(raw: RawSeal) -> Result<Self, OnePerson> {
        Self::new(raw.approver, raw.keeper)
    }
}

/// Officials' names are written as they are: who signs answers for it.
mod official {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::domain::PersonName;

    pub(super) fn serialize<S: Serializer>(name: &PersonName, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PersonName, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
