//! Layer 3: the use case. Authorise, plan, ask, decide, answer.

mod asking;
mod freshness;
mod verification;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use serde_json::{Map, Value};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::claims::{Claim, Inquiry};
use crate::clock::Clock;
use crate::departments::{Departments, Occasion};
use crate::domain::{AgencyId, ClaimRef, Person, Slug};
use crate::matters::Catalog;
use crate::rights::{self, Agency, Refusal};

use asking::Asking;
pub use freshness::{Freshness, SourceState};
pub use verification::{Verification, Verifications};

/// One thread's gateway. What all threads share is behind `Arc`s in it.
#[derive(Clone)]
pub struct Gateway {
    /// The rules.
    pub catalog: Arc<Catalog>,
    /// The departments, behind the cache.
    pub departments: Arc<dyn Departments>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Verifications of all threads, for a while.
    pub verifications: Verifications,
    /// When each source last answered.
    pub freshness: Arc<Freshness>,
    /// Verifications that go on after their reply.
    pub tasks: TaskTracker,
}

/// A question that is well-formed.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked.
    pub claim: Arc<Claim>,
    /// The people, one for each role of the claim, in its order.
    pub people: Vec<Person>,
    /// A value for each parameter of the claim, in its order.
    pub parameters: Map<String, Value>,
    /// What the fact is needed for.
    pub purpose: Slug,
    /// On whose behalf.
    pub officer: String,
    /// The agency's own case number.
    pub case: Option<String>,
    /// How old a fact may be at most.
    pub max_age: Option<Duration>,
    /// Identifies the request.
    pub request_id: String,
    /// The caller's trace context, handed on.
    pub traceparent: Option<String>,
}

impl Gateway {
    /// Whether the agency may ask this; nobody is asked, and no cache looked at, before that is known.
    ///
    /// # Errors
    /// What is not granted.
    pub fn authorise(&self, agency: &Agency, claim: &ClaimRef, purpose: &Slug) -> Result<(), Refusal> {
        rights::decide(agency, claim, purpose)
    }

    /// Answers a question, waiting at most `wait`. One that takes longer goes on behind its `pending` answer.
    ///
    /// # Errors
    /// What is not granted to the agency.
    pub async fn verify(
        &self,
        agency: &Agency,
        request: Request,
        wait: Duration,
    ) -> Result<Arc<Verification>, Refusal> {
        self.authorise(agency, request.claim.reference(), &request.purpose)?;
        let id = Uuid::now_v7();
        if !request.claim.is_connected() {
            let referred =
                Verification::referred(id, agency.id.clone(), request.claim.reference().clone(), self.clock.now());
            return Ok(self.verifications.keep(referred).await);
        }
        let mut asking = self.plan(id, agency.id.clone(), request);
        if timeout(wait, asking.run()).await.is_ok() {
            return Ok(self.verifications.keep(asking.verification()).await);
        }
        let pending = self.verifications.keep(asking.verification()).await;
        let verifications = self.verifications.clone();
        self.tasks.spawn(async move {
            asking.run().await;
            verifications.keep(asking.verification()).await;
        });
        Ok(pending)
    }

    fn plan(&self, id: Uuid, agency: AgencyId, request: Request) -> Asking {
        let started = self.clock.now();
        let oldest = request.max_age.and_then(|age| jiff::SignedDuration::try_from(age).ok());
        let values: Vec<Value> = request.parameters.values().cloned().collect();
        Asking {
            id,
            agency: agency.clone(),
            claim: request.claim.reference().clone(),
            inquiry: Inquiry::new(request.claim, request.people, &values, self.clock.today()),
            departments: Arc::clone(&self.departments),
            freshness: Arc::clone(&self.freshness),
            parameters: Arc::new(request.parameters),
            occasion: Arc::new(Occasion {
                agency,
                officer: request.officer,
                purpose: request.purpose,
                case: request.case,
                request_id: request.request_id,
                traceparent: request.traceparent,
            }),
            not_before: oldest.and_then(|age| started.checked_sub(age).ok()),
            started,
            awaited: FuturesUnordered::new(),
        }
    }
}
