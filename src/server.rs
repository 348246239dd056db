//! Layer 4: the composition root. It loads an installation, puts concrete stores and clients together, and runs them: one
//! thread a core, each with a current-thread runtime, a listener of its own on the same port (`SO_REUSEPORT`), and a client
//! of its own towards the departments, so that no request ever wakes another core.
//!
//! What a configuration makes is a [`Generation`]; what outlives it stands in [`House`].

mod door;
mod generation;
mod installation;
mod keys;
mod ledger;
mod listener;
mod route;
mod standing;
mod tls;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::config::{PlainHttp, SecretPlace, Settings};
use crate::desk::{Desk, DeskError};
use crate::domain::Slug;
use crate::durable::Durable;
use crate::ledger_store::LedgerStore;
use crate::situation::Closure;
use crate::store::{Store, StoreError, StoreKey, StoreKeyError};
use crate::web::{Cookies, Front, Wanted};

use generation::{Generation, House, Kept};
pub use installation::{Environment, Installation};
pub use keys::{KEYS, NoKeys, open_keys};
pub use ledger::{NoLedger, ledger_keys, open_ledger, verifier_key};
use tls::Entrance;
pub use tls::Material;
use worker::{Turn, Worker};

/// A running gateway.
pub struct Server {
    address: SocketAddr,
    house: Arc<House>,
    ledger: Arc<LedgerStore>,
    turn: watch::Sender<Turn>,
    stop: CancellationToken,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// Starts all threads. When it returns, requests are taken.
    ///
    /// # Errors
    /// If the address cannot be bound, or a thread or a client cannot be made.
    pub fn start(
        mut installation: Installation,
        clock: Arc<dyn Clock>,
        durable: Arc<dyn Durable>,
        ledger: Arc<LedgerStore>,
        desk: Desk,
    ) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = installation.settings.workers.unwrap_or(cores);
        let listeners = listener::bind(installation.settings.listen, workers)?;
        let address = listeners.first().map_or(Ok(installation.settings.listen), std::net::TcpListener::local_addr)?;
        let certificates = installation.settings.tls.clone().zip(installation.tls.take());
        let entrance = certificates.map(|(files, material)| Arc::new(Entrance::new(files, material)));
        let closures = closures(&desk)?;
        let front = Arc::new(front(&installation.settings, desk, entrance.is_some())?);
        let kept = Kept { durable, ledger: Arc::clone(&ledger), front };
        let house =
            House::new(&installation.settings, clock, kept, &installation.exports, stop.clone(), workers, entrance);
        // Before anybody can ask.
        for (source, closure) in closures {
            house.states.close(&source, closure);
        }
        let house = Arc::new(house);
        installation.keys.iter().try_for_each(|keys| keys.keep()).map_err(io::Error::other)?;
        let first = Generation::new(&house, installation, None).map_err(io::Error::other)?;
        let first = Arc::new(first);
        house.telemetry.look_at(first.standing(&house));
        let (ready, is_ready) = mpsc::channel();
        let (turn, watched) = watch::channel(Turn { generation: first, taken: ready.clone() });
        let mut threads = Vec::new();
        for (number, listener) in listeners.into_iter().enumerate() {
            let worker = Worker { number, house: Arc::clone(&house), turns: watched.clone() };
            let run = move || worker.run(listener);
            threads.push(thread::Builder::new().name(format!("heyan-{number}")).spawn(run)?);
        }
        let server = Self { address, house, ledger, turn, stop, threads };
        server.wait_for_all(&is_ready);
        if server.threads.iter().any(JoinHandle::is_finished) {
            Err(server.stop().err().unwrap_or(io::ErrorKind::Other.into()))
        } else {
            Ok(server)
        }
    }

    /// Lets a new installation take over: when it returns, it answers every request that comes. Running requests end as they
    /// began. The ledger is written with its key from then on. Where requests are taken, by how many threads, and what is kept in memory stays as it was started.
    ///
    /// # Errors
    /// If a client towards a department cannot be made, TLS would begin or end, or the ledger cannot be written with its keys or
    /// under its origin; then nothing changes.
    pub fn reload(&self, mut installation: Installation) -> io::Result<()> {
        let certificates = installation.settings.tls.clone().zip(installation.tls.take());
        if certificates.is_some() != self.house.entrance.is_some() {
            return Err(io::Error::other("[tls] neither begins nor ends while the gateway runs: restart it"));
        }
        let ledger_keys = ledger::keys_to_write(&installation).map_err(io::Error::other)?;
        let keys = installation.keys.clone();
        let next = Generation::new(&self.house, installation, Some(&self.turn.borrow().generation));
        let next = next.map_err(io::Error::other)?;
        next.departments(&self.house)?;
        ledger_keys.map_or(Ok(()), |keys| self.ledger.renew(keys)).map_err(io::Error::other)?;
        keys.map_or(Ok(()), |keys| keys.keep()).map_err(io::Error::other)?;
        if let (Some((files, material)), Some(entrance)) = (certificates, &self.house.entrance) {
            entrance.replace(files, material);
        }
        self.house.telemetry.look_at(next.standing(&self.house));
        let (taken, is_taken) = mpsc::channel();
        self.turn.send_replace(Turn { generation: Arc::new(next), taken });
        self.wait_for_all(&is_taken);
        Ok(())
    }

    /// Waits until an operator wants the configuration to be read anew.
    pub async fn reload_wanted(&self) -> Wanted {
        self.house.levers.reload_wanted().await
    }

    /// Notes for operators that a configuration has taken over, or what was wrong with one.
    pub fn reloaded(&self, result: Result<(), String>) {
        self.house.levers.reloaded(result, self.house.clock.now());
    }

    /// Waits until all threads have told; one that has ended never will.
    fn wait_for_all(&self, told: &mpsc::Receiver<()>) {
        let mut left = self.threads.len();
        while left > 0 && !self.threads.iter().any(JoinHandle::is_finished) {
            left -= usize::from(told.recv_timeout(LOOK_EVERY).is_ok());
        }
    }

    /// The digest of the rules that decide now.
    #[must_use]
    pub fn rules(&self) -> String {
        self.turn.borrow().generation.catalog.digest().to_string()
    }

    /// Whether it speaks TLS.
    #[must_use]
    pub fn speaks_tls(&self) -> bool {
        self.house.entrance.is_some()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets running requests end, and returns when all threads have.
    ///
    /// # Errors
    /// The first thing that went wrong in a thread.
    pub fn stop(self) -> io::Result<()> {
        self.stop.cancel();
        let mut result = Ok(());
        let house = self.house;
        for thread in self.threads {
            let ended = thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread of the gateway crashed")));
            result = result.and(ended);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        // The store has logged why, if it cannot.
        let _ = runtime.block_on(house.mark_ledger());
        house.telemetry.end();
        result
    }
}

/// How often it is looked whether a thread has ended that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What must survive a restart cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is a folder, and no key.
    #[error("what is kept in {} is encrypted: say where its key is, such as key = {{ env = \"HEYAN_STORE_KEY\" }}", .0.display())]
    NoKey(PathBuf),
    /// The environment variable that is to hold the key is not there.
    #[error("the environment variable {0} is not set; it holds the key of what is kept: 64 hexadecimal digits")]
    NoVariable(String),
    /// The key is none.
    #[error(transparent)]
    Key(#[from] StoreKeyError),
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens what must survive a restart, where the settings say; in memory where they name no folder.
///
/// # Errors
/// If it cannot be opened, or there is no key.
pub fn open_store(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Store, OpenError> {
    let key = match (&settings.data_dir, settings.store_key.as_ref().map(|key| &key.value)) {
        (None, _) => StoreKey::generate()?,
        (Some(folder), None) => return Err(OpenError::NoKey(folder.clone())),
        (_, Some(SecretPlace::File { file })) => StoreKey::from_file(file)?,
        (_, Some(SecretPlace::Variable { env })) => {
            let text = std::env::var(env).map(Zeroizing::new).map_err(|_| OpenError::NoVariable(env.clone()))?;
            text.parse()?
        }
    };
    Ok(match &settings.data_dir {
        Some(folder) => Store::open(folder, &key, clock)?,
        None => Store::in_memory(&key, clock)?,
    })
}

/// Opens what the pages keep, where the settings say; in memory where they name no folder.
///
/// # Errors
/// If it cannot be opened.
pub fn open_desk(settings: &Settings) -> Result<Desk, DeskError> {
    settings.data_dir.as_ref().map_or_else(Desk::in_memory, |folder| Desk::open(folder))
}

/// The departments that are closed by hand.
fn closures(desk: &Desk) -> io::Result<Vec<(Slug, Closure)>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(desk.closures()).map_err(io::Error::other)
}

fn front(settings: &Settings, desk: Desk, speaks_tls: bool) -> io::Result<Front> {
    let is_secure = speaks_tls || settings.plain_http == PlainHttp::BehindTlsProxy;
    let cookies = if is_secure { Cookies::Secure } else { Cookies::Plain };
    Front::new(desk, settings.pages.clone(), cookies).map_err(io::Error::other)
}
