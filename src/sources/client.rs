//! Asking over HTTP.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::reply::OnStatus;
use super::request::{QuestionInputs, RequestTemplate};
use super::text::Meaning;
use super::{Description, Exchange, Operation};
use crate::clock::Clock;
use crate::departments::{Asking, Departments, Fact, Failure, Question};
use crate::domain::{Cause, Slug};

/// The connected sources, with clients of this thread's own.
pub struct Sources {
    descriptions: Arc<[Description]>,
    places: BTreeMap<Slug, usize>,
    clients: Vec<Client>,
    clock: Arc<dyn Clock>,
}

/// A client could not be made: a certificate cannot be used, or a proxy's address.
#[derive(Debug, thiserror::Error)]
#[error("the client for the source \"{source_id}\" cannot be made: check its certificates and its proxy")]
pub struct ClientError {
    source_id: Slug,
}

impl fmt::Debug for Sources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.places.keys()).finish()
    }
}

impl Sources {
    /// Clients for these sources.
    ///
    /// # Errors
    /// If a client cannot be made.
    pub fn new(descriptions: Arc<[Description]>, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        install_crypto();
        let client = |source: &Description| source.client().ok_or_else(|| ClientError { source_id: source.id.clone() });
        let clients = descriptions.iter().map(client).collect::<Result<_, _>>()?;
        let places = descriptions.iter().enumerate().map(|(place, source)| (source.id.clone(), place)).collect();
        Ok(Self { descriptions, places, clients, clock })
    }

    async fn ask(&self, question: &Question) -> Result<Arc<Fact>, Failure> {
        let place = self.places.get(&question.operation.source).ok_or(Cause::Misconfigured)?;
        let source = self.descriptions.get(*place).ok_or(Cause::Misconfigured)?;
        let client = self.clients.get(*place).ok_or(Cause::Misconfigured)?;
        let operation = source.operations.get(&question.operation.operation).ok_or(Cause::Misconfigured)?;
        let as_of = self.clock.now();
        let call = Call { source, operation, client, question, clock: &*self.clock };
        let answer = match timeout(operation.deadline, call.run()).await {
            Ok(answer) => answer,
            Err(_) => Err(Cause::Timeout),
        };
        match answer {
            Ok(record) => Ok(Arc::new(Fact { record, as_of, stale: false })),
            Err(cause) => {
                tracing::warn!(
                    source.id = %question.operation.source,
                    source.operation = %question.operation.operation,
                    error.type = cause.as_str(),
                    request.id = %question.occasion.request_id,
                    "a department gave no answer"
                );
                Err(cause.into())
            }
        }
    }
}

impl Departments for Sources {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(self.ask(question))
    }
}

/// One question on its way.
struct Call<'a> {
    source: &'a Description,
    operation: &'a Operation,
    client: &'a Client,
    question: &'a Question,
    clock: &'a dyn Clock,
}

impl Call<'_> {
    async fn run(&self) -> Result<Option<Value>, Cause> {
        let _place = self.source.limits.enter(self.clock.now()).await?;
        let (mut meaning, mut reply) = self.exchange(&self.operation.exchange, &[]).await?;
        if let Some(fetch) = self.operation.fetch.as_ref().filter(|_| meaning == Meaning::Ok) {
            let captured = captured(&fetch.capture, &reply)?;
            loop {
                (meaning, reply) = self.exchange(&fetch.exchange, &captured).await?;
                if meaning != Meaning::Pending {
                    break;
                }
                sleep(fetch.every).await;
            }
        }
        self.operation.reading.fact(meaning, &reply, &self.question.about)
    }

    /// One HTTP exchange; a second one where the department no longer takes what we fetched to prove who we are.
    async fn exchange(&self, exchange: &Exchange, captured: &[(String, String)]) -> Result<(Meaning, Value), Cause> {
        let first = self.once(exchange, captured).await;
        if first.as_ref().err() == Some(&Cause::Denied) && self.source.authentication.renew().await {
            return self.once(exchange, captured).await;
        }
        first
    }

    async fn once(&self, exchange: &Exchange, captured: &[(String, String)]) -> Result<(Meaning, Value), Cause> {
        let request = self.request(&exchange.request, captured)?;
        let service = self.operation.service.as_deref();
        let request = self.source.authentication.apply(self.client, request, service).await?;
        let response = request.send().await.map_err(|error| cause(&error))?;
        let on_status = exchange.envelope.of_status(response.status().as_u16())?;
        if let OnStatus::Means(meaning) = on_status
            && *meaning != Meaning::Ok
        {
            return meaning.cause().map_or(Ok((*meaning, Value::Null)), Err);
        }
        let body = bounded(response, self.source.limits.body).await?;
        exchange.read(on_status, body)
    }

    fn request(
        &self,
        template: &RequestTemplate,
        captured: &[(String, String)],
    ) -> Result<reqwest::RequestBuilder, Cause> {
        let inputs = QuestionInputs { question: self.question, now: self.clock.now(), captured };
        let request = template.build(self.client, &inputs).map_err(|_| Cause::Unrepresentable)?;
        Ok(match &self.question.occasion.traceparent {
            Some(traceparent) => request.header("traceparent", traceparent),
            None => request,
        })
    }
}

fn captured(places: &[(String, String)], reply: &Value) -> Result<Vec<(String, String)>, Cause> {
    let capture = |(name, at): &(String, String)| {
        let value = match reply.pointer(at) {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => return Err(Cause::InvalidSourceResponse),
        };
        Ok((name.clone(), value))
    };
    places.iter().map(capture).collect()
}

/// A body of at most so many bytes.
pub(super) async fn bounded(mut response: Response, most: usize) -> Result<Vec<u8>, Cause> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > most) {
        return Err(Cause::TooLarge);
    }
    let mut body = Vec::with_capacity(announced.unwrap_or(1024));
    while let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))? {
        if body.len() + chunk.len() > most {
            return Err(Cause::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why an exchange failed.
pub(super) fn cause(error: &reqwest::Error) -> Cause {
    if error.is_timeout() {
        return Cause::Timeout;
    }
    let mut inner: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = inner {
        if error.is::<rustls::Error>() {
            return Cause::Tls;
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some()
        {
            return Cause::Tls;
        }
        inner = error.source();
    }
    Cause::ConnectRefused
}

/// Makes the one crypto provider of this program known to its TLS library. Doing it again changes nothing.
pub fn install_crypto() {
    // An error means that it was done before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

impl Description {
    fn client(&self) -> Option<Client> {
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.limits.connect_timeout)
            .timeout(self.limits.response_timeout)
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .referer(false)
            .no_proxy();
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy).ok()?);
        }
        if let Some(pem) = &self.ca {
            let authorities = reqwest::Certificate::from_pem_bundle(pem).ok()?;
            builder = builder.tls_certs_only(authorities);
        }
        if let Some(pem) = &self.identity {
            builder = builder.identity(reqwest::Identity::from_pem(pem).ok()?);
        }
        builder.build().ok()
    }
}
