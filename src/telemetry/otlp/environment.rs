//! The environment's standard variables (OpenTelemetry, "Environment Variable Specification" and "OTLP Exporter").

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use std::{fs, io};

use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url};

use crate::telemetry::sampling::{DEFAULT_RATIO, Sampler};

/// What is exported, and where.
#[derive(Debug, Clone)]
pub struct Exports {
    /// Nothing is recorded at all.
    pub is_disabled: bool,
    /// Which traces are.
    pub sampler: Sampler,
    /// Where traces go.
    pub(super) traces: Option<Target>,
    pub(super) metrics: Option<Target>,
    pub(super) logs: Option<Target>,
    /// What all of it says of where it comes from.
    pub(super) resource: Vec<(String, String)>,
    /// The most spans that wait.
    pub(super) queue: usize,
    /// As soon as so many wait they are sent,
    pub(super) batch: usize,
    /// and at the latest after this.
    pub(super) delay: Duration,
    /// How often metrics are.
    pub(super) metrics_every: Duration,
    /// What was wrong with the variables; as the standard has it, the rest counts.
    pub warnings: Vec<String>,
}

/// Where one signal goes.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) client: Client,
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
}

impl fmt::Debug for Target {
    /// Its headers may hold a secret, and its address too.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Target(…)")
    }
}

/// Where variables come from.
type Variable<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl Default for Exports {
    /// Nothing is exported.
    fn default() -> Self {
        Self::read(&|_| None)
    }
}

impl Exports {
    /// Reads the variables.
    #[must_use]
    pub fn read(variable: &Variable<'_>) -> Self {
        let mut reader = Reader { variable, warnings: Vec::new() };
        let is_disabled = reader.text("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let mut target = |signal, path| if is_disabled { None } else { reader.target(signal, path) };
        let (traces, metrics) = (target("TRACES", "v1/traces"), target("METRICS", "v1/metrics"));
        let logs = target("LOGS", "v1/logs");
        Self {
            is_disabled,
            traces,
            metrics,
            logs,
            sampler: reader.sampler(),
            resource: reader.resource(),
            queue: reader.number("OTEL_BSP_MAX_QUEUE_SIZE", 2048).clamp(1, 1 << 20),
            batch: reader.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512).max(1),
            delay: Duration::from_millis(reader.number("OTEL_BSP_SCHEDULE_DELAY", 5000).max(10)),
            metrics_every: Duration::from_millis(reader.number("OTEL_METRIC_EXPORT_INTERVAL", 60_000).max(100)),
            warnings: reader.warnings,
        }
    }
}

struct Reader<'a> {
    variable: &'a Variable<'a>,
    warnings: Vec<String>,
}

impl Reader<'_> {
    /// One that is empty is not there, as the standard has it.
    fn text(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    fn number<T: FromStr>(&mut self, name: &str, otherwise: T) -> T {
        let Some(text) = self.text(name) else { return otherwise };
        text.parse().unwrap_or_else(|_| {
            self.warn(format!("{name} is not a number that it could be, so it does not count"));
            otherwise
        })
    }

    /// The variable of one signal, or the one for all; with its name.
    fn of(&self, signal: &str, what: &str) -> Option<(String, String)> {
        let names = [format!("OTEL_EXPORTER_OTLP_{signal}_{what}"), format!("OTEL_EXPORTER_OTLP_{what}")];
        names.into_iter().find_map(|name| self.text(&name).map(|text| (name, text)))
    }

    /// Where one signal goes. Without an address it goes nowhere, and that is no mistake.
    fn target(&mut self, signal: &str, path: &str) -> Option<Target> {
        let exporter = format!("OTEL_{signal}_EXPORTER");
        match self.text(&exporter).as_deref() {
            None | Some("otlp") => {}
            Some("none") => return None,
            Some(_) => {
                self.warn(format!("{exporter} is neither otlp nor none: nothing is exported"));
                return None;
            }
        }
        let url = self.url(signal, path)?;
        if let Some((name, protocol)) = self.of(signal, "PROTOCOL")
            && protocol != "http/protobuf"
        {
            self.warn(format!("{name} is not http/protobuf, which alone is spoken: nothing is exported there"));
            return None;
        }
        if let Some((name, compression)) = self.of(signal, "COMPRESSION")
            && compression != "none"
        {
            self.warn(format!("{name}: nothing is compressed"));
        }
        let timeout = self.of(signal, "TIMEOUT").and_then(|(_, text)| text.parse().ok()).unwrap_or(10_000);
        let client = self.client(signal)?;
        Some(Target { url, client, headers: self.headers(signal), timeout: Duration::from_millis(timeout) })
    }

    /// A signal's own address is taken as it stands; to that of all signals its path is added.
    fn url(&mut self, signal: &str, path: &str) -> Option<Url> {
        let own = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
        let (name, text) = self.of(signal, "ENDPOINT")?;
        let text = if name == own { text } else { format!("{}/{path}", text.trim_end_matches('/')) };
        let url = text.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if url.is_none() {
            self.warn(format!("{name} is not an address such as http://127.0.0.1:4318: nothing is exported there"));
        }
        url
    }

    fn headers(&mut self, signal: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let Some((name, text)) = self.of(signal, "HEADERS") else { return headers };
        for (key, value) in pairs(&text) {
            match (key.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
                (Ok(key), Ok(mut value)) => {
                    value.set_sensitive(true);
                    headers.insert(key, value);
                }
                _ => self.warn(format!("{name} holds something that is not a header")),
            }
        }
        headers
    }

    fn client(&mut self, signal: &str) -> Option<Client> {
        // The program's one provider; an error means that it is known already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut builder = Client::builder().redirect(reqwest::redirect::Policy::none()).tcp_nodelay(true);
        let file = |what| {
            let (name, path) = self.of(signal, what)?;
            Some((fs::read(path).map_err(|error: io::Error| format!("{name}: {error}")), name))
        };
        let authorities = file("CERTIFICATE");
        let identity = file("CLIENT_CERTIFICATE").zip(file("CLIENT_KEY"));
        let mut wrong = Vec::new();
        if let Some((text, name)) = authorities {
            match text.map(|pem| reqwest::Certificate::from_pem_bundle(&pem)) {
                Ok(Ok(authorities)) => builder = builder.tls_certs_only(authorities),
                Ok(Err(_)) => wrong.push(format!("{name}: there is no certificate in this file")),
                Err(error) => wrong.push(error),
            }
        }
        if let Some(((certificate, name), (key, _))) = identity {
            match certificate.and_then(|certificate| Ok(reqwest::Identity::from_pem(&[key?, certificate].concat()))) {
                Ok(Ok(identity)) => builder = builder.identity(identity),
                Ok(Err(_)) => wrong.push(format!("{name}: these are not a certificate and its key")),
                Err(error) => wrong.push(error),
            }
        }
        if wrong.is_empty() {
            return builder.build().ok();
        }
        self.warnings.append(&mut wrong);
        self.warn(format!("nothing of {} is exported", signal.to_ascii_lowercase()));
        None
    }

    fn sampler(&mut self) -> Sampler {
        let name = self.text("OTEL_TRACES_SAMPLER").unwrap_or_else(|| "parentbased_traceidratio".to_owned());
        let (is_parent_based, kind) = match name.strip_prefix("parentbased_") {
            Some(kind) => (true, kind),
            None => (false, name.as_str()),
        };
        let ratio = match kind {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => self.ratio(),
            _ => {
                self.warn("OTEL_TRACES_SAMPLER names no sampler that is known here".to_owned());
                return Sampler::default();
            }
        };
        Sampler { is_parent_based, ratio }
    }

    fn ratio(&mut self) -> f64 {
        let Some(text) = self.text("OTEL_TRACES_SAMPLER_ARG") else { return DEFAULT_RATIO };
        text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)).unwrap_or_else(|| {
            self.warn("OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1".to_owned());
            DEFAULT_RATIO
        })
    }

    fn resource(&mut self) -> Vec<(String, String)> {
        let known = [
            ("service.name", "heyan"),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("telemetry.sdk.language", "rust"),
            ("telemetry.sdk.name", "heyan"),
            ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ];
        let known = known.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut attributes: BTreeMap<String, String> = known.into_iter().collect();
        attributes.insert("service.instance.id".to_owned(), uuid::Uuid::now_v7().to_string());
        if let Some(text) = self.text("OTEL_RESOURCE_ATTRIBUTES") {
            attributes.extend(pairs(&text));
        }
        if let Some(name) = self.text("OTEL_SERVICE_NAME") {
            attributes.insert("service.name".to_owned(), name);
        }
        attributes.into_iter().collect()
    }
}

/// `name=value` with commas between, each percent-encoded where it has to be (W3C Baggage).
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |text: &str| percent_decode_str(text.trim()).decode_utf8_lossy().into_owned();
    text.split(',').filter_map(move |pair| pair.split_once('=').map(|(name, value)| (decode(name), decode(value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Exports {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        Exports::read(&find)
    }

    fn urls(exports: &Exports) -> [Option<String>; 3] {
        [&exports.traces, &exports.metrics, &exports.logs].map(|one| one.as_ref().map(|one| one.url.to_string()))
    }

    #[test]
    fn without_an_address_nothing_goes_anywhere_and_nothing_is_wrong() {
        let exports = read(&[]);
        assert_eq!(urls(&exports), [None, None, None]);
        assert!(exports.warnings.is_empty());
        assert_eq!(exports.sampler, Sampler { is_parent_based: true, ratio: DEFAULT_RATIO });
    }

    #[test]
    fn one_address_serves_all_and_a_signals_own_stands_before_it() {
        let exports = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/"),
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://prometheus:9090/api/v1/otlp/v1/metrics"),
            ("OTEL_LOGS_EXPORTER", "none"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret, x-team = one"),
            ("OTEL_SERVICE_NAME", "heyan-shenyang"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.name=other"),
        ]);
        assert_eq!(
            urls(&exports),
            [
                Some("http://collector:4318/v1/traces".to_owned()),
                Some("http://prometheus:9090/api/v1/otlp/v1/metrics".to_owned()),
                None
            ]
        );
        let traces = exports.traces.as_ref().unwrap();
        assert_eq!(
            (&traces.headers["authorization"], &traces.headers["x-team"]),
            (&"Bearer secret".parse().unwrap(), &"one".parse().unwrap())
        );
        assert!(!format!("{exports:?}").contains("secret"));
        assert!(exports.resource.contains(&("service.name".to_owned(), "heyan-shenyang".to_owned())));
        assert!(exports.resource.contains(&("deployment.environment.name".to_owned(), "test".to_owned())));
    }

    #[test]
    fn samplers_have_their_standard_names() {
        for (name, argument, expected) in [
            ("always_on", "", (false, 1.0)),
            ("parentbased_always_off", "", (true, 0.0)),
            ("traceidratio", "0.5", (false, 0.5)),
            ("parentbased_traceidratio", "0.25", (true, 0.25)),
        ] {
            let exports = read(&[("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", argument)]);
            let (is_parent_based, ratio) = expected;
            assert_eq!(exports.sampler, Sampler { is_parent_based, ratio }, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_the_rest_counts() {
        for (name, value) in [
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4318"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c"),
        ] {
            let exports = read(&[(name, value), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")]);
            assert!(!exports.warnings.is_empty(), "{name}");
        }
        let exports = read(&[("OTEL_SDK_DISABLED", "true"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")]);
        assert!(exports.is_disabled && urls(&exports) == [None, None, None]);
    }
}
