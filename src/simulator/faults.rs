//! What goes wrong at a department, on demand.

mod setting;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use hyper::{Response, StatusCode};

use super::dice::scramble;
use super::wire::{Body, Reply, pieces, respond};

pub(super) use setting::Fault;
pub use setting::Setting;

/// All faults that are set.
#[derive(Debug, Default)]
pub(super) struct Faults {
    settings: RwLock<Vec<Setting>>,
    /// Whether there are any: most of the time there are none, and nobody should wait to learn that.
    any: AtomicBool,
    draws: AtomicU64,
}

/// What is to happen to one call.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) delay: Duration,
    pub(super) fault: Option<Fault>,
    pub(super) millis: u64,
}

impl Faults {
    /// Sets a fault, in place of the same one on the same operation.
    ///
    /// # Errors
    /// A sentence that says what there is no such thing of.
    pub(super) fn set(&self, setting: Setting) -> Result<(), String> {
        setting.check()?;
        let mut settings = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        settings.retain(|one| {
            (&one.source, &one.operation, one.fault) != (&setting.source, &setting.operation, setting.fault)
        });
        settings.push(setting);
        self.any.store(true, Ordering::Release);
        Ok(())
    }

    /// Clears all faults.
    pub(super) fn clear(&self) {
        self.settings.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.any.store(false, Ordering::Release);
    }

    /// The faults that are set, in the order in which they were.
    pub(super) fn list(&self) -> Vec<Setting> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the source takes no connections at all.
    pub(super) fn refuses_connections(&self, source: &str) -> bool {
        let is_closed = |one: &Setting| {
            one.source == source && one.operation == "*" && one.fault == Fault::Refuse && one.share >= 1.0
        };
        self.any.load(Ordering::Acquire)
            && self.settings.read().unwrap_or_else(PoisonError::into_inner).iter().any(is_closed)
    }

    /// What is to happen to the next call of an operation. Delays add up; of the other faults, the one set
    /// last happens.
    pub(super) fn plan(&self, source: &str, operation: &str) -> Plan {
        let mut plan = Plan::default();
        if !self.any.load(Ordering::Acquire) {
            return plan;
        }
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        for setting in settings.iter().filter(|one| one.source == source && one.covers(operation)) {
            if !self.hits(setting.share) {
                continue;
            }
            if setting.fault == Fault::Delay {
                plan.delay += Duration::from_millis(setting.millis);
            } else {
                plan.fault = Some(setting.fault);
                plan.millis = setting.millis;
            }
        }
        plan
    }

    fn hits(&self, share: f64) -> bool {
        let drawn = scramble(self.draws.fetch_add(1, Ordering::Relaxed).wrapping_add(0x5EED)) >> 32;
        u32::try_from(drawn).is_ok_and(|drawn| f64::from(drawn) < share * 4_294_967_296.0)
    }
}

impl Plan {
    /// The reply as it goes onto the wire; nothing where the connection is reset.
    pub(super) fn send(self, reply: Reply) -> Option<Response<Body>> {
        let response = match self.fault {
            Some(Fault::Refuse) => return None,
            Some(Fault::Cut) => cut(&reply),
            Some(Fault::Status500) => broken(StatusCode::INTERNAL_SERVER_ERROR),
            Some(Fault::Status503) => broken(StatusCode::SERVICE_UNAVAILABLE),
            Some(Fault::Garbage) => Reply { body: garbage(reply.body.len().max(64)), ..reply }.into_response(),
            Some(Fault::Empty200) => Reply { body: Bytes::new(), status: StatusCode::OK, ..reply }.into_response(),
            Some(Fault::Huge) => huge(reply),
            Some(Fault::Drip) => drip(reply, Duration::from_millis(if self.millis == 0 { 100 } else { self.millis })),
            Some(
                Fault::Delay
                | Fault::Hang
                | Fault::WrongSchema
                | Fault::WrongPerson
                | Fault::UnknownCode
                | Fault::Null
                | Fault::BadSignature,
            )
            | None => reply.into_response(),
        };
        Some(response)
    }
}

/// Half of the body, though its full length was announced.
fn cut(reply: &Reply) -> Response<Body> {
    let half = reply.body.slice(..reply.body.len() / 2);
    // The half must have left before the connection ends.
    let wait = Duration::from_millis(5);
    let stream = futures_util::stream::unfold(0, move |step: u8| {
        let half = half.clone();
        async move {
            match step {
                0 => Some((Ok(half), 1)),
                1 => {
                    tokio::time::sleep(wait).await;
                    Some((Err(std::io::ErrorKind::ConnectionAborted.into()), 2))
                }
                _ => None,
            }
        }
    });
    respond(reply.status, reply.content_type, Some(reply.body.len()), pieces(stream))
}

fn broken(status: StatusCode) -> Response<Body> {
    let text = "<html><head><title>Error</title></head><body><h1>服务暂不可用</h1><hr>nginx</body></html>";
    Reply::new(status, "text/html; charset=utf-8", text).into_response()
}

fn garbage(length: usize) -> Bytes {
    (0..length as u64).map(|index| scramble(index).to_le_bytes()[0]).collect()
}

fn huge(reply: Reply) -> Response<Body> {
    let blank = Bytes::from(vec![b' '; 1 << 16]);
    let stream = futures_util::stream::unfold((Some(reply.body), 0), move |(start, sent): (Option<Bytes>, usize)| {
        let piece = start.unwrap_or_else(|| blank.clone());
        let left = sent < HUGE;
        async move { left.then(|| (Ok(piece.clone()), (None, sent + piece.len()))) }
    });
    respond(reply.status, reply.content_type, None, pieces(stream))
}

fn drip(reply: Reply, pause: Duration) -> Response<Body> {
    let length = reply.body.len();
    let stream = futures_util::stream::unfold(reply.body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let drop = rest.split_to(1);
        Some((Ok(drop), rest))
    });
    respond(reply.status, reply.content_type, Some(length), pieces(stream))
}

/// The question whether a department's machine is up, beside the operations; no fault can be set on it alone.
pub(super) const HEALTH: &str = "health";
const HUGE: usize = 64 << 20;
