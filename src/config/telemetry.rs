use std::time::Duration;

use serde::Deserialize;

use super::Reader;
use super::raw::RawTelemetry;
use crate::document::Document;
use crate::domain::TokenHash;

/// What operators are told; where to, environment variables say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The most bytes of recent traces in memory.
    pub trace_bytes: usize,
    /// A request that took so long or longer is kept like one that failed.
    pub slow: Duration,
    /// Who may read the metrics.
    pub metrics: MetricsTo,
    /// By which tokens others may.
    pub metrics_tokens: Vec<TokenHash>,
}

/// Who may read the metrics without a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum MetricsTo {
    /// Nobody but this machine: where others can reach the gateway, a token is asked for.
    #[serde(rename = "this-machine")]
    ThisMachine,
    /// Whoever can reach the gateway.
    #[serde(rename = "anybody")]
    Anybody,
}

impl Reader {
    pub(super) fn telemetry(
        &mut self,
        document: &Document,
        raw: &RawTelemetry,
        slow: Option<Duration>,
    ) -> Option<Telling> {
        let mut metrics_tokens = Vec::new();
        for (index, text) in raw.metrics_tokens.iter().enumerate() {
            let place = format!("/telemetry/metrics_tokens/{index}");
            let hash = text.parse::<TokenHash>().map_err(|error| document.error(&place, error.to_string()));
            metrics_tokens.extend(self.keep(hash));
        }
        Some(Telling { trace_bytes: raw.traces_mib * 1024 * 1024, slow: slow?, metrics: raw.metrics, metrics_tokens })
    }
}
