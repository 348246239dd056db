use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use jiff::{SignedDuration, Timestamp};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::access::{ClientTrust, TrustError, validity};
use crate::config::{ClientCertificates, TlsFiles};
use crate::diagnostic::Diagnostic;
use crate::private_file;

/// What is made of the files of the listener's certificates: they fit each other.
pub struct Material {
    pub(super) config: Arc<ServerConfig>,
    pub(super) trust: Option<Arc<ClientTrust>>,
    pub(super) stamps: Vec<Option<Stamp>>,
    terms: Vec<Term>,
}

/// Until when something is good.
struct Term {
    kind: &'static str,
    what: &'static str,
    place: Diagnostic,
    from: Timestamp,
    until: Timestamp,
    /// How long before its end somebody should know.
    notice: SignedDuration,
}

/// A state of a file: another one has another stamp.
pub(super) type Stamp = (u64, u64, u64, i64, i64, i64, i64);

/// No file of certificates is as large.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

impl Material {
    /// Reads the files.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, at the place where the configuration names it.
    pub fn load(files: &TlsFiles) -> Result<Self, Vec<Diagnostic>> {
        // A file that changes while it is read is read again.
        let stamps = stamps(files);
        let mut errors = Vec::new();
        let mut keep = |result: Result<_, Diagnostic>| result.map_err(|error| errors.push(error)).ok();
        let mut terms = Vec::new();
        let identity = keep(identity(files, &mut terms));
        let trust = match trust(files, &mut terms) {
            Ok(trust) => trust,
            Err(error) => {
                errors.push(error);
                None
            }
        };
        let Some(identity) = identity.filter(|_| errors.is_empty()) else { return Err(errors) };
        let config = config(identity, trust.as_ref()).map_err(|error| {
            vec![at(&files.certificate.place, format!("the TLS library does not take these files: {error}"))]
        })?;
        Ok(Self { config: Arc::new(config), trust: trust.map(Arc::new), stamps, terms })
    }

    /// What is not good now. With an old revocation list no client certificate is taken.
    #[must_use]
    pub fn over(&self, now: Timestamp) -> Vec<Diagnostic> {
        let wrong = |term: &Term| {
            let Term { what, place, from, until, .. } = term;
            let message = match () {
                () if now >= *until => format!("{what} has expired, on {until}: replace it"),
                () if now < *from => format!("{what} is not good before {from}: check it and this machine's clock"),
                () => return None,
            };
            Some(at(place, message))
        };
        self.terms.iter().filter_map(wrong).collect()
    }

    /// Until when each kind of file is good: the first that ends.
    pub(super) fn expiries(&self) -> BTreeMap<&'static str, Timestamp> {
        let mut expiries = BTreeMap::new();
        for Term { kind, until, .. } in &self.terms {
            let first = expiries.entry(*kind).or_insert(*until);
            *first = (*first).min(*until);
        }
        expiries
    }

    /// What is good now, and soon will not be.
    #[must_use]
    pub fn soon(&self, now: Timestamp) -> Vec<Diagnostic> {
        let is_soon = |term: &&Term| now < term.until && term.until.duration_since(now) < term.notice;
        let tell = |term: &Term| at(&term.place, format!("{} expires on {}: replace it", term.what, term.until));
        self.terms.iter().filter(is_soon).map(tell).collect()
    }
}

/// The states of all files.
pub(super) fn stamps(files: &TlsFiles) -> Vec<Option<Stamp>> {
    let stamp = |path: &Path| {
        let known = fs::metadata(path).ok()?;
        let (changed, written) = ((known.ctime(), known.ctime_nsec()), (known.mtime(), known.mtime_nsec()));
        Some((known.dev(), known.ino(), known.len(), changed.0, changed.1, written.0, written.1))
    };
    let optional = [&files.client_ca, &files.crl].into_iter().flatten();
    [&files.certificate, &files.key].into_iter().chain(optional).map(|file| stamp(&file.value)).collect()
}

fn identity(files: &TlsFiles, terms: &mut Vec<Term>) -> Result<CertifiedKey, Diagnostic> {
    let place = &files.certificate.place;
    let text = read(&files.certificate.value).map_err(|why| at(place, why))?;
    let chain = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| {
        at(place, "there is no certificate in this file, or one of them cannot be read; it holds them as PEM")
    })?;
    for certificate in &chain {
        let (from, until) =
            validity(certificate).ok_or_else(|| at(place, "a certificate in this file cannot be read"))?;
        let what = "the certificate of the gateway, or one between it and its root,";
        let (kind, notice) = ("gateway", SignedDuration::from_hours(30 * 24));
        terms.push(Term { kind, what, place: place.clone(), from, until, notice });
    }
    let place = &files.key.place;
    let text = private_file::read(&files.key.value).map_err(|why| at(place, why.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        at(place, "there is no private key in this file that can be read; it holds it as PEM, not encrypted")
    })?;
    CertifiedKey::from_der(chain, key, &default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => at(place, "this key is not that of the certificate"),
        rustls::Error::InvalidCertificate(_) => at(&files.certificate.place, "the first certificate cannot be read"),
        _ => at(
            place,
            "this key is of a kind that TLS does not use; take ECDSA with P-256, Ed25519, or RSA of 2048 bits",
        ),
    })
}

fn trust(files: &TlsFiles, terms: &mut Vec<Term>) -> Result<Option<ClientTrust>, Diagnostic> {
    let Some(authorities) = &files.client_ca else { return Ok(None) };
    let text = read(&authorities.value).map_err(|why| at(&authorities.place, why))?;
    let lists = match &files.crl {
        None => None,
        Some(lists) => Some((lists, read(&lists.value).map_err(|why| at(&lists.place, why))?)),
    };
    let is_required = files.client_certificates == ClientCertificates::Required;
    let trust = ClientTrust::new(&text, lists.as_ref().map(|(_, text)| text.as_slice()), is_required);
    let trust = trust.map_err(|error| match (error, &lists) {
        (TrustError::NoRevocationList | TrustError::EndlessRevocationList, Some((lists, _))) => {
            at(&lists.place, error.to_string())
        }
        _ => at(&authorities.place, error.to_string()),
    })?;
    for authority in CertificateDer::pem_slice_iter(&text).flatten() {
        if let Some((from, until)) = validity(&authority) {
            let what = "an authority that agencies' certificates come from";
            let place = authorities.place.clone();
            let (kind, notice) = ("agencies-authority", SignedDuration::from_hours(30 * 24));
            terms.push(Term { kind, what, place, from, until, notice });
        }
    }
    if let (Some((lists, _)), Some(until)) = (&lists, trust.lists_until()) {
        let what = "a list of revoked certificates, without which no client certificate is taken,";
        let (place, from) = (lists.place.clone(), Timestamp::MIN);
        let (kind, notice) = ("revocation-list", SignedDuration::from_hours(24));
        terms.push(Term { kind, what, place, from, until, notice });
    }
    Ok(Some(trust))
}

/// Versions 1.2 and 1.3 with the suites of the provider, all of which have forward secrecy and authenticate what they encrypt.
fn config(identity: CertifiedKey, trust: Option<&ClientTrust>) -> Result<ServerConfig, rustls::Error> {
    let builder =
        ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions()?;
    let builder = match trust {
        Some(trust) => builder.with_client_cert_verifier(trust.verifier()),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.max_early_data_size = 0;
    config.ignore_client_order = true;
    if trust.is_some() {
        // A resumed session would bring a certificate along that nobody has looked at again.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| format!("{} cannot be read: {error}", path.display());
    // Whoever opens a pipe may wait for ever.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    let mut text = Vec::new();
    fs::File::open(path).map_err(unreadable)?.take(MOST_BYTES).read_to_end(&mut text).map_err(unreadable)?;
    Ok(text)
}

fn at(place: &Diagnostic, message: impl Into<String>) -> Diagnostic {
    Diagnostic { message: message.into(), ..place.clone() }
}
