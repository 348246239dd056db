//! Layer 2: credentials. Says who calls: by client certificate (mutual TLS), by an issuer's access token (RFC 9068), or by a
//! bearer token (RFC 6750), which is known here by its SHA-256 alone.

mod certificate;
mod json;
mod jwt;
mod keyring;
mod keys;
mod provider;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use self::jwt::Jwts;
use crate::callers::{Caller, CertificateName, Credential, Issuer, TokenTerms};
use crate::domain::{AgencyId, TokenHash};
use crate::rights::Agency;

pub use certificate::{ClientTrust, Peer, TrustError, certificate_refusal, validity};
pub use keyring::{KeyReadError, Keyring, Keyrings, check_authorities, check_key_file};
pub use keys::KeySetError;
pub use provider::{Journey, Provider, ProviderError, ProviderTerms};
pub use refusal::{CertificateRefusal, JwtRefusal, TokenRefusal, Unauthenticated};

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

/// Who may call, and by what that is known.
#[derive(Debug)]
pub struct Access {
    /// No two have the same: what is known under one is not believed under another.
    id: u64,
    tokens: HashMap<[u8; 8], Vec<(TokenTerms, Arc<Agency>)>>,
    certificates: HashMap<CertificateName, Arc<Agency>>,
    agencies: HashMap<AgencyId, Arc<Agency>>,
    jwts: Jwts,
}

/// An agency with its credentials.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The agency.
    pub agency: Agency,
    /// Its bearer tokens.
    pub tokens: Vec<TokenTerms>,
    /// What its certificates are known by.
    pub certificates: Vec<CertificateName>,
}

impl Access {
    /// These agencies may call, with credentials of their own or with tokens of these issuers.
    pub fn new(holders: impl IntoIterator<Item = Holder>, issuers: Vec<(Issuer, Arc<Keyring>)>) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(0);
        let (mut tokens, mut certificates, mut agencies) =
            (HashMap::<_, Vec<_>>::new(), HashMap::new(), HashMap::new());
        for holder in holders {
            let agency = Arc::new(holder.agency);
            for terms in holder.tokens {
                tokens.entry(beginning(&terms.hash)).or_default().push((terms, Arc::clone(&agency)));
            }
            certificates.extend(holder.certificates.into_iter().map(|name| (name, Arc::clone(&agency))));
            agencies.insert(agency.id.clone(), agency);
        }
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        Self { id, tokens, certificates, agencies, jwts: Jwts::new(issuers) }
    }

    /// An agency by its id: on its grants, whoever has signed in for it verifies.
    #[must_use]
    pub fn agency(&self, id: &AgencyId) -> Option<Arc<Agency>> {
        self.agencies.get(id).cloned()
    }

    /// The keyrings that have to be kept fresh.
    pub fn keyrings(&self) -> impl Iterator<Item = &Arc<Keyring>> {
        self.jwts.keyrings()
    }

    /// Who calls, by the request's `Authorization` fields and by the client certificate of its connection. Where there are
    /// both, both have to hold, and to be the same agency's. It waits for an issuer's keys at the most.
    ///
    /// # Errors
    /// If nobody is behind the request.
    pub async fn authenticate<'a>(
        &self,
        authorization: impl IntoIterator<Item = &'a [u8]>,
        peer: Option<&Peer>,
        now: Timestamp,
    ) -> Result<Caller, Unauthenticated> {
        let token = bearer_token(authorization)?;
        match (self.identify(token, peer, now), token) {
            (
                Err(Unauthenticated::Token(TokenRefusal::Jwt(JwtRefusal::UnknownKey | JwtRefusal::NoKeys))),
                Some(text),
            ) if self.jwts.read_keys_again(text).await => self.identify(token, peer, now),
            (result, _) => result,
        }
    }

    fn identify(&self, token: Option<&str>, peer: Option<&Peer>, now: Timestamp) -> Result<Caller, Unauthenticated> {
        let thumbprint = peer.map(|peer| peer.thumbprint(now)).transpose()?;
        let owner = peer.map(|peer| peer.agency(self));
        let Some(token) = token else {
            let agency = owner.ok_or(Unauthenticated::Nothing)??;
            return Ok(Caller { agency, officer: None, by: Credential::Certificate });
        };
        let (caller, is_bound) = self.by_token(token, thumbprint, now)?;
        match owner {
            None => Ok(caller),
            Some(Ok(agency)) if agency.id == caller.agency.id => Ok(caller),
            Some(Ok(_)) => Err(Unauthenticated::TwoAgencies),
            // Its issuer vouches for the certificate that a token is bound to.
            Some(Err(CertificateRefusal::Nobodys)) if is_bound => Ok(caller),
            Some(Err(refusal)) => Err(refusal.into()),
        }
    }

    /// Who calls by this token, and whether it is bound to the certificate beside it.
    fn by_token(
        &self,
        token: &str,
        thumbprint: Option<&[u8; 32]>,
        now: Timestamp,
    ) -> Result<(Caller, bool), TokenRefusal> {
        let hash = TokenHash::of(token);
        let known = self.tokens.get(&beginning(&hash)).into_iter().flatten();
        if let Some((terms, agency)) = known.into_iter().find(|(terms, _)| is_same(&terms.hash, &hash)) {
            if terms.from.is_some_and(|from| now < from) {
                return Err(TokenRefusal::Early);
            }
            if terms.until.is_some_and(|until| now >= until) {
                return Err(TokenRefusal::Expired);
            }
            return Ok((Caller { agency: Arc::clone(agency), officer: None, by: Credential::Token }, false));
        }
        if !self.jwts.are_taken() || !jwt::looks_like_one(token) {
            return Err(TokenRefusal::Unknown);
        }
        let verified = self.jwts.verify(token, hash, thumbprint, now)?;
        let agency = self.agencies.get(&verified.agency).ok_or(JwtRefusal::Agency)?;
        let caller = Caller { agency: Arc::clone(agency), officer: verified.officer.clone(), by: Credential::Jwt };
        Ok((caller, verified.is_bound()))
    }

    fn of_names(&self, names: &BTreeSet<CertificateName>) -> Result<Arc<Agency>, CertificateRefusal> {
        let mut owners = names.iter().filter_map(|name| self.certificates.get(name));
        let owner = owners.next().ok_or(CertificateRefusal::Nobodys)?;
        if owners.any(|other| other.id != owner.id) {
            return Err(CertificateRefusal::Ambiguous);
        }
        Ok(Arc::clone(owner))
    }
}

/// By what a token is looked up. How long that takes depends on the first bytes of a SHA-256, which nobody can choose, and from
/// which nobody can tell a token; that all the others are the same is then found out in a time that says nothing.
fn beginning(hash: &TokenHash) -> [u8; 8] {
    let mut beginning = [0; 8];
    beginning.copy_from_slice(&hash.bytes()[..8]);
    beginning
}

/// Whether two hashes are the same. All bytes are compared, however many differ.
#[must_use]
pub fn is_same(one: &TokenHash, other: &TokenHash) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one.bytes(), other.bytes()).is_ok()
}

/// The hash of the token that a request's `Authorization` fields hold.
///
/// # Errors
/// If they hold none, or more than one.
pub fn token_hash<'a>(authorization: impl IntoIterator<Item = &'a [u8]>) -> Result<TokenHash, Unauthenticated> {
    Ok(TokenHash::of(bearer_token(authorization)?.ok_or(Unauthenticated::Nothing)?))
}

/// The most bytes of a token.
const LONGEST: usize = 8 * 1024;

/// The token of the one field `Bearer <token>`, if there is a field. Its scheme is written in any case, and spaces follow it (RFC
/// 9110 section 11.4); the token is one of RFC 6750 section 2.1 to the letter, and nothing follows it.
fn bearer_token<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<&'a str>, TokenRefusal> {
    let mut fields = fields.into_iter();
    let Some(field) = fields.next() else { return Ok(None) };
    if fields.next().is_some() {
        return Err(TokenRefusal::Several);
    }
    let field = std::str::from_utf8(field).map_err(|_| TokenRefusal::Malformed)?;
    let (scheme, token) = field.split_once(' ').unwrap_or((field, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(TokenRefusal::NotBearer);
    }
    let token = token.trim_start_matches(' ');
    let body = token.trim_end_matches('=');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    let is_token = !body.is_empty() && token.len() <= LONGEST && body.bytes().all(is_plain);
    if is_token { Ok(Some(token)) } else { Err(TokenRefusal::Malformed) }
}
