//! Access tokens of issuers: JWT (RFC 7519) of the profile of RFC 9068, checked as its section 4 and RFC 8725 want it.
//!
//! Signatures are checked by aws-lc-rs. Why not by `jsonwebtoken` (11.1) on top of it: that has lists of algorithms, `kid` and `EdDSA`,
//! ES, PS and RS, but it reads `crit` and does not refuse it, does not look at `typ`, lets claims stand twice in a payload,
//! wants one family of algorithms in a list, and takes the time from the system instead of our clock. Nearly all of this
//! file would stay beside it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;
use serde_json::{Map, Value};

use super::json;
use super::keyring::Keyring;
use super::keys::KeySet;
use super::refusal::JwtRefusal;
use crate::callers::{Issuer, Officer, SignatureAlgorithm};
use crate::domain::{AgencyId, TokenHash};

/// Issuers with their keys, and the tokens that were verified of late.
pub(super) struct Jwts {
    issuers: Vec<(Issuer, Arc<Keyring>)>,
    verified: Cache<TokenHash, Arc<Verified>>,
}

/// What a token says that holds.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub(super) agency: AgencyId,
    pub(super) officer: Option<Officer>,
    issuer: usize,
    /// Not from this moment on.
    until: Timestamp,
    binding: Option<[u8; 32]>,
    /// The keys that it was verified with.
    keys: Arc<KeySet>,
}

/// How many verified tokens are remembered, and for how long.
const REMEMBERED: u64 = 10_000;
const FOR: Duration = Duration::from_mins(5);

impl fmt::Debug for Jwts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.issuers.iter().map(|(issuer, _)| &issuer.issuer)).finish()
    }
}

impl Jwts {
    pub(super) fn new(issuers: Vec<(Issuer, Arc<Keyring>)>) -> Self {
        Self { issuers, verified: Cache::builder().max_capacity(REMEMBERED).time_to_live(FOR).build() }
    }

    pub(super) fn keyrings(&self) -> impl Iterator<Item = &Arc<Keyring>> {
        self.issuers.iter().map(|(_, ring)| ring)
    }

    /// Whether somebody's access tokens are taken.
    pub(super) fn are_taken(&self) -> bool {
        !self.issuers.is_empty()
    }

    /// What a token says, if it holds. `certificate` is the SHA-256 of the connection's client certificate.
    pub(super) fn verify(
        &self,
        token: &str,
        hash: TokenHash,
        certificate: Option<&[u8; 32]>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, JwtRefusal> {
        if let Some(known) = self.verified.get(&hash) {
            let keys = self.issuers.get(known.issuer).and_then(|(_, ring)| ring.keys(now));
            if keys.is_some_and(|keys| Arc::ptr_eq(&keys, &known.keys)) {
                if now >= known.until {
                    return Err(JwtRefusal::Expired);
                }
                is_bound_to(known.binding, certificate)?;
                return Ok(known);
            }
        }
        let verified = Arc::new(self.read(token, now)?);
        is_bound_to(verified.binding, certificate)?;
        self.verified.insert(hash, Arc::clone(&verified));
        Ok(verified)
    }

    /// Has the keys read again of the issuer that a token names.
    pub(super) async fn read_keys_again(&self, token: &str) -> bool {
        match Parts::of(token).and_then(|parts| self.issuer(&parts.payload)) {
            Ok((_, _, ring)) => ring.read_again().await,
            Err(_) => false,
        }
    }

    fn read(&self, token: &str, now: Timestamp) -> Result<Verified, JwtRefusal> {
        let parts = Parts::of(token)?;
        let (id, algorithm) = signed_by(&parts.header, Kind::Access)?;
        let (issuer, terms, ring) = self.issuer(&parts.payload)?;
        // Before any key is looked at: what the issuer may not use is not tried.
        if !terms.algorithms.contains(&algorithm) {
            return Err(JwtRefusal::Algorithm);
        }
        let keys = ring.keys(now).ok_or(JwtRefusal::NoKeys)?;
        keys.verify(id, algorithm, parts.signed.as_bytes(), &parts.signature)?;
        let until = is_good_at(now, &parts.payload, &terms.audience, terms.leeway, terms.longest)?;
        let binding = binding(&parts.payload, terms)?;
        let agency = agency(&parts.payload, terms)?;
        let officer = match terms.officer_claim.as_ref().and_then(|claim| parts.payload.get(claim)) {
            None => None,
            Some(name) => Some(name.as_str().and_then(Officer::new).ok_or(JwtRefusal::Officer)?),
        };
        Ok(Verified { agency, officer, issuer, until, binding, keys })
    }

    fn issuer(&self, payload: &Map<String, Value>) -> Result<(usize, &Issuer, &Arc<Keyring>), JwtRefusal> {
        let name = payload.get("iss").and_then(Value::as_str).ok_or(JwtRefusal::Claim("iss"))?;
        let found = self.issuers.iter().enumerate().find(|(_, (issuer, _))| issuer.issuer == name);
        found.map(|(index, (issuer, ring))| (index, issuer, ring)).ok_or(JwtRefusal::Issuer)
    }
}

/// What a token is for.
#[derive(Clone, Copy)]
enum Kind {
    /// It opens a door (RFC 9068).
    Access,
    /// It says who somebody is (OpenID Connect Core 1.0).
    Id,
}

/// What an ID token has to be.
pub(super) struct IdTokenTerms<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) algorithms: &'a [SignatureAlgorithm],
    pub(super) nonce: &'a str,
}

/// By how much a provider's clock may differ from ours, and how long its ID tokens may be good for at the most.
const LEEWAY: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_hours(24);

/// The claims of an ID token, if it holds (OpenID Connect Core 1.0 section 3.1.3.7).
pub(super) fn read_id_token(
    token: &str,
    terms: &IdTokenTerms<'_>,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Map<String, Value>, JwtRefusal> {
    let parts = Parts::of(token)?;
    let (id, algorithm) = signed_by(&parts.header, Kind::Id)?;
    let text = |claim: &str| parts.payload.get(claim).and_then(Value::as_str);
    if text("iss").ok_or(JwtRefusal::Claim("iss"))? != terms.issuer {
        return Err(JwtRefusal::Issuer);
    }
    if !terms.algorithms.contains(&algorithm) {
        return Err(JwtRefusal::Algorithm);
    }
    keys.verify(id, algorithm, parts.signed.as_bytes(), &parts.signature)?;
    is_good_at(now, &parts.payload, terms.client, LEEWAY, LONGEST)?;
    // One for several says for whom it was made.
    let is_for_several = parts.payload.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
    match text("azp") {
        Some(party) if party == terms.client => {}
        None if !is_for_several && !parts.payload.contains_key("azp") => {}
        _ => return Err(JwtRefusal::Party),
    }
    if text("nonce") != Some(terms.nonce) {
        return Err(JwtRefusal::Nonce);
    }
    Ok(parts.payload)
}

/// Whether a token has the three parts of a JWS in compact form (RFC 7515 section 7.1).
pub(super) fn looks_like_one(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// A token taken apart. Nothing in it is believed before the signature is.
struct Parts<'a> {
    signed: &'a str,
    header: Map<String, Value>,
    payload: Map<String, Value>,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Result<Self, JwtRefusal> {
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtRefusal::Encoding)?;
        let (header, payload) = signed.split_once('.').ok_or(JwtRefusal::Encoding)?;
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtRefusal::Encoding);
        let object = |part: &str| json::object(&bytes(part)?).ok_or(JwtRefusal::Json);
        Ok(Self { signed, header: object(header)?, payload: object(payload)?, signature: bytes(signature)? })
    }
}

/// The key's id and the algorithm. Keys that a header brings along, or says where to find, are never looked at.
fn signed_by(header: &Map<String, Value>, wanted: Kind) -> Result<(&str, SignatureAlgorithm), JwtRefusal> {
    if header.contains_key("crit") {
        return Err(JwtRefusal::Critical);
    }
    let kind = header.get("typ").map(|kind| kind.as_str().ok_or(JwtRefusal::Type)).transpose()?;
    let is_one = |kind: &str, names: [&str; 2]| names.iter().any(|name| kind.eq_ignore_ascii_case(name));
    let is_wanted = match wanted {
        Kind::Access => kind.is_some_and(|kind| is_one(kind, ["at+jwt", "application/at+jwt"])),
        // Many leave it out.
        Kind::Id => kind.is_none_or(|kind| is_one(kind, ["JWT", "application/jwt"])),
    };
    if !is_wanted {
        return Err(JwtRefusal::Type);
    }
    let algorithm = header.get("alg").and_then(Value::as_str).and_then(SignatureAlgorithm::named);
    let id = header.get("kid").and_then(Value::as_str).ok_or(JwtRefusal::NoKeyId)?;
    Ok((id, algorithm.ok_or(JwtRefusal::Algorithm)?))
}

/// Until when a token is good that is good now.
fn is_good_at(
    now: Timestamp,
    payload: &Map<String, Value>,
    audience: &str,
    leeway: Duration,
    longest: Duration,
) -> Result<Timestamp, JwtRefusal> {
    let is_ours = |found: &Value| found.as_str() == Some(audience);
    match payload.get("aud") {
        Some(one @ Value::String(_)) if is_ours(one) => {}
        Some(Value::Array(several)) if several.iter().all(Value::is_string) && several.iter().any(is_ours) => {}
        Some(Value::String(_) | Value::Array(_)) => return Err(JwtRefusal::Audience),
        _ => return Err(JwtRefusal::Claim("aud")),
    }
    let leeway = SignedDuration::try_from(leeway).map_err(|_| JwtRefusal::TooLong)?;
    let longest = SignedDuration::try_from(longest).map_err(|_| JwtRefusal::TooLong)?;
    let expires = moment(payload, "exp")?.ok_or(JwtRefusal::Claim("exp"))?;
    let issued = moment(payload, "iat")?.ok_or(JwtRefusal::Claim("iat"))?;
    let begins = moment(payload, "nbf")?;
    let until = expires.saturating_add(leeway).map_err(|_| JwtRefusal::Claim("exp"))?;
    let soon = now.saturating_add(leeway).map_err(|_| JwtRefusal::Early)?;
    if now >= until {
        return Err(JwtRefusal::Expired);
    }
    if begins.is_some_and(|begins| begins > soon) {
        return Err(JwtRefusal::Early);
    }
    if issued > soon {
        return Err(JwtRefusal::FromTheFuture);
    }
    if expires.duration_since(issued) > longest {
        return Err(JwtRefusal::TooLong);
    }
    Ok(until)
}

/// A `NumericDate` (RFC 7519 section 2): seconds, perhaps with a fraction, which is cut off.
fn moment(payload: &Map<String, Value>, claim: &'static str) -> Result<Option<Timestamp>, JwtRefusal> {
    let wrong = JwtRefusal::Claim(claim);
    let Some(value) = payload.get(claim) else { return Ok(None) };
    let seconds = match (value.as_i64(), value.as_f64()) {
        (Some(seconds), _) => seconds,
        (None, Some(seconds)) if seconds.abs() < 9e15 => whole(seconds),
        _ => return Err(wrong),
    };
    Timestamp::from_second(seconds).map(Some).map_err(|_| wrong)
}

#[expect(clippy::cast_possible_truncation, reason = "the fraction is to be cut off, and the rest fits")]
fn whole(seconds: f64) -> i64 {
    seconds.floor() as i64
}

/// The SHA-256 of the certificate that a token is bound to (RFC 8705 section 3.1).
fn binding(payload: &Map<String, Value>, terms: &Issuer) -> Result<Option<[u8; 32]>, JwtRefusal> {
    let Some(confirmation) = payload.get("cnf") else {
        return if terms.certificate_bound { Err(JwtRefusal::Unbound) } else { Ok(None) };
    };
    // Who binds a token to what we cannot check means that it is not good without.
    let members = confirmation.as_object().filter(|members| members.len() == 1).ok_or(JwtRefusal::UnknownBinding)?;
    let thumbprint = members.get("x5t#S256").and_then(Value::as_str).ok_or(JwtRefusal::UnknownBinding)?;
    let bytes = URL_SAFE_NO_PAD.decode(thumbprint).map_err(|_| JwtRefusal::UnknownBinding)?;
    bytes.try_into().map(Some).map_err(|_| JwtRefusal::UnknownBinding)
}

fn is_bound_to(binding: Option<[u8; 32]>, certificate: Option<&[u8; 32]>) -> Result<(), JwtRefusal> {
    match (binding, certificate) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(JwtRefusal::NoCertificate),
        (Some(bound), Some(shown)) if bound == *shown => Ok(()),
        (Some(_), Some(_)) => Err(JwtRefusal::AnotherCertificate),
    }
}

impl Verified {
    /// Whether it is bound to the certificate of its connection.
    pub(super) fn is_bound(&self) -> bool {
        self.binding.is_some()
    }
}

fn agency(payload: &Map<String, Value>, terms: &Issuer) -> Result<AgencyId, JwtRefusal> {
    let named = payload.get(&terms.agency_claim).and_then(Value::as_str).ok_or(JwtRefusal::Agency)?;
    let agency = match &terms.agencies {
        Some(agencies) => agencies.get(named).cloned(),
        None => named.parse().ok().map(AgencyId),
    };
    agency.ok_or(JwtRefusal::Agency)
}
