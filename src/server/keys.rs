use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::config::{KeysPlace, Settings};
use crate::keys::{KeyUse, Keys, KeysError, Lacking};
use crate::ledger_store::{LedgerError, LedgerStore, Snapshot};

/// Why there are no keys to run with.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    /// They cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The ledger that may name them cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There was one of this use, and none may take its place by itself.
    #[error("no {usage} key is in {}{}. Put its file back, {usage}-….key. If it is lost, {}", folder.display(), named(.name.as_ref()), instead(*.usage))]
    Gone {
        /// Its use.
        usage: KeyUse,
        /// Where it belongs.
        folder: PathBuf,
        /// What the ledger knows it by, if it does.
        name: Option<String>,
    },
}

fn named(name: Option<&String>) -> String {
    name.map(|name| format!(", and the ledger was last written with {name}")).unwrap_or_default()
}

fn instead(usage: KeyUse) -> &'static str {
    match usage {
        KeyUse::Ledger => {
            "keep the ledger as evidence, elsewhere, and start once with --new-ledger (docs/ledger.md): nobody can go on with this one"
        }
        KeyUse::Subject => {
            "`heyan keys new --use subject` makes another: whom the lost one hid can never be found again"
        }
        KeyUse::Receipt => {
            "`heyan keys new --use receipt` makes another: what the lost one signed is then not checked here any more"
        }
    }
}

/// Opens the keys where the settings say. Those that a folder lacks are made, but not yet written, if `lacking` says so and there
/// is no ledger: beside one there were keys. `None`: the settings name no place, so keys are in memory alone.
///
/// # Errors
/// If others could read them, one is broken or gone, or a variable holds too few.
pub fn open_keys(settings: &Settings, lacking: Lacking, now: Timestamp) -> Result<Option<Arc<Keys>>, NoKeys> {
    let data_dir = settings.data_dir.as_deref();
    let beside = data_dir.map(|folder| KeysPlace::Folder(folder.join(KEYS)));
    let keys = match settings.keys.clone().or(beside) {
        None => return Ok(None),
        Some(KeysPlace::Folder(folder)) => {
            let ledger = match data_dir {
                Some(data_dir) if LedgerStore::is_there(data_dir)? => Some(data_dir),
                _ => None,
            };
            let lacking = if ledger.is_some() { Lacking::Refused } else { lacking };
            Keys::open(&folder, settings.receipts.algorithm, lacking, now).map_err(|error| match error {
                KeysError::Missing(usage) => {
                    NoKeys::Gone { usage, folder, name: ledger.and_then(|at| name(at, usage)) }
                }
                error => error.into(),
            })?
        }
        Some(KeysPlace::Variable(name)) => {
            let text = std::env::var(&name).map(Zeroizing::new).map_err(|_| KeysError::NoVariable(name.clone()))?;
            Keys::from_text(&name, &text)?
        }
    };
    Ok(Some(Arc::new(keys)))
}

/// What the end of a ledger names the key of a use. It only helps whoever looks for it: a ledger that cannot be read says nothing.
fn name(data_dir: &Path, usage: KeyUse) -> Option<String> {
    let ledger = Snapshot::open(data_dir).ok()?;
    match usage {
        KeyUse::Ledger => ledger.signer(),
        KeyUse::Subject => ledger.subject_key().map(|id| id.to_string()),
        KeyUse::Receipt => None,
    }
}

/// The folder of keys, in the folder of what must survive a restart.
pub const KEYS: &str = "keys";
