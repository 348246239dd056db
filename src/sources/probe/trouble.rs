use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::{CertificateError, Error};

use super::super::authentication::Credential;

/// Why a department cannot be asked. `at` is a host and port, `request` a method and an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The host's name is known to no directory.
    Unresolved {
        /// The host.
        host: String,
    },
    /// Nothing listens there.
    Refused {
        /// Where.
        at: String,
    },
    /// Nothing answers there, not even that nobody listens.
    Silent {
        /// Where.
        at: String,
        /// For how long that was waited for.
        within: Duration,
    },
    /// The network has no way there.
    NoWay {
        /// Where.
        at: String,
    },
    /// No secure connection comes about.
    Tls {
        /// With whom.
        at: String,
        /// Why.
        why: TlsTrouble,
    },
    /// The request is not answered in time.
    Hanging {
        /// The request.
        request: String,
        /// For how long that was waited for.
        within: Duration,
    },
    /// The connection ends before the answer is there.
    Lost {
        /// The request.
        request: String,
    },
    /// What answers does not speak HTTP.
    NotHttp {
        /// The request.
        request: String,
    },
    /// The health operation says that the department is not well, or is another one.
    Unwell {
        /// The request.
        request: String,
        /// What a department that is well answers.
        expected: u16,
        /// What this one answers.
        status: u16,
    },
    /// The department does not accept our credentials.
    Denied {
        /// The request.
        request: String,
        /// What it answers.
        status: u16,
        /// What it did not give us, where we asked for something.
        credential: Option<Credential>,
        /// Where the operator keeps the secret, in words.
        secret: String,
    },
    /// No token or working key can be read from the answer.
    NoCredential {
        /// The request.
        request: String,
        /// What it answers.
        status: u16,
        /// What we asked for.
        credential: Credential,
    },
    /// Its clock differs from ours by so much, and what proves who we are depends on the time.
    Clock {
        /// How far it is ahead.
        ahead: SignedDuration,
    },
    /// A certificate or the proxy's address cannot be used, or a secret cannot stand where it has to.
    Misconfigured,
}

/// Why no secure connection comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsTrouble {
    /// The department's certificate is over.
    Expired {
        /// Since when.
        since: Option<Timestamp>,
    },
    /// It is not valid yet.
    NotYetValid {
        /// From when on it is.
        from: Option<Timestamp>,
    },
    /// It was issued by nobody whom we know.
    UnknownIssuer,
    /// It is for other names.
    WrongName {
        /// Which.
        presented: Vec<String>,
    },
    /// It is that of a certification authority, which is no server's.
    OfAuthority,
    /// It cannot be used for another reason.
    BadCertificate,
    /// The department and we have no version or method in common.
    NothingInCommon,
    /// What answers does not speak TLS.
    NotTls,
    /// The department refuses us: most likely it wants a certificate of ours.
    WeAreRefused,
    /// It breaks off.
    BrokenOff,
}

impl From<&Error> for TlsTrouble {
    fn from(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(why) => Self::from(why),
            Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => Self::NotTls,
            Error::PeerIncompatible(_)
            | Error::NoApplicationProtocol
            | Error::AlertReceived(rustls::AlertDescription::ProtocolVersion) => Self::NothingInCommon,
            Error::AlertReceived(_) => Self::WeAreRefused,
            _ => Self::BrokenOff,
        }
    }
}

impl From<&CertificateError> for TlsTrouble {
    fn from(why: &CertificateError) -> Self {
        let moment = |time: &rustls::pki_types::UnixTime| Timestamp::from_second(time.as_secs().try_into().ok()?).ok();
        match why {
            CertificateError::Expired => Self::Expired { since: None },
            CertificateError::ExpiredContext { not_after, .. } => Self::Expired { since: moment(not_after) },
            CertificateError::NotValidYet => Self::NotYetValid { from: None },
            CertificateError::NotValidYetContext { not_before, .. } => Self::NotYetValid { from: moment(not_before) },
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::NotValidForName => Self::WrongName { presented: Vec::new() },
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::WrongName { presented: presented.iter().map(|name| bare(name).to_owned()).collect() }
            }
            // The verifier's own error is not to be had here but as text.
            CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => Self::OfAuthority,
            _ => Self::BadCertificate,
        }
    }
}

/// A name without what kind of name it is: `DnsName("a.example")`.
fn bare(name: &str) -> &str {
    name.split_once('(').map_or(name, |(_, name)| name.trim_end_matches(')')).trim_matches('"')
}
