//! Layer 2: credentials. A bearer token (RFC 6750) is known here by its SHA-256 alone.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::domain::TokenHash;
use crate::rights::Agency;

/// A bearer token: 32 random bytes. It shows itself once, to whoever made it.
pub struct Token(Zeroizing<String>);

/// The system's random generator failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system has no random numbers to make a token of")]
pub struct NoEntropy;

impl Token {
    /// A new token from the system's random generator.
    ///
    /// # Errors
    /// If the system has none.
    pub fn generate() -> Result<Self, NoEntropy> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(&mut *bytes).map_err(|_| NoEntropy)?;
        Ok(Self(Zeroizing::new(format!("heyan_{}", URL_SAFE_NO_PAD.encode(*bytes)))))
    }

    /// The token.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the configuration holds instead of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

/// Who holds which token.
#[derive(Debug, Default)]
pub struct Access(HashMap<TokenHash, Arc<Agency>>);

impl Access {
    /// Agencies by the hashes of their tokens.
    pub fn new(holders: impl IntoIterator<Item = (TokenHash, Arc<Agency>)>) -> Self {
        Self(holders.into_iter().collect())
    }

    /// Whose credential an `Authorization` header holds. `None` if it is nobody's.
    ///
    /// What is compared are hashes, so the time that it takes says nothing about a token.
    #[must_use]
    pub fn authenticate(&self, authorization: &[u8]) -> Option<&Arc<Agency>> {
        let text = std::str::from_utf8(authorization).ok()?;
        let (scheme, token) = text.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        self.0.get(&TokenHash::of(token.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AgencyId;

    #[test]
    fn a_token_opens_for_its_holder_alone() {
        let token = Token::generate().unwrap();
        let agency = Agency { id: AgencyId("fund".parse().unwrap()), name: "公积金".to_owned(), grants: Vec::new() };
        let access = Access::new([(token.hash().to_string().parse().unwrap(), Arc::new(agency))]);
        let open = |header: &str| access.authenticate(header.as_bytes()).map(|agency| agency.id.to_string());
        assert_eq!(open(&format!("Bearer {}", token.reveal())).as_deref(), Some("fund"));
        assert_eq!(open(&format!("bearer {}", token.reveal())).as_deref(), Some("fund"));
        for bad in ["", "Bearer", "Bearer ", "Basic abc", &format!("Bearer {}", Token::generate().unwrap().reveal())] {
            assert_eq!(open(bad), None);
        }
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}
