use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, ErrorCode};

use super::rows::{ReadError, Stored, VERSION, last_checkpoint};
use super::verify::{self, Verified};
use super::{Fault, LedgerError, files, prove};
use crate::ledger::{Entry, Inclusion, LedgerKey, LedgerKeys, NoProof, NoteKey, Origin, SignedCheckpoint};
use crate::signing::KeyId;

/// A ledger as it is at one moment, read from outside: also while a gateway writes it, which it does not disturb.
pub struct Snapshot {
    connection: Connection,
    path: PathBuf,
}

/// What a ledger is held against.
#[derive(Debug)]
pub enum Trust {
    /// The keys that it was written with: they tell the very entry that was changed.
    Keys(Box<LedgerKeys>),
    /// Keys that can only check signatures.
    Public(Vec<NoteKey>),
}

impl Trust {
    /// What checks signatures.
    pub fn public(&self) -> impl Iterator<Item = &NoteKey> {
        let (own, public) = match self {
            Self::Keys(keys) => (Some(keys.public()), &[][..]),
            Self::Public(public) => (None, &public[..]),
        };
        own.into_iter().flatten().chain(public)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &LedgerKey> {
        let keys = if let Self::Keys(keys) = self { Some(keys.all()) } else { None };
        keys.into_iter().flatten()
    }
}

impl Snapshot {
    /// Opens the ledger of a folder. Nothing is written, but that SQLite may make its index of the journal beside it.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn open(folder: &Path) -> Result<Self, LedgerError> {
        // Never a name that SQLite takes for a URI.
        let folder = std::path::absolute(folder).map_err(|cause| files::files(folder, cause))?;
        let path = folder.join(files::FILE);
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Err(LedgerError::None(path)),
            Err(cause) => return Err(files::files(&path, cause)),
        }
        let begun = begin(&path).or_else(|cause| match cause.sqlite_error_code() {
            // On a disk that cannot be written; nobody else can write it then either.
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) => begin(&immutable(&path)),
            _ => Err(cause),
        });
        match begun {
            Ok(connection) => Ok(Self { connection, path }),
            Err(cause) => Err(LedgerError::of(&path, ReadError::from(cause).at(None))),
        }
    }

    /// The origin that the first checkpoint says; `None` if it cannot be read. Only whoever then checks signatures under that
    /// name knows that it is right.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        let note = super::rows::first_note(&self.connection).ok()??;
        super::rows::origin(&note).parse().ok()
    }

    /// The key that the last checkpoint says it is signed with, as a verifier key begins: its name and its hash. `None` if it
    /// cannot be read.
    #[must_use]
    pub fn signer(&self) -> Option<String> {
        let (_, note, _) = last_checkpoint(&self.connection).ok()??;
        SignedCheckpoint::signer(&note)
    }

    /// The subject key that the last entry about somebody names. `None` if there is none among the last thousand, or it cannot be
    /// read.
    #[must_use]
    pub fn subject_key(&self) -> Option<KeyId> {
        let sql = "SELECT leaf FROM entries ORDER BY id DESC LIMIT 1000";
        let mut statement = self.connection.prepare(sql).ok()?;
        let mut rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).ok()?;
        rows.find_map(|leaf| Some(Entry::decode(&leaf.ok()?).ok()?.subjects?.key))
    }

    /// Computes everything anew, and holds it against the signed checkpoints in the ledger, and against those that were handed
    /// out some time. Those must be signed with the trusted keys.
    ///
    /// # Errors
    /// If it cannot be read; that it is not what was written is no error.
    pub fn verify(&self, trust: &Trust, handed_out: &[SignedCheckpoint]) -> Result<Verified, LedgerError> {
        self.known_version()?;
        let verified = verify::verify(&self.connection, trust, handed_out);
        verified.map_err(|cause| LedgerError::Sqlite { path: self.path.clone(), cause })
    }

    /// The last checkpoint.
    ///
    /// # Errors
    /// If the ledger cannot be read, or its last checkpoint is signed with none of the trusted keys.
    pub fn checkpoint(&self, trust: &Trust) -> Result<SignedCheckpoint, LedgerError> {
        self.known_version()?;
        let (number, note, _) =
            self.read(last_checkpoint(&self.connection))?.ok_or_else(|| self.tampered(Fault::NoCheckpoint))?;
        let opened = SignedCheckpoint::open(&note, trust.public());
        let opened = opened.map_err(|why| self.tampered(Fault::Checkpoint { number, why: Some(why) }))?;
        Ok(opened.0)
    }

    /// The bytes of an entry, with the proof that it is in the tree of the last checkpoint; `None` if that tree has no such
    /// entry.
    ///
    /// # Errors
    /// If the ledger cannot be read, or what is read for the proof is not what was written.
    pub fn prove(&self, index: u64, trust: &Trust) -> Result<Option<(Vec<u8>, Inclusion)>, LedgerError> {
        let checkpoint = Arc::new(self.checkpoint(trust)?);
        let inclusion = match prove(&mut Stored(&self.connection), index, checkpoint) {
            Ok(inclusion) => inclusion,
            Err(NoProof::Outside) => return Ok(None),
            Err(NoProof::Nodes(error)) => return Err(LedgerError::of(&self.path, error.at(Some(index)))),
        };
        let sql = "SELECT leaf FROM entries WHERE id = ?1";
        let leaf = self.read(self.connection.query_row(sql, [index.cast_signed()], |row| row.get(0)))?;
        Ok(Some((leaf, inclusion)))
    }

    /// Hands out the bytes of every entry with its index, in their order.
    ///
    /// # Errors
    /// If the ledger cannot be read; or what the visitor says.
    pub fn entries<E: From<LedgerError>>(&self, mut visit: impl FnMut(u64, &[u8]) -> Result<(), E>) -> Result<(), E> {
        self.known_version()?;
        let mut statement = self.read(self.connection.prepare("SELECT id, leaf FROM entries ORDER BY id"))?;
        let mut rows = self.read(statement.query([]))?;
        while let Some(row) = self.read(rows.next())? {
            let index: i64 = self.read(row.get(0))?;
            let leaf = row.get_ref(1).ok().and_then(|leaf| leaf.as_blob().ok());
            let altered = || self.tampered(Fault::Altered { entry: index.cast_unsigned() });
            visit(index.cast_unsigned(), leaf.ok_or_else(altered)?)?;
        }
        Ok(())
    }

    fn known_version(&self) -> Result<(), LedgerError> {
        match files::version(&self.connection) {
            Ok(found) if found > VERSION => Err(LedgerError::Newer { path: self.path.clone(), found, known: VERSION }),
            // What else is wrong with it is found out where it is read.
            _ => Ok(()),
        }
    }

    fn read<T>(&self, read: rusqlite::Result<T>) -> Result<T, LedgerError> {
        read.map_err(|cause| LedgerError::of(&self.path, ReadError::from(cause).at(None)))
    }

    fn tampered(&self, fault: Fault) -> LedgerError {
        LedgerError::Tampered { path: self.path.clone(), fault }
    }
}

/// Opens the file and holds what is there at this moment. That it is damaged is found out later, where it is read.
fn begin(path: &Path) -> rusqlite::Result<Connection> {
    let connection = files::reading(path)?;
    connection.execute_batch("BEGIN")?;
    match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        Err(cause) if !super::rows::is_damage(&cause) => Err(cause),
        _ => Ok(connection),
    }
}

/// The name of a file that nobody changes.
fn immutable(path: &Path) -> PathBuf {
    PathBuf::from(format!("file:{}?immutable=1", percent_encode(path.as_os_str().as_bytes(), NON_ALPHANUMERIC)))
}
