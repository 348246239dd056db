//! Layer 1: who calls, and what they may show for it: values alone, which others check.

mod certificate_name;
mod issuer;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::TokenHash;
use crate::rights::Agency;

pub use certificate_name::{CertificateName, CertificateNameError};
pub use issuer::{Issuer, KeyPlace, KeySource, SignatureAlgorithm};

/// Who calls: known once for each request, and handed to whoever needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The agency.
    pub agency: Arc<Agency>,
    /// The officer that its access token names.
    pub officer: Option<Officer>,
    /// What has shown it.
    pub by: Credential,
}

/// What shows who calls. A certificate beside a token must be the same agency's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A client certificate (mutual TLS) alone.
    Certificate,
    /// An access token of an issuer (RFC 9068).
    Jwt,
    /// A bearer token whose hash the configuration holds (RFC 6750).
    Token,
    /// Somebody has signed in to the pages.
    Session,
}

/// The officer (经办人) whom an access token names. It is personal: it shows itself on demand alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Officer(String);

impl Officer {
    /// The most characters of an officer's name or number.
    pub const LONGEST: usize = 64;

    /// An officer by name or number; `None` where it is empty, too long, or holds control characters.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let is_one = (1..=Self::LONGEST).contains(&name.chars().count())
            && !name.chars().any(char::is_control)
            && !name.trim().is_empty();
        is_one.then(|| Self(name.to_owned()))
    }

    /// The name or number.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Officer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Officer(…)")
    }
}

/// A bearer token of an agency, known by its hash, and when it is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenTerms {
    /// Its hash.
    pub hash: TokenHash,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Until this moment.
    pub until: Option<Timestamp>,
}

impl From<TokenHash> for TokenTerms {
    /// A token that is good at any time.
    fn from(hash: TokenHash) -> Self {
        Self { hash, from: None, until: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_officer_is_somebody_and_stays_unsaid() {
        for bad in ["", " ", "a\nb", &"王".repeat(65)] {
            assert!(Officer::new(bad).is_none(), "{bad:?}");
        }
        let officer = Officer::new("王五").unwrap();
        assert_eq!((officer.reveal(), format!("{officer:?}").as_str()), ("王五", "Officer(…)"));
    }
}
