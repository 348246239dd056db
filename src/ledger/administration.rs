use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Remark;

/// Something that somebody does to the gateway itself. It is on record before it takes effect; who does it is the entry's
/// officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administration {
    /// What is done.
    pub act: Act,
    /// What it is done to, such as a source's id; `None`: to the gateway as a whole.
    pub object: Option<Remark>,
    /// Why, in the words of whoever does it.
    pub reason: Option<Remark>,
    /// Until when it is meant to be so.
    pub until: Option<Timestamp>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A department is not asked any more.
    CloseSource,
    /// A department is asked again, whatever its breakers have seen.
    OpenSource,
    /// `/readyz` says no, and requests end.
    Drain,
    /// `/readyz` says yes again.
    Undrain,
    /// The configuration is read anew.
    Reload,
}

impl Act {
    /// Everything that can be done.
    pub const ALL: [Self; 5] = [Self::CloseSource, Self::OpenSource, Self::Drain, Self::Undrain, Self::Reload];

    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CloseSource => "close-source",
            Self::OpenSource => "open-source",
            Self::Drain => "drain",
            Self::Undrain => "undrain",
            Self::Reload => "reload",
        }
    }
}
