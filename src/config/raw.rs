//! The gateway's and the agencies' files as they are written; their schema has checked the shape.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::oidc::RawOidc;
use super::pages::RawPages;
use super::watch::RawWatch;
use super::{AgencyLimits, Callback, ClientCertificates, KeysPlace, MetricsTo, PlainHttp, Records, SecretPlace};
use crate::callers::SignatureAlgorithm;
use crate::signing::Algorithm;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Raw {
    pub(super) server: RawServer,
    pub(super) tls: Option<RawTls>,
    pub(super) issuers: Vec<RawIssuer>,
    pub(super) memory: RawMemory,
    pub(super) durable: RawDurable,
    pub(super) ledger: RawLedger,
    pub(super) watch: RawWatch,
    pub(super) keys: RawKeys,
    pub(super) receipts: RawReceipts,
    pub(super) telemetry: RawTelemetry,
    pub(super) records: Records,
    pub(super) oidc: Option<RawOidc>,
    pub(super) pages: RawPages,
    pub(super) not_connected: Vec<String>,
    pub(super) purposes: Vec<RawPurpose>,
    pub(super) agencies: Vec<RawAgency>,
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct RawServer {
    pub(super) listen: String,
    pub(super) workers: usize,
    pub(super) request_timeout: String,
    pub(super) answer_within: String,
    pub(super) shutdown_grace: String,
    pub(super) connections: usize,
    pub(super) at_once: usize,
    pub(super) plain_http: PlainHttp,
}

impl Default for RawServer {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            workers: 0,
            request_timeout: "10s".to_owned(),
            answer_within: "3s".to_owned(),
            shutdown_grace: "10s".to_owned(),
            connections: 10_000,
            at_once: 512,
            plain_http: PlainHttp::ThisMachine,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct RawTls {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) client_ca: Option<PathBuf>,
    pub(super) crl: Option<PathBuf>,
    pub(super) client_certificates: Option<ClientCertificates>,
    #[serde(default = "five_seconds")]
    pub(super) handshake_timeout: String,
    #[serde(default = "five_seconds")]
    pub(super) look_every: String,
}

fn five_seconds() -> String {
    "5s".to_owned()
}

#[derive(Deserialize)]
pub(super) struct RawIssuer {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) jwks: Option<String>,
    pub(super) jwks_file: Option<PathBuf>,
    pub(super) jwks_ca: Option<PathBuf>,
    pub(super) algorithms: Vec<SignatureAlgorithm>,
    pub(super) agency_claim: String,
    pub(super) agencies: Option<BTreeMap<String, String>>,
    pub(super) officer_claim: Option<String>,
    #[serde(default)]
    pub(super) certificate_bound: bool,
    pub(super) leeway: Option<String>,
    pub(super) longest: Option<String>,
    pub(super) refresh: Option<String>,
    pub(super) keep: Option<String>,
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct RawMemory {
    pub(super) facts_mib: u64,
    pub(super) verifications: u64,
    pub(super) verifications_for: String,
    pub(super) idempotent_replies: u64,
}

impl Default for RawMemory {
    fn default() -> Self {
        Self { facts_mib: 48, verifications: 20_000, verifications_for: "1h".to_owned(), idempotent_replies: 10_000 }
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct RawDurable {
    pub(super) folder: Option<PathBuf>,
    pub(super) in_memory: bool,
    pub(super) key: Option<SecretPlace>,
    pub(super) open_for: String,
    pub(super) again_after: String,
}

impl Default for RawDurable {
    fn default() -> Self {
        let (open_for, again_after) = ("168h".to_owned(), "30s".to_owned());
        Self { folder: None, in_memory: false, key: None, open_for, again_after }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawLedger {
    pub(super) origin: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawKeys {
    pub(super) folder: Option<PathBuf>,
    pub(super) env: Option<String>,
}

impl RawKeys {
    /// Their schema lets one of them be there.
    pub(super) fn place(&self) -> Option<KeysPlace> {
        let variable = self.env.clone().map(KeysPlace::Variable);
        self.folder.clone().map(KeysPlace::Folder).or(variable)
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct RawReceipts {
    pub(super) issuer: String,
    pub(super) valid_for: String,
    pub(super) algorithm: Option<Algorithm>,
}

impl Default for RawReceipts {
    fn default() -> Self {
        Self { issuer: "heyan".to_owned(), valid_for: "720h".to_owned(), algorithm: None }
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct RawTelemetry {
    pub(super) traces_mib: usize,
    pub(super) slow: String,
    pub(super) metrics: MetricsTo,
    pub(super) metrics_tokens: Vec<String>,
}

impl Default for RawTelemetry {
    fn default() -> Self {
        let (slow, metrics) = ("1s".to_owned(), MetricsTo::ThisMachine);
        Self { traces_mib: 16, slow, metrics, metrics_tokens: Vec::new() }
    }
}

#[derive(Deserialize)]
pub(super) struct RawPurpose {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct RawAgency {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) tokens: Vec<RawToken>,
    #[serde(default)]
    pub(super) certificates: Vec<String>,
    pub(super) grants: Vec<RawGrant>,
    #[serde(default)]
    pub(super) limits: AgencyLimits,
    pub(super) callback: Option<Callback>,
}

/// A token's hash, alone or with the time in which it is good.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum RawToken {
    Hash(String),
    Terms { hash: String, from: Option<String>, until: Option<String> },
}

#[derive(Deserialize)]
pub(super) struct RawGrant {
    pub(super) claims: Vec<String>,
    pub(super) purposes: Vec<String>,
    #[serde(default)]
    pub(super) keep: bool,
    pub(super) valid_from: Option<String>,
    pub(super) valid_until: Option<String>,
    #[serde(default)]
    pub(super) demands: Vec<Demand>,
    pub(super) per_minute: Option<u32>,
    pub(super) per_day: Option<u32>,
}

/// What a question must name, beside what every question does.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Demand {
    Officer,
    Case,
    LegalBasis,
}
