use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::fault::Fault;
use super::rows::{Head, ReadError, Stored, TABLES, VERSION, check_shape, insert_checkpoint};
use super::{LedgerError, Lost};
use crate::durable::LedgerMark;
use crate::ledger::{Frontier, LedgerKeys};

/// The file of a ledger, in its folder.
pub(super) const FILE: &str = "ledger.sqlite";

/// Whoever writes the ledger holds a lock on this one. SQLite's own locks are no use for that: others may read meanwhile.
const LOCK: &str = "ledger.lock";

/// How long SQLite waits for another connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long somebody who has the ledger may take to let go, and how often to look.
const LETTING_GO: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// What takes a ledger for this process alone; it is free again when this is dropped.
pub(super) struct Lock(#[expect(dead_code, reason = "held, not used: closing it frees the lock")] File);

/// Makes the folder and the file, or sees that nobody else can read those that are there, and takes the ledger for this
/// process alone. Returns the file's path.
pub(super) fn prepare(folder: &Path) -> Result<(PathBuf, Lock), LedgerError> {
    let new: Vec<&Path> = folder.ancestors().take_while(|path| !path.exists()).collect();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|cause| files(folder, cause))?;
    private(folder, 0o700)?;
    let lock = lock(folder)?;
    let file = folder.join(FILE);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file) {
        // The names must survive a loss of power too. SQLite sees to those that it makes itself.
        Ok(_) => std::iter::once(folder).chain(new.into_iter().filter_map(Path::parent)).try_for_each(sync)?,
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(files(&file, cause)),
    }
    for path in [file.clone(), folder.join(format!("{FILE}-wal")), folder.join(format!("{FILE}-shm"))] {
        if path.exists() {
            private(&path, 0o600)?;
        }
    }
    Ok((file, lock))
}

fn lock(folder: &Path) -> Result<Lock, LedgerError> {
    let path = folder.join(LOCK);
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let opened = opened.map_err(|cause| files(&path, cause))?;
    let began = Instant::now();
    loop {
        match opened.try_lock() {
            Ok(()) => return Ok(Lock(opened)),
            // A process that is just ending lets go in a moment; so does one that is just being started by whoever held it.
            Err(TryLockError::WouldBlock) if began.elapsed() < LETTING_GO => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(LedgerError::InUse(folder.to_owned())),
            Err(TryLockError::Error(cause)) => return Err(files(&path, cause)),
        }
    }
}

/// Opens the connection that writes.
pub(super) fn writing(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.execute_batch(SETTINGS)?;
    Ok(connection)
}

/// Opens a connection that only reads, next to the one that writes or without it.
pub(super) fn reading(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.execute_batch(READ_SETTINGS)?;
    Ok(connection)
}

/// Makes the tables with the checkpoint of the empty tree, if there are none and never were, and reads where the ledger ends.
pub(super) fn set_up(
    connection: &mut Connection,
    path: &Path,
    keys: &LedgerKeys,
    mark: Option<LedgerMark>,
) -> Result<Head, LedgerError> {
    let refused = |error| LedgerError::of(path, error);
    // A crash leaves all of it, or nothing.
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = begun.map_err(|cause| refused(ReadError::from(cause).at(None)))?;
    let counted = version(&transaction).and_then(|version| {
        let count = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
        Ok((version, count))
    });
    let gone = |mark: LedgerMark, found| LedgerError::Gone { path: path.to_owned(), entries: mark.entries, found };
    match (counted.map_err(|cause| refused(ReadError::from(cause).at(None)))?, mark) {
        ((0, 0), Some(mark)) => return Err(gone(mark, Lost::Empty)),
        ((0, 0), None) => begin(&transaction, keys).map_err(|cause| refused(cause.into()))?,
        ((VERSION, _), _) => check_shape(&transaction).map_err(|error| refused(error.at(None)))?,
        ((0, _), _) => return Err(refused(Fault::Shape.into())),
        ((found, _), _) => return Err(LedgerError::Newer { path: path.to_owned(), found, known: VERSION }),
    }
    let head = Head::read(&transaction, keys).map_err(refused)?;
    if let Some(mark) = mark {
        let lost = lost(&transaction, &head, mark).map_err(|error| refused(error.at(None)))?;
        if let Some(found) = lost {
            return Err(gone(mark, found));
        }
    }
    transaction.commit().map_err(|cause| refused(cause.into()))?;
    Ok(head)
}

/// How the ledger does not continue what was noted of it, if it does not.
fn lost(connection: &Connection, head: &Head, mark: LedgerMark) -> Result<Option<Lost>, ReadError> {
    let size = head.frontier.size();
    if size < mark.entries {
        return Ok(Some(Lost::Shorter(size)));
    }
    let then = Frontier::read(&mut Stored(connection), mark.entries)?;
    Ok((then.root() != mark.root).then_some(Lost::Other))
}

/// The version of the tables.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn begin(connection: &Connection, keys: &LedgerKeys) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    let empty = keys.current().sign(0, Frontier::default().root());
    insert_checkpoint(connection, 0, &empty.note, &keys.current().stamp_checkpoint(0, &empty.note))
}

/// - `synchronous`: what was committed survives a loss of power.
/// - `wal_autocheckpoint`: pages go into the file in larger portions than by default, which costs fewer waits for the disk.
/// - `cell_size_check`: a file that somebody altered is found out early.
/// - `temp_store`: nothing is written anywhere else.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA temp_store = MEMORY;
    PRAGMA cell_size_check = ON;
    PRAGMA trusted_schema = OFF;
";

const READ_SETTINGS: &str = "
    PRAGMA temp_store = MEMORY;
    PRAGMA cell_size_check = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA query_only = ON;
";

fn private(path: &Path, right: u32) -> Result<(), LedgerError> {
    let mode = path.metadata().map_err(|cause| files(path, cause))?.mode() & 0o777;
    if mode & 0o077 != 0 { Err(LedgerError::OpenToOthers { path: path.to_owned(), mode, right }) } else { Ok(()) }
}

fn sync(folder: &Path) -> Result<(), LedgerError> {
    // A relative path's parent is the empty one.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|cause| files(folder, cause))
}

pub(super) fn files(path: &Path, cause: std::io::Error) -> LedgerError {
    LedgerError::Files { path: path.to_owned(), cause }
}
