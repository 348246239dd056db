use std::path::PathBuf;

use serde::Deserialize;

use crate::callers::{CertificateName, TokenTerms};
use crate::diagnostic::Diagnostic;
use crate::rights::Agency;

/// An agency with what belongs to it beside its grants.
#[derive(Debug, Clone)]
pub struct Member {
    /// The agency.
    pub agency: Agency,
    /// Its tokens.
    pub tokens: Vec<TokenTerms>,
    /// What its certificates are known by.
    pub certificates: Vec<CertificateName>,
    /// How often it may ask.
    pub limits: AgencyLimits,
    /// Where it is told of outcomes that took longer, and where that stands.
    pub callback: Option<(Callback, Diagnostic)>,
}

/// How often an agency may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AgencyLimits {
    /// The most requests in a second.
    pub per_second: u32,
    /// The most requests at once.
    pub at_once: u32,
}

impl Default for AgencyLimits {
    fn default() -> Self {
        Self { per_second: 100_000, at_once: 10_000 }
    }
}

/// Where an agency is told of outcomes, and the secret that signs what it is told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Callback {
    /// The address.
    pub address: String,
    /// The secret that both know.
    pub secret: SecretPlace,
}

/// Where a secret is found. It never stands in a file of ours.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum SecretPlace {
    /// In an environment variable.
    Variable {
        /// Its name.
        env: String,
    },
    /// In a file.
    File {
        /// Its path.
        file: PathBuf,
    },
}
