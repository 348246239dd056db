use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};

use super::fault::Fault;
use crate::ledger::{
    Frontier, Hash, LedgerKeys, Node, Nodes, NoteError, SignedCheckpoint, Stamp, leaf_hash, node_hash,
};

/// The tables. Nothing in them is ever changed or deleted.
///
/// - `entries`: an entry's bytes, by its index.
/// - `nodes`: the hash of every complete subtree over 16, 256, 4096 … entries. A node between those is computed from at most
///   eight of the stored ones, so that a proof reads some hundred small rows, however large the tree is.
/// - `checkpoints`: every checkpoint, by its number; number 0 is that of the empty tree.
pub(super) const TABLES: &str = "
    CREATE TABLE entries (id INTEGER PRIMARY KEY, leaf BLOB NOT NULL, stamp BLOB NOT NULL) STRICT;
    CREATE TABLE nodes (id INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
    CREATE TABLE checkpoints (id INTEGER PRIMARY KEY, note TEXT NOT NULL, stamp BLOB NOT NULL) STRICT;
    CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'an entry never changes'); END;
    CREATE TRIGGER entries_last BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'an entry never goes'); END;
    CREATE TRIGGER nodes_stay BEFORE UPDATE ON nodes BEGIN SELECT RAISE(ABORT, 'a hash never changes'); END;
    CREATE TRIGGER nodes_last BEFORE DELETE ON nodes BEGIN SELECT RAISE(ABORT, 'a hash never goes'); END;
    CREATE TRIGGER checkpoints_stay BEFORE UPDATE ON checkpoints
        BEGIN SELECT RAISE(ABORT, 'a checkpoint never changes'); END;
    CREATE TRIGGER checkpoints_last BEFORE DELETE ON checkpoints
        BEGIN SELECT RAISE(ABORT, 'a checkpoint never goes'); END;
";

/// The version of the tables.
pub(super) const VERSION: i64 = 1;

/// Subtrees of these levels are stored: the multiples of this.
const BAND: u32 = 4;

/// Whether the hashes of a level are stored. Those of entries are not: they are hashed anew from the entries.
pub(super) fn is_stored(level: u32) -> bool {
    level > 0 && level.is_multiple_of(BAND)
}

/// The row of a stored hash. There are fewer than 2^56 of each level.
pub(super) fn node_id(node: Node) -> i64 {
    (i64::from(node.level) << 56) | signed(node.index)
}

/// How many hashes are stored of a tree of this size.
pub(super) fn stored_nodes(size: u64) -> u64 {
    (1..16).map(|band| size >> (BAND * band)).sum()
}

/// An index as SQLite keeps it. There are fewer than 2^63 of anything.
pub(super) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// Why the tables cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// SQLite cannot.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// They are not what was written.
    #[error("{0}")]
    Fault(#[from] Fault),
}

impl ReadError {
    /// A file that is damaged is one that was altered.
    pub(super) fn at(self, entry: Option<u64>) -> Self {
        match self {
            Self::Sqlite(cause) if is_damage(&cause) => Self::Fault(Fault::Damaged { entry }),
            other => other,
        }
    }
}

/// Whether SQLite says that the file is not as it was written, rather than that it cannot be read.
pub(super) fn is_damage(cause: &rusqlite::Error) -> bool {
    use rusqlite::Error;

    let of_type = matches!(
        cause,
        Error::InvalidColumnType(..) | Error::FromSqlConversionFailure(..) | Error::IntegralValueOutOfRange(..)
    );
    of_type || matches!(cause.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Whether the tables are those that this program makes. Somebody may have taken a trigger away, or put a view in a table's
/// place.
pub(super) fn check_shape(connection: &Connection) -> Result<(), ReadError> {
    let all = |connection: &Connection| {
        let mut statement = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name")?;
        let row = |row: &rusqlite::Row<'_>| {
            Ok::<[Option<String>; 4], rusqlite::Error>([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        };
        statement.query_map([], row)?.collect::<rusqlite::Result<Vec<_>>>()
    };
    let model = Connection::open_in_memory()?;
    model.execute_batch(TABLES)?;
    if all(connection)? == all(&model)? { Ok(()) } else { Err(Fault::Shape.into()) }
}

/// Reads the hashes of complete subtrees.
pub(super) struct Stored<'a>(pub(super) &'a Connection);

impl Nodes for Stored<'_> {
    type Error = ReadError;

    fn node(&mut self, node: Node) -> Result<Hash, ReadError> {
        let above = node.level % BAND;
        let base = Node { level: node.level - above, index: node.index << above };
        let count = 1 << above;
        let mut hashes = if base.level == 0 { self.leaves(base.index, count)? } else { self.stored(base, count)? };
        while hashes.len() > 1 {
            hashes = hashes.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        hashes.first().copied().ok_or(ReadError::Fault(Fault::Missing { entry: node.index << node.level }))
    }
}

impl Stored<'_> {
    /// An entry's bytes.
    pub(super) fn leaf(&self, index: u64) -> Result<Vec<u8>, ReadError> {
        let mut statement = self.0.prepare_cached("SELECT leaf FROM entries WHERE id = ?1")?;
        let leaf = statement.query_row([signed(index)], |row| row.get(0)).optional()?;
        leaf.ok_or(ReadError::Fault(Fault::Missing { entry: index }))
    }

    fn leaves(&self, first: u64, count: u64) -> Result<Vec<Hash>, ReadError> {
        let sql = "SELECT id, leaf FROM entries WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
        let missing = |at: u64| Fault::Missing { entry: first + at };
        self.hashes(sql, signed(first), count, missing, |leaf| Some(leaf_hash(leaf)))
    }

    fn stored(&self, first: Node, count: u64) -> Result<Vec<Hash>, ReadError> {
        let sql = "SELECT id, hash FROM nodes WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
        let missing = |at: u64| Fault::Node { level: first.level, index: first.index + at };
        self.hashes(sql, node_id(first), count, missing, |hash| hash.try_into().ok())
    }

    fn hashes(
        &self,
        sql: &str,
        first: i64,
        count: u64,
        missing: impl Fn(u64) -> Fault,
        hash: impl Fn(&[u8]) -> Option<Hash>,
    ) -> Result<Vec<Hash>, ReadError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query([first, first + signed(count) - 1])?;
        let mut hashes = Vec::with_capacity(8);
        for at in 0..count {
            let row = rows.next()?.ok_or_else(|| missing(at))?;
            let id: i64 = row.get(0)?;
            let found = row.get_ref(1)?.as_bytes().ok().and_then(&hash);
            hashes.push(found.filter(|_| id == first + signed(at)).ok_or_else(|| missing(at))?);
        }
        Ok(hashes)
    }
}

/// Where the ledger ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// The tree's right edge.
    pub(super) frontier: Frontier,
    /// The number of the last checkpoint.
    pub(super) number: u64,
    /// The last checkpoint.
    pub(super) checkpoint: SignedCheckpoint,
}

impl Head {
    /// Reads the end, and sees that it fits its checkpoint. That takes some hundred rows, however many entries there are; what
    /// lies further back is `verify`'s.
    pub(super) fn read(connection: &Connection, keys: &LedgerKeys) -> Result<Self, ReadError> {
        Self::read_it(connection, keys).map_err(|error| error.at(None))
    }

    fn read_it(connection: &Connection, keys: &LedgerKeys) -> Result<Self, ReadError> {
        let (number, note, stamp) = last_checkpoint(connection)?.ok_or(Fault::NoCheckpoint)?;
        let (checkpoint, signer) = SignedCheckpoint::open(&note, keys.public()).map_err(|why| match why {
            NoteError::Unknown => Fault::Foreign { size: 0 },
            NoteError::Origin => Fault::OtherOrigin { found: origin(&note) },
            why => Fault::Checkpoint { number, why: Some(why) },
        })?;
        let signer = keys.all().find(|key| key.public() == signer);
        if signer.is_some_and(|key| key.stamp_checkpoint(number, &note)[..] != stamp) {
            return Err(Fault::Checkpoint { number, why: None }.into());
        }
        let size = checkpoint.checkpoint.size;
        let ends = "SELECT (SELECT min(id) FROM entries), (SELECT max(id) FROM entries)";
        let ends = connection.prepare_cached(ends)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (first, last): (Option<i64>, Option<i64>) = ends;
        let found = last.map_or(0, |last| (last + 1).cast_unsigned());
        if first.is_some_and(|first| first != 0) {
            return Err(Fault::Missing { entry: 0 }.into());
        }
        if found < size {
            return Err(Fault::Truncated { entry: found, size }.into());
        }
        if found > size {
            return Err(Fault::Unsigned { entry: size }.into());
        }
        let frontier = Frontier::read(&mut Stored(connection), size)?;
        if frontier.root() != checkpoint.checkpoint.root {
            return Err(Fault::Range { first: 0, last: size.saturating_sub(1) }.into());
        }
        Ok(Self { frontier, number, checkpoint })
    }
}

/// The origin that a note claims, which nobody has checked.
pub(super) fn origin(note: &str) -> String {
    SignedCheckpoint::read(note).map(|checkpoint| checkpoint.origin).unwrap_or_default()
}

/// The note of the first checkpoint.
pub(super) fn first_note(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT note FROM checkpoints ORDER BY id LIMIT 1", [], |row| row.get(0)).optional()
}

/// The last checkpoint's number, note and stamp.
pub(super) fn last_checkpoint(connection: &Connection) -> rusqlite::Result<Option<(u64, String, Vec<u8>)>> {
    let sql = "SELECT id, note, stamp FROM checkpoints ORDER BY id DESC LIMIT 1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?, row.get(2)?));
    connection.prepare_cached(sql)?.query_row([], read).optional()
}

pub(super) fn insert_entry(connection: &Connection, index: u64, leaf: &[u8], stamp: &Stamp) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("INSERT INTO entries (id, leaf, stamp) VALUES (?1, ?2, ?3)")?;
    statement.execute(params![signed(index), leaf, stamp]).map(drop)
}

pub(super) fn insert_node(connection: &Connection, node: Node, hash: &Hash) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("INSERT INTO nodes (id, hash) VALUES (?1, ?2)")?;
    statement.execute(params![node_id(node), hash]).map(drop)
}

pub(super) fn insert_checkpoint(
    connection: &Connection,
    number: u64,
    note: &str,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("INSERT INTO checkpoints (id, note, stamp) VALUES (?1, ?2, ?3)")?;
    statement.execute(params![signed(number), note, stamp]).map(drop)
}
