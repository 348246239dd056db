use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, TransactionBehavior};

use super::StoreError;

/// Makes the folder and the file, or sees that nobody else can read those that are there. Returns the file's path.
pub(super) fn prepare(folder: &Path) -> Result<PathBuf, StoreError> {
    let file = folder.join(FILE);
    let new: Vec<&Path> = folder.ancestors().take_while(|path| !path.exists()).collect();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|cause| StoreError::Files { path: folder.to_owned(), cause })?;
    private(folder, 0o700)?;
    // Never opened but to be made: closing it would take away the lock that another store of this process has on it.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
    match made {
        // The names must survive a loss of power too. SQLite sees to those that it makes itself.
        Ok(_) => std::iter::once(folder).chain(new.into_iter().filter_map(Path::parent)).try_for_each(sync)?,
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(StoreError::Files { path: file, cause }),
    }
    for path in [file.clone(), folder.join(format!("{FILE}-wal"))] {
        if path.exists() {
            private(&path, 0o600)?;
        }
    }
    Ok(file)
}

/// How the file is opened: it is there already, and one thread at a time uses it.
pub(super) fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Takes the file for this process alone, makes its tables, and sees that it is of this version and this key.
pub(super) fn set_up(connection: &mut Connection, path: &Path, check: &[u8; 32]) -> Result<(), StoreError> {
    let refused = |cause: rusqlite::Error| match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::InUse(path.parent().unwrap_or(path).to_owned())
        }
        _ => StoreError::Sqlite { path: path.to_owned(), cause },
    };
    connection.busy_timeout(Duration::ZERO).map_err(refused)?;
    connection.execute_batch(SETTINGS).map_err(refused)?;
    // A crash leaves the tables with their version and key, or none of it.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(refused)?;
    let version = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(refused)?;
    match version {
        0 => {
            transaction.execute_batch(TABLES).map_err(refused)?;
            transaction.execute_batch(SINCE_1).map_err(refused)?;
            transaction.execute("INSERT INTO meta VALUES ('key check', ?1)", [check]).map_err(refused)?;
        }
        1 => transaction.execute_batch(SINCE_1).map_err(refused)?,
        VERSION => {}
        found => return Err(StoreError::Newer { path: path.to_owned(), found, known: VERSION }),
    }
    transaction.pragma_update(None, "user_version", VERSION).map_err(refused)?;
    let found = transaction.query_row("SELECT value FROM meta WHERE name = 'key check'", [], |row| row.get(0));
    let found: Option<[u8; 32]> = found.optional().map_err(refused)?;
    if found.as_ref() != Some(check) {
        return Err(StoreError::OtherKey(path.to_owned()));
    }
    transaction.commit().map_err(refused)
}

const FILE: &str = "heyan.sqlite";

/// The version of the tables. A change of them gets the next number, and a step from the one before.
const VERSION: i64 = 2;

/// - `locking_mode` before anything is read: the lock is held until the end, and no memory is shared with other processes.
/// - `synchronous`: what was committed survives a loss of power.
/// - `secure_delete`: what was deleted is overwritten.
/// - `temp_store`: nothing is written anywhere else.
const SETTINGS: &str = "
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
";

/// Version 1. Moments are microseconds since 1970.
const TABLES: &str = "
    CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

    CREATE TABLE open_questions (id BLOB NOT NULL PRIMARY KEY, asked INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;

    CREATE TABLE closed_questions (
        id BLOB NOT NULL PRIMARY KEY,
        agency TEXT NOT NULL,
        until INTEGER NOT NULL,
        verification TEXT NOT NULL,
        notice_due INTEGER, -- NULL: nobody is to be told, or was told
        notice_tries INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX closed_by_due ON closed_questions (notice_due) WHERE notice_due IS NOT NULL;
    CREATE INDEX closed_by_end ON closed_questions (until) WHERE notice_due IS NULL;

    CREATE TABLE applications (
        question BLOB NOT NULL PRIMARY KEY,
        made INTEGER NOT NULL,
        sealed BLOB -- NULL: about to be sent
    ) STRICT;

    CREATE TABLE quotas (
        source TEXT NOT NULL,
        seconds INTEGER NOT NULL,
        window INTEGER NOT NULL,
        reserved INTEGER NOT NULL,
        PRIMARY KEY (source, seconds, window)
    ) STRICT;
";

/// The step to version 2: replies to requests that have a key.
const SINCE_1: &str = "
    CREATE TABLE replies (name BLOB NOT NULL PRIMARY KEY, until INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
    CREATE INDEX replies_by_end ON replies (until);
";

fn private(path: &Path, right: u32) -> Result<(), StoreError> {
    let metadata = path.metadata().map_err(|cause| StoreError::Files { path: path.to_owned(), cause })?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 { Err(StoreError::OpenToOthers { path: path.to_owned(), mode, right }) } else { Ok(()) }
}

fn sync(folder: &Path) -> Result<(), StoreError> {
    // A relative path's parent is the empty one.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|cause| StoreError::Files { path: folder.to_owned(), cause })
}
