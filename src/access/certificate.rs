//! Client certificates: what one is known by, whether it holds now, and whose it is.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, RootCertStore};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use super::Access;
use super::refusal::CertificateRefusal;
use crate::callers::CertificateName;
use crate::rights::Agency;

/// Whose certificates are taken, and which of them are revoked.
pub struct ClientTrust {
    verifier: Arc<dyn ClientCertVerifier>,
    /// When the first of the revocation lists has to be replaced.
    lists_until: Option<Timestamp>,
}

/// Why nobody can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// There is no certificate in the file.
    #[error("there is no certificate in this file that can be trusted as an authority; it holds them as PEM")]
    NoAuthority,
    /// There is no revocation list in the file, or one that cannot be read.
    #[error("there is no revocation list in this file, or one of them cannot be read; it holds them as PEM (X509 CRL)")]
    NoRevocationList,
    /// A list does not say when it is replaced, so it could never be too old.
    #[error("a revocation list in this file does not say when the next one comes (nextUpdate)")]
    EndlessRevocationList,
}

impl fmt::Debug for ClientTrust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientTrust").field("lists_until", &self.lists_until).finish_non_exhaustive()
    }
}

impl ClientTrust {
    /// Trusts the authorities of one PEM text, but for what the lists of the other one revoke. With lists, a certificate whose
    /// state no list tells is not taken, and neither is any where a list has expired.
    ///
    /// # Errors
    /// If there is no authority, or no list that can be used; the second names the revocation lists.
    pub fn new(authorities: &[u8], lists: Option<&[u8]>, is_required: bool) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_slice_iter(authorities) {
            roots.add(authority.map_err(|_| TrustError::NoAuthority)?).map_err(|_| TrustError::NoAuthority)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let mut lists_until = None;
        if let Some(lists) = lists {
            let lists = CertificateRevocationListDer::pem_slice_iter(lists).collect::<Result<Vec<_>, _>>();
            let lists = lists.ok().filter(|lists| !lists.is_empty()).ok_or(TrustError::NoRevocationList)?;
            for list in &lists {
                let until = next_update(list)?;
                lists_until = Some(lists_until.map_or(until, |earliest: Timestamp| earliest.min(until)));
            }
            builder = builder.with_crls(lists).enforce_revocation_expiration();
        }
        if !is_required {
            builder = builder.allow_unauthenticated();
        }
        let verifier = builder.build().map_err(|error| match error {
            rustls::server::VerifierBuilderError::InvalidCrl(_) => TrustError::NoRevocationList,
            _ => TrustError::NoAuthority,
        })?;
        Ok(Self { verifier, lists_until })
    }

    /// What the TLS library asks.
    #[must_use]
    pub fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.verifier)
    }

    /// When the first of the revocation lists expires.
    #[must_use]
    pub fn lists_until(&self) -> Option<Timestamp> {
        self.lists_until
    }

    fn verify(&self, chain: &[CertificateDer<'static>], now: Timestamp) -> Result<(), CertificateRefusal> {
        let (first, others) = chain.split_first().ok_or(CertificateRefusal::Unreadable)?;
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        self.verifier.verify_client_cert(first, others, now).map(|_| ()).map_err(|error| certificate_refusal(&error))
    }
}

/// Why the TLS library does not take a client's certificate; that of others is its being unreadable.
#[must_use]
pub fn certificate_refusal(error: &rustls::Error) -> CertificateRefusal {
    let rustls::Error::InvalidCertificate(why) = error else { return CertificateRefusal::Unreadable };
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateRefusal::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => CertificateRefusal::Early,
        CertificateError::Revoked => CertificateRefusal::Revoked,
        CertificateError::UnknownRevocationStatus => CertificateRefusal::UnknownRevocation,
        CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
            CertificateRefusal::OldRevocationList
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => CertificateRefusal::UnknownAuthority,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            CertificateRefusal::Purpose
        }
        _ => CertificateRefusal::Unreadable,
    }
}

fn next_update(list: &[u8]) -> Result<Timestamp, TrustError> {
    let (_, list) = x509_parser::revocation_list::CertificateRevocationList::from_der(list)
        .map_err(|_| TrustError::NoRevocationList)?;
    let next = list.next_update().ok_or(TrustError::EndlessRevocationList)?;
    Timestamp::from_second(next.timestamp()).map_err(|_| TrustError::NoRevocationList)
}

/// When a certificate begins and ceases to be good; `None` if it cannot be read.
#[must_use]
pub fn validity(certificate: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(certificate).ok()?;
    let validity = certificate.validity();
    let moment = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    Some((moment(validity.not_before)?, moment(validity.not_after)?))
}

/// What a client's certificate says.
#[derive(Debug)]
struct Certificate {
    /// Its DNS names and URIs, and its key. Never its common name.
    names: BTreeSet<CertificateName>,
    thumbprint: [u8; 32],
}

impl Certificate {
    fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(der).ok()?;
        let mut names = BTreeSet::new();
        names.insert(CertificateName::Key(Sha256::digest(certificate.public_key().raw).into()));
        if let Some(extension) = certificate.subject_alternative_name().ok()? {
            names.extend(extension.value.general_names.iter().filter_map(|name| match name {
                GeneralName::DNSName(name) => CertificateName::dns(name),
                GeneralName::URI(uri) => CertificateName::uri(uri),
                _ => None,
            }));
        }
        Some(Self { names, thumbprint: Sha256::digest(der).into() })
    }
}

/// The client at the other end of a connection, with the certificate that its handshake has verified.
///
/// A connection may outlive what it was let in by: whether the certificate still holds is looked up again when the trusted
/// authorities or the revocation lists change, and when it or a list expires. Otherwise that is one comparison a request.
pub struct Peer {
    chain: Vec<CertificateDer<'static>>,
    certificate: Option<Certificate>,
    /// When the first certificate of the chain expires.
    not_after: Timestamp,
    trust: watch::Receiver<Option<Arc<ClientTrust>>>,
    known: Mutex<Known>,
}

/// What is known of a peer, and under which circumstances.
struct Known {
    trust: Option<Arc<ClientTrust>>,
    until: Timestamp,
    holds: Result<(), CertificateRefusal>,
    agency: Option<(u64, Result<Arc<Agency>, CertificateRefusal>)>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Peer").field(&self.certificate).finish()
    }
}

impl Peer {
    /// A client with this chain of certificates, its own first, whose handshake has verified it by `verified`. What is trusted
    /// from now on, `trust` tells.
    #[must_use]
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        verified: Arc<ClientTrust>,
        trust: watch::Receiver<Option<Arc<ClientTrust>>>,
    ) -> Self {
        let certificate = chain.first().and_then(Certificate::read);
        let ends = chain.iter().map(|one| validity(one).map_or(Timestamp::MIN, |(_, end)| end));
        let not_after = ends.min().unwrap_or(Timestamp::MIN);
        let until = verified.lists_until().unwrap_or(Timestamp::MAX).min(not_after);
        let known = Known { trust: Some(verified), until, holds: Ok(()), agency: None };
        Self { chain, certificate, not_after, trust, known: Mutex::new(known) }
    }

    /// The SHA-256 of the certificate (RFC 8705 section 3.1), if it holds now.
    pub(super) fn thumbprint(&self, now: Timestamp) -> Result<&[u8; 32], CertificateRefusal> {
        let certificate = self.certificate.as_ref().ok_or(CertificateRefusal::Unreadable)?;
        let trust = self.trust.borrow().clone();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = match (&known.trust, &trust) {
            (Some(known), Some(trust)) => Arc::ptr_eq(known, trust),
            _ => false,
        };
        if !is_same || now >= known.until {
            known.holds =
                trust.as_ref().ok_or(CertificateRefusal::NotTaken).and_then(|trust| trust.verify(&self.chain, now));
            let lists = trust.as_ref().and_then(|trust| trust.lists_until()).unwrap_or(Timestamp::MAX);
            // What is already over is looked up each time, and stays over.
            known.until = if known.holds.is_ok() { self.not_after.min(lists) } else { Timestamp::MIN };
            known.trust = trust;
        }
        known.holds.map(|()| &certificate.thumbprint)
    }

    /// Whose certificate it is, as far as its names and its key say; looked up once for each configuration.
    pub(super) fn agency(&self, access: &Access) -> Result<Arc<Agency>, CertificateRefusal> {
        let certificate = self.certificate.as_ref().ok_or(CertificateRefusal::Unreadable)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &known.agency {
            Some((id, agency)) if *id == access.id => agency.clone(),
            _ => {
                let agency = access.of_names(&certificate.names);
                known.agency = Some((access.id, agency.clone()));
                agency
            }
        }
    }
}
