use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, Rows};

use super::fault::Fault;
use super::rows::{self, ReadError, node_id};
use super::snapshot::Trust;
use crate::ledger::{
    Checkpoint, Frontier, Hash, LedgerKey, Node, NoteError, NoteKey, SignedCheckpoint, Stamp, leaf_hash,
};

/// What came of computing a ledger anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries the ledger has, by its last entry's index.
    pub entries: u64,
    /// The hash of the tree of those that were computed: all of them, if nothing is wrong.
    pub root: Hash,
    /// What is wrong; of several things, that with the first entry that is not right.
    pub fault: Option<Fault>,
}

pub(super) fn verify(
    connection: &Connection,
    trust: &Trust,
    handed_out: &[SignedCheckpoint],
) -> rusqlite::Result<Verified> {
    let mut audit = Audit::new(connection, trust, handed_out);
    let shape = rows::check_shape(connection);
    let walked = audit.walk(connection).and_then(|()| audit.look_around(connection));
    let walked = walked.map_err(|error| error.at(Some(audit.frontier.size())));
    let fault = match (walked, shape) {
        (Err(ReadError::Fault(fault)), _) => Some(audit.earliest(fault)),
        // Tables that are not there cannot be read.
        (_, Err(ReadError::Fault(shape))) => Some(audit.aside.take().unwrap_or(shape)),
        (Err(ReadError::Sqlite(cause)), _) | (Ok(()), Err(ReadError::Sqlite(cause))) => {
            return if rows::is_damage(&cause) {
                Ok(audit.done(Some(Fault::Damaged { entry: None })))
            } else {
                Err(cause)
            };
        }
        (Ok(()), Ok(())) => audit.aside.take(),
    };
    Ok(audit.done(fault))
}

/// Goes through the checkpoints, and through the entries of each.
struct Audit<'a> {
    keys: Vec<&'a LedgerKey>,
    public: Vec<&'a NoteKey>,
    frontier: Frontier,
    /// The first entry since the last checkpoint that fits whose stamp does not: it was altered, or its stamp was.
    suspect: Option<Suspect>,
    /// What else was found that makes no entry wrong.
    aside: Option<Fault>,
    /// Checkpoints that were handed out, the largest first, without those that were met.
    handed_out: Vec<Checkpoint>,
    /// What a checkpoint says that these keys have signed under another name.
    origin: Option<String>,
    /// How many entries are as they were when a checkpoint was handed out.
    agreed: u64,
    /// The number that the next checkpoint has.
    number: u64,
    /// The last checkpoint that was accepted.
    last: Option<(u64, String)>,
    /// The key that the checkpoint ahead was written with, and so the entries up to it; `None`: only its public part is known.
    key: Option<&'a LedgerKey>,
    entries: u64,
}

struct Suspect {
    entry: u64,
    hash: Hash,
    stamp: Vec<u8>,
}

impl<'a> Audit<'a> {
    fn new(connection: &Connection, trust: &'a Trust, handed_out: &[SignedCheckpoint]) -> Self {
        let mut handed_out: Vec<Checkpoint> = handed_out.iter().map(|signed| signed.checkpoint.clone()).collect();
        handed_out.sort_by_key(|checkpoint| std::cmp::Reverse(checkpoint.size));
        let last = connection.query_row("SELECT max(id) FROM entries", [], |row| row.get::<_, Option<i64>>(0));
        Self {
            keys: trust.keys().collect(),
            public: trust.public().collect(),
            frontier: Frontier::default(),
            suspect: None,
            aside: None,
            handed_out,
            origin: None,
            agreed: 0,
            number: 0,
            last: None,
            key: None,
            // If it cannot be read, that is found out again.
            entries: last.ok().flatten().map_or(0, |last| last.saturating_add(1).max(0).cast_unsigned()),
        }
    }

    fn done(&self, fault: Option<Fault>) -> Verified {
        let entries = self.entries.max(self.frontier.size());
        Verified { entries, root: self.frontier.root(), fault }
    }

    fn walk(&mut self, connection: &Connection) -> Result<(), ReadError> {
        let mut checkpoints =
            connection.prepare("SELECT id, note, stamp FROM checkpoints WHERE id >= 0 ORDER BY id")?;
        let mut checkpoints = checkpoints.query([])?;
        let mut entries = connection.prepare("SELECT id, leaf, stamp FROM entries WHERE id >= 0 ORDER BY id")?;
        let mut entries = entries.query([])?;
        let mut nodes = connection.prepare("SELECT hash FROM nodes WHERE id = ?1")?;
        let mut node = |node| nodes.query_row([node_id(node)], |row| row.get(0)).optional();
        self.meet_handed_out()?;
        while let Some(next) = self.next_checkpoint(&mut checkpoints)? {
            let covered = self.frontier.size();
            self.advance(next.size, &mut entries, &mut node)?;
            if self.frontier.root() != next.root {
                return Err(Fault::Range { first: covered, last: next.size.saturating_sub(1) }.into());
            }
            if let Some(suspect) = self.suspect.take() {
                self.note(Fault::Stamp { entry: suspect.entry });
            }
        }
        self.end(&mut entries)
    }

    /// Sees what is left when the checkpoints are at their end.
    fn end(&mut self, entries: &mut Rows<'_>) -> Result<(), ReadError> {
        let size = self.frontier.size();
        let Some((number, note)) = &self.last else {
            if let Some(found) = self.origin.take() {
                return Err(Fault::OtherOrigin { found }.into());
            }
            let is_foreign = matches!(self.aside, Some(Fault::Checkpoint { why: Some(NoteError::Unknown), .. }));
            let unsigned = if size < self.entries { Fault::Unsigned { entry: size } } else { Fault::NoCheckpoint };
            return Err(if is_foreign { Fault::Foreign { size: self.entries } } else { unsigned }.into());
        };
        // Those before it are vouched for by their stamps where the keys are known, which is a hundred times faster.
        if let Err(why) = SignedCheckpoint::open(note, self.public.iter().copied()) {
            let fault = Fault::Checkpoint { number: *number, why: Some(why) };
            self.note(fault);
        }
        if entries.next()?.is_some() {
            return Err(Fault::Unsigned { entry: size }.into());
        }
        match self.handed_out.first() {
            Some(beyond) => Err(Fault::Truncated { entry: size, size: beyond.size }.into()),
            None => Ok(()),
        }
    }

    /// Rows that nothing above has met.
    fn look_around(&mut self, connection: &Connection) -> Result<(), ReadError> {
        let sql = "SELECT (SELECT count(*) FROM nodes), EXISTS (SELECT 1 FROM entries WHERE id < 0), \
                   EXISTS (SELECT 1 FROM checkpoints WHERE id < 0)";
        let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, bool>(2)?));
        let (nodes, entries, checkpoints) = connection.query_row(sql, [], read)?;
        if nodes.cast_unsigned() != rows::stored_nodes(self.frontier.size()) || entries || checkpoints {
            self.note(Fault::ForeignRows);
        }
        Ok(())
    }

    /// The next checkpoint that somebody with the key has written; others are noted and passed over.
    fn next_checkpoint(&mut self, rows: &mut Rows<'_>) -> Result<Option<Checkpoint>, ReadError> {
        while let Some(row) = rows.next()? {
            let number = row.get::<_, i64>(0)?.cast_unsigned();
            if number > self.number {
                self.note(Fault::MissingCheckpoint { number: self.number });
            }
            self.number = number + 1;
            let note = row.get_ref(1)?.as_str().unwrap_or_default();
            let stamp = row.get_ref(2)?.as_blob().unwrap_or_default();
            match self.accept(number, note, stamp) {
                // Each has more entries than the one before; only the first one has none.
                Ok(next) if next.size > self.frontier.size() || (number == 0 && next.size == 0) => {
                    self.last = Some((number, note.to_owned()));
                    return Ok(Some(next));
                }
                Ok(_) => self.note(Fault::Checkpoint { number, why: None }),
                Err(why) => {
                    if why == NoteError::Origin {
                        self.origin.get_or_insert_with(|| rows::origin(note));
                    }
                    self.note(Fault::Checkpoint { number, why: Some(why) });
                }
            }
        }
        Ok(None)
    }

    fn accept(&mut self, number: u64, note: &str, stamp: &[u8]) -> Result<Checkpoint, NoteError> {
        if let Some(key) = self.keys.iter().find(|key| is(&key.stamp_checkpoint(number, note), stamp)) {
            self.key = Some(key);
            let checkpoint = SignedCheckpoint::read(note)?;
            return if checkpoint.origin == key.public().name() { Ok(checkpoint) } else { Err(NoteError::Origin) };
        }
        let (signed, signer) = SignedCheckpoint::open(note, self.public.iter().copied())?;
        self.key = self.keys.iter().find(|key| key.public() == signer).copied();
        if self.key.is_some() {
            self.note(Fault::Checkpoint { number, why: None });
        }
        Ok(signed.checkpoint)
    }

    /// Adds entries until there are so many.
    fn advance(
        &mut self,
        size: u64,
        entries: &mut Rows<'_>,
        node: &mut impl FnMut(Node) -> rusqlite::Result<Option<Vec<u8>>>,
    ) -> Result<(), ReadError> {
        while self.frontier.size() < size {
            let entry = self.frontier.size();
            let row = entries.next()?.ok_or(Fault::Truncated { entry, size })?;
            if row.get::<_, i64>(0)?.cast_unsigned() != entry {
                return Err(Fault::Missing { entry }.into());
            }
            let ValueRef::Blob(leaf) = row.get_ref(1)? else { return Err(Fault::Altered { entry }.into()) };
            let hash = leaf_hash(leaf);
            let stamp = row.get_ref(2)?.as_blob().unwrap_or_default();
            if self.suspect.is_none() && self.key.is_some_and(|key| !is(&key.stamp_entry(entry, &hash), stamp)) {
                self.suspect = Some(Suspect { entry, hash, stamp: stamp.to_vec() });
            }
            self.push(hash, node)?;
            self.meet_handed_out()?;
        }
        Ok(())
    }

    fn push(
        &mut self,
        hash: Hash,
        stored: &mut impl FnMut(Node) -> rusqlite::Result<Option<Vec<u8>>>,
    ) -> Result<(), ReadError> {
        let mut wrong = None;
        self.frontier.push(hash, |node, hash| {
            if rows::is_stored(node.level) && wrong.is_none() {
                wrong = match stored(node) {
                    Ok(Some(found)) if found == hash => None,
                    Ok(_) => Some(Ok(Fault::Node { level: node.level, index: node.index })),
                    Err(cause) => Some(Err(cause)),
                };
            }
        });
        if let Some(wrong) = wrong.transpose()? {
            self.note(wrong);
        }
        Ok(())
    }

    /// Holds the tree so far against checkpoints of its size that were handed out.
    fn meet_handed_out(&mut self) -> Result<(), ReadError> {
        let size = self.frontier.size();
        while let Some(handed_out) = self.handed_out.pop_if(|next| next.size == size) {
            if handed_out.root != self.frontier.root() {
                return Err(Fault::Rewritten { first: self.agreed, last: size.saturating_sub(1), size }.into());
            }
            self.agreed = size;
        }
        Ok(())
    }

    fn note(&mut self, fault: Fault) {
        self.aside.get_or_insert(fault);
    }

    /// A fault, or that an entry before it was altered.
    fn earliest(&self, fault: Fault) -> Fault {
        let Some(Suspect { entry, hash, stamp }) = &self.suspect else { return fault };
        // One at the same place says why its stamp does not fit.
        if fault.first_bad().is_some_and(|first| first < *entry)
            && !matches!(fault, Fault::Range { .. } | Fault::Rewritten { .. })
        {
            return fault;
        }
        let near = entry.saturating_sub(SEARCHED)..entry.saturating_add(SEARCHED);
        let from = near.into_iter().find(|from| self.keys.iter().any(|key| is(&key.stamp_entry(*from, hash), stamp)));
        from.map_or(Fault::Altered { entry: *entry }, |from| Fault::Moved { entry: *entry, from })
    }
}

/// How far around an entry is looked for the place where it was recorded.
const SEARCHED: u64 = 10_000;

fn is(stamp: &Stamp, found: &[u8]) -> bool {
    stamp[..] == *found
}
