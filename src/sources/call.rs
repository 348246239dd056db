//! One question on its way to a department: what is sent, and what the reply says.

use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use tokio::time::Instant;

use super::client::{bounded, cause};
use super::reply::OnStatus;
use super::request::{QuestionInputs, RequestTemplate};
use super::spans::Exchanged;
use super::stack::{Attempt, Stack, Turn};
use super::state::{Circuit, SourceState};
use super::text::Meaning;
use super::{Description, Exchange, Fetch, Operation};
use crate::clock::Clock;
use crate::departments::{Failure, Question};
use crate::domain::Cause;
use crate::durable::Durable;

/// One question on its way.
pub(super) struct Call<'a> {
    pub(super) source: &'a Description,
    pub(super) operation: &'a Operation,
    pub(super) client: &'a Client,
    pub(super) state: &'a SourceState,
    pub(super) circuit: &'a Circuit,
    pub(super) question: &'a Question,
    pub(super) clock: &'a dyn Clock,
    pub(super) durable: &'a dyn Durable,
}

/// What an exchange says.
pub(super) enum Said {
    /// The department has this record, or none.
    Fact(Option<Value>),
    /// It has taken an application, under these values.
    Taken(Vec<(String, String)>),
    /// It needs more time.
    Pending,
}

impl Call<'_> {
    /// Whether its department takes an application and answers later.
    pub(super) fn takes_time(&self) -> bool {
        self.operation.fetch.is_some()
    }

    pub(super) async fn run(&self) -> Result<Option<Value>, Failure> {
        match &self.operation.fetch {
            None => match self.exchange(&Step::Query, self.question.within.min(self.source.limits.deadline)).await? {
                Said::Fact(record) => Ok(record),
                Said::Taken(_) | Said::Pending => Err(Cause::InvalidSourceResponse.into()),
            },
            // Boxed: it would make the future of every question as large.
            Some(fetch) => Box::pin(self.apply_and_fetch(fetch)).await,
        }
    }

    pub(super) async fn exchange(&self, step: &Step<'_>, within: Duration) -> Result<Said, Failure> {
        let stack = Stack {
            source: &self.source.id,
            limits: &self.source.limits,
            hedge_after: self.operation.hedge_after,
            state: self.state,
            circuit: self.circuit,
            durable: self.durable,
            clock: self.clock,
            jitter: fastrand::f64,
        };
        stack.run(&Exchanging { call: self, step }, Instant::now() + within).await
    }
}

/// A step on the way to an answer.
pub(super) enum Step<'a> {
    Query,
    Apply(&'a Fetch),
    Fetch(&'a Fetch, Vec<(String, String)>),
}

impl Operation {
    /// How it is asked in a step.
    fn exchange_of<'a>(&'a self, step: &Step<'a>) -> &'a Exchange {
        match step {
            Step::Query | Step::Apply(_) => &self.exchange,
            Step::Fetch(fetch, _) => &fetch.exchange,
        }
    }
}

/// One HTTP exchange, to be made by the resilience stack.
struct Exchanging<'a> {
    call: &'a Call<'a>,
    step: &'a Step<'a>,
}

impl Attempt for Exchanging<'_> {
    type Answer = Said;

    async fn make(&self, turn: Turn) -> Result<Said, Cause> {
        let method = &self.call.operation.exchange_of(self.step).request.method;
        let mut span = Exchanged::begin(self.call, self.step, method, turn);
        let said = self.exchange(&mut span).await;
        span.end(said.as_ref().map_err(|cause| *cause));
        said
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

impl Exchanging<'_> {
    async fn exchange(&self, span: &mut Exchanged) -> Result<Said, Cause> {
        let Call { operation, question, .. } = self.call;
        let captured: &[(String, String)] = match self.step {
            Step::Query | Step::Apply(_) => &[],
            Step::Fetch(_, captured) => captured,
        };
        let exchange = operation.exchange_of(self.step);
        let applies = matches!(self.step, Step::Apply(_));
        let (meaning, reply) = self.call.once(exchange, captured, applies, span).await?;
        match (self.step, meaning) {
            (Step::Apply(fetch), Meaning::Ok) => take(&fetch.capture, &reply).map(Said::Taken),
            (Step::Fetch(..), Meaning::Pending) => Ok(Said::Pending),
            _ => operation.reading.fact(meaning, &reply, &question.about).map(Said::Fact),
        }
    }
}

impl Call<'_> {
    async fn once(
        &self,
        exchange: &Exchange,
        captured: &[(String, String)],
        applies: bool,
        span: &mut Exchanged,
    ) -> Result<(Meaning, Value), Cause> {
        let request = span.name_to(self.request(&exchange.request, captured)?, self.question);
        let service = self.operation.service.as_deref();
        let request = self.source.authentication.apply(self.client, request, service).await?;
        if applies {
            self.durable.applying(&self.application()).await.map_err(|_| Cause::NotKept)?;
        }
        let response = request.send().await.map_err(|error| cause(&error))?;
        let status = response.status().as_u16();
        span.replied(&response);
        let on_status = exchange.envelope.of_status(status)?;
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
        template.build(self.client, &inputs).map_err(|_| Cause::Unrepresentable)
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
