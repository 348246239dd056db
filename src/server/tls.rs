//! TLS of the listener: its files, what is made of them, and how they are replaced while it runs.

mod material;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::access::{CertificateRefusal, ClientTrust, Peer, certificate_refusal};
use crate::config::TlsFiles;
use crate::diagnostic::Diagnostic;

pub use material::Material;
use material::Stamp;

/// Lets clients in by TLS, with the certificates of the moment.
pub(super) struct Entrance {
    now: RwLock<Arc<Certificates>>,
    /// What connections that are open are held against.
    trust: watch::Sender<Option<Arc<ClientTrust>>>,
    /// The files as they were when they were looked at last, and what was said of them.
    seen: Mutex<Seen>,
    failed: AtomicU64,
}

struct Certificates {
    files: TlsFiles,
    material: Material,
    acceptor: TlsAcceptor,
}

struct Seen {
    stamps: Vec<Option<Stamp>>,
    told: Vec<Diagnostic>,
}

impl Entrance {
    pub(super) fn new(files: TlsFiles, material: Material) -> Self {
        let seen = Seen { stamps: material.stamps.clone(), told: Vec::new() };
        let trust = watch::Sender::new(material.trust.clone());
        let now = RwLock::new(Arc::new(Certificates::new(files, material)));
        Self { now, trust, seen: Mutex::new(seen), failed: AtomicU64::new(0) }
    }

    /// From now on these are the certificates. Connections that are open stay open; whether their clients' certificates still
    /// hold is looked up with their next request.
    pub(super) fn replace(&self, files: TlsFiles, material: Material) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).stamps.clone_from(&material.stamps);
        // First who is trusted: whoever comes in between is held against it with the first request.
        self.trust.send_replace(material.trust.clone());
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Certificates::new(files, material));
    }

    /// How often the files are looked at.
    pub(super) fn look_every(&self) -> std::time::Duration {
        self.certificates().files.look_every
    }

    /// Takes over files that have changed; those that cannot be used change nothing. Tells what has expired. It reads files.
    pub(super) fn look(&self, now: Timestamp) {
        let certificates = self.certificates();
        let stamps = material::stamps(&certificates.files);
        let has_changed = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut seen.stamps, stamps.clone()) != stamps
        };
        if has_changed {
            match Material::load(&certificates.files) {
                Ok(material) => {
                    self.replace(certificates.files.clone(), material);
                    tracing::info!("new certificates have taken over");
                }
                Err(wrong) => {
                    let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
                    tracing::error!("the certificates stay as they were:\n{}", wrong.join("\n"));
                }
            }
        }
        self.tell(now);
    }

    /// Tells what has expired, or soon will, once each.
    pub(super) fn tell(&self, now: Timestamp) {
        let certificates = self.certificates();
        let (over, soon) = (certificates.material.over(now), certificates.material.soon(now));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        over.iter().filter(|one| !seen.told.contains(one)).for_each(|one| tracing::error!("{one}"));
        soon.iter().filter(|one| !seen.told.contains(one)).for_each(|one| tracing::warn!("{one}"));
        seen.told = over.into_iter().chain(soon).collect();
    }

    /// Until when each kind of file is good.
    pub(super) fn expiries(&self) -> BTreeMap<&'static str, Timestamp> {
        self.certificates().material.expiries()
    }

    /// A handshake. What comes of it is a stream and who is at its other end, or nothing but a line in the log.
    pub(super) async fn accept<S>(&self, stream: S) -> Option<(TlsStream<S>, Option<Arc<Peer>>)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let certificates = self.certificates();
        let handshake = certificates.acceptor.accept(stream);
        let stream = match timeout(certificates.files.handshake_timeout, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                self.failed(&Failure::of(&error));
                return None;
            }
            Err(_) => {
                self.failed(&Failure::Slow);
                return None;
            }
        };
        let chain = stream.get_ref().1.peer_certificates().map(<[_]>::to_vec);
        let peer = chain.zip(certificates.material.trust.clone());
        let peer = peer.map(|(chain, trust)| Arc::new(Peer::new(chain, trust, self.trust.subscribe())));
        Some((stream, peer))
    }

    fn failed(&self, failure: &Failure) {
        let count = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
        match failure {
            // Nobody's client is at fault: somebody has to bring a new list.
            Failure::Certificate(
                refusal @ (CertificateRefusal::OldRevocationList | CertificateRefusal::UnknownRevocation),
            ) => tracing::warn!(tls.failed = count, error = %refusal, "a client is turned away"),
            failure => tracing::debug!(tls.failed = count, error = %failure, "a handshake failed"),
        }
    }

    fn certificates(&self) -> Arc<Certificates> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Certificates {
    fn new(files: TlsFiles, material: Material) -> Self {
        let acceptor = TlsAcceptor::from(Arc::clone(&material.config));
        Self { files, material, acceptor }
    }
}

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("it took too long")]
    Slow,
    #[error("the client has gone")]
    Gone,
    #[error("what the client says is not TLS")]
    NotTls,
    #[error("the client and the gateway have no version, cipher suite or protocol in common")]
    NothingInCommon,
    #[error("the client has no certificate, and must have one")]
    NoCertificate,
    #[error("the client does not take it")]
    Alert,
    #[error(transparent)]
    Certificate(CertificateRefusal),
    #[error("the client does not keep to the protocol")]
    Misbehaved,
}

impl Failure {
    fn of(error: &io::Error) -> Self {
        let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) else {
            return Self::Gone;
        };
        match error {
            rustls::Error::InvalidCertificate(_) => Self::Certificate(certificate_refusal(error)),
            rustls::Error::NoCertificatesPresented => Self::NoCertificate,
            rustls::Error::PeerIncompatible(_) | rustls::Error::NoApplicationProtocol => Self::NothingInCommon,
            rustls::Error::AlertReceived(_) => Self::Alert,
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            _ => Self::Misbehaved,
        }
    }
}
