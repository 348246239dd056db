//! Layer 2: the keys that sign, and those that hide subjects, in a folder of their own.
//!
//! A key is one small file. Of each use the newest key is the `active` one; those before it are `retired`: what they signed
//! still checks, what they hid is still found. So a rotation is one new file, and a crash leaves it made or not made. A
//! destroyed key leaves its name behind, and what checks its signatures. `key` is one key, `file` its text, `folder` the
//! disk, and `opening` what is missing there.

mod file;
mod folder;
mod key;
mod opening;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::signing::{Algorithm, KeyId, NoSuchKey, PublicKey, SigningKey, SubjectKey};

pub use key::{Key, KeyAlgorithm, KeyUse, Secret, State};
pub use opening::Lacking;

use folder::Locked;
use key::Ready;
use opening::Unkept;

/// The keys of a gateway: at least one of each use, so that nothing which needs one can be without it.
#[derive(Debug)]
pub struct Keys {
    ring: Ring,
    receipt: Arc<SigningKey>,
    ledger: Arc<SigningKey>,
    subject: Arc<SubjectKey>,
    unkept: Option<Unkept>,
}

/// Keys as a folder or a text holds them, with uses missing or not. Oldest first.
#[derive(Debug, Default)]
pub struct Ring {
    keys: Vec<Key>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Somebody else on this machine may read it.
    #[error("{} is open to others than its owner (mode {mode:03o}), and it holds keys; see who has read it, then run: chmod {right:03o} '{}'. A key that somebody may have read is no longer one: rotate it", path.display(), path.display())]
    OpenToOthers {
        /// The folder or file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it should have.
        right: u32,
    },
    /// The folder or file cannot be made, read or written.
    #[error("{} cannot be used: {cause}", path.display())]
    Files {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A text holds no key of ours.
    #[error("{place}: {why}")]
    Malformed {
        /// The file or variable, with its line where it has many.
        place: String,
        /// What is wrong with it.
        why: Malformed,
    },
    /// There is no key of this use, and none may be made.
    #[error("there is no {0} key: make one with `heyan keys new --use {0}`")]
    Missing(KeyUse),
    /// There is one already.
    #[error("there is a {usage} key already, {id}: `heyan keys rotate --use {usage}` puts a new one in its place")]
    Present {
        /// The use.
        usage: KeyUse,
        /// The key that is active.
        id: KeyId,
    },
    /// Somebody else has changed the folder.
    #[error("the keys in {} have changed meanwhile: try again", .0.display())]
    Changed(PathBuf),
    /// No key has this name.
    #[error("there is no key {id} in {}: `heyan keys list` shows those that are there", folder.display())]
    Unknown {
        /// The name that was asked for.
        id: String,
        /// Where.
        folder: PathBuf,
    },
    /// An active key cannot be destroyed.
    #[error("{id} is the active {usage} key: put a new one in its place first, with `heyan keys rotate --use {usage}`")]
    Active {
        /// The key.
        id: KeyId,
        /// Its use.
        usage: KeyUse,
    },
    /// The use has no choice of algorithms, or not this one.
    #[error("a {0} key cannot be of {1}: only receipts can be signed with sm2")]
    Algorithm(KeyUse, Algorithm),
    /// The environment variable that is to hold the keys is not there.
    #[error(
        "the environment variable {0} is not set; it holds keys: the texts of the files of a folder of keys, one after another"
    )]
    NoVariable(String),
    /// The system's random generator failed.
    #[error("the system has no random numbers to make a key of")]
    NoEntropy,
}

/// What is wrong with the text of a key. It never says what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It has another shape.
    #[error(
        "this is no key as `heyan keys new` writes it: restore it from a copy, or move it away if there never was one"
    )]
    Shape,
    /// Its name belongs to another key.
    #[error("the key in it is not the one that its name says: it was changed, or the file was renamed")]
    Name,
    /// It has an algorithm that its use cannot have.
    #[error("its algorithm does not serve its use")]
    Algorithm,
    /// Two texts are the same key.
    #[error("the key is there twice")]
    Twice,
}

impl From<NoSuchKey> for Malformed {
    fn from(_: NoSuchKey) -> Self {
        Self::Name
    }
}

impl Keys {
    /// Keys in memory alone: what they sign can be checked until the program ends.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn ephemeral(receipts: Option<Algorithm>, now: Timestamp) -> Result<Self, KeysError> {
        let mut ring = Ring::default();
        for (usage, algorithm) in ring.wanted(receipts) {
            ring.add(ring.next(usage, algorithm, now)?);
        }
        Self::new(ring)
    }

    /// Keys of a text: the files of a folder one after another, as `cat folder/*.key folder/*.destroyed` writes them. For
    /// programs whose secrets come from their environment. `place` names it in errors.
    ///
    /// # Errors
    /// If a line is no key, or a use has none.
    pub fn from_text(place: &str, text: &str) -> Result<Self, KeysError> {
        let mut ring = Ring::default();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let malformed = |why| KeysError::Malformed { place: format!("{place}, line {}", index + 1), why };
            let key = file::parse(line).map_err(malformed)?;
            ring.try_add(key).map_err(malformed)?;
        }
        Self::new(ring)
    }

    fn new(ring: Ring) -> Result<Self, KeysError> {
        let signing = |usage| match ring.active(usage).and_then(Key::ready) {
            Some(Ready::Signs(key)) => Ok(Arc::clone(key)),
            _ => Err(KeysError::Missing(usage)),
        };
        let (receipt, ledger) = (signing(KeyUse::Receipt)?, signing(KeyUse::Ledger)?);
        let subject = match ring.active(KeyUse::Subject).and_then(Key::ready) {
            Some(Ready::Hides(key)) => Arc::clone(key),
            _ => return Err(KeysError::Missing(KeyUse::Subject)),
        };
        Ok(Self { ring, receipt, ledger, subject, unkept: None })
    }

    /// What signs receipts.
    #[must_use]
    pub fn receipt(&self) -> &Arc<SigningKey> {
        &self.receipt
    }

    /// What checks receipts: the active key, those before it, and those whose secret was destroyed since.
    pub fn receipt_checks(&self) -> impl Iterator<Item = &PublicKey> {
        self.ring.checks(KeyUse::Receipt)
    }

    /// What signs receipts and what signed them, as far as it is not destroyed: what short codes are known by.
    pub fn receipt_signers(&self) -> impl Iterator<Item = &SigningKey> {
        self.ring.keys().filter(|key| key.usage() == KeyUse::Receipt).filter_map(|key| match key.ready() {
            Some(Ready::Signs(key)) => Some(&**key),
            _ => None,
        })
    }

    /// What signs checkpoints.
    #[must_use]
    pub fn ledger(&self) -> &Arc<SigningKey> {
        &self.ledger
    }

    /// The Ed25519 seed of what signs checkpoints, for a signer that wants to make its own of it.
    #[must_use]
    pub fn ledger_seed(&self) -> Option<&Secret> {
        self.ring.active(KeyUse::Ledger).and_then(Key::secret)
    }

    /// What checks checkpoints, of all times.
    pub fn ledger_checks(&self) -> impl Iterator<Item = &PublicKey> {
        self.ring.checks(KeyUse::Ledger)
    }

    /// What hides subjects now.
    #[must_use]
    pub fn subject(&self) -> &Arc<SubjectKey> {
        &self.subject
    }

    /// What hid subjects at any time and is not destroyed, newest first: what a resident's own history is found with.
    pub fn subjects(&self) -> impl Iterator<Item = &Arc<SubjectKey>> {
        self.ring.subjects()
    }

    /// What hid subjects once, and was destroyed: nobody can find out any more whom it hid.
    pub fn destroyed_subjects(&self) -> impl Iterator<Item = &KeyId> {
        self.ring.keys().filter(|key| key.usage() == KeyUse::Subject && key.ready().is_none()).map(Key::id)
    }

    /// All of them, to be shown.
    #[must_use]
    pub fn ring(&self) -> &Ring {
        &self.ring
    }
}

impl Ring {
    /// Reads a folder of keys and changes nothing.
    ///
    /// # Errors
    /// If others could read a key, a file is no key, or the folder cannot be read.
    pub fn open(folder: &Path) -> Result<Self, KeysError> {
        Locked::open(folder)?.read()
    }

    /// The keys, oldest first.
    #[must_use]
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Key> {
        self.keys.iter()
    }

    /// What a key does now.
    #[must_use]
    pub fn state(&self, key: &Key) -> State {
        match self.active(key.usage()) {
            Some(active) if active.id() == key.id() => State::Active,
            _ => key.destroyed().map_or(State::Retired, State::Destroyed),
        }
    }

    /// What checks the signatures of all keys of a use.
    pub fn checks(&self, usage: KeyUse) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter().filter(move |key| key.usage() == usage).filter_map(Key::public)
    }

    /// What hid subjects at any time and is not destroyed, newest first.
    pub fn subjects(&self) -> impl Iterator<Item = &Arc<SubjectKey>> {
        self.keys.iter().rev().filter_map(|key| match key.ready() {
            Some(Ready::Hides(key)) => Some(key),
            _ => None,
        })
    }

    /// The secrets of all keys of a use that are not destroyed, newest first.
    pub fn secrets(&self, usage: KeyUse) -> impl Iterator<Item = &Secret> {
        self.keys.iter().rev().filter(move |key| key.usage() == usage).filter_map(Key::secret)
    }

    /// The newest key of a use, if it is not destroyed.
    fn active(&self, usage: KeyUse) -> Option<&Key> {
        self.keys.iter().rfind(|key| key.usage() == usage).filter(|key| key.destroyed().is_none())
    }

    /// The keys that must be made before a gateway can run.
    fn wanted(&self, receipts: Option<Algorithm>) -> Vec<(KeyUse, KeyAlgorithm)> {
        let is_missing = |usage: KeyUse| match self.active(usage) {
            Some(key) => usage == KeyUse::Receipt && receipts.is_some_and(|wanted| key.algorithm() != wanted.into()),
            None => true,
        };
        let algorithm = |usage: KeyUse| match (usage, receipts) {
            (KeyUse::Receipt, Some(algorithm)) => algorithm.into(),
            _ => usage.default_algorithm(),
        };
        KeyUse::ALL.into_iter().filter(|usage| is_missing(*usage)).map(|usage| (usage, algorithm(usage))).collect()
    }

    /// A new key that is newer than all of its use, whatever the clock says.
    fn next(&self, usage: KeyUse, algorithm: KeyAlgorithm, now: Timestamp) -> Result<Key, KeysError> {
        let newest = self.keys.iter().filter(|key| key.usage() == usage).map(Key::made).max();
        let after = newest.and_then(|newest| newest.checked_add(jiff::SignedDuration::from_micros(1)).ok());
        Key::generate(usage, algorithm, after.map_or(now, |after| after.max(now)))
    }

    fn add(&mut self, key: Key) {
        self.keys.push(key);
        self.keys.sort_by(|one, other| (one.made(), one.id()).cmp(&(other.made(), other.id())));
    }

    fn try_add(&mut self, key: Key) -> Result<(), Malformed> {
        if self.keys.iter().any(|other| other.id() == key.id()) {
            return Err(Malformed::Twice);
        }
        self.add(key);
        Ok(())
    }
}

/// Makes the first key of a use in a folder, which is made if it is not there.
///
/// # Errors
/// If there is one, or it cannot be written.
pub fn make(folder: &Path, usage: KeyUse, algorithm: Option<Algorithm>, now: Timestamp) -> Result<Key, KeysError> {
    let locked = Locked::make(folder)?;
    let ring = locked.read()?;
    if let Some(active) = ring.active(usage) {
        return Err(KeysError::Present { usage, id: active.id().clone() });
    }
    let key = ring.next(usage, usage.algorithm(algorithm)?, now)?;
    locked.write(&key).map(|()| key)
}

/// Makes a new key of a use, and returns it with the one that retires. It has the same algorithm unless another is said.
///
/// # Errors
/// If there is none to retire, or the new one cannot be written.
pub fn rotate(
    folder: &Path,
    usage: KeyUse,
    algorithm: Option<Algorithm>,
    now: Timestamp,
) -> Result<(Key, KeyId), KeysError> {
    let locked = Locked::open(folder)?;
    let ring = locked.read()?;
    let active = ring.active(usage).ok_or(KeysError::Missing(usage))?;
    let algorithm = if algorithm.is_some() { usage.algorithm(algorithm)? } else { active.algorithm() };
    let key = ring.next(usage, algorithm, now)?;
    locked.write(&key)?;
    Ok((key, active.id().clone()))
}

/// Destroys the secret of a retired key. Its name stays known, and what it signed still checks unless `distrust` says that
/// somebody else may have signed with it. To destroy a destroyed key again is to distrust it, or nothing.
///
/// The file is overwritten and removed. What a disk, a file system or a backup keeps of it besides is out of our hands.
///
/// # Errors
/// If there is no such key, it is active, or the folder cannot be written.
pub fn destroy(folder: &Path, id: &str, distrust: bool, now: Timestamp) -> Result<Key, KeysError> {
    let locked = Locked::open(folder)?;
    locked.finish_destroying()?;
    let mut ring = locked.read()?;
    let index = ring.keys.iter().position(|key| key.id().as_str() == id);
    let unknown = || KeysError::Unknown { id: id.to_owned(), folder: folder.to_owned() };
    let key = &ring.keys[index.ok_or_else(unknown)?];
    if ring.state(key) == State::Active {
        return Err(KeysError::Active { id: key.id().clone(), usage: key.usage() });
    }
    let key = ring.keys.remove(index.ok_or_else(unknown)?).into_destroyed(distrust, now);
    locked.write(&key)?;
    locked.finish_destroying()?;
    Ok(key)
}
