//! Asking: from a question to a fact, over HTTP.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use reqwest::{Client, Response};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::reply::OnStatus;
use super::request::{QuestionInputs, RequestTemplate};
use super::stack::{Attempt, Stack};
use super::state::{Circuit, SourceState, States};
use super::text::Meaning;
use super::{Description, Exchange, Fetch, Operation};
use crate::clock::Clock;
use crate::departments::{Asking, Departments, Fact, Failure, OperationRef, Question};
use crate::domain::{Cause, Slug};
use crate::durable::{Application, Durable, NotSaved};

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
                let circuit = state.circuit(operation, &source.limits);
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
        Some(Call { source, operation, place, question, clock: &*self.clock, durable: &*self.durable })
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
    place: &'a Place,
    question: &'a Question,
    clock: &'a dyn Clock,
    durable: &'a dyn Durable,
}

/// What an exchange says.
enum Said {
    /// The department has this record, or none.
    Fact(Option<Value>),
    /// It has taken an application, under these values.
    Taken(Vec<(String, String)>),
    /// It needs more time.
    Pending,
}

impl Call<'_> {
    async fn run(&self) -> Result<Option<Value>, Failure> {
        match &self.operation.fetch {
            None => match self.exchange(&Step::Query, self.question.within.min(self.source.limits.deadline)).await? {
                Said::Fact(record) => Ok(record),
                Said::Taken(_) | Said::Pending => Err(Cause::InvalidSourceResponse.into()),
            },
            Some(fetch) => self.apply_and_fetch(fetch).await,
        }
    }

    /// Applies, unless an equal question has applied already, and asks for the feedback until it is there.
    ///
    /// What a crash leaves behind: before `applying`, which comes when nothing is waited for any more but the department
    /// itself, nothing; from then until `applied` an application of which nobody knows
    /// whether the department has it, which is never sent again by whoever takes it up; then the application itself, which is
    /// fetched on.
    async fn apply_and_fetch(&self, fetch: &Fetch) -> Result<Option<Value>, Failure> {
        let application = self.application();
        match self.apply(fetch, &application).await? {
            Said::Taken(captured) => {
                let answer = self.fetch(fetch, captured).await;
                self.end(&application).await?;
                answer
            }
            Said::Fact(record) => Ok(record),
            Said::Pending => Err(Cause::InvalidSourceResponse.into()),
        }
    }

    /// Applies, unless the department has the application. Equal questions do so one after the other.
    async fn apply(&self, fetch: &Fetch, application: &Question) -> Result<Said, Failure> {
        let parameters = self.operation.promise.parameters.iter();
        let parameters = parameters.map(|name| application.parameters.get(name).map(Value::to_string)).collect();
        let _turn = self.place.circuit.turn((application.about.clone(), parameters)).await;
        let said = match self.durable.application(application).await.map_err(not_kept)? {
            Some(Application::Unknown) => Err(Cause::Interrupted.into()),
            Some(Application::Made(captured)) => return Ok(Said::Taken(captured)),
            None => self.exchange(&Step::Apply(fetch), self.source.limits.deadline).await,
        };
        match &said {
            Ok(Said::Taken(captured)) => self.durable.applied(application, captured).await.map_err(not_kept)?,
            Ok(Said::Fact(_) | Said::Pending) | Err(_) => self.end(application).await?,
        }
        said
    }

    /// It is answered or has failed in a way that we know of: an equal question may apply anew.
    async fn end(&self, application: &Question) -> Result<(), Failure> {
        self.durable.application_ended(application).await.map_err(not_kept)
    }

    /// The question with nothing but what the department's answer depends on: equal ones share an application.
    fn application(&self) -> Question {
        let promise = &self.operation.promise;
        let mut question = self.question.clone();
        question.about.name = question.about.name.filter(|_| promise.uses_name);
        let mut parameters = (*question.parameters).clone();
        parameters.retain(|name, _| promise.parameters.iter().any(|used| used.as_str() == name));
        question.parameters = Arc::new(parameters);
        question
    }

    async fn fetch(&self, fetch: &Fetch, captured: Vec<(String, String)>) -> Result<Option<Value>, Failure> {
        let end = Instant::now() + self.question.within.min(fetch.within);
        let step = Step::Fetch(fetch, captured);
        let mut pause = fetch.every;
        loop {
            match self.exchange(&step, self.source.limits.deadline).await {
                Ok(Said::Fact(record)) => return Ok(record),
                Ok(Said::Pending | Said::Taken(_)) => {}
                // The application stands, whatever this exchange came to.
                Err(failure) if failure.cause.is_passing() => {}
                Err(failure) => return Err(failure),
            }
            let next = Instant::now() + pause;
            if next >= end {
                sleep_until(end).await;
                return Err(Cause::Timeout.into());
            }
            sleep_until(next).await;
            pause = (pause * 3 / 2).min(fetch.every * SLOWEST);
        }
    }

    async fn exchange(&self, step: &Step<'_>, within: Duration) -> Result<Said, Failure> {
        let stack = Stack {
            source: &self.source.id,
            limits: &self.source.limits,
            hedge_after: self.operation.hedge_after,
            state: &self.place.state,
            circuit: &self.place.circuit,
            durable: self.durable,
            clock: self.clock,
            jitter: fastrand::f64,
        };
        stack.run(&Exchanging { call: self, step }, Instant::now() + within).await
    }
}

fn not_kept(NotSaved: NotSaved) -> Failure {
    Cause::NotKept.into()
}

/// Feedback that is not there is asked for less and less often, down to so much slower than at first.
const SLOWEST: u32 = 100;

/// A step on the way to an answer.
enum Step<'a> {
    Query,
    Apply(&'a Fetch),
    Fetch(&'a Fetch, Vec<(String, String)>),
}

/// One HTTP exchange, to be made by the resilience stack.
struct Exchanging<'a> {
    call: &'a Call<'a>,
    step: &'a Step<'a>,
}

impl Attempt for Exchanging<'_> {
    type Answer = Said;

    async fn make(&self) -> Result<Said, Cause> {
        let Call { operation, question, .. } = self.call;
        let (exchange, captured): (&Exchange, &[(String, String)]) = match self.step {
            Step::Query | Step::Apply(_) => (&operation.exchange, &[]),
            Step::Fetch(fetch, captured) => (&fetch.exchange, captured),
        };
        let applies = matches!(self.step, Step::Apply(_));
        let (meaning, reply) = self.call.once(exchange, captured, applies).await?;
        match (self.step, meaning) {
            (Step::Apply(fetch), Meaning::Ok) => take(&fetch.capture, &reply).map(Said::Taken),
            (Step::Fetch(..), Meaning::Pending) => Ok(Said::Pending),
            _ => operation.reading.fact(meaning, &reply, &question.about).map(Said::Fact),
        }
    }

    fn is_safe(&self) -> bool {
        match self.step {
            Step::Query | Step::Fetch(..) => true,
            // The department would have it twice.
            Step::Apply(_) => false,
        }
    }

    async fn renew(&self) -> bool {
        self.call.source.authentication.renew().await
    }
}

impl Call<'_> {
    async fn once(
        &self,
        exchange: &Exchange,
        captured: &[(String, String)],
        applies: bool,
    ) -> Result<(Meaning, Value), Cause> {
        let request = self.request(&exchange.request, captured)?;
        let service = self.operation.service.as_deref();
        let request = self.source.authentication.apply(&self.place.client, request, service).await?;
        if applies {
            self.durable.applying(&self.application()).await.map_err(|_| Cause::NotKept)?;
        }
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
        let request = template.build(&self.place.client, &inputs).map_err(|_| Cause::Unrepresentable)?;
        Ok(match &self.question.occasion.traceparent {
            Some(traceparent) => request.header("traceparent", traceparent),
            None => request,
        })
    }
}

fn take(places: &[(String, String)], reply: &Value) -> Result<Vec<(String, String)>, Cause> {
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
