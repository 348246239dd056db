//! What an operator can do to the process as a whole, and what is known of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

/// The levers of a process. All threads share one.
pub struct Levers {
    draining: Arc<AtomicBool>,
    drained: Mutex<Option<Drained>>,
    configuration: Mutex<Configuration>,
    wanting: mpsc::Sender<Wanted>,
    wanted: AsyncMutex<mpsc::Receiver<Wanted>>,
    running: Running,
    streams: Arc<Semaphore>,
    expiries: Expiries,
}

/// Says until when the listener's certificates are good.
pub type Expiries = Box<dyn Fn() -> Vec<(&'static str, Timestamp)> + Send + Sync>;

/// Says how many requests are worked on.
pub type Running = Box<dyn Fn() -> u64 + Send + Sync>;

/// That a configuration is to be read anew. Whoever reads it tells what came of it.
pub struct Wanted(oneshot::Sender<()>);

/// Who drains the gateway, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// Which configuration is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The first is 1, each that took over one more.
    pub generation: u64,
    /// When it took over.
    pub since: Timestamp,
    /// When the last attempt to replace it failed, and what was wrong: a line for each error. Forgotten when one succeeds.
    pub failed: Option<(Timestamp, String)>,
}

/// The most pages that are kept up to date at once; others are loaded anew by themselves every now and then.
const STREAMS: usize = 64;

/// How long a configuration may take to be read.
const PATIENCE: Duration = Duration::from_mins(1);

impl Levers {
    /// Those of a process that begins now.
    #[must_use]
    pub fn new(now: Timestamp, expiries: Expiries, running: Running) -> Self {
        let (wanting, wanted) = mpsc::channel(1);
        Self {
            draining: Arc::default(),
            drained: Mutex::default(),
            configuration: Mutex::new(Configuration { generation: 1, since: now, failed: None }),
            wanting,
            wanted: AsyncMutex::new(wanted),
            running,
            streams: Arc::new(Semaphore::new(STREAMS)),
            expiries,
        }
    }

    /// Whether requests are to go elsewhere.
    #[must_use]
    pub fn draining(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.draining)
    }

    /// Whether requests are to go elsewhere now.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Who drains the gateway, if somebody does.
    #[must_use]
    pub fn drained(&self) -> Option<Drained> {
        lock(&self.drained).clone()
    }

    /// Drains it, or lets requests come again.
    pub(super) fn drain(&self, drained: Option<Drained>) {
        let mut held = lock(&self.drained);
        self.draining.store(drained.is_some(), Ordering::Relaxed);
        *held = drained;
    }

    /// Which configuration is in force.
    #[must_use]
    pub fn configuration(&self) -> Configuration {
        lock(&self.configuration).clone()
    }

    /// Notes that a configuration has taken over, or what was wrong with one.
    pub fn reloaded(&self, result: Result<(), String>, now: Timestamp) {
        let mut known = lock(&self.configuration);
        match result {
            Ok(()) => *known = Configuration { generation: known.generation + 1, since: now, failed: None },
            Err(wrong) => known.failed = Some((now, wrong)),
        }
    }

    /// Waits until somebody wants the configuration to be read anew.
    pub async fn reload_wanted(&self) -> Wanted {
        match self.wanted.lock().await.recv().await {
            Some(wanted) => wanted,
            // It cannot be: this holds its other end, too.
            None => std::future::pending().await,
        }
    }

    /// Wants it to be read anew, and waits until that is done. `false`: nobody reads it.
    pub(super) async fn reload(&self) -> bool {
        let (done, told) = oneshot::channel();
        let asked = async { self.wanting.send(Wanted(done)).await.is_ok() && told.await.is_ok() };
        timeout(PATIENCE, asked).await.unwrap_or(false)
    }

    /// How many requests are worked on.
    #[must_use]
    pub fn running(&self) -> u64 {
        (self.running)()
    }

    /// A place among the pages that are kept up to date.
    pub(super) fn stream(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).try_acquire_owned().ok()
    }

    /// Until when the listener's certificates are good.
    #[must_use]
    pub fn expiries(&self) -> Vec<(&'static str, Timestamp)> {
        (self.expiries)()
    }
}

impl Wanted {
    /// Tells that it was read, and whatever came of it noted.
    pub fn done(self) {
        // Whoever wanted it may have gone.
        let _ = self.0.send(());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levers() -> Levers {
        Levers::new(Timestamp::UNIX_EPOCH, Box::new(Vec::new), Box::new(|| 0))
    }

    #[tokio::test]
    async fn a_reload_is_wanted_done_and_remembered() {
        let levers = levers();
        let serve = async {
            let wanted = levers.reload_wanted().await;
            levers.reloaded(Err("heyan.toml:3: no".to_owned()), Timestamp::UNIX_EPOCH);
            wanted.done();
            let wanted = levers.reload_wanted().await;
            let failed = levers.configuration();
            levers.reloaded(Ok(()), Timestamp::UNIX_EPOCH);
            wanted.done();
            failed
        };
        let want = async {
            assert!(levers.reload().await);
            assert!(levers.reload().await);
        };
        let (failed, ()) = tokio::join!(serve, want);
        assert_eq!(
            (failed.generation, failed.failed.map(|(_, wrong)| wrong).as_deref()),
            (1, Some("heyan.toml:3: no"))
        );
        assert_eq!((levers.configuration().generation, levers.configuration().failed), (2, None));
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_reads_it_that_is_said() {
        assert!(!levers().reload().await);
    }

    #[test]
    fn only_so_many_pages_are_kept_up_to_date() {
        let levers = levers();
        let held: Vec<_> = (0..STREAMS).map(|_| levers.stream().unwrap()).collect();
        assert!(levers.stream().is_none());
        drop(held);
        assert!(levers.stream().is_some());
    }
}
