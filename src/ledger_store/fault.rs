use crate::ledger::NoteError;

/// How a ledger is not what was written. Entries have their indexes: the first one is 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An entry is another one, whatever was computed anew around it.
    #[error(
        "entry {entry} is not the one that was recorded there: it was altered, or another one was put in its place"
    )]
    Altered {
        /// The entry.
        entry: u64,
    },
    /// Entries stand in another order.
    #[error("entry {entry} was recorded as entry {from}: the order was changed, or entries before it were removed")]
    Moved {
        /// Where it stands.
        entry: u64,
        /// Where it was recorded.
        from: u64,
    },
    /// An entry is not there.
    #[error("entry {entry} was removed")]
    Missing {
        /// The entry.
        entry: u64,
    },
    /// The last entries are not there.
    #[error("everything from entry {entry} on was cut off: a signed checkpoint says that there were {size} entries")]
    Truncated {
        /// The first that is not there.
        entry: u64,
        /// How many there were.
        size: u64,
    },
    /// There are entries that no checkpoint covers.
    #[error("no valid checkpoint covers entry {entry} and what follows: it was put in, or its checkpoint was removed")]
    Unsigned {
        /// The first of them.
        entry: u64,
    },
    /// Something is wrong with some of these entries.
    #[error(
        "one of the entries {first} to {last} was altered, moved or put in: they do not fit the signed checkpoint; the ledger's own key can tell which one"
    )]
    Range {
        /// The first that it may be.
        first: u64,
        /// The last that it may be.
        last: u64,
    },
    /// A checkpoint that was handed out is about another ledger's past.
    #[error(
        "the ledger was rewritten: one of the entries {first} to {last} is not what it was when the checkpoint of {size} entries was handed out"
    )]
    Rewritten {
        /// The first that it may be.
        first: u64,
        /// The last that it may be.
        last: u64,
        /// The size of that checkpoint.
        size: u64,
    },
    /// What an entry is stamped with was altered.
    #[error("the stamp beside entry {entry} was altered; the entry itself is right")]
    Stamp {
        /// The entry.
        entry: u64,
    },
    /// A stored checkpoint is not what was written, although the entries are.
    #[error("checkpoint {number} was altered or put in{}", .why.map(|why| format!(": {why}")).unwrap_or_default())]
    Checkpoint {
        /// Its number.
        number: u64,
        /// What is wrong with it, where that is known.
        why: Option<NoteError>,
    },
    /// Checkpoints were removed, although the entries are all there.
    #[error("checkpoint {number} was removed")]
    MissingCheckpoint {
        /// The first that is not there.
        number: u64,
    },
    /// There is no checkpoint at all.
    #[error("there is no checkpoint: all of them were removed")]
    NoCheckpoint,
    /// Nothing in it was written with the known keys.
    #[error(
        "it was written with another key: it is the ledger of another gateway, or the keys are not those that it was written with"
    )]
    Foreign {
        /// How many entries there are.
        size: u64,
    },
    /// It is the ledger of these keys, and has another name than the one that is expected.
    #[error(
        "its origin is \"{found}\", and not the one that is expected: the known keys have signed it under that name"
    )]
    OtherOrigin {
        /// Its origin.
        found: String,
    },
    /// A stored hash is wrong, although the entries are right.
    #[error("the stored hash {index} of level {level} was altered, removed or put in; the entries are right")]
    Node {
        /// Its level.
        level: u32,
        /// Its place.
        index: u64,
    },
    /// There are rows that do not belong there, although the entries are right.
    #[error("there are rows that heyan has not written; the entries are right")]
    ForeignRows,
    /// The tables are not those that were made.
    #[error("the tables, or the triggers that keep them from being changed, are not those that heyan makes")]
    Shape,
    /// The file is damaged.
    #[error("the file is damaged, and cannot be read any further")]
    Damaged {
        /// The first entry that cannot be read, where that is known.
        entry: Option<u64>,
    },
}

impl Fault {
    /// The first entry that is not what or where it was, or no longer there; of several that it may be, the first.
    #[must_use]
    pub fn first_bad(&self) -> Option<u64> {
        match *self {
            Self::Altered { entry }
            | Self::Moved { entry, .. }
            | Self::Missing { entry }
            | Self::Truncated { entry, .. }
            | Self::Unsigned { entry }
            | Self::Stamp { entry } => Some(entry),
            Self::Range { first, .. } | Self::Rewritten { first, .. } => Some(first),
            Self::Damaged { entry } => entry,
            Self::Foreign { size } => (size > 0).then_some(0),
            Self::Checkpoint { .. }
            | Self::MissingCheckpoint { .. }
            | Self::NoCheckpoint
            | Self::OtherOrigin { .. }
            | Self::Node { .. }
            | Self::ForeignRows
            | Self::Shape => None,
        }
    }
}
