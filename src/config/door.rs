//! Reads what says who calls: `[tls]`, `[[issuers]]`, and the tokens and certificates of agencies.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::raw::{Raw, RawAgency, RawIssuer, RawTls, RawToken};
use super::{ClientCertificates, Located, Reader, TlsFiles};
use crate::callers::{CertificateName, Issuer, KeyPlace, KeySource, TokenTerms};
use crate::clock;
use crate::diagnostic::unknown;
use crate::document::Document;
use crate::domain::{AgencyId, TokenHash};

impl Reader {
    /// The tokens of an agency that nobody else has.
    pub(super) fn tokens(
        &mut self,
        document: &Document,
        place: &str,
        id: &AgencyId,
        raw: &RawAgency,
    ) -> Vec<TokenTerms> {
        let mut tokens = Vec::new();
        for (number, token) in raw.tokens.iter().enumerate() {
            let place = format!("{place}/tokens/{number}");
            let (text, from, until) = match token {
                RawToken::Hash(hash) => (hash, None, None),
                RawToken::Terms { hash, from, until } => (hash, from.as_deref(), until.as_deref()),
            };
            let hash = text.parse::<TokenHash>().map_err(|error| document.error(&place, error.to_string()));
            let from = self.moment(document, &format!("{place}/from"), from);
            let until = self.moment(document, &format!("{place}/until"), until);
            let Some(hash) = self.keep(hash) else { continue };
            if from.zip(until).is_some_and(|(from, until)| from >= until) {
                self.errors.push(document.error(&place, "this token is never good: \"from\" is not before \"until\""));
            }
            match self.holders.insert(hash, id.clone()) {
                Some(other) if other != *id => {
                    self.errors.push(document.error(&place, format!("the agency \"{other}\" has the same token")));
                }
                Some(_) => self.errors.push(document.error(&place, "this token is there already")),
                None => tokens.push(TokenTerms { hash, from, until }),
            }
        }
        tokens
    }

    fn moment(&mut self, document: &Document, place: &str, text: Option<&str>) -> Option<Timestamp> {
        let wrong = |_| document.error(place, "not a moment; write it such as 2026-12-31T00:00:00+08:00");
        text.and_then(|text| self.keep(text.parse::<Timestamp>().map_err(wrong)))
    }

    /// What the certificates of an agency are known by, each of which nobody else has.
    pub(super) fn certificates(
        &mut self,
        document: &Document,
        place: &str,
        id: &AgencyId,
        raw: &RawAgency,
    ) -> Vec<CertificateName> {
        let mut names = Vec::new();
        for (number, text) in raw.certificates.iter().enumerate() {
            let place = format!("{place}/certificates/{number}");
            self.certificate_places.push(document.error(&place, ""));
            let name = text.parse::<CertificateName>().map_err(|error| document.error(&place, error.to_string()));
            let Some(name) = self.keep(name) else { continue };
            if let Some(other) = self.named.insert(name.clone(), id.clone()).filter(|other| other != id) {
                self.errors.push(document.error(&place, format!("the agency \"{other}\" has the same certificate")));
            }
            names.push(name);
        }
        names
    }

    /// The files of the listener's certificates.
    pub(super) fn tls(&mut self, document: &Document, raw: &Raw) -> Option<TlsFiles> {
        let asks = raw.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        if !asks {
            let message = "nobody is asked for a certificate: [tls] client_ca names the file of those who sign them";
            let unread = std::mem::take(&mut self.certificate_places);
            self.errors.extend(
                unread.into_iter().map(|place| crate::diagnostic::Diagnostic { message: message.to_owned(), ..place }),
            );
        }
        let RawTls { certificate, key, client_ca, crl, client_certificates, handshake_timeout, look_every } =
            raw.tls.as_ref()?;
        for (name, is_there) in [("crl", crl.is_some()), ("client_certificates", client_certificates.is_some())] {
            if is_there && client_ca.is_none() {
                let message = "this needs client_ca, the file of those who sign the certificates of agencies";
                self.errors.push(document.error(&format!("/tls/{name}"), message));
            }
        }
        let located = |name: &str, path: &PathBuf| Located {
            value: path.clone(),
            place: document.error(&format!("/tls/{name}"), ""),
        };
        let short = Duration::from_millis(1)..=Duration::from_mins(1);
        let handshake_timeout = self.length(document, "/tls/handshake_timeout", handshake_timeout, short);
        let often = Duration::from_millis(1)..=Duration::from_hours(1);
        let look_every = self.length(document, "/tls/look_every", look_every, often);
        Some(TlsFiles {
            certificate: located("certificate", certificate),
            key: located("key", key),
            client_ca: client_ca.as_ref().map(|path| located("client_ca", path)),
            crl: crl.as_ref().map(|path| located("crl", path)),
            client_certificates: client_certificates.unwrap_or(ClientCertificates::Optional),
            handshake_timeout: handshake_timeout?,
            look_every: look_every?,
        })
    }

    /// Those whose access tokens are taken.
    pub(super) fn issuers(&mut self, document: &Document, raw: &Raw) -> Vec<Located<Issuer>> {
        let asks = raw.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        let mut issuers = Vec::<Located<Issuer>>::new();
        for (index, raw) in raw.issuers.iter().enumerate() {
            let place = format!("/issuers/{index}");
            if issuers.iter().any(|other| other.value.issuer == raw.issuer) {
                let message = format!("the issuer \"{}\" is there already", raw.issuer);
                self.errors.push(document.error(&format!("{place}/issuer"), message));
            }
            if raw.certificate_bound && !asks {
                let message = "tokens cannot be bound to certificates where [tls] client_ca asks nobody for one";
                self.errors.push(document.error(&format!("{place}/certificate_bound"), message));
            }
            if let Some(value) = self.issuer(document, &place, raw) {
                issuers.push(Located { value, place: document.error(&place, "") });
            }
        }
        issuers
    }

    fn issuer(&mut self, document: &Document, place: &str, raw: &RawIssuer) -> Option<Issuer> {
        let source = self.key_source(document, place, raw);
        let minutes = |most: u64| Duration::ZERO..=Duration::from_mins(most);
        let mut length = |name: &str, text: &Option<String>, default: &str, within| {
            self.length(document, &format!("{place}/{name}"), text.as_deref().unwrap_or(default), within)
        };
        let leeway = length("leeway", &raw.leeway, "30s", minutes(5));
        let longest = length("longest", &raw.longest, "24h", Duration::from_secs(1)..=Duration::from_hours(24 * 31));
        let refresh = length("refresh", &raw.refresh, "5m", Duration::from_millis(1)..=Duration::from_hours(24));
        let keep = length("keep", &raw.keep, "24h", Duration::ZERO..=Duration::from_hours(24 * 31));
        let agencies = raw.agencies.as_ref().map(|agencies| self.meanings(document, place, agencies));
        Some(Issuer {
            issuer: raw.issuer.clone(),
            audience: raw.audience.clone(),
            keys: KeyPlace { source: source?, refresh: refresh?, keep: keep? },
            algorithms: raw.algorithms.clone(),
            agency_claim: raw.agency_claim.clone(),
            agencies,
            officer_claim: raw.officer_claim.clone(),
            certificate_bound: raw.certificate_bound,
            leeway: leeway?,
            longest: longest?,
        })
    }

    fn key_source(&mut self, document: &Document, place: &str, raw: &RawIssuer) -> Option<KeySource> {
        match (&raw.jwks, &raw.jwks_file) {
            (Some(url), None) if is_safe_address(url) => {
                Some(KeySource::Address { url: url.clone(), ca: raw.jwks_ca.clone() })
            }
            (Some(url), None) => {
                let message = format!(
                    "\"{url}\" is not an address that keys may come from: write https://, or http:// of this machine"
                );
                self.errors.push(document.error(&format!("{place}/jwks"), message));
                None
            }
            (None, Some(file)) => Some(KeySource::File(file.clone())),
            (Some(_), Some(_)) | (None, None) => {
                let message = "an issuer has either jwks, the address of its keys, or jwks_file, a file of them";
                self.errors.push(document.error(place, message));
                None
            }
        }
    }

    /// Which agency each value of a claim means.
    pub(super) fn meanings(
        &mut self,
        document: &Document,
        place: &str,
        agencies: &BTreeMap<String, String>,
    ) -> BTreeMap<String, AgencyId> {
        let mut meanings = BTreeMap::new();
        for (value, agency) in agencies {
            let known = self.agencies.iter().map(|member| &member.agency.id).find(|id| id.to_string() == *agency);
            match known.cloned() {
                Some(id) => drop(meanings.insert(value.clone(), id)),
                None => {
                    let ids: Vec<String> = self.agencies.iter().map(|member| member.agency.id.to_string()).collect();
                    let message = unknown("agency", agency, ids.iter().map(String::as_str));
                    let value = value.replace('~', "~0").replace('/', "~1");
                    self.errors.push(document.error(&format!("{place}/agencies/{value}"), message));
                }
            }
        }
        meanings
    }

    pub(super) fn length(
        &mut self,
        document: &Document,
        place: &str,
        text: &str,
        within: std::ops::RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let message = format!(
            "not a length of time from {:?} to {:?}; write it such as 500ms, 3s or 10m",
            within.start(),
            within.end()
        );
        let wrong = || document.error(place, message);
        self.keep(clock::duration(text).filter(|length| within.contains(length)).ok_or_else(wrong))
    }
}

/// Whether results may go there, and keys come from there: nobody on the way can read or change them.
pub(super) fn is_safe_address(address: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(address) else { return false };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    is_plain && (url.scheme() == "https" && url.has_host() || url.scheme() == "http" && is_local)
}
