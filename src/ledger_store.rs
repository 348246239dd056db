//! Layer 2: the ledger on the disk, in one SQLite file in the folder of what survives a restart.
//!
//! `rows` is the SQL and the tree that is read through it. `writer` is the one thread that adds to it, from what waits in
//! `queue`; `reader` is the one that makes proofs. `files` opens the file, if nobody else can read it and nobody else writes
//! it. `snapshot` reads it from outside, also next to a gateway that writes, and `verify` computes everything anew.
//!
//! # What is found out
//!
//! Whoever has this machine, but not the ledger's key, can change the file in every way, and compute every hash anew, but can
//! sign no checkpoint and stamp no row. An entry that was altered, moved, put in or removed does not fit the next checkpoint
//! that stands in the file, nor its own stamp. One thing cannot be seen in the file: that its last entries were cut off
//! together with their checkpoints. That is what checkpoints that were handed out are for.

mod fault;
mod files;
mod queue;
mod reader;
mod rows;
mod snapshot;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use uuid::Uuid;

use crate::durable::LedgerMark;
use crate::ledger::{
    Consistency, Entry, Inclusion, Ledger, LedgerCondition, LedgerKeys, NoProof, Node, Nodes as _, NotProved,
    NotRecorded, Proving, Recording, SignedCheckpoint, consistency, inclusion,
};
use crate::telemetry::metrics::Commits;

pub use fault::Fault;
pub use snapshot::{Snapshot, Trust};
pub use verify::Verified;

use files::Lock;
use reader::Reader;
use rows::ReadError;
use writer::{Commit, Writer};

/// Keeps a ledger on this machine's disk.
///
/// Dropping it records what is waiting and closes the file.
pub struct LedgerStore {
    // In this order: the file is free for another process when both threads have ended.
    writer: Writer,
    reader: Reader,
    _lock: Option<Lock>,
    path: PathBuf,
}

/// Why a ledger cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Somebody else on this machine may read or change it.
    #[error("{} is open to others than its owner (mode {mode:03o}), and it is to hold who asked what; see who has changed it, then run: chmod {right:03o} '{}'", path.display(), path.display())]
    OpenToOthers {
        /// The folder or file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it should have.
        right: u32,
    },
    /// Another process writes it.
    #[error("another heyan writes the ledger in {}: stop that one first, or give this one a folder of its own", .0.display())]
    InUse(PathBuf),
    /// A newer version of this program has written it.
    #[error("{} was written by a newer heyan (version {found} of its tables, this one knows {known}): run that one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its tables.
        found: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// It is not what was written.
    #[error("the ledger in {} is not what was written: {fault}. Nothing is recorded in it any more, and nothing was changed. `heyan ledger verify` says more; keep the file as evidence; to begin anew, move it away and start once with --new-ledger", path.display())]
    Tampered {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: Fault,
    },
    /// It has another name.
    #[error("the ledger in {} has the origin \"{found}\": a ledger keeps its origin, so write [ledger] origin = \"{found}\". Whoever holds its checkpoints knows it by that. Nothing was changed", path.display())]
    OtherOrigin {
        /// The file.
        path: PathBuf,
        /// Its origin.
        found: String,
    },
    /// It is not the one that was there.
    #[error("the ledger in {} had {entries} entries, as heyan.sqlite beside it says, and now {found}. Nothing was changed. Put back its newest copy. If there is none, move away what is left, and start once with --new-ledger (docs/ledger.md)", path.display())]
    Gone {
        /// The file.
        path: PathBuf,
        /// How many entries there were.
        entries: u64,
        /// What is there.
        found: Lost,
    },
    /// The keys that are to take over do not know the one that it was written with.
    #[error("the ledger in {} was last written with a key that is none of these: leave that one beside the new one, as `heyan keys rotate` does", .0.display())]
    OtherKeys(PathBuf),
    /// There is none.
    #[error("there is no ledger at {}", .0.display())]
    None(PathBuf),
    /// The folder or file cannot be made or read.
    #[error("{} cannot be used: {cause}", path.display())]
    Files {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// SQLite cannot use it.
    #[error("{} cannot be used: {cause}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: rusqlite::Error,
    },
}

/// What is left of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// No file.
    #[error("it is not there")]
    Missing,
    /// A file that holds nothing.
    #[error("it is empty")]
    Empty,
    /// A ledger that is older.
    #[error("it has only {0}")]
    Shorter(u64),
    /// Another ledger.
    #[error("they are others")]
    Other,
}

impl LedgerError {
    fn of(path: &Path, error: ReadError) -> Self {
        let path = path.to_owned();
        match error {
            ReadError::Fault(Fault::OtherOrigin { found }) => Self::OtherOrigin { path, found },
            ReadError::Fault(fault) => Self::Tampered { path, fault },
            ReadError::Sqlite(cause) => Self::Sqlite { path, cause },
        }
    }
}

impl LedgerStore {
    /// Opens the ledger of a folder, or begins one. One process at a time can write it.
    ///
    /// # Errors
    /// If others could read or change it, if another process writes it, if it does not fit its last checkpoint or was written
    /// with other keys or under another origin, or if it cannot be read.
    pub fn open(folder: &Path, keys: LedgerKeys) -> Result<Self, LedgerError> {
        Self::open_with(folder, keys, commit(), None)
    }

    /// Opens the ledger of a folder if it continues what was noted of it; begins one only where there was none.
    ///
    /// # Errors
    /// As [`open`](Self::open), and if it does not continue that.
    pub fn open_after(folder: &Path, keys: LedgerKeys, mark: LedgerMark) -> Result<Self, LedgerError> {
        Self::open_with(folder, keys, commit(), Some(mark).filter(|mark| mark.entries > 0))
    }

    /// Whether the folder holds a ledger, or a file in its place that is not empty.
    ///
    /// # Errors
    /// If that cannot be known.
    pub fn is_there(folder: &Path) -> Result<bool, LedgerError> {
        let file = folder.join(files::FILE);
        match file.metadata() {
            Ok(metadata) => Ok(metadata.len() > 0),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(files::files(&file, cause)),
        }
    }

    fn open_with(
        folder: &Path,
        keys: LedgerKeys,
        commit: Commit,
        mark: Option<LedgerMark>,
    ) -> Result<Self, LedgerError> {
        // Never a name that SQLite takes for a URI.
        let folder = &std::path::absolute(folder).map_err(|cause| files::files(folder, cause))?;
        let path = folder.join(files::FILE);
        if let Some(LedgerMark { entries, .. }) = mark
            && !path.try_exists().map_err(|cause| files::files(&path, cause))?
        {
            return Err(LedgerError::Gone { path, entries, found: Lost::Missing });
        }
        let (file, lock) = files::prepare(folder)?;
        let broken = |cause: rusqlite::Error| LedgerError::of(&file, ReadError::from(cause).at(None));
        let connection = files::writing(&file).map_err(broken)?;
        Self::over(connection, &file, Some(lock), keys, commit, mark)
    }

    /// A ledger that is gone when it is dropped.
    ///
    /// # Errors
    /// If there is no memory or no thread for it.
    pub fn in_memory(keys: LedgerKeys) -> Result<Self, LedgerError> {
        // Connections of this process that name the same file of this kind share it.
        let path = PathBuf::from(format!("file:/heyan-ledger-{}?vfs=memdb", Uuid::now_v7()));
        let connection = files::writing(&path).map_err(|cause| LedgerError::of(&path, cause.into()))?;
        Self::over(connection, &path, None, keys, commit(), None)
    }

    fn over(
        mut connection: Connection,
        path: &Path,
        lock: Option<Lock>,
        keys: LedgerKeys,
        commit: Commit,
        mark: Option<LedgerMark>,
    ) -> Result<Self, LedgerError> {
        let head = files::set_up(&mut connection, path, &keys, mark)?;
        let reading = files::reading(path).map_err(|cause| LedgerError::of(path, cause.into()))?;
        let started = |cause| files::files(path, cause);
        let reader = Reader::start(reading).map_err(started)?;
        let writer = Writer::start(connection, head, keys, commit).map_err(started)?;
        Ok(Self { writer, reader, _lock: lock, path: path.to_owned() })
    }

    /// Lets other keys take over: from the next entry on the ledger is written with the current one of these. When it returns,
    /// they have, or nothing has changed.
    ///
    /// # Errors
    /// If these do not know the key or the origin that the ledger was last written with, or it cannot be read.
    pub fn renew(&self, keys: LedgerKeys) -> Result<(), LedgerError> {
        self.writer.renew(keys).map_err(|error| match error {
            ReadError::Fault(Fault::Foreign { .. }) => LedgerError::OtherKeys(self.path.clone()),
            error => LedgerError::of(&self.path, error),
        })
    }

    /// How many transactions were written since it was opened: fewer than entries, where much came at once.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// How they went.
    #[must_use]
    pub fn measured(&self) -> &Commits {
        self.writer.measured()
    }
}

fn commit() -> Commit {
    Box::new(|connection| connection.prepare_cached("COMMIT")?.execute([]).map(drop))
}

impl Ledger for LedgerStore {
    fn record(&self, entry: &Entry) -> Recording {
        let Ok(leaf) = entry.encode() else {
            tracing::error!("an entry cannot be written as JSON, so it is not recorded");
            return Box::pin(std::future::ready(Err(NotRecorded)));
        };
        let told = self.writer.record(leaf);
        Box::pin(async move { told.await.unwrap_or(Err(NotRecorded)) })
    }

    fn checkpoint(&self) -> Arc<SignedCheckpoint> {
        self.writer.last()
    }

    fn entry(&self, index: u64) -> Proving<'_, Entry> {
        Box::pin(async move {
            let size = self.writer.last().checkpoint.size;
            self.reader.prove(size, move |stored| entry(stored, index, size)).await
        })
    }

    fn condition(&self) -> LedgerCondition {
        self.writer.condition()
    }

    fn inclusion(&self, index: u64) -> Proving<'_, Inclusion> {
        Box::pin(async move {
            let checkpoint = self.writer.last();
            let size = checkpoint.checkpoint.size;
            self.reader.prove(size, move |stored| prove(stored, index, checkpoint)).await
        })
    }

    fn consistency(&self, first: u64, second: Option<u64>) -> Proving<'_, Consistency> {
        Box::pin(async move {
            let size = self.writer.last().checkpoint.size;
            let second = second.unwrap_or(size);
            if second > size {
                return Err(NotProved::Outside(size));
            }
            let hashes = self.reader.prove(size, move |stored| consistency(stored, first, second)).await?;
            Ok(Consistency { first, second, hashes })
        })
    }
}

/// One entry of the first `size`.
fn entry(stored: &rows::Stored<'_>, index: u64, size: u64) -> Result<Entry, NoProof<ReadError>> {
    if index >= size {
        return Err(NoProof::Outside);
    }
    let leaf = stored.leaf(index).map_err(NoProof::Nodes)?;
    Entry::decode(&leaf).map_err(|_| NoProof::Nodes(Fault::Altered { entry: index }.into()))
}

/// The proof of one entry. None is given that does not hold.
fn prove(
    stored: &mut rows::Stored<'_>,
    index: u64,
    checkpoint: Arc<SignedCheckpoint>,
) -> Result<Inclusion, NoProof<ReadError>> {
    let (root, size) = (checkpoint.checkpoint.root, checkpoint.checkpoint.size);
    let hashes = inclusion(stored, index, size)?;
    let leaf = stored.node(Node { level: 0, index }).map_err(NoProof::Nodes)?;
    if !crate::ledger::includes(&root, size, index, &leaf, &hashes) {
        return Err(NoProof::Nodes(Fault::Range { first: 0, last: size.saturating_sub(1) }.into()));
    }
    Ok(Inclusion { index, leaf, hashes, checkpoint })
}

impl fmt::Debug for LedgerStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LedgerStore").field("commits", &self.commits()).finish_non_exhaustive()
    }
}
