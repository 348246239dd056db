use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::{DeskError, Part};

/// Makes the folder and the file, or sees that nobody else can read those that are there. Returns the file's path.
pub(super) fn prepare(folder: &Path) -> Result<PathBuf, DeskError> {
    let file = folder.join(FILE);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|cause| DeskError::Files { path: folder.to_owned(), cause })?;
    private(folder, 0o700)?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file) {
        // Its name must survive a loss of power too.
        Ok(_) => File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|cause| DeskError::Files { path: folder.to_owned(), cause })?,
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(DeskError::Files { path: file, cause }),
    }
    for path in [file.clone(), folder.join(format!("{FILE}-wal")), folder.join(format!("{FILE}-shm"))] {
        if path.exists() {
            private(&path, 0o600)?;
        }
    }
    Ok(file)
}

/// How the file is opened: it is there already, and one thread at a time uses the connection.
pub(super) fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Brings the tables up to date. Returns the secret that was made with them.
pub(super) fn set_up(
    connection: &mut Connection,
    path: &Path,
    parts: &[Part],
) -> Result<Zeroizing<[u8; 32]>, DeskError> {
    connection.busy_timeout(PATIENCE)?;
    connection.execute_batch(SETTINGS)?;
    // Of two processes that come at once, one makes the tables, and the other finds them. A crash leaves all of it or nothing.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLES)?;
    for part in parts {
        bring_up_to_date(&transaction, path, part)?;
    }
    let secret = secret(&transaction)?;
    transaction.commit()?;
    Ok(secret)
}

fn bring_up_to_date(transaction: &Transaction<'_>, path: &Path, part: &Part) -> Result<(), DeskError> {
    let sql = "SELECT version FROM parts WHERE name = ?1";
    let found: u32 = transaction.query_row(sql, [part.name], |row| row.get(0)).optional()?.unwrap_or_default();
    let known = u32::try_from(part.steps.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(DeskError::Newer { path: path.to_owned(), part: part.name, found, known });
    }
    for step in part.steps.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    let sql = "INSERT OR REPLACE INTO parts (name, version) VALUES (?1, ?2)";
    transaction.execute(sql, params![part.name, known])?;
    Ok(())
}

fn secret(transaction: &Transaction<'_>) -> Result<Zeroizing<[u8; 32]>, DeskError> {
    let sql = "SELECT value FROM secrets WHERE name = 'pages'";
    if let Some(secret) = transaction.query_row(sql, [], |row| row.get(0)).optional()? {
        return Ok(Zeroizing::new(secret));
    }
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *secret).map_err(|_| DeskError::System)?;
    transaction.execute("INSERT INTO secrets (name, value) VALUES ('pages', ?1)", [&*secret])?;
    Ok(secret)
}

pub(super) const FILE: &str = "desk.sqlite";

/// How long one process waits for another.
const PATIENCE: Duration = Duration::from_secs(5);

/// - `synchronous`: what was committed survives a loss of power.
/// - `secure_delete`: what was deleted is overwritten.
/// - `temp_store`: nothing is written anywhere else.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
    PRAGMA foreign_keys = ON;
";

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS parts (name TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS secrets (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT;
";

fn private(path: &Path, right: u32) -> Result<(), DeskError> {
    let metadata = path.metadata().map_err(|cause| DeskError::Files { path: path.to_owned(), cause })?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 { Err(DeskError::OpenToOthers { path: path.to_owned(), mode, right }) } else { Ok(()) }
}
