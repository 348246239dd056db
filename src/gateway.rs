//! Layer 3: the use case. Authorise, plan, record, ask, decide, record, answer; and what becomes of a question that takes
//! longer.

mod asking;
mod journey;
mod record;
mod spans;
mod telling;
mod verification;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::claims::Claim;
use crate::clock::Clock;
use crate::departments::{Departments, Occasion};
use crate::domain::{AgencyId, Person};
use crate::durable::{Durable, NotSaved};
use crate::ledger::{Ledger, NotRecorded};
use crate::matters::Catalog;
use crate::receipt::Issuer;
use crate::rights::{self, Agency, Asked, Granted, Permit, Refusal};
use crate::signing::{NotSigned, SubjectKey};
use crate::situation::Situation;
use crate::telemetry::Telemetry;
use crate::watch::Watch;

use journey::Journey;
pub use record::administered;
use telling::Told;
pub use verification::{Verification, Verifications};

/// One thread's gateway. What all threads share is behind `Arc`s in it.
pub struct Gateway {
    /// The rules.
    pub catalog: Arc<Catalog>,
    /// The departments, behind the cache.
    pub departments: Arc<dyn Departments>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What must survive a restart.
    pub durable: Arc<dyn Durable>,
    /// What is written down for good.
    pub ledger: Arc<dyn Ledger>,
    /// Issues receipts.
    pub issuer: Arc<Issuer>,
    /// Hides whom a question is about where it is written down.
    pub subject_key: Arc<SubjectKey>,
    /// Verifications of all threads, for a while.
    pub verifications: Verifications,
    /// Who seems to guess: it is told what questions come to.
    pub watch: Arc<Watch>,
    /// What an operator is shown.
    pub situation: Arc<Situation>,
    /// What operators are told.
    pub telemetry: Arc<Telemetry>,
    /// How long a question may stay open.
    pub open_for: Duration,
    /// After how long a question is asked again whose department did not say when it can be asked; it doubles each time.
    pub again_after: Duration,
    /// Verifications that go on after their reply.
    pub tasks: TaskTracker,
    /// The process is about to end: open questions are taken up by the next one.
    pub stop: CancellationToken,
}

/// A question that is well-formed.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked.
    pub claim: Arc<Claim>,
    /// The people, one for each role of the claim, in its order.
    pub people: Vec<Person>,
    /// A value for each parameter of the claim.
    pub parameters: Arc<Map<String, Value>>,
    /// On whose behalf, and what for.
    pub occasion: Arc<Occasion>,
    /// A fact that was got before this moment will not do.
    pub not_before: Option<Timestamp>,
    /// Whether it is to be kept while a department cannot be asked, and asked again.
    pub patient: bool,
}

/// Why a question is not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// It or its answer cannot be recorded: nobody is asked, and nothing answered.
    #[error("the question cannot be recorded")]
    NotRecorded,
    /// It takes longer, and cannot be kept.
    #[error("the question cannot be kept")]
    NotKept,
    /// Its receipt cannot be signed.
    #[error("the receipt cannot be signed")]
    NotSigned,
}

impl From<NotRecorded> for Unverified {
    fn from(_: NotRecorded) -> Self {
        Self::NotRecorded
    }
}

impl From<NotSaved> for Unverified {
    fn from(_: NotSaved) -> Self {
        Self::NotKept
    }
}

impl From<NotSigned> for Unverified {
    fn from(error: NotSigned) -> Self {
        tracing::error!(%error, "a receipt cannot be signed");
        Self::NotSigned
    }
}

impl Gateway {
    /// Whether the agency may ask this; nobody is asked, and no cache looked at, before that is known.
    ///
    /// # Errors
    /// What is not granted.
    pub fn authorise<'a>(&self, agency: &'a Agency, asked: &Asked<'_>) -> Result<Permit<'a>, Refusal> {
        rights::decide(agency, asked, self.clock.now())
    }

    /// Answers a question, waiting at most `wait`. One that takes longer is kept, and goes on behind its `pending` answer.
    ///
    /// # Errors
    /// If the question or its answer cannot be recorded, or a question which takes longer cannot be kept.
    pub async fn verify(
        self: &Arc<Self>,
        agency: &Agency,
        granted: Granted,
        request: Request,
        wait: Duration,
    ) -> Result<Arc<Verification>, Unverified> {
        let mut span = spans::question(&request, &agency.id, false);
        let verified = span.around(self.answer(agency, granted, request, wait)).await;
        verified.inspect(|verification| spans::came_to(&mut span, verification))
    }

    async fn answer(
        self: &Arc<Self>,
        agency: &Agency,
        granted: Granted,
        mut request: Request,
        wait: Duration,
    ) -> Result<Arc<Verification>, Unverified> {
        request.patient &= granted.keeps();
        let (id, asked) = (Uuid::now_v7(), self.clock.now());
        if !request.claim.is_connected() {
            let referred = Verification::referred(id, agency.id.clone(), &request, self.catalog.digest(), asked);
            let referred = self.answered(referred, Vec::new(), &request).recorded(self, &request).await?;
            self.tell(Told::Asked, &referred, &request.occasion, asked);
            return Ok(self.verifications.keep(referred).await);
        }
        let expires = SignedDuration::try_from(self.open_for).ok().and_then(|open| asked.checked_add(open).ok());
        let mut journey = Journey::new(Arc::clone(self), id, agency, request, asked, expires.unwrap_or(Timestamp::MAX));
        match timeout(wait, journey.travel()).await {
            Ok(Ok(Some(verification))) => {
                journey.tell(Told::Asked, &verification);
                Ok(self.verifications.keep(verification).await)
            }
            Ok(Err(why)) => Err(why),
            // Either it takes longer, or it has to wait for a department to open.
            Ok(Ok(None)) | Err(_) => {
                journey.write_ahead().await?;
                journey.keep().await?;
                let pending = self.verifications.keep(journey.verification()).await;
                journey.tell(Told::Asked, &pending);
                journey.go_on_behind();
                Ok(pending)
            }
        }
    }

    /// Takes up the questions that an earlier process left open.
    ///
    /// # Errors
    /// If they cannot be read, or an end of one not be recorded.
    pub async fn resume(self: &Arc<Self>) -> Result<usize, Unverified> {
        let open = self.durable.open_questions().await?;
        let count = open.len();
        for question in open {
            let Some(journey) = Journey::resumed(Arc::clone(self), &question) else {
                tracing::error!(verification.id = %question.id, "an open question is of no claim in the catalog any more");
                if let Some(lost) = Verification::unanswerable(&question, self.catalog.digest(), self.clock.now()) {
                    self.record_lost(&question, &lost).await?;
                    journey::close(self, &lost, &[], question.notify).await?;
                }
                continue;
            };
            let pending = self.verifications.keep(journey.verification()).await;
            journey.tell(Told::Waits, &pending);
            journey.go_on_behind();
        }
        Ok(count)
    }

    /// A verification by its id, if this agency asked for it.
    ///
    /// # Errors
    /// If what is kept cannot be read: there may be one.
    pub async fn find(&self, id: Uuid, agency: &AgencyId) -> Result<Option<Arc<Verification>>, NotSaved> {
        Ok(self.find_for_anybody(id).await?.filter(|verification| verification.agency == *agency))
    }

    async fn find_for_anybody(&self, id: Uuid) -> Result<Option<Arc<Verification>>, NotSaved> {
        if let Some(verification) = self.verifications.find(id).await {
            return Ok(Some(verification));
        }
        // In this order: a question that is closed meanwhile is found all the same.
        let open = self.durable.open_question(id).await?;
        let found = match open {
            Some(open) => Verification::pending(&open, self.catalog.digest()),
            None => {
                let closed = self.durable.closed_question(id).await?;
                closed.and_then(|closed| serde_json::from_value(closed.verification).ok())
            }
        };
        Ok(found.map(Arc::new))
    }
}
