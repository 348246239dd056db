use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::Installation;
use crate::keys::{KeyUse, Keys, KeysError, Ring};
use crate::ledger::{LedgerKey, LedgerKeys, NoteError, NoteKey, Origin};
use crate::ledger_store::{LedgerError, LedgerStore};
use crate::signing::PublicKey;
use crate::store::Store;

/// Why there is no ledger.
#[derive(Debug, thiserror::Error)]
pub enum NoLedger {
    /// Its keys cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A key is none.
    #[error("a key of the ledger cannot be used: {0}")]
    Key(#[from] NoteError),
    /// There is one, and another one is to begin.
    #[error("there is a ledger in {}, so --new-ledger is not what is wanted: it is for one that is gone. Start without it", .0.display())]
    StillThere(PathBuf),
    /// It cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Opens the ledger where the settings say, with the installation's keys; in memory where they name no folder. It has to
/// continue what the store says of it. Only `begin_anew` lets another one begin where there was one, and only if nothing of it
/// is left.
///
/// # Errors
/// If the keys cannot be read, or the ledger is not what was written with them, not the one that was there, or it cannot be
/// opened.
pub fn open_ledger(
    installation: &Installation,
    store: &Store,
    begin_anew: bool,
    now: Timestamp,
) -> Result<LedgerStore, NoLedger> {
    let origin = &installation.settings.origin;
    let Some(folder) = &installation.settings.data_dir else {
        // Nobody can check afterwards what is in memory alone.
        let keys = keys_of(Keys::ephemeral(None, Timestamp::UNIX_EPOCH)?.ring(), origin)?;
        return Ok(LedgerStore::in_memory(keys)?);
    };
    let keys = installation.keys.as_ref().ok_or(KeysError::Missing(KeyUse::Ledger))?;
    let (is_there, mark) = (LedgerStore::is_there(folder)?, store.ledger_mark());
    if begin_anew && is_there {
        return Err(NoLedger::StillThere(folder.clone()));
    }
    // It begins none, so that its key is one that was there.
    if let Some(mark) = mark.filter(|mark| !begin_anew && mark.entries > 0) {
        return Ok(LedgerStore::open_after(folder, keys_of(keys.ring(), origin)?, mark)?);
    }
    if !is_there {
        if begin_anew {
            let entries = mark.map_or(0, |mark| mark.entries);
            tracing::error!(
                ledger.gone = entries,
                "the ledger that was here is gone: another one begins, as --new-ledger says"
            );
        } else if mark.is_none() {
            warn_if_there_was_one(keys, now);
        }
        // With the beginning of a ledger its key has signed something.
        keys.keep()?;
    }
    Ok(LedgerStore::open(folder, keys_of(keys.ring(), origin)?)?)
}

/// Nothing says that there was a ledger, except that there has been a key for it for a while.
fn warn_if_there_was_one(keys: &Keys, now: Timestamp) {
    let first = keys.ring().keys().find(|key| key.usage() == KeyUse::Ledger);
    if let Some(key) = first.filter(|key| now.duration_since(key.made()) > NEW) {
        tracing::warn!(
            key.id = %key.id(), key.made = %key.made(),
            "a ledger begins here, and its key is older: if there was one before, it is gone, and so is what the store knew of it"
        );
    }
}

/// A key that was made just before the first start says nothing.
const NEW: SignedDuration = SignedDuration::from_hours(1);

/// The keys of an installation, to write its ledger with; `None`: they are in memory alone.
///
/// # Errors
/// If one is none.
pub(super) fn keys_to_write(installation: &Installation) -> Result<Option<LedgerKeys>, NoLedger> {
    let keys = installation.keys.as_ref().filter(|_| installation.settings.data_dir.is_some());
    keys.map(|keys| keys_of(keys.ring(), &installation.settings.origin)).transpose()
}

/// The keys of a folder, to read a ledger of this origin with.
///
/// # Errors
/// If they cannot be read, or there are none for a ledger.
pub fn ledger_keys(folder: &Path, origin: &Origin) -> Result<(Ring, LedgerKeys), NoLedger> {
    let ring = Ring::open(folder)?;
    let keys = keys_of(&ring, origin)?;
    Ok((ring, keys))
}

/// What checks the signatures of a key of a ledger of this origin: a verifier key of C2SP `signed-note`.
///
/// # Errors
/// If it is of another algorithm.
pub fn verifier_key(key: &PublicKey, origin: &Origin) -> Result<NoteKey, NoteError> {
    NoteKey::new(origin.as_str(), key.bytes().try_into().map_err(|_| NoteError::Key)?)
}

fn keys_of(ring: &Ring, origin: &Origin) -> Result<LedgerKeys, NoLedger> {
    let mut keys = ring.secrets(KeyUse::Ledger).map(|secret| LedgerKey::new(origin.as_str(), secret.reveal()));
    let current = keys.next().ok_or(KeysError::Missing(KeyUse::Ledger))??;
    let former = keys.collect::<Result<Vec<_>, _>>()?;
    let mut destroyed = Vec::new();
    for key in ring.checks(KeyUse::Ledger) {
        let public = verifier_key(key, origin)?;
        if std::iter::once(&current).chain(&former).all(|key| *key.public() != public) {
            destroyed.push(public);
        }
    }
    Ok(LedgerKeys::new(current, former, destroyed))
}
