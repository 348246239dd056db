use std::fmt;
use std::str::FromStr;

/// What a client certificate is known by: one of its alternative names, or its public key.
///
/// Written `san:` and a DNS name or a URI (RFC 5280 section 4.2.1.6), or `spki-sha256:` and the SHA-256 of its
/// `SubjectPublicKeyInfo` in 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CertificateName {
    /// A DNS name, in lower case: their case means nothing (RFC 4343).
    Dns(String),
    /// A URI, to the letter.
    Uri(String),
    /// The SHA-256 of its public key.
    Key([u8; 32]),
}

impl CertificateName {
    /// A DNS name as a certificate holds it; `None` for what names no one host, such as `*.example.cn`.
    #[must_use]
    pub fn dns(name: &str) -> Option<Self> {
        let is_label = |label: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            (1..=63).contains(&label.len()) && label.bytes().all(is_plain)
        };
        let is_name = name.len() <= 253 && name.split('.').all(is_label);
        is_name.then(|| Self::Dns(name.to_ascii_lowercase()))
    }

    /// A URI as a certificate holds it; `None` for what is none.
    #[must_use]
    pub fn uri(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        let is_uri =
            is_scheme && !rest.is_empty() && text.len() <= 2048 && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_uri.then(|| Self::Uri(text.to_owned()))
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Uri(name) => write!(formatter, "san:{name}"),
            Self::Key(hash) => {
                formatter.write_str("spki-sha256:")?;
                hash.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
            }
        }
    }
}

/// A text is not a [`CertificateName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a certificate is known by \"san:\" and one whole DNS name or URI of it, without wildcards, or by \"spki-sha256:\" and the \
     SHA-256 of its public key in 64 lower-case hexadecimal digits"
)]
pub struct CertificateNameError;

impl FromStr for CertificateName {
    type Err = CertificateNameError;

    fn from_str(text: &str) -> Result<Self, CertificateNameError> {
        if let Some(name) = text.strip_prefix("san:") {
            // No DNS name has a colon, and every URI has one.
            let name = if name.contains(':') { Self::uri(name) } else { Self::dns(name) };
            return name.ok_or(CertificateNameError);
        }
        let digits = text.strip_prefix("spki-sha256:").ok_or(CertificateNameError)?;
        let is_lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != 64 || !digits.bytes().all(is_lower_hex) {
            return Err(CertificateNameError);
        }
        let mut hash = [0_u8; 32];
        for (index, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).map_err(|_| CertificateNameError)?;
        }
        Ok(Self::Key(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_and_read_as_they_print() {
        let key = format!("spki-sha256:{}", "0a".repeat(32));
        for text in ["san:fund.shenyang.gov.cn", "san:spiffe://gov.cn/fund", "san:urn:fund", &key] {
            assert_eq!(text.parse::<CertificateName>().unwrap().to_string(), text);
        }
        assert_eq!("san:Fund.CN".parse(), Ok(CertificateName::Dns("fund.cn".to_owned())));
        for bad in [
            "",
            "fund.cn",
            "san:",
            "san:*.gov.cn",
            "san:.gov.cn",
            "san:fund.cn.",
            "san:fund cn",
            "san:基金.cn",
            "san:://x",
            "san:1a:x",
            "cn:fund",
            &key[..70],
            &key.to_uppercase(),
            "san:urn:a b",
        ] {
            assert!(bad.parse::<CertificateName>().is_err(), "{bad}");
        }
    }
}
