//! One question from its first asking to its outcome, however long that takes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::sleep;
use uuid::Uuid;

use super::asking::Asking;
use super::record::Answered;
use super::spans;
use super::telling::Told;
use super::{Gateway, Request, Unverified, Verification};
use crate::claims::{Inquiry, Parameter};
use crate::departments::{Occasion, Question};
use crate::domain::{AgencyId, Outcome, Person};
use crate::durable::{ClosedQuestion, NotSaved, OpenQuestion};
use crate::rights::Agency;
use crate::telemetry;

/// A question on its way. One that is dropped before it has arrived (its caller has hung up) travels on without it: an answer
/// that others wait for, or an application that a department has, is not lost.
pub(super) struct Journey {
    gateway: Arc<Gateway>,
    id: Uuid,
    agency: AgencyId,
    /// Whether the agency is to be told of the outcome.
    notify: bool,
    request: Request,
    asked: Timestamp,
    expires: Timestamp,
    /// When it is asked again, because a department cannot be asked until then.
    again: Option<Timestamp>,
    /// How often a department could not be asked without saying when it can be.
    unanswered: u32,
    /// `None`: it has arrived, or travels on elsewhere.
    asking: Option<Asking>,
    /// It has arrived, and that is being recorded.
    answered: Option<Answered>,
    /// The applications that were made for it, and that end with it.
    applications: Vec<Question>,
    /// Whether its open question is on the disk.
    kept: bool,
}

/// The longest pause before asking a department again that has not said when it can be asked; the shortest before asking one
/// that has, and before writing again what could not be written.
const LATEST: Duration = Duration::from_mins(30);
const SOON: Duration = Duration::from_secs(1);

impl Journey {
    pub(super) fn new(
        gateway: Arc<Gateway>,
        id: Uuid,
        agency: &Agency,
        request: Request,
        asked: Timestamp,
        expires: Timestamp,
    ) -> Self {
        let (agency, notify) = (agency.id.clone(), agency.has_callback);
        let mut journey = Self {
            gateway,
            id,
            agency,
            notify,
            request,
            asked,
            expires,
            again: None,
            unanswered: 0,
            asking: None,
            answered: None,
            applications: Vec::new(),
            kept: false,
        };
        journey.asking = Some(journey.plan());
        journey
    }

    /// One that an earlier process left open; `None` if what it asks is not in the catalog any more.
    pub(super) fn resumed(gateway: Arc<Gateway>, question: &OpenQuestion) -> Option<Self> {
        let claim = Arc::clone(gateway.catalog.claim(&question.claim.parse().ok()?)?);
        let person = |(id_number, name): &(String, String)| {
            Some(Person { id_number: id_number.parse().ok()?, name: Some(name.parse().ok()?) })
        };
        let people: Vec<Person> = question.people.iter().map(person).collect::<Option<_>>()?;
        let is_whole = people.len() == claim.roles().len()
            && claim.parameters().iter().all(|parameter| question.parameters.contains_key(&parameter.name));
        let request = Request {
            claim,
            people,
            parameters: Arc::new(question.parameters.clone()),
            occasion: Arc::new(Occasion {
                agency: AgencyId(question.agency.parse().ok()?),
                officer: question.officer.clone(),
                purpose: question.purpose.parse().ok()?,
                case: question.case.clone(),
                legal_basis: question.legal_basis.clone(),
                request_id: question.request_id.clone(),
                traceparent: question.traceparent.clone(),
                tracestate: question.tracestate.clone(),
            }),
            not_before: question.not_before,
            patient: question.patient,
        };
        let mut journey = Self {
            gateway,
            id: question.id,
            agency: AgencyId(question.agency.parse().ok()?),
            notify: question.notify,
            request,
            asked: question.asked,
            expires: question.expires,
            again: question.again,
            unanswered: 0,
            asking: None,
            answered: None,
            applications: Vec::new(),
            kept: true,
        };
        journey.asking = is_whole.then(|| journey.plan());
        is_whole.then_some(journey)
    }

    fn plan(&self) -> Asking {
        let Request { claim, people, parameters, .. } = &self.request;
        let now = self.gateway.clock.now();
        let value = |parameter: &Parameter| parameters.get(&parameter.name).cloned().unwrap_or_default();
        let values: Vec<Value> = claim.parameters().iter().map(value).collect();
        Asking {
            inquiry: Inquiry::new(Arc::clone(claim), people.clone(), &values, crate::clock::day_of(self.asked)),
            departments: Arc::clone(&self.gateway.departments),
            parameters: Arc::clone(parameters),
            occasion: Arc::clone(&self.request.occasion),
            not_before: self.request.not_before,
            within: between(now, self.expires),
            started: now,
            has_begun: false,
            // One that is kept was recorded before.
            ahead: self.gateway.write_ahead(self.id, &self.request, self.kept),
            applications: Vec::new(),
            unsent: Vec::new(),
            awaited: FuturesUnordered::new(),
            until: None,
            hopeless: false,
        }
    }

    /// Asks until the outcome stands and is recorded. `None`: a department cannot be asked now, and the question is patient.
    /// After an error it may travel on.
    pub(super) async fn travel(&mut self) -> Result<Option<Verification>, Unverified> {
        if self.answered.is_none() && !self.ask().await? {
            return Ok(None);
        }
        let Some(answered) = &mut self.answered else { return Ok(None) };
        let verification = answered.recorded(&self.gateway, &self.request).await?;
        if !self.kept {
            end(&self.gateway, &self.applications).await?;
            self.applications.clear();
        }
        self.answered = None;
        Ok(Some(verification))
    }

    /// Asks until the outcome stands. Returns whether it does.
    async fn ask(&mut self) -> Result<bool, Unverified> {
        let Some(asking) = &mut self.asking else { return Ok(false) };
        asking.run().await?;
        self.applications.append(&mut asking.applications);
        if asking.outcome() == Outcome::Unavailable && self.request.patient && !asking.hopeless {
            let until = asking.until;
            self.again = self.next(until).filter(|again| *again < self.expires);
            if self.again.is_some() {
                // What was answered is asked anew then: an old answer would pass for a new one.
                end(&self.gateway, &std::mem::take(&mut self.applications)).await?;
                return Ok(false);
            }
        }
        self.again = None;
        spans::decide(|| self.decide());
        Ok(true)
    }

    /// What the answers come to, ready to be recorded.
    fn decide(&mut self) -> Outcome {
        let verification = self.verification();
        let (officer, outcome) = (Some(&*self.request.occasion.officer), verification.outcome);
        self.gateway.watch.after(&self.agency, officer, outcome, self.gateway.clock.now());
        let heard = self.asking.take().map(|asking| asking.inquiry.heard()).unwrap_or_default();
        self.answered = Some(self.gateway.answered(verification, heard, &self.request));
        outcome
    }

    /// Makes sure that the question is on record.
    pub(super) async fn write_ahead(&mut self) -> Result<(), Unverified> {
        match &mut self.asking {
            Some(asking) => Ok(asking.ahead.written().await?),
            // Its outcome is being recorded.
            None => Ok(()),
        }
    }

    /// When to ask again departments that said this of when they can be asked.
    fn next(&mut self, until: Option<Timestamp>) -> Option<Timestamp> {
        let now = self.gateway.clock.now();
        let after = |pause| now.checked_add(SignedDuration::try_from(pause).ok()?).ok();
        match until {
            Some(until) => after(SOON).map(|soon| soon.max(until)),
            None => {
                let pause = self.gateway.again_after.saturating_mul(1 << self.unanswered.min(31));
                self.unanswered += 1;
                after(pause.min(LATEST.max(self.gateway.again_after)))
            }
        }
    }

    /// What is known so far.
    pub(super) fn verification(&self) -> Verification {
        let mut verification = Verification {
            id: self.id,
            agency: self.agency.clone(),
            claim: self.request.claim.reference().clone(),
            outcome: Outcome::Pending,
            as_of: self.asked,
            witnesses: Vec::new(),
            degraded: Vec::new(),
            rules: Arc::clone(self.gateway.catalog.digest()),
            again: self.again,
            receipt: None,
            receipt_code: None,
        };
        if let Some(asking) = &self.asking {
            verification.witnesses = asking.inquiry.witnesses();
            verification.degraded = asking.inquiry.degraded();
            let oldest = verification.witnesses.iter().filter_map(|witness| witness.as_of).min();
            verification.as_of = oldest.unwrap_or(asking.started);
            if self.again.is_none() {
                verification.outcome = asking.outcome();
            }
        }
        verification
    }

    /// Keeps the question, so that the next process takes it up if this one ends.
    pub(super) async fn keep(&mut self) -> Result<(), NotSaved> {
        let person = |person: &Person| {
            let name = person.name.as_ref().map(|name| name.reveal().to_owned()).unwrap_or_default();
            (person.id_number.reveal().to_owned(), name)
        };
        let occasion = &self.request.occasion;
        let question = OpenQuestion {
            id: self.id,
            agency: self.agency.to_string(),
            claim: self.request.claim.reference().to_string(),
            people: self.request.people.iter().map(person).collect(),
            parameters: (*self.request.parameters).clone(),
            purpose: occasion.purpose.to_string(),
            officer: occasion.officer.clone(),
            case: occasion.case.clone(),
            legal_basis: occasion.legal_basis.clone(),
            request_id: occasion.request_id.clone(),
            traceparent: occasion.traceparent.clone(),
            tracestate: occasion.tracestate.clone(),
            not_before: self.request.not_before,
            asked: self.asked,
            expires: self.expires,
            again: self.again,
            patient: self.request.patient,
            notify: self.notify,
        };
        self.gateway.durable.keep(&question).await?;
        self.kept = true;
        Ok(())
    }

    /// Tells an operator what it has come to.
    pub(super) fn tell(&self, told: Told, verification: &Verification) {
        self.gateway.tell(told, verification, &self.request.occasion, self.asked);
    }

    /// Travels on, on this thread, until it has arrived or the process ends.
    pub(super) fn go_on_behind(mut self) {
        let (tasks, stop) = (self.gateway.tasks.clone(), self.gateway.stop.clone());
        let behind = spans::behind(&self.gateway.telemetry, &self.request.occasion);
        tasks.spawn(behind.around(async move {
            // What has not arrived by then is taken up by the next process.
            stop.run_until_cancelled(self.arrive()).await;
        }));
    }

    async fn arrive(&mut self) {
        loop {
            if let Some(again) = self.again {
                // Until then nobody asks: what is known so far is told.
                telemetry::tell();
                sleep(between(self.gateway.clock.now(), again)).await;
                self.again = None;
                self.asking = Some(self.plan());
            }
            let mut span = spans::question(&self.request, &self.agency, true);
            let travelled = span.around(self.travel()).await;
            if let Ok(Some(verification)) = &travelled {
                spans::came_to(&mut span, verification);
            }
            drop(span);
            let Ok(travelled) = travelled else {
                // Whoever failed has said why, and recovers by itself.
                sleep(SOON).await;
                continue;
            };
            let Some(verification) = travelled else {
                if self.again.is_none() {
                    return;
                }
                // It stays as it was kept if this cannot be written: then it is asked again a little early, after a restart.
                if self.keep().await.is_err() {
                    tracing::warn!(verification.id = %self.id, "when a question is asked again could not be kept");
                }
                let pending = self.gateway.verifications.keep(self.verification()).await;
                self.tell(Told::Waits, &pending);
                continue;
            };
            if !self.kept {
                return;
            }
            while close(&self.gateway, &verification, &self.applications, self.notify).await.is_err() {
                sleep(SOON).await;
            }
            let arrived = self.gateway.verifications.keep(verification).await;
            self.tell(Told::Arrived, &arrived);
            return;
        }
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        let mut asking = self.asking.take();
        let mut applications = std::mem::take(&mut self.applications);
        applications.extend(asking.iter_mut().flat_map(|asking| asking.applications.drain(..)));
        let mut asking = asking.filter(Asking::is_under_way);
        // Those of a question that is kept end with it.
        if self.kept {
            applications.clear();
        }
        if asking.is_none() && applications.is_empty() {
            return;
        }
        if tokio::runtime::Handle::try_current().is_ok() && !self.gateway.stop.is_cancelled() {
            let gateway = Arc::clone(&self.gateway);
            let behind = spans::behind(&gateway.telemetry, &self.request.occasion);
            self.gateway.tasks.spawn(behind.around(async move {
                // Nobody waits for the outcome; the ledger and the store say why they cannot be written.
                if let Some(asking) = &mut asking {
                    let _ = asking.run().await;
                    applications.append(&mut asking.applications);
                }
                let _ = end(&gateway, &applications).await;
            }));
        }
    }
}

/// Keeps an outcome in place of its open question.
pub(super) async fn close(
    gateway: &Gateway,
    verification: &Verification,
    applications: &[Question],
    notify: bool,
) -> Result<(), NotSaved> {
    let closed = ClosedQuestion {
        id: verification.id,
        agency: verification.agency.to_string(),
        verification: serde_json::to_value(verification).map_err(|_| NotSaved)?,
    };
    let until = SignedDuration::try_from(gateway.open_for).ok();
    let until = until.and_then(|open| gateway.clock.now().checked_add(open).ok()).unwrap_or(Timestamp::MAX);
    gateway.durable.close(&closed, applications, until, notify).await
}

/// Ends applications that nobody needs any more.
async fn end(gateway: &Gateway, applications: &[Question]) -> Result<(), NotSaved> {
    for application in applications {
        gateway.durable.application_ended(application).await?;
    }
    Ok(())
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
