use std::path::PathBuf;
use std::time::Duration;

use crate::signing::Algorithm;

/// Where keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysPlace {
    /// In a folder of their own.
    Folder(PathBuf),
    /// In the environment variable of this name.
    Variable(String),
}

/// What is the same in all receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipts {
    /// Who issues them: a name or an address.
    pub issuer: String,
    /// How long they are valid.
    pub valid_for: Duration,
    /// What they are signed with; `None`: whatever the newest key is for.
    pub algorithm: Option<Algorithm>,
}
