//! Layer 2: what the pages keep, in an SQLite file of its own: accounts, and what committees and supervisors record. No name and
//! no ID number of a resident is in it.
//!
//! Each kind of thing is a file under `desk/` with its own tables, as a [`Part`] whose steps bring an older file up to date,
//! and its own `impl Desk`. Another process may use the file at the same time: `heyan account` does, beside a running gateway.

mod accounts;
mod closures;
mod deliberations;
mod demands;
mod files;
mod hash;
#[cfg(test)]
mod tests;
mod unrecorded;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use zeroize::Zeroizing;

pub use accounts::{KnownAccount, NewAccount};
pub use deliberations::{DeliberationCount, Draft as DeliberationDraft, KnownDeliberation};
pub use demands::{Choices, Followed, KnownDemand, NewDemand, NewStep, Wanted};
pub use hash::PasswordHash;
pub use unrecorded::{Hand, Unrecorded};

/// What the pages keep.
#[derive(Clone)]
pub struct Desk {
    connection: Arc<Mutex<Connection>>,
    secret: Arc<Zeroizing<[u8; 32]>>,
}

/// A kind of thing that is kept: its name, and the steps that make its tables. A step that was released never changes; a
/// change of tables is another step.
struct Part {
    name: &'static str,
    steps: &'static [&'static str],
}

/// Everything that is kept. Names are for ever.
const PARTS: &[Part] = &[accounts::PART, closures::PART, demands::PART, deliberations::PART, unrecorded::PART];

/// Why the desk does not do what it is asked to.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Somebody else on this machine may read it.
    #[error("{} is open to others than its owner (mode {mode:03o}); see who has read it, then run: chmod {right:03o} '{}'", path.display(), path.display())]
    OpenToOthers {
        /// The folder or file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it should have.
        right: u32,
    },
    /// A newer version of this program has written it.
    #[error("{} was written by a newer heyan (its {part} are of version {found}, this one knows {known}): run that one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// What is newer.
        part: &'static str,
        /// The version there.
        found: u32,
        /// The newest version that is known here.
        known: u32,
    },
    /// The folder or file cannot be made or read.
    #[error("{} cannot be used: {cause}", path.display())]
    Files {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It cannot be read or written, or is no file of this program.
    #[error("what the pages keep cannot be read or written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// It holds what this program does not write.
    #[error("what the pages keep was changed by somebody: {0} cannot be understood")]
    Altered(&'static str),
    /// The system's random generator failed, or a password cannot be hashed.
    #[error("the system has no random numbers, or no memory to hash a password with")]
    System,
    /// The thread that worked on it is gone.
    #[error("the work on what the pages keep did not end")]
    Unfinished,
}

impl Desk {
    /// Opens the desk of a folder, or makes one.
    ///
    /// # Errors
    /// If others could read it, it was written by a newer version, or it cannot be read or made.
    pub fn open(folder: &Path) -> Result<Self, DeskError> {
        let file = files::prepare(folder)?;
        let connection = Connection::open_with_flags(&file, files::flags())?;
        Self::over(connection, &file)
    }

    /// A desk that is gone when it is dropped.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn in_memory() -> Result<Self, DeskError> {
        Self::over(Connection::open_in_memory()?, Path::new(":memory:"))
    }

    fn over(mut connection: Connection, path: &Path) -> Result<Self, DeskError> {
        let secret = files::set_up(&mut connection, path, PARTS)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), secret: Arc::new(secret) })
    }

    /// 32 random bytes that were made with the file: what the pages seal and sign is derived from them.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Works with the tables on a thread that may wait.
    ///
    /// # Errors
    /// What the work says, or that it did not end.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, DeskError> + Send + 'static,
    ) -> Result<T, DeskError> {
        let desk = self.clone();
        tokio::task::spawn_blocking(move || work(&mut desk.lock())).await.map_err(|_| DeskError::Unfinished)?
    }

    /// The connection, for whoever may wait for it.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Desk(…)")
    }
}
