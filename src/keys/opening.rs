use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::folder::Locked;
use super::{KeyUse, Keys, KeysError, Ring};
use crate::signing::{Algorithm, KeyId};

/// What becomes of a use that has no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// One is made.
    Made,
    /// There was one: somebody has to put it back, or say that there is to be another.
    Refused,
}

/// Keys that were made, and are in memory alone so far.
#[derive(Debug)]
pub(super) struct Unkept {
    folder: PathBuf,
    made: Vec<KeyId>,
}

impl Keys {
    /// Reads a folder of keys, and makes those that are missing where that is wanted. `receipts` says with what receipts are to
    /// be signed: where the active key is of another algorithm, a new one takes its place. `None` leaves that to the keys that
    /// are there. Nothing is written: whoever then finds nothing wrong with all the rest lets what was made be
    /// [kept](Self::keep).
    ///
    /// # Errors
    /// If others could read a key, a file is no key, one is missing that may not be made, or the folder cannot be read.
    pub fn open(
        folder: &Path,
        receipts: Option<Algorithm>,
        lacking: Lacking,
        now: Timestamp,
    ) -> Result<Self, KeysError> {
        let is_there = folder.try_exists().map_err(|cause| KeysError::Files { path: folder.to_owned(), cause })?;
        let mut ring = if is_there { Ring::open(folder)? } else { Ring::default() };
        let is_gone = |usage: &KeyUse| ring.active(*usage).is_none();
        if lacking == Lacking::Refused
            && let Some(gone) = BY_WEIGHT.into_iter().find(is_gone)
        {
            return Err(KeysError::Missing(gone));
        }
        let mut made = Vec::new();
        for (usage, algorithm) in ring.wanted(receipts) {
            let key = ring.next(usage, algorithm, now)?;
            made.push(key.id().clone());
            ring.add(key);
        }
        let unkept = Some(Unkept { folder: folder.to_owned(), made });
        Self::new(ring).map(|keys| Self { unkept, ..keys })
    }

    /// Writes the keys that were made to their folder, which is made if it is not there. They are on the disk when this returns,
    /// also after a loss of power. What another process was interrupted at in destroying is destroyed.
    ///
    /// # Errors
    /// If the folder cannot be written, or it does not hold any more what was read there.
    pub fn keep(&self) -> Result<(), KeysError> {
        let Some(Unkept { folder, made }) = &self.unkept else { return Ok(()) };
        let locked = Locked::make(folder)?;
        locked.finish_destroying()?;
        let there = locked.read()?;
        let is_there = |id: &KeyId| there.keys().any(|key| key.id() == id);
        if made.iter().all(is_there) {
            return Ok(());
        }
        let known = self.ring.keys().map(super::Key::id).filter(|id| !made.contains(*id));
        if !there.keys().map(super::Key::id).filter(|id| !made.contains(*id)).eq(known) {
            return Err(KeysError::Changed(folder.clone()));
        }
        for key in self.ring.keys().filter(|key| made.contains(key.id()) && !is_there(key.id())) {
            locked.write(key)?;
            tracing::info!(key.id = %key.id(), key.algorithm = %key.algorithm(), "made the {} key", key.usage());
        }
        Ok(())
    }

    /// Opens a folder of keys, and makes and keeps those that are missing.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`keep`](Self::keep).
    pub fn open_or_make(folder: &Path, receipts: Option<Algorithm>, now: Timestamp) -> Result<Self, KeysError> {
        let keys = Self::open(folder, receipts, Lacking::Made, now)?;
        keys.keep().map(|()| keys)
    }
}

/// The uses, that first whose loss weighs most.
const BY_WEIGHT: [KeyUse; 3] = [KeyUse::Ledger, KeyUse::Subject, KeyUse::Receipt];
