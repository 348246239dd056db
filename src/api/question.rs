//! A well-formed question on its way through the house, the same for every face that asks one: rights, quota, watch, ledger,
//! departments, receipt. Whoever is turned away is on record before being told so.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::Api;
use super::admission::{admit, refused};
use super::context::Context;
use super::problem::Problem;
use super::verification_request::VerificationRequest;
use crate::departments::Occasion;
use crate::domain::Slug;
use crate::gateway::{self, Unverified, Verification};
use crate::ledger::NotRecorded;
use crate::rights::{Agency, Asked, Permit};

/// A question that some grant of the agency covers. It is not counted yet, and nobody is asked.
pub(crate) struct Question<'a> {
    api: &'a Api,
    agency: &'a Agency,
    permit: Permit<'a>,
    officer: Option<String>,
    request: gateway::Request,
}

impl<'a> Question<'a> {
    /// The question of an agency, if its grants cover it. With `patient`, it is kept while a department cannot be asked.
    ///
    /// # Errors
    /// The problem that it is not granted, or that this cannot be recorded.
    pub(crate) async fn granted(
        api: &'a Api,
        agency: &'a Agency,
        asked: VerificationRequest,
        context: &Context,
        patient: bool,
    ) -> Result<Self, Problem> {
        let (names, officer) = (asked.names(), asked.officer.clone());
        let request = request(api, asked, agency, context, patient);
        let (claim, purpose) = (request.claim.reference(), &request.occasion.purpose);
        let permit = api.gateway.authorise(agency, &Asked { claim, purpose, names, patient });
        match permit {
            Ok(permit) => Ok(Self { api, agency, permit, officer, request }),
            Err(refusal) => Err(turned_away(api, &request, refused(refusal, api.gateway.clock.now())).await),
        }
    }

    /// Counts it, and answers it within `wait` or says that it is pending.
    ///
    /// # Errors
    /// The problem for which it is not verified.
    pub(crate) async fn verify(self, wait: Duration) -> Result<Arc<Verification>, Problem> {
        let Self { api, agency, permit, officer, request } = self;
        let granted = match admit(api, agency, &permit, officer.as_deref(), &request.people).await {
            Ok(granted) => granted,
            Err(problem) => return Err(turned_away(api, &request, problem).await),
        };
        api.gateway.verify(agency, granted, request, wait).await.map_err(|why| match why {
            Unverified::NotRecorded | Unverified::NotSigned => Problem::LedgerUnavailable(5),
            Unverified::NotKept => Problem::Overloaded(5),
        })
    }
}

/// The problem by which an agency is told that what it sent is not taken as a question, once that is on record.
pub(super) async fn refuse(api: &Api, agency: &Agency, context: &Context, problem: Problem) -> Problem {
    let record = |code| api.gateway.record_no_question(&agency.id, &context.request_id, code);
    on_record(problem, record).await
}

/// The problem by which a question is turned away, once that is on record.
async fn turned_away(api: &Api, request: &gateway::Request, problem: Problem) -> Problem {
    on_record(problem, |code| api.gateway.record_refusal(request, code)).await
}

/// A problem, once its code is on record.
async fn on_record<R: Future<Output = Result<(), NotRecorded>>>(
    problem: Problem,
    record: impl FnOnce(Slug) -> R,
) -> Problem {
    let Ok(code) = problem.code().parse::<Slug>() else { return Problem::LedgerUnavailable(5) };
    match record(code).await {
        Ok(()) => problem,
        Err(NotRecorded) => Problem::LedgerUnavailable(5),
    }
}

fn request(
    api: &Api,
    asked: VerificationRequest,
    agency: &Agency,
    context: &Context,
    patient: bool,
) -> gateway::Request {
    let oldest = asked.max_age.and_then(|age| SignedDuration::try_from(age).ok());
    gateway::Request {
        claim: asked.claim,
        people: asked.people,
        parameters: Arc::new(asked.parameters),
        occasion: Arc::new(Occasion {
            agency: agency.id.clone(),
            // Departments want somebody to answer for the question; where nobody is named, the agency does.
            officer: asked.officer.unwrap_or_else(|| agency.id.to_string()),
            purpose: asked.purpose,
            case: asked.case,
            legal_basis: asked.legal_basis,
            request_id: context.request_id.clone(),
            traceparent: Some(context.traceparent.clone()),
            tracestate: context.tracestate.clone(),
        }),
        not_before: oldest.and_then(|age| api.gateway.clock.now().checked_sub(age).ok()),
        patient,
    }
}
