//! The connected sources: who is asked, with which client, and why an exchange failed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use reqwest::{Client, Response};

use super::Description;
use super::call::Call;
use super::state::{Circuit, SourceState, States};
use crate::clock::Clock;
use crate::departments::{Asking, Departments, Fact, Failure, OperationRef, Question};
use crate::domain::{Cause, Slug};
use crate::durable::Durable;

/// The connected sources, with clients of this thread's own.
pub struct Sources {
    descriptions: Arc<[Description]>,
    places: HashMap<OperationRef, Place>,
    clock: Arc<dyn Clock>,
    durable: Arc<dyn Durable>,
}

/// Where an operation is found, and its state.
struct Place {
    source: usize,
    client: Client,
    state: Arc<SourceState>,
    circuit: Arc<Circuit>,
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
    /// Clients for these sources, whose states are shared with other threads.
    ///
    /// # Errors
    /// If a client cannot be made.
    pub fn new(
        descriptions: Arc<[Description]>,
        states: &States,
        clock: Arc<dyn Clock>,
        durable: Arc<dyn Durable>,
    ) -> Result<Self, ClientError> {
        install_crypto();
        let mut places = HashMap::new();
        for (index, source) in descriptions.iter().enumerate() {
            let client = source.client().ok_or_else(|| ClientError { source_id: source.id.clone() })?;
            let state = states.of(source);
            for operation in source.operations.values() {
                let circuit = state.circuit(operation, source);
                let place = Place { source: index, client: client.clone(), state: Arc::clone(&state), circuit };
                places.insert(operation.promise.operation.clone(), place);
            }
        }
        Ok(Self { descriptions, places, clock, durable })
    }

    async fn ask(&self, question: &Question) -> Result<Arc<Fact>, Failure> {
        let as_of = self.clock.now();
        let call = self.call(question).ok_or(Cause::Misconfigured)?;
        match call.run().await {
            Ok(record) => Ok(Arc::new(Fact { record, as_of, stale: false })),
            Err(failure) => {
                // What was not sent is no news: the state of the source says why.
                if failure.cause.is_the_departments() {
                    tracing::warn!(
                        source.id = %question.operation.source,
                        source.operation = %question.operation.operation,
                        error.type = failure.cause.as_str(),
                        request.id = %question.occasion.request_id,
                        "a department gave no answer"
                    );
                }
                Err(failure)
            }
        }
    }

    fn call<'a>(&'a self, question: &'a Question) -> Option<Call<'a>> {
        let place = self.places.get(&question.operation)?;
        let source = self.descriptions.get(place.source)?;
        let operation = source.operations.get(&question.operation.operation)?;
        let Place { client, state, circuit, .. } = place;
        let (clock, durable) = (&*self.clock, &*self.durable);
        Some(Call { source, operation, client, state, circuit, question, clock, durable })
    }
}

impl Departments for Sources {
    fn application(&self, question: &Question) -> Option<Question> {
        self.call(question).filter(Call::takes_time).map(|call| call.application())
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(self.ask(question))
    }
}

/// A body of at most so many bytes.
pub(super) async fn bounded(mut response: Response, most: usize) -> Result<Vec<u8>, Cause> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > most) {
        return Err(Cause::TooLarge);
    }
    let mut body = Vec::with_capacity(announced.unwrap_or(1024));
    let lost = |error: reqwest::Error| match cause(&error) {
        Cause::ConnectRefused => Cause::ConnectionLost,
        cause => cause,
    };
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > most {
            return Err(Cause::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why an exchange failed before the head of a reply was there.
pub(super) fn cause(error: &reqwest::Error) -> Cause {
    if error.is_timeout() {
        return Cause::Timeout;
    }
    if tls_error(error).is_some() {
        return Cause::Tls;
    }
    for error in chain(error) {
        if let Some(broken) = error.downcast_ref::<hyper::Error>() {
            if broken.is_parse_too_large() {
                return Cause::TooLarge;
            }
            if broken.is_parse() {
                return Cause::InvalidSourceResponse;
            }
        }
    }
    Cause::ConnectRefused
}

/// What the TLS library says was wrong, if it was the one to say so.
pub(super) fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    chain(error).find_map(of_tls)
}

/// An IO error hides what it holds from those who ask for its source, and may hold another one.
fn of_tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let within = || of_tls(error.downcast_ref::<io::Error>()?.get_ref()?);
    error.downcast_ref::<rustls::Error>().or_else(within)
}

/// An error and those that it came from.
pub(super) fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source())
}

/// Makes the one crypto provider of this program known to its TLS library. Doing it again changes nothing.
pub fn install_crypto() {
    // An error means that it was done before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

impl Description {
    pub(super) fn client(&self) -> Option<Client> {
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.limits.connect_timeout)
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
