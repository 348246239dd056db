//! What the ledger is told of a question, and the receipt of its answer.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Map;
use uuid::Uuid;

use super::spans;
use super::{Gateway, Request, Unverified, Verification};
use crate::accounts::UserName;
use crate::claims::WitnessReport;
use crate::domain::{AgencyId, Slug};
use crate::durable::OpenQuestion;
use crate::ledger::{
    Act, Administration, Entry, Event, Ledger, NotRecorded, Recording, Subject, SubjectHash, Subjects, Witness,
};
use crate::receipt::Said;
use crate::telemetry;

/// The entry that is on the disk before a department is asked. It is made when it is needed first, and it can be left waiting
/// and taken up again.
pub(super) struct WriteAhead {
    ledger: Arc<dyn Ledger>,
    entry: Entry,
    recording: Option<Recording>,
    is_written: bool,
}

impl WriteAhead {
    /// Makes sure that it is there.
    pub(super) async fn written(&mut self) -> Result<(), NotRecorded> {
        if self.is_written {
            return Ok(());
        }
        let recording = self.recording.get_or_insert_with(|| self.ledger.record(&self.entry));
        let recorded = spans::record(telemetry::Entry::Asked, recording).await;
        self.recording = None;
        self.is_written = recorded.is_ok();
        recorded.map(drop)
    }
}

/// An outcome on its way into the ledger. No reply leaves before it is there.
pub(super) struct Answered {
    entry: Entry,
    verification: Verification,
    recording: Option<Recording>,
}

impl Answered {
    pub(super) fn new(entry: Entry, verification: Verification) -> Self {
        Self { entry, verification, recording: None }
    }

    /// The verification with its receipt, once it is recorded. It may be called again: what is recorded is recorded once.
    pub(super) async fn recorded(&mut self, gateway: &Gateway, request: &Request) -> Result<Verification, Unverified> {
        if self.verification.receipt.is_some() {
            return Ok(self.verification.clone());
        }
        let recording = self.recording.get_or_insert_with(|| gateway.ledger.record(&self.entry));
        let recorded = spans::record(telemetry::Entry::Answered, recording).await;
        self.recording = None;
        let index = recorded?;
        let roles = request.claim.roles().iter().map(String::as_str);
        let subjects: Vec<_> = roles.zip(&request.people).collect();
        let verification = &self.verification;
        let particulars = request.claim.particulars(&request.parameters);
        let said = Said {
            verification: verification.id,
            agency: &verification.agency,
            purpose: &request.occasion.purpose,
            claim: &verification.claim,
            particulars: &particulars,
            outcome: verification.outcome,
            as_of: verification.as_of,
            subjects: &subjects,
            ledger: Some(index),
            rules: &verification.rules,
        };
        // At the time that stands in the ledger, where whoever has the code finds it again.
        let receipt = gateway.issuer.issue(&said, self.entry.at)?;
        let code = gateway.issuer.code(&said, self.entry.at);
        gateway.telemetry.metrics().issued(gateway.issuer.algorithm().name());
        self.verification.receipt = Some(receipt.into());
        self.verification.receipt_code = code;
        Ok(self.verification.clone())
    }
}

/// What is recorded of something that is done to the gateway itself.
#[must_use]
pub fn administered(by: Option<&str>, what: Administration, at: Timestamp, rules: Arc<str>) -> Entry {
    let request = Uuid::now_v7().to_string();
    Entry { officer: by.map(Into::into), ..bare(Event::Administered(what), at, request, rules) }
}

/// An entry that says what happened, and nothing of a question.
fn bare(event: Event, at: Timestamp, request: String, rules: Arc<str>) -> Entry {
    Entry {
        event,
        at,
        request,
        verification: None,
        agency: None,
        officer: None,
        claim: None,
        particulars: Map::new(),
        purpose: None,
        case: None,
        legal_basis: None,
        subjects: None,
        rules,
    }
}

impl Gateway {
    /// What is recorded before a department is asked; `is_written`: an earlier process has done so.
    pub(super) fn write_ahead(&self, id: Uuid, request: &Request, is_written: bool) -> WriteAhead {
        let entry = self.entry(Event::Asked, Some(id), request);
        WriteAhead { ledger: Arc::clone(&self.ledger), entry, recording: None, is_written }
    }

    /// What is recorded before an answer leaves: with the witnesses that were asked, and what they have said.
    pub(super) fn answered(
        &self,
        verification: Verification,
        heard: Vec<WitnessReport>,
        request: &Request,
    ) -> Answered {
        let witness = |report: WitnessReport| Witness { source: report.source, answer: report.answer };
        let witnesses = heard.into_iter().map(witness).collect();
        let event = Event::Answered { outcome: verification.outcome, witnesses };
        Answered::new(self.entry(event, Some(verification.id), request), verification)
    }

    /// Records that a question was turned away, with the code of the problem that tells its caller so.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub async fn record_refusal(&self, request: &Request, code: Slug) -> Result<(), NotRecorded> {
        self.situation.refused(&request.occasion.agency, self.clock.now());
        spans::asked(request);
        let recording = self.ledger.record(&self.entry(Event::Refused { code }, None, request));
        spans::record(telemetry::Entry::Refused, recording).await.map(drop)
    }

    /// Records that an agency sent what is no question, or is not taken as one, with the code of the problem that tells it so.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub async fn record_no_question(&self, agency: &AgencyId, request: &str, code: Slug) -> Result<(), NotRecorded> {
        let rules = Arc::clone(self.catalog.digest());
        let refused = bare(Event::Refused { code }, self.clock.now(), request.to_owned(), rules);
        let entry = Entry { agency: Some(agency.clone()), ..refused };
        spans::record(telemetry::Entry::Refused, self.ledger.record(&entry)).await.map(drop)
    }

    /// Records what somebody is about to do to the gateway itself.
    ///
    /// # Errors
    /// If it cannot be recorded: then it is not done.
    pub async fn record_administration(&self, by: &str, what: Administration) -> Result<(), NotRecorded> {
        let entry = administered(Some(by), what, self.clock.now(), Arc::clone(self.catalog.digest()));
        self.ledger.record(&entry).await.map(drop)
    }

    /// Records that somebody was not let in; nobody knows who it is.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub async fn record_refused_sign_in(&self, user: Option<&UserName>) -> Result<(), NotRecorded> {
        let object = user.map(|user| user.as_str().into());
        let what = Administration { act: Act::RefuseSignIn, object, reason: None, until: None };
        let entry = administered(None, what, self.clock.now(), Arc::clone(self.catalog.digest()));
        self.ledger.record(&entry).await.map(drop)
    }

    /// Records the end of a question that the rules do not know any more. Who it was about stands in its first entry.
    pub(super) async fn record_lost(&self, question: &OpenQuestion, lost: &Verification) -> Result<(), NotRecorded> {
        let entry = Entry {
            event: Event::Answered { outcome: lost.outcome, witnesses: Vec::new() },
            at: self.clock.now(),
            request: question.request_id.clone(),
            verification: Some(lost.id),
            agency: Some(lost.agency.clone()),
            officer: Some(question.officer.as_str().into()),
            claim: Some(lost.claim.clone()),
            particulars: Map::new(),
            purpose: question.purpose.parse().ok(),
            case: question.case.as_deref().map(Into::into),
            legal_basis: question.legal_basis.as_deref().map(Into::into),
            subjects: None,
            rules: Arc::clone(&lost.rules),
        };
        self.ledger.record(&entry).await.map(drop)
    }

    fn entry(&self, event: Event, verification: Option<Uuid>, request: &Request) -> Entry {
        let occasion = &request.occasion;
        let hash = |(role, person): (&String, &crate::domain::Person)| Subject {
            role: role.clone(),
            hash: SubjectHash::of(&person.id_number, &self.subject_key),
        };
        let hashes = request.claim.roles().iter().zip(&request.people).map(hash).collect();
        Entry {
            event,
            at: self.clock.now(),
            request: occasion.request_id.clone(),
            verification,
            agency: Some(occasion.agency.clone()),
            // To departments the agency answers for a question for which nobody is named; here that is told.
            officer: (occasion.officer != occasion.agency.0.as_str()).then(|| occasion.officer.as_str().into()),
            claim: Some(request.claim.reference().clone()),
            particulars: request.claim.particulars(&request.parameters),
            purpose: Some(occasion.purpose.clone()),
            case: occasion.case.as_deref().map(Into::into),
            legal_basis: occasion.legal_basis.as_deref().map(Into::into),
            subjects: Some(Subjects { key: self.subject_key.id().clone(), hashes }),
            rules: Arc::clone(self.catalog.digest()),
        }
    }
}
