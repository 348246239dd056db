//! Until when the certificates are good by which we know a department, and it us.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::Description;

impl Description {
    /// Each kind of certificate that its file names, `identity` (ours) or `authority` (those that its own come from), with the
    /// moment at which the first of them is not good any more.
    #[must_use]
    pub fn expiries(&self) -> Vec<(&'static str, Timestamp)> {
        let identity = self.identity.as_deref().map(Vec::as_slice);
        let files = [("identity", identity), ("authority", self.ca.as_deref())];
        let first = |(kind, file): (&'static str, Option<&[u8]>)| Some((kind, end(file?)?));
        files.into_iter().filter_map(first).collect()
    }
}

/// The end of the first of a file's certificates that ends.
fn end(pem: &[u8]) -> Option<Timestamp> {
    let until = |certificate: CertificateDer<'_>| {
        let (_, parsed) = X509Certificate::from_der(&certificate).ok()?;
        Timestamp::from_second(parsed.validity().not_after.timestamp()).ok()
    };
    CertificateDer::pem_slice_iter(pem).flatten().filter_map(until).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_ends_counts() {
        let made = |year| {
            let mut parameters = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            parameters.not_after = rcgen::date_time_ymd(year, 3, 1);
            let key = rcgen::KeyPair::generate().unwrap();
            parameters.self_signed(&key).unwrap().pem()
        };
        let both = format!("{}{}", made(2031), made(2029));
        assert_eq!(end(both.as_bytes()).unwrap().to_string(), "2029-03-01T00:00:00Z");
        assert_eq!(end(b"nothing"), None);
    }
}
