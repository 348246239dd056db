//! Layer 1: the audit ledger (审计账本), whoever keeps it: every question and every answer, each an entry of a Merkle tree
//! whose heads are signed, so that nobody can change what is written without that being seen.

mod administration;
mod checkpoint;
mod entry;
mod key;
mod origin;
mod proof;
mod remark;
mod subject;
mod tree;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use administration::{Act, Administration};
pub use checkpoint::{Checkpoint, NoteError, NoteKey, SignedCheckpoint, Signer};
pub use entry::{Entry, EntryError, Event, Subject, Subjects, Witness};
pub use key::{LedgerKey, LedgerKeys, Stamp};
pub use origin::Origin;
pub use proof::{continues, includes};
pub use remark::Remark;
pub use subject::{SubjectHash, SubjectHashError};
pub use tree::{Frontier, Hash, NoProof, Node, Nodes, consistency, inclusion, leaf_hash, node_hash};

/// Where entries are recorded.
///
/// # Contract
///
/// - When [`record`](Self::record) says `Ok`, the entry is on the disk at that index, and so is a signed checkpoint of a tree
///   that holds it: a process that is killed then, and a machine that loses its power then, find both again.
/// - When it says [`NotRecorded`], either nothing of the entry is in the ledger, or all of it, under a signed checkpoint.
///   Whoever is told so acts as if nothing were: what is not recorded is not asked, and not answered.
/// - An entry is handed over when `record` is called. A future that is dropped afterwards may have recorded it.
/// - Entries have the indexes 0, 1, 2 … without a gap. They come in the order in which one thread calls `record`; those that
///   come together from several threads, in any order. An entry that is recorded again is another entry.
/// - Nothing that is recorded ever changes or goes. Every checkpoint continues all those before it: there are no two trees.
/// - A checkpoint is handed out only once it is on the disk with its entries.
/// - Entries that come together may be written together, under one checkpoint; then all of them are recorded, or none.
/// - A ledger that could not write recovers by itself when the disk does. One whose content does not fit its last checkpoint
///   is not opened at all.
pub trait Ledger: Send + Sync {
    /// Records an entry. The result is its index.
    fn record(&self, entry: &Entry) -> Recording;

    /// The last checkpoint; of a new ledger, that of the empty tree.
    fn checkpoint(&self) -> Arc<SignedCheckpoint>;

    /// An entry of the tree of the last checkpoint, as it stands there. Whether it is what was recorded, only a proof or
    /// something else that was signed can say.
    fn entry(&self, index: u64) -> Proving<'_, Entry>;

    /// How it is doing.
    fn condition(&self) -> LedgerCondition;

    /// The proof that an entry is in the tree of the last checkpoint.
    fn inclusion(&self, index: u64) -> Proving<'_, Inclusion>;

    /// The proof that the tree of the last checkpoint, or of its first `second` entries, continues that of its first `first`.
    fn consistency(&self, first: u64, second: Option<u64>) -> Proving<'_, Consistency>;
}

/// How a ledger is doing in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LedgerCondition {
    /// How many entries it has.
    pub entries: u64,
    /// How many transactions were written.
    pub commits: u64,
    /// How long ago the last one was; `None`: there was none yet.
    pub last: Option<Duration>,
    /// How long it took.
    pub took: Duration,
    /// How long the longest one took.
    pub longest: Duration,
    /// How many transactions could not be written.
    pub failures: u64,
    /// For how long it cannot be written; `None`: the last time it could.
    pub failing: Option<Duration>,
}

/// An entry on its way to the disk.
pub type Recording = Pin<Box<dyn Future<Output = Result<u64, NotRecorded>> + Send>>;

/// A proof in the making, or what else is read.
pub type Proving<'a, T> = Pin<Box<dyn Future<Output = Result<T, NotProved>> + Send + 'a>>;

/// It could not be recorded: the disk is full, read-only or broken. The ledger has logged why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ledger cannot be written")]
pub struct NotRecorded;

/// Why there is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotProved {
    /// The ledger has so many entries, and the proof would be about others; or of two sizes the first is 0 or the larger one.
    #[error("the ledger has {0} entries: there is no such proof")]
    Outside(u64),
    /// The ledger cannot be read. It has logged why.
    #[error("the ledger cannot be read")]
    Unreadable,
}

/// That an entry is in the tree of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// Which entry.
    pub index: u64,
    /// Its hash.
    pub leaf: Hash,
    /// The proof, from the entry upwards.
    pub hashes: Vec<Hash>,
    /// The checkpoint.
    pub checkpoint: Arc<SignedCheckpoint>,
}

/// That one tree continues another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consistency {
    /// How many entries the first one has.
    pub first: u64,
    /// How many the second one has.
    pub second: u64,
    /// The proof.
    pub hashes: Vec<Hash>,
}
