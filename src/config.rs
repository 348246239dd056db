//! Layer 2: configuration. From files, embedded or on disk, to values that are valid, with everything that is wrong at once.

mod door;
mod folder;
mod member;
mod oidc;
mod pages;
mod raw;
mod receipts;
mod records;
mod telemetry;
#[cfg(test)]
mod tests;
mod tls;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::callers::{CertificateName, Issuer};
use crate::clock;
use crate::diagnostic::{Diagnostic, unknown};
use crate::document::{Document, DocumentSchema, read_json};
use crate::domain::{AgencyId, Slug, TokenHash};
use crate::ledger::Origin;
use crate::matters::Catalog;
use crate::rights::{Agency, ClaimPattern, Grant, Particulars, Purposes, Terms};
use crate::watch::Policy;

use door::is_safe_address;
pub use folder::{File, Folder};
pub use member::{AgencyLimits, Callback, Member, SecretPlace};
pub use oidc::{OIDC_BACK, Oidc};
pub use pages::Pages;
use raw::{Demand, Raw, RawGrant};
pub use receipts::{KeysPlace, Receipts};
pub use records::Records;
pub use telemetry::{MetricsTo, Telling};
pub use tls::{ClientCertificates, Located, PlainHttp, TlsFiles};

/// The gateway's settings.
#[derive(Debug)]
pub struct Settings {
    /// Where requests are taken.
    pub listen: SocketAddr,
    /// Where that was written.
    pub listen_place: Diagnostic,
    /// From where they are taken without TLS.
    pub plain_http: PlainHttp,
    /// The certificates of the listener; `None`: it speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Whose access tokens are taken.
    pub issuers: Vec<Located<Issuer>>,
    /// How many threads; `None`: one for each core.
    pub workers: Option<usize>,
    /// Until a request's head and body must be there.
    pub request_timeout: Duration,
    /// How long a reply waits before it says `pending`.
    pub answer_within: Duration,
    /// How long running requests may go on after a signal to stop.
    pub shutdown_grace: Duration,
    /// The most connections.
    pub connections: usize,
    /// The most requests that are worked on at once; others are turned away.
    pub at_once: usize,
    /// The most bytes of facts that are remembered.
    pub fact_bytes: u64,
    /// The most verifications whose state can be asked for.
    pub verifications: u64,
    /// How long it can be asked for.
    pub verifications_for: Duration,
    /// The most replies that are kept for an `Idempotency-Key`.
    pub idempotent_replies: u64,
    /// Sources that matters may name although they are not connected.
    pub not_connected: BTreeSet<Slug>,
    /// What facts may be needed for, each with its name.
    pub purposes: BTreeMap<Slug, String>,
    /// Who may ask.
    pub agencies: Vec<Member>,
    /// The folder of what must survive a restart; `None`: it is in memory alone.
    pub data_dir: Option<PathBuf>,
    /// Whether it may be in memory alone, the ledger too.
    pub in_memory: bool,
    /// The name of the ledger in its checkpoints.
    pub origin: Origin,
    /// Where the key is found by which that is encrypted.
    pub store_key: Option<Located<SecretPlace>>,
    /// How long a question may stay open.
    pub open_for: Duration,
    /// After how long a question is asked again whose department did not say when it can be asked; it doubles each time.
    pub again_after: Duration,
    /// When guessing is slowed and stopped.
    pub watch: Policy,
    /// Where keys come from; `None`: from the folder of what must survive a restart, or they are in memory alone.
    pub keys: Option<KeysPlace>,
    /// What receipts say of who issued them, and for how long.
    pub receipts: Receipts,
    /// What operators are told.
    pub telemetry: Telling,
    /// How long the pages' records are kept.
    pub records: Records,
    /// Who else signs people in.
    pub oidc: Option<Oidc>,
    /// How long people stay signed in.
    pub pages: Pages,
    /// Where each claim of a grant was written.
    patterns: Vec<(ClaimPattern, Diagnostic)>,
    /// Where each source that is not connected was written.
    entries: Vec<(Slug, Diagnostic)>,
}

impl Settings {
    /// Reads the gateway's file and the agencies' files of a folder, and tells everything that is wrong with them. What could
    /// be read in spite of that only serves to check other files against it: nothing runs on it.
    #[must_use]
    pub fn load(folder: &Folder) -> (Option<Self>, Vec<Diagnostic>) {
        let mut reader = Reader::default();
        let settings = reader.read(folder);
        (settings, reader.errors)
    }

    /// Finds grants that name a matter or a claim which the catalog doesn't have.
    #[must_use]
    pub fn check_grants(&self, catalog: &Catalog) -> Vec<Diagnostic> {
        let claims: Vec<String> = catalog.claims().map(|claim| claim.reference().to_string()).collect();
        let wrong = |(pattern, place): &(ClaimPattern, Diagnostic)| {
            let message = match pattern {
                ClaimPattern::Every => return None,
                ClaimPattern::Matter(matter) => {
                    let matters = catalog.matters().iter().map(|matter| matter.id.as_str());
                    catalog.matter(matter.as_str()).is_none().then(|| unknown("matter", matter.as_str(), matters))
                }
                ClaimPattern::Claim(claim) => catalog
                    .claim(claim)
                    .is_none()
                    .then(|| unknown("claim", &claim.to_string(), claims.iter().map(String::as_str))),
            }?;
            Some(Diagnostic { message, ..place.clone() })
        };
        self.patterns.iter().filter_map(wrong).collect()
    }

    /// Finds sources that are listed as not connected although no matter asks them. The defaults that are part of the program
    /// list what its own matters ask; another installation's matters need not.
    #[must_use]
    pub fn check_not_connected(&self, catalog: &Catalog) -> Vec<Diagnostic> {
        let asked: BTreeSet<&Slug> = catalog.claims().flat_map(|claim| claim.sources()).collect();
        let wrong = |(source, place): &(Slug, Diagnostic)| {
            let is_wrong = !asked.contains(source) && !place.file.starts_with(folder::EMBEDDED);
            let message =
                unknown("source, which no matter asks:", source.as_str(), asked.iter().map(|known| known.as_str()));
            is_wrong.then(|| Diagnostic { message, ..place.clone() })
        };
        self.entries.iter().filter_map(wrong).collect()
    }
}

#[derive(Default)]
struct Reader {
    errors: Vec<Diagnostic>,
    purposes: BTreeMap<Slug, String>,
    agencies: Vec<Member>,
    holders: BTreeMap<TokenHash, AgencyId>,
    named: BTreeMap<CertificateName, AgencyId>,
    /// Where each certificate of an agency was written.
    certificate_places: Vec<Diagnostic>,
    patterns: Vec<(ClaimPattern, Diagnostic)>,
}

impl Reader {
    fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    fn read(&mut self, folder: &Folder) -> Option<Settings> {
        let schema = self.keep(folder.read("schemas/config.schema.json"))?;
        let of_agencies = self.keep(of_agencies(schema))?;
        let schema = self.keep(DocumentSchema::new(&schema.shown, &schema.text))?;
        let main = self.keep(folder.read("config/heyan.toml"))?;
        let mut documents = Vec::new();
        let files = folder.list("config/agencies/", "toml").map(|file| (file, &of_agencies));
        for (file, schema) in std::iter::once((main, &schema)).chain(files) {
            match Document::read(&file.shown, &file.text, schema) {
                Ok(document) => documents.push(document),
                Err(wrong) => self.errors.extend(wrong),
            }
        }
        let raws: Vec<(&Document, Raw)> =
            documents.iter().filter_map(|document| Some((document, self.keep(document.fill())?))).collect();
        // What a broken file would have said is missed everywhere else: to tell that too would bury the cause.
        if !self.errors.is_empty() {
            return None;
        }
        for (document, raw) in &raws {
            self.purposes(document, raw);
        }
        for (document, raw) in &raws {
            self.agencies(document, raw);
        }
        let (document, raw) = raws.first()?;
        self.settings(document, raw)
    }

    fn purposes(&mut self, document: &Document, raw: &Raw) {
        for (index, purpose) in raw.purposes.iter().enumerate() {
            let place = format!("/purposes/{index}/id");
            let id = purpose.id.parse::<Slug>().map_err(|error| document.error(&place, error.to_string()));
            let Some(id) = self.keep(id) else { continue };
            if self.purposes.insert(id, purpose.name.clone()).is_some() {
                self.errors.push(document.error(&place, format!("the purpose \"{}\" is there already", purpose.id)));
            }
        }
    }

    fn agencies(&mut self, document: &Document, raw: &Raw) {
        for (index, agency) in raw.agencies.iter().enumerate() {
            let place = format!("/agencies/{index}");
            let id =
                agency.id.parse::<Slug>().map_err(|error| document.error(&format!("{place}/id"), error.to_string()));
            let Some(id) = self.keep(id).map(AgencyId) else { continue };
            if self.agencies.iter().any(|other| other.agency.id == id) {
                let message = format!("the agency \"{id}\" is there already");
                self.errors.push(document.error(&format!("{place}/id"), message));
            }
            let tokens = self.tokens(document, &place, &id, agency);
            let certificates = self.certificates(document, &place, &id, agency);
            let grants = agency.grants.iter().enumerate();
            let grants =
                grants.map(|(number, raw)| self.grant(document, &format!("{place}/grants/{number}"), raw)).collect();
            let callback = agency.callback.clone();
            if let Some(callback) = callback.as_ref().filter(|callback| !is_safe_address(&callback.address)) {
                let message = format!(
                    "\"{}\" is not an address that results may go to: write https://, or http:// of this machine",
                    callback.address
                );
                self.errors.push(document.error(&format!("{place}/callback/address"), message));
            }
            let limits = agency.limits;
            let (name, has_callback) = (agency.name.clone(), callback.is_some());
            let here = document.error(&format!("{place}/callback"), "");
            let callback = callback.map(|callback| (callback, here));
            let agency = Agency { id, name, grants, has_callback };
            self.agencies.push(Member { agency, tokens, certificates, limits, callback });
        }
    }

    fn grant(&mut self, document: &Document, place: &str, raw: &RawGrant) -> Grant {
        let mut claims = Vec::new();
        for (index, text) in raw.claims.iter().enumerate() {
            let here =
                document.error(&format!("{place}/claims/{index}"), "say \"matter/claim\", \"matter/*\" or \"*\"");
            let Some(pattern) = self.keep(text.parse::<ClaimPattern>().map_err(|_| here.clone())) else { continue };
            self.patterns.push((pattern.clone(), here));
            claims.push(pattern);
        }
        let mut purposes = Vec::new();
        for (index, text) in raw.purposes.iter().enumerate().filter(|(_, text)| *text != "*") {
            match text.parse::<Slug>().ok().filter(|purpose| self.purposes.contains_key(purpose)) {
                Some(purpose) => purposes.push(purpose),
                None => {
                    let message = unknown("purpose", text, self.purposes.keys().map(Slug::as_str));
                    self.errors.push(document.error(&format!("{place}/purposes/{index}"), message));
                }
            }
        }
        let every = raw.purposes.iter().any(|purpose| purpose == "*");
        let purposes = if every { Purposes::Every } else { Purposes::These(purposes) };
        Grant::new(claims, purposes, raw.keep, self.terms(document, place, raw))
    }

    fn terms(&mut self, document: &Document, place: &str, raw: &RawGrant) -> Terms {
        let mut day = |name: &str, text: Option<&String>| {
            let wrong = || document.error(&format!("{place}/{name}"), "not a day; write it such as \"2026-12-31\"");
            text.and_then(|text| self.keep(clock::day(text).ok_or_else(wrong)))
        };
        let valid_from = day("valid_from", raw.valid_from.as_ref());
        let valid_until = day("valid_until", raw.valid_until.as_ref());
        if let (Some(from), Some(until)) = (valid_from, valid_until)
            && until < from
        {
            let message = format!("the grant ends before it begins, on {from}");
            self.errors.push(document.error(&format!("{place}/valid_until"), message));
        }
        let demands = Particulars {
            officer: raw.demands.contains(&Demand::Officer),
            case: raw.demands.contains(&Demand::Case),
            legal_basis: raw.demands.contains(&Demand::LegalBasis),
        };
        Terms { valid_from, valid_until, demands, per_minute: raw.per_minute, per_day: raw.per_day }
    }

    fn settings(&mut self, document: &Document, raw: &Raw) -> Option<Settings> {
        let mut duration = |place: &str, text: &str, hours: u64| {
            let is_sound = |length: &Duration| !length.is_zero() && *length <= Duration::from_hours(hours);
            let message = format!("not a length of time of {hours}h at most; write it such as 500ms, 3s or 10m");
            let wrong = || document.error(place, message);
            self.keep(clock::duration(text).filter(is_sound).ok_or_else(wrong))
        };
        let request_timeout = duration("/server/request_timeout", &raw.server.request_timeout, 1);
        let answer_within = duration("/server/answer_within", &raw.server.answer_within, 1);
        let shutdown_grace = duration("/server/shutdown_grace", &raw.server.shutdown_grace, 1);
        let verifications_for = duration("/memory/verifications_for", &raw.memory.verifications_for, 24 * 30);
        let open_for = duration("/durable/open_for", &raw.durable.open_for, 24 * 90);
        let again_after = duration("/durable/again_after", &raw.durable.again_after, 1);
        let valid_for = duration("/receipts/valid_for", &raw.receipts.valid_for, 24 * 366 * 10);
        let slow = duration("/telemetry/slow", &raw.telemetry.slow, 1);
        let issuer = raw.receipts.issuer.clone();
        let receipts = valid_for.map(|valid_for| Receipts { issuer, valid_for, algorithm: raw.receipts.algorithm });
        let watch = self.watch(document, &raw.watch);
        let telemetry = self.telemetry(document, &raw.telemetry, slow);
        let origin = raw.ledger.origin.as_ref().map_or(Ok(Origin::default()), |origin| origin.parse());
        let origin = self.keep(origin.map_err(|error| document.error("/ledger/origin", error.to_string())));
        let listen = raw.server.listen.parse::<SocketAddr>();
        let wrong = |_| document.error("/server/listen", "not an address and port; write it such as 127.0.0.1:8080");
        let listen = self.keep(listen.map_err(wrong));
        if raw.durable.in_memory && raw.durable.folder.is_some() {
            let message = "there is a folder too: it is either in memory alone, or in the folder";
            self.errors.push(document.error("/durable/in_memory", message));
        }
        let tls = self.tls(document, raw);
        let oidc = self.oidc(document, raw.oidc.as_ref());
        let pages = self.pages(document, &raw.pages, raw.server.plain_http);
        let issuers = self.issuers(document, raw);
        let (mut not_connected, mut entries) = (BTreeSet::new(), Vec::new());
        for (index, source) in raw.not_connected.iter().enumerate() {
            let place = format!("/not_connected/{index}");
            let source = source.parse::<Slug>().map_err(|error| document.error(&place, error.to_string()));
            let Some(source) = self.keep(source) else { continue };
            entries.push((source.clone(), document.error(&place, "")));
            not_connected.insert(source);
        }
        Some(Settings {
            listen: listen?,
            listen_place: document.error("/server/listen", ""),
            plain_http: raw.server.plain_http,
            tls,
            issuers,
            workers: Some(raw.server.workers).filter(|workers| *workers > 0),
            request_timeout: request_timeout?,
            answer_within: answer_within?,
            shutdown_grace: shutdown_grace?,
            connections: raw.server.connections,
            at_once: raw.server.at_once,
            fact_bytes: raw.memory.facts_mib * 1024 * 1024,
            verifications: raw.memory.verifications,
            verifications_for: verifications_for?,
            idempotent_replies: raw.memory.idempotent_replies,
            not_connected,
            purposes: std::mem::take(&mut self.purposes),
            agencies: std::mem::take(&mut self.agencies),
            data_dir: raw.durable.folder.clone(),
            in_memory: raw.durable.in_memory,
            origin: origin?,
            store_key: raw
                .durable
                .key
                .clone()
                .map(|value| Located { value, place: document.error("/durable/key", "") }),
            open_for: open_for?,
            again_after: again_after?,
            watch,
            keys: raw.keys.place(),
            receipts: receipts?,
            telemetry: telemetry?,
            records: raw.records,
            oidc,
            pages,
            patterns: std::mem::take(&mut self.patterns),
            entries,
        })
    }
}

/// The schema of an agencies' file: that of the gateway's, with agencies and purposes alone.
fn of_agencies(file: &File) -> Result<DocumentSchema, Diagnostic> {
    let mut schema = read_json(&file.shown, &file.text)?;
    if let Some(properties) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut) {
        properties.retain(|name, _| matches!(name.as_str(), "agencies" | "purposes"));
    }
    DocumentSchema::new(&file.shown, &schema.to_string())
}
