//! `[tls]`: where the certificates of the gateway's listener are.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::Settings;
use crate::diagnostic::Diagnostic;

/// Where the certificates of the gateway's listener are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Its certificate and those between it and a root, as PEM.
    pub certificate: Located<PathBuf>,
    /// Its private key, as PEM.
    pub key: Located<PathBuf>,
    /// Who signs the certificates of agencies, as PEM; `None`: nobody is asked for one.
    pub client_ca: Option<Located<PathBuf>>,
    /// Which of them are revoked, as PEM.
    pub crl: Option<Located<PathBuf>>,
    /// Whether a client must have a certificate.
    pub client_certificates: ClientCertificates,
    /// How long a handshake may take.
    pub handshake_timeout: Duration,
    /// How often it is looked whether the files have changed.
    pub look_every: Duration,
}

/// A value, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The place, with no message yet.
    pub place: Diagnostic,
}

impl<T> Located<T> {
    /// A value that no file says, but an argument of a command.
    #[must_use]
    pub fn by_argument(argument: &str, value: T) -> Self {
        Self { value, place: Diagnostic { file: argument.to_owned(), line: None, message: String::new() } }
    }
}

/// Whether clients are asked for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// They are, and may come without.
    Optional,
    /// They are, and get no connection without one.
    Required,
}

/// Where requests are taken without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum PlainHttp {
    /// From this machine alone.
    #[serde(rename = "this-machine")]
    ThisMachine,
    /// From elsewhere too: whoever wrote it says that a proxy before the gateway speaks TLS.
    #[serde(rename = "behind-a-tls-proxy")]
    BehindTlsProxy,
}

impl Settings {
    /// Whether tokens and people's data would go over a network in the clear, and what to do about it.
    ///
    /// # Errors
    /// If they would.
    pub fn check_door(&self) -> Result<(), Diagnostic> {
        let is_private = self.tls.is_some() || self.listen.ip().to_canonical().is_loopback();
        if is_private || self.plain_http == PlainHttp::BehindTlsProxy {
            return Ok(());
        }
        let message = format!(
            "{} can be reached from other machines, and tokens, names and ID numbers would travel in the clear: add [tls] with a \
             certificate and a key, listen on 127.0.0.1, or, where a proxy before the gateway speaks TLS, write \
             plain_http = \"behind-a-tls-proxy\" under [server] (serve --behind-tls-proxy)",
            self.listen
        );
        Err(Diagnostic { message, ..self.listen_place.clone() })
    }
}
