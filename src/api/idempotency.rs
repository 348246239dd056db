use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use moka::future::Cache;
use sha2::{Digest, Sha256};

use super::problem::{Problem, Reason};
use crate::domain::AgencyId;

/// Replies to requests that came with an `Idempotency-Key`, each agency's apart, for 24 hours, in memory.
pub struct Replies(Cache<(AgencyId, String), Arc<Stored>>);

/// A reply that is sent again when its request comes again.
#[derive(Debug, Clone)]
pub(super) struct StoredReply {
    pub(super) status: StatusCode,
    /// Of one that is pending: where to ask for the outcome, and after how many seconds.
    pub(super) later: Option<(String, i64)>,
    pub(super) body: Bytes,
}

struct Stored {
    request: [u8; 32],
    reply: StoredReply,
}

impl Replies {
    /// Keeps up to `entries`.
    #[must_use]
    pub fn new(entries: u64) -> Self {
        Self(Cache::builder().max_capacity(entries).time_to_live(Duration::from_hours(24)).build())
    }

    /// The stored reply to this key, or the one that `work` makes. Of equal requests at once, one does the work. A problem is
    /// not stored.
    pub(super) async fn once(
        &self,
        agency: &AgencyId,
        key: Option<String>,
        body: &[u8],
        work: impl Future<Output = Result<StoredReply, Problem>>,
    ) -> Result<StoredReply, Problem> {
        let Some(key) = key else { return work.await };
        let request: [u8; 32] = Sha256::digest(body).into();
        // Boxed: it would make the future of those without a key as large.
        let work = Box::pin(async { work.await.map(|reply| Arc::new(Stored { request, reply })) });
        let stored = self.0.try_get_with((agency.clone(), key), work).await;
        let stored = stored.map_err(|problem: Arc<Problem>| (*problem).clone())?;
        if stored.request == request { Ok(stored.reply.clone()) } else { Err(Problem::IdempotencyConflict) }
    }
}

/// The `Idempotency-Key` of a request.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
    let wrong = || Problem::field("", Reason::IdempotencyKey);
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}
