use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use moka::Expiry;
use moka::future::Cache;
use sha2::{Digest, Sha256};

use super::problem::{Problem, Reason};
use crate::domain::AgencyId;
use crate::durable::{Durable, KeptReply, NotSaved};

/// Replies to requests that came with an `Idempotency-Key`, each agency's apart, for 24 hours: the last ones in memory, and all
/// of them where they survive a restart, if there is such a place.
pub struct Replies {
    recent: Cache<(AgencyId, String), Arc<Stored>>,
    durable: Option<Arc<dyn Durable>>,
}

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
    /// For how long it is sent again.
    lifetime: Duration,
}

/// How long a reply is sent again.
const KEPT_FOR: Duration = Duration::from_hours(24);

impl Replies {
    /// Keeps up to `entries` in memory.
    #[must_use]
    pub fn new(entries: u64, durable: Option<Arc<dyn Durable>>) -> Self {
        Self { recent: Cache::builder().max_capacity(entries).expire_after(ByLifetime).build(), durable }
    }

    /// The stored reply to this key, or the one that `work` makes. Of equal requests at once, one does the work. A problem is
    /// not stored.
    pub(super) async fn once(
        &self,
        agency: &AgencyId,
        key: Option<String>,
        body: &[u8],
        now: Timestamp,
        work: impl Future<Output = Result<StoredReply, Problem>>,
    ) -> Result<StoredReply, Problem> {
        let Some(key) = key else { return work.await };
        let request: [u8; 32] = Sha256::digest(body).into();
        // Boxed: it would make the future of those without a key as large.
        let work = Box::pin(async {
            if let Some(stored) = self.kept(agency, &key, now).await? {
                return Ok(Arc::new(stored));
            }
            let stored = Stored { request, reply: work.await?, lifetime: KEPT_FOR };
            // If it cannot be kept, the work is done all the same, and its reply is due; the store has said why.
            let _ = self.keep(agency, &key, now, &stored).await;
            Ok(Arc::new(stored))
        });
        let stored = self.recent.try_get_with((agency.clone(), key.clone()), work).await;
        let stored = stored.map_err(|problem: Arc<Problem>| (*problem).clone())?;
        if stored.request == request { Ok(stored.reply.clone()) } else { Err(Problem::IdempotencyConflict) }
    }

    /// What an earlier process replied, or this one too long ago for its memory. Nobody is asked while that is unknown.
    async fn kept(&self, agency: &AgencyId, key: &str, now: Timestamp) -> Result<Option<Stored>, Problem> {
        let Some(durable) = &self.durable else { return Ok(None) };
        let kept = durable.kept_reply(agency.0.as_str(), key).await.map_err(|NotSaved| Problem::Overloaded(5))?;
        Ok(kept.and_then(|(KeptReply { request, status, later, body }, until)| {
            let reply = StoredReply { status: StatusCode::from_u16(status).ok()?, later, body: body.into() };
            Some(Stored { request, reply, lifetime: Duration::try_from(until.duration_since(now)).ok()? })
        }))
    }

    /// Keeps a reply before it is sent.
    async fn keep(&self, agency: &AgencyId, key: &str, now: Timestamp, stored: &Stored) -> Result<(), NotSaved> {
        let Some(durable) = &self.durable else { return Ok(()) };
        let StoredReply { status, later, body } = &stored.reply;
        let body = String::from_utf8(body.to_vec()).map_err(|_| NotSaved)?;
        let reply = KeptReply { request: stored.request, status: status.as_u16(), later: later.clone(), body };
        let until = SignedDuration::try_from(stored.lifetime).ok().and_then(|length| now.checked_add(length).ok());
        durable.keep_reply(agency.0.as_str(), key, &reply, until.unwrap_or(Timestamp::MAX)).await
    }
}

/// Ends what is in memory when its time is over, wherever it came from.
struct ByLifetime;

impl Expiry<(AgencyId, String), Arc<Stored>> for ByLifetime {
    fn expire_after_create(&self, _: &(AgencyId, String), stored: &Arc<Stored>, _: Instant) -> Option<Duration> {
        Some(stored.lifetime)
    }
}

/// The `Idempotency-Key` of a request.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let is_alone = values.next().is_none();
    let key = value.to_str().ok().filter(|key| is_alone && (1..=255).contains(&key.len()));
    let wrong = || Problem::field("", Reason::IdempotencyKey);
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}
