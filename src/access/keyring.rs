//! An issuer's keys while the gateway runs: read in the background, read again where a token names a key that is not there,
//! and kept for a while where they cannot be read.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use std::{fs, io};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::keys::{KeySet, KeySetError, MOST_BYTES};
use crate::callers::{KeyPlace, KeySource};
use crate::clock::Clock;

/// How long a read may take; how long a request waits for one.
const READ_TIME: Duration = Duration::from_secs(5);
const WAIT: Duration = Duration::from_secs(3);

/// How many requests may wait for a read at once.
const WAITING: usize = 16;

/// After how long a token with an unknown key may have the keys read again: whoever invents keys must not keep us busy.
const AGAIN: Duration = Duration::from_secs(10);

/// After how long it is tried again at the latest where the keys cannot be read.
const RETRY: Duration = Duration::from_secs(30);

/// The keyrings of all issuers. They outlive a change of configuration.
#[derive(Debug, Default)]
pub struct Keyrings(Mutex<HashMap<KeyPlace, Arc<Keyring>>>);

impl Keyrings {
    /// The keyring of a place.
    #[must_use]
    pub fn of(&self, place: &KeyPlace) -> Arc<Keyring> {
        let mut rings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What no generation holds any more serves nobody.
        rings.retain(|known, ring| known == place || Arc::strong_count(ring) > 1);
        Arc::clone(rings.entry(place.clone()).or_insert_with(|| Arc::new(Keyring::new(place.clone()))))
    }
}

/// The keys of one place.
#[derive(Debug)]
pub struct Keyring {
    place: KeyPlace,
    read: RwLock<Option<Read>>,
    /// When it is read next, whatever happens.
    due: Mutex<Instant>,
    wanted: Notify,
    /// When a token may have it read again.
    again: Mutex<Instant>,
    is_reading: AtomicBool,
    /// Tells how often it was tried.
    tries: watch::Sender<u64>,
    waiting: Semaphore,
}

#[derive(Debug, Clone)]
struct Read {
    keys: Arc<KeySet>,
    at: Timestamp,
}

/// Why keys cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeyReadError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    File(io::ErrorKind),
    /// The file of authorities cannot be read, or holds none.
    #[error("the file of authorities cannot be read, or holds none")]
    Authorities,
    /// The address does not answer.
    #[error("its server cannot be reached, or its certificate is not good")]
    Unreachable,
    /// It did not answer in time.
    #[error("its server does not answer within {} seconds", READ_TIME.as_secs())]
    Slow,
    /// It answers with another status than 200.
    #[error("its server answers with status {0}")]
    Status(u16),
    /// What is there is no set of keys.
    #[error(transparent)]
    Keys(#[from] KeySetError),
}

impl Keyring {
    pub(super) fn new(place: KeyPlace) -> Self {
        let now = Instant::now();
        Self {
            place,
            read: RwLock::default(),
            due: Mutex::new(now),
            wanted: Notify::new(),
            again: Mutex::new(now),
            is_reading: AtomicBool::new(false),
            tries: watch::Sender::new(0),
            waiting: Semaphore::new(WAITING),
        }
    }

    /// The keys, unless they are too old to be believed.
    pub(super) fn keys(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        let read = read.as_ref()?;
        // Not for less than until they are read again.
        let keep = self.place.keep.max(self.place.refresh.saturating_add(READ_TIME));
        let until = read.at.saturating_add(SignedDuration::try_from(keep).ok()?).ok()?;
        (now <= until).then(|| Arc::clone(&read.keys))
    }

    /// Waits until the keys have been read again, for a token that names one which is not there. Returns whether they have.
    pub(super) async fn read_again(&self) -> bool {
        let Ok(_place) = self.waiting.try_acquire() else { return false };
        let mut tries = self.tries.subscribe();
        // The first reading comes by itself.
        let is_first = *tries.borrow() == 0;
        if !is_first && !self.is_reading.load(Ordering::Acquire) {
            let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if now < *again {
                return false;
            }
            *again = now + AGAIN;
            drop(again);
            self.wanted.notify_one();
        }
        matches!(timeout(WAIT, tries.changed()).await, Ok(Ok(())))
    }

    /// Keeps them fresh, as long as it is polled. One task does that.
    pub async fn keep_fresh(&self, clock: &dyn Clock) {
        loop {
            let due = *self.due.lock().unwrap_or_else(PoisonError::into_inner);
            tokio::select! {
                () = sleep_until(due) => {}
                () = self.wanted.notified() => {}
            }
            let reading = Reading::begin(self);
            let read = match timeout(READ_TIME, read(&self.place.source)).await {
                Ok(read) => read,
                Err(_) => Err(KeyReadError::Slow),
            };
            let is_read = self.settle(read, clock.now());
            let pause = if is_read { self.place.refresh } else { self.place.refresh.min(RETRY) };
            *self.due.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + pause;
            drop(reading);
        }
    }

    /// Puts keys there that nobody has read.
    #[cfg(test)]
    pub(super) fn put(&self, keys: KeySet, now: Timestamp) {
        self.settle(Ok(keys), now);
    }

    /// Takes over what was read; what could not be read changes nothing.
    fn settle(&self, read: Result<KeySet, KeyReadError>, now: Timestamp) -> bool {
        let mut known = self.read.write().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(keys) => {
                // Tokens that were verified with the same keys stay verified.
                let same = known.as_ref().map(|known| &known.keys).filter(|known| known.is_same(&keys)).cloned();
                let is_new = same.is_none();
                let keys = same.unwrap_or_else(|| Arc::new(keys));
                if is_new {
                    tracing::info!(jwks = self.name(), keys = ?keys, "the keys of an issuer are read");
                }
                *known = Some(Read { keys, at: now });
                true
            }
            Err(error) => {
                let age = known.as_ref().map(|known| now.duration_since(known.at).as_secs());
                tracing::warn!(jwks = self.name(), %error, keys.age_s = age, "the keys of an issuer cannot be read");
                false
            }
        }
    }

    fn name(&self) -> String {
        match &self.place.source {
            KeySource::Address { url, .. } => url.split('?').next().unwrap_or_default().to_owned(),
            KeySource::File(path) => path.display().to_string(),
        }
    }
}

/// While it lives, keys are being read; whoever waits is told when it ends, however it does.
struct Reading<'a>(&'a Keyring);

impl<'a> Reading<'a> {
    fn begin(ring: &'a Keyring) -> Self {
        ring.is_reading.store(true, Ordering::Release);
        Self(ring)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.is_reading.store(false, Ordering::Release);
        self.0.tries.send_modify(|tries| *tries = tries.wrapping_add(1));
    }
}

/// Whether a file holds an issuer's keys.
///
/// # Errors
/// If it does not.
pub fn check_key_file(path: &Path) -> Result<(), KeyReadError> {
    read_file(path).map(|_| ())
}

/// Whether a file holds authorities that certificates can come from.
///
/// # Errors
/// If it does not.
pub fn check_authorities(path: &Path) -> Result<(), KeyReadError> {
    authorities(path).map(|_| ())
}

async fn read(source: &KeySource) -> Result<KeySet, KeyReadError> {
    match source {
        KeySource::File(path) => {
            let path = path.clone();
            let reading = tokio::task::spawn_blocking(move || read_file(&path));
            reading.await.unwrap_or(Err(KeyReadError::File(io::ErrorKind::Other)))
        }
        KeySource::Address { url, ca } => fetch(url, ca.as_deref()).await,
    }
}

fn read_file(path: &Path) -> Result<KeySet, KeyReadError> {
    use std::io::Read as _;

    let unread = |error: io::Error| KeyReadError::File(error.kind());
    let mut text = Vec::new();
    fs::File::open(path).map_err(unread)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut text).map_err(unread)?;
    Ok(KeySet::read(text)?)
}

/// Asks for keys. A redirection is not followed: it is a status like any other.
async fn fetch(url: &str, ca: Option<&Path>) -> Result<KeySet, KeyReadError> {
    let unreachable =
        |error: reqwest::Error| if error.is_timeout() { KeyReadError::Slow } else { KeyReadError::Unreachable };
    let response = client(ca)?
        .get(url)
        .header("accept", "application/jwk-set+json, application/json")
        .send()
        .await
        .map_err(unreachable)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(KeyReadError::Status(response.status().as_u16()));
    }
    Ok(KeySet::read(body(response).await?)?)
}

/// A client for one request, which follows no redirection and waits so long at the most.
pub(super) fn client(ca: Option<&Path>) -> Result<reqwest::Client, KeyReadError> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(READ_TIME)
        .pool_max_idle_per_host(0)
        .referer(false)
        .no_proxy();
    if let Some(path) = ca {
        builder = builder.tls_certs_only(authorities(path)?);
    }
    builder.build().map_err(|_| KeyReadError::Unreachable)
}

fn authorities(path: &Path) -> Result<Vec<reqwest::Certificate>, KeyReadError> {
    let pem = fs::read(path).map_err(|_| KeyReadError::Authorities)?;
    let authorities = reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| KeyReadError::Authorities)?;
    if authorities.is_empty() { Err(KeyReadError::Authorities) } else { Ok(authorities) }
}

/// The body of a reply, within bounds.
pub(super) async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, KeyReadError> {
    let unreachable =
        |error: reqwest::Error| if error.is_timeout() { KeyReadError::Slow } else { KeyReadError::Unreachable };
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if text.len() + chunk.len() > MOST_BYTES {
            return Err(KeySetError::TooLarge.into());
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}
