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

    /// Whose credential a request's `Authorization` fields hold. Two of them could mean two callers: that is nobody.
    ///
    /// What is compared are hashes, so the time that it takes says nothing about a token.
    ///
    /// # Errors
    /// If it holds none, or nobody's.
    pub fn authenticate<'a>(
        &self,
        authorization: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<&Arc<Agency>, Unauthenticated> {
        self.0.get(&token_hash(authorization)?).ok_or(Unauthenticated::InvalidToken)
    }
}

/// The hash of the token that a request's `Authorization` fields hold.
///
/// # Errors
/// If they hold none, or more than one.
pub fn token_hash<'a>(authorization: impl IntoIterator<Item = &'a [u8]>) -> Result<TokenHash, Unauthenticated> {
    let mut fields = authorization.into_iter();
    let field = fields.next().ok_or(Unauthenticated::NoToken)?;
    if fields.next().is_some() {
        return Err(Unauthenticated::InvalidToken);
    }
    bearer_token(field).map(TokenHash::of).ok_or(Unauthenticated::NoToken)
}

/// Why nobody is behind a request: RFC 6750 section 3.1 tells the two apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// There is no bearer token.
    #[error("the request holds no bearer token")]
    NoToken,
    /// Nobody has this token, or there is more than one.
    #[error("the bearer token is nobody's")]
    InvalidToken,
}

/// The token of `Bearer <token>`; the scheme's case doesn't matter (RFC 9110 section 11.1).
fn bearer_token(field: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(field).ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AgencyId;

    #[test]
    fn a_token_opens_for_its_holder_alone() {
        let token = Token::generate().unwrap();
        let agency = Agency {
            id: AgencyId("fund".parse().unwrap()),
            name: "公积金".to_owned(),
            grants: Vec::new(),
            has_callback: false,
        };
        let access = Access::new([(token.hash().to_string().parse().unwrap(), Arc::new(agency))]);
        let open = |fields: &[&str]| {
            let fields = fields.iter().map(|field| field.as_bytes());
            access.authenticate(fields).map(|agency| agency.id.to_string())
        };
        let (good, foreign) = (token.reveal(), Token::generate().unwrap());
        for field in [format!("Bearer {good}"), format!("bearer {good}"), format!("BEARER  {good} ")] {
            assert_eq!(open(&[&field]).as_deref(), Ok("fund"), "{field}");
        }
        assert_eq!(open(&[]), Err(Unauthenticated::NoToken));
        for none in ["", "Bearer", "Bearer ", "Basic abc", good] {
            assert_eq!(open(&[none]), Err(Unauthenticated::NoToken), "{none}");
        }
        let hash = token.hash().to_string();
        for wrong in [foreign.reveal(), &good[1..], &format!("{good} {good}"), &good.to_uppercase(), &hash] {
            assert_eq!(open(&[&format!("Bearer {wrong}")]), Err(Unauthenticated::InvalidToken), "{wrong}");
        }
        let field = format!("Bearer {good}");
        assert_eq!(open(&[&field, &field]), Err(Unauthenticated::InvalidToken));
        assert_eq!(access.authenticate([&b"Bearer \xff"[..]]), Err(Unauthenticated::NoToken));
    }

    #[test]
    fn a_token_shows_itself_on_demand_alone() {
        let token = Token::generate().unwrap();
        assert_eq!(token.reveal().len(), "heyan_".len() + 43);
        assert!(token.reveal().starts_with("heyan_"));
        assert_eq!(format!("{token:?}"), "Token(…)");
        let agency = Agency {
            id: AgencyId("fund".parse().unwrap()),
            name: "公积金".to_owned(),
            grants: Vec::new(),
            has_callback: false,
        };
        let access = Access::new([(token.hash(), Arc::new(agency))]);
        assert!(!format!("{access:?}").contains(token.reveal()));
    }
}
