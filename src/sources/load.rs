//! From a source's file to a checked [`Description`], with everything that is wrong at once.

mod authentication;
mod coverage;
mod exchange;
mod exposure;
mod fields;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Time, Weekday};
use reqwest::header::HeaderName;
use reqwest::{Method, Url};
use serde_json::Value;
use zeroize::Zeroizing;

use super::limits::{Limits, Outage, Rates};
use super::spans::peer;
use super::text::{HealthText, LimitsText, OperationText, OutageText, ProofText, Setting, SourceText};
use super::{Description, Fetch, Health, Lifetimes, Operation};
use crate::breaker;
use crate::clock;
use crate::departments::{OperationPromise, OperationRef};
use crate::diagnostic::Diagnostic;
use crate::document::{Document, DocumentSchema, read_schema};
use crate::domain::Slug;
use crate::private_file;

/// What a source's file refers to.
pub struct Surroundings<'a> {
    /// The schema of a source's file.
    pub schema: &'a DocumentSchema,
    /// The name and the text of a file under `schemas/`, by its path there.
    pub schemas: &'a dyn Fn(&str) -> Option<(String, String)>,
    /// The paths of all files under `schemas/`.
    pub schema_names: &'a [&'a str],
    /// Environment variables.
    pub variables: &'a dyn Fn(&str) -> Option<String>,
}

impl Description {
    /// Reads a source's file.
    ///
    /// # Errors
    /// Everything that is wrong with it, and with what it refers to.
    pub fn load(file: &str, text: &str, surroundings: &Surroundings<'_>) -> Result<Self, Vec<Diagnostic>> {
        let document = Document::read(file, text, surroundings.schema)?;
        let text: SourceText = document.fill().map_err(|error| vec![error])?;
        let mut loader = Loader { document: &document, surroundings, errors: Vec::new(), warnings: Vec::new() };
        let description = loader.source(&text);
        match description {
            Some(description) if loader.errors.is_empty() => Ok(description),
            _ => Err(loader.errors),
        }
    }
}

struct Loader<'a> {
    document: &'a Document,
    surroundings: &'a Surroundings<'a>,
    errors: Vec<Diagnostic>,
    /// What loads all the same.
    warnings: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn wrong(&mut self, place: &str, message: impl Into<String>) {
        self.errors.push(self.document.error(place, message));
    }

    fn keep<T>(&mut self, place: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.wrong(place, message)).ok()
    }

    fn source(&mut self, text: &SourceText) -> Option<Description> {
        let id = self.slug("/id", &text.id);
        let address = self.setting("/address", &text.address).and_then(|address| self.url("/address", &address));
        let ca = text.tls.ca_file.as_ref().and_then(|path| self.file("/tls/ca_file", path));
        let identity = text.tls.identity_file.as_ref().and_then(|path| self.private("/tls/identity_file", path));
        if let Some(proxy) = &text.proxy {
            self.url("/proxy", proxy);
        }
        let limits = self.limits(&text.limits);
        self.certificates(ca.as_deref(), identity.as_deref().map(Vec::as_slice));
        let (id, address) = (id?, address?);
        let authentication = self.authentication(&text.authentication, &address);
        let event_token = text.events.as_ref().and_then(|events| self.secret("/events/token", &events.token));
        let health = text.health.as_ref().and_then(|health| self.health(health, &address));
        let mut operations = BTreeMap::new();
        for (name, operation) in &text.operations {
            let loaded = self.operation(&id, name, operation, text, &address);
            operations.extend(loaded.map(|operation| (operation.promise.operation.operation.clone(), operation)));
        }
        self.exposed(text, &address, &operations);
        Some(Description {
            id,
            warnings: std::mem::take(&mut self.warnings),
            place: self.document.error("/id", ""),
            name: text.name.clone(),
            peer: Arc::new(peer(&address)),
            address,
            health,
            proxy: text.proxy.clone(),
            ca,
            identity,
            authentication: authentication?,
            event_token: event_token.map(|token| token.token_hash()),
            limits: limits?,
            planned_outages: text.limits.planned_outages.iter().map(in_words).collect(),
            operations,
        })
    }

    fn health(&mut self, text: &HealthText, address: &Url) -> Option<Health> {
        let address = self.url_at("/health/path", address, &text.path);
        let wrong = |_| format!("\"{}\" is no HTTP method", text.method);
        let method = self.keep("/health/method", text.method.parse::<Method>().map_err(wrong));
        Some(Health { method: method?, address: address?, status: text.status })
    }

    fn certificates(&mut self, ca: Option<&[u8]>, identity: Option<&[u8]>) {
        let is_some = |pem: &[u8]| reqwest::Certificate::from_pem_bundle(pem).is_ok_and(|bundle| !bundle.is_empty());
        if ca.is_some_and(|pem| !is_some(pem)) {
            self.wrong("/tls/ca_file", "this file holds no certificate (PEM)");
        }
        if identity.is_some_and(|pem| reqwest::Identity::from_pem(pem).is_err()) {
            self.wrong("/tls/identity_file", "this file holds no certificate with its key (PEM)");
        }
    }

    fn operation(
        &mut self,
        source: &Slug,
        name: &str,
        text: &OperationText,
        whole: &SourceText,
        address: &Url,
    ) -> Option<Operation> {
        let place = format!("/operations/{name}");
        let operation = self.slug(&place, name);
        if text.service.is_none() && matches!(whole.authentication.proof, ProofText::ExchangePlatform { .. }) {
            self.wrong(&place, "the key \"service\" is missing: the exchange platform's id (sid) of this operation");
        }
        let captured: Vec<&str> =
            text.fetch.iter().flat_map(|fetch| fetch.capture.keys().map(String::as_str)).collect();
        let exchange = self.exchange(&place, &text.request, whole.envelope.as_ref(), address, &[]);
        let fetch = match &text.fetch {
            None => None,
            Some(fetch) => {
                let place = format!("{place}/fetch");
                let exchange_of_fetch =
                    self.exchange(&place, &fetch.request, whole.envelope.as_ref(), address, &captured);
                let every = self.duration(&format!("{place}/every"), &fetch.every);
                let within = fetch.within.as_deref().unwrap_or("24h");
                let within = self.duration(&format!("{place}/within"), within);
                let capture = fetch.capture.iter().map(|(name, at)| (name.clone(), at.clone())).collect();
                Some(Fetch { exchange: exchange_of_fetch?.0, capture, every: every?, within: within? })
            }
        };
        let (exchange, schema) = exchange?;
        let final_schema = match (&text.fetch, &fetch) {
            (Some(fetch), Some(_)) => self.response_schema(&format!("{place}/fetch/schema"), &fetch.request.schema)?.1,
            _ => schema,
        };
        let reading = self.reading(&place, text, &final_schema)?;
        let mut inputs = exchange.request.inputs();
        inputs.extend(fetch.iter().flat_map(|fetch| fetch.exchange.request.inputs()));
        // Officer, agency, purpose and case go with a request, too, but what is recorded of a person is the same for all.
        let uses_name = inputs.contains(&"name") || text.about.agree.is_some();
        let parameters = inputs.iter().filter_map(|input| input.strip_prefix("parameters."));
        let mut parameters: Vec<String> = parameters.map(str::to_owned).collect();
        parameters.sort_unstable();
        parameters.dedup();
        let found = self.duration(&format!("{place}/cache/found"), &text.cache.found);
        let no_record = self.duration(&format!("{place}/cache/no_record"), &text.cache.no_record);
        let hedge_after = text.hedge_after.as_ref();
        let hedge_after = hedge_after.and_then(|after| self.duration(&format!("{place}/hedge_after"), after));
        let stale = match &text.cache.stale {
            Some(stale) => self.duration(&format!("{place}/cache/stale"), stale),
            None => Some(Duration::ZERO),
        };
        let fact = self.slug(&format!("{place}/fact/name"), &text.fact.name);
        let operation = OperationRef { source: source.clone(), operation: operation? };
        Some(Operation {
            promise: OperationPromise { operation, fact: fact?, parameters, uses_name },
            lifetimes: Lifetimes { found: found?, no_record: no_record?, stale: stale? },
            hedge_after,
            service: text.service.clone(),
            exchange,
            fetch,
            reading,
        })
    }

    fn limits(&mut self, text: &LimitsText) -> Option<Limits> {
        let connect_timeout = self.duration("/limits/connect_timeout", &text.connect_timeout);
        let response_timeout = self.duration("/limits/response_timeout", &text.response_timeout);
        let deadline = self.duration("/limits/deadline", &text.deadline);
        for (name, timeout) in [("connect_timeout", connect_timeout), ("response_timeout", response_timeout)] {
            if timeout > deadline && deadline.is_some() {
                let message = format!("this is longer than the deadline of the whole question ({})", text.deadline);
                self.wrong(&format!("/limits/{name}"), format!("{message}: raise limits.deadline"));
            }
        }
        let open = self.duration("/limits/breaker/open", &text.breaker.open);
        let mut outages = Vec::new();
        for (index, outage) in text.planned_outages.iter().enumerate() {
            let place = format!("/limits/planned_outages/{index}");
            let time = |text: &str| Time::strptime("%H:%M", text).map_err(|_| "not a time of day, HH:MM".to_owned());
            let from = self.keep(&format!("{place}/from"), time(&outage.from));
            let to = self.keep(&format!("{place}/to"), time(&outage.to));
            let days = outage.days.iter().filter_map(|day| weekday(day)).collect();
            outages.extend(from.zip(to).map(|(from, to)| Outage { days, from, to }));
        }
        Some(Limits {
            connect_timeout: connect_timeout?,
            response_timeout: response_timeout?,
            deadline: deadline?,
            body: text.body,
            concurrency: text.concurrency,
            rates: Rates { per_second: text.per_second, per_hour: text.per_hour, per_day: text.per_day },
            outages,
            breaker: breaker::Policy { failures: text.breaker.failures, open: open? },
            attempts: text.attempts,
        })
    }

    fn slug(&mut self, place: &str, text: &str) -> Option<Slug> {
        self.keep(place, text.parse::<Slug>().map_err(|error| error.to_string()))
    }

    fn duration(&mut self, place: &str, text: &str) -> Option<Duration> {
        let wrong = || "not a length of time; write it such as 500ms, 3s or 10m".to_owned();
        self.keep(place, clock::duration(text).ok_or_else(wrong))
    }

    fn header(&mut self, place: &str, name: &str) -> Option<HeaderName> {
        self.keep(place, name.parse::<HeaderName>().map_err(|_| format!("\"{name}\" cannot be a header's name")))
    }

    fn url(&mut self, place: &str, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        self.keep(place, url.ok_or_else(|| "not an address; write it such as https://10.0.0.1:8443/api".to_owned()))
    }

    fn url_at(&mut self, place: &str, base: &Url, path: &str) -> Option<Url> {
        if path.contains("://") {
            return self.url(place, path);
        }
        let base = base.as_str().trim_end_matches('/');
        let slash = if path.starts_with('/') { "" } else { "/" };
        self.url(place, &format!("{base}{slash}{path}"))
    }

    fn setting(&mut self, place: &str, setting: &Setting) -> Option<String> {
        match setting {
            Setting::Plain(text) => Some(text.clone()),
            Setting::Variable { env, default } => {
                let value = (self.surroundings.variables)(env).or_else(|| default.clone());
                let missing = || format!("the environment variable {env} is not set, and there is no default");
                self.keep(place, value.ok_or_else(missing))
            }
        }
    }

    fn file(&mut self, place: &str, path: &str) -> Option<Vec<u8>> {
        self.keep(place, fs::read(path).map_err(|error| format!("{path} cannot be read: {error}")))
    }

    /// A file with a secret in it.
    fn private(&mut self, place: &str, path: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.keep(place, private_file::read(path.as_ref()).map_err(|error| error.to_string()))
    }

    /// A schema file: its compiled form, and its text as JSON.
    fn response_schema(&mut self, place: &str, path: &str) -> Option<(jsonschema::Validator, Value)> {
        let path = format!("sources/{path}");
        let names = self.surroundings.schema_names.iter().filter_map(|name| name.strip_prefix("sources/"));
        let missing = crate::diagnostic::unknown("schema", path.trim_start_matches("sources/"), names);
        let file = self.keep(place, (self.surroundings.schemas)(&path).ok_or(missing))?;
        self.compile(&file)
    }

    /// A schema file, compiled. What is wrong with it is its own fault, not that of who names it.
    fn compile(&mut self, (file, text): &(String, String)) -> Option<(jsonschema::Validator, Value)> {
        let read = read_schema(file, text).map_err(|error| self.errors.push(error));
        read.ok().map(|(schema, validator)| (validator, schema))
    }
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => return None,
    })
}

fn in_words(outage: &OutageText) -> String {
    let days = if outage.days.is_empty() { "daily".to_owned() } else { outage.days.join(", ") };
    format!("{days} {}–{}", outage.from, outage.to)
}
