use std::path::Path;

use jiff::Timestamp;

use super::Installation;
use crate::keys::{KeyUse, Keys, KeysError, Ring};
use crate::ledger::{LedgerKey, LedgerKeys, NoteError, NoteKey, Origin};
use crate::ledger_store::{LedgerError, LedgerStore};
use crate::signing::PublicKey;

/// Why there is no ledger.
#[derive(Debug, thiserror::Error)]
pub enum NoLedger {
    /// Its keys cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A key is none.
    #[error("a key of the ledger cannot be used: {0}")]
    Key(#[from] NoteError),
    /// It cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Opens the ledger where the settings say, with the installation's keys; in memory where they name no folder.
///
/// # Errors
/// If the keys cannot be read, or the ledger is not what was written with them, or it cannot be opened.
pub fn open_ledger(installation: &Installation) -> Result<LedgerStore, NoLedger> {
    let origin = &installation.settings.origin;
    let keys = match &installation.keys {
        Some(keys) => keys_of(keys.ring(), origin)?,
        // Nobody can check afterwards what is in memory alone.
        None => keys_of(Keys::ephemeral(None, Timestamp::UNIX_EPOCH)?.ring(), origin)?,
    };
    Ok(match &installation.settings.data_dir {
        Some(folder) => LedgerStore::open(folder, keys)?,
        None => LedgerStore::in_memory(keys)?,
    })
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
