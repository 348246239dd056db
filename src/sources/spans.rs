//! What operators are told of an exchange, and what its department is told of who asks: the name of this very exchange.

use std::sync::Arc;

use reqwest::{RequestBuilder, Response, Url, Version};
use tokio::time::Instant;

use super::call::{Call, Said, Step};
use super::stack::Turn;
use crate::departments::Question;
use crate::domain::Cause;
use crate::telemetry::{self, Exchange, ExchangeEnd, Method, Open, Peer, What};

/// One exchange. If it is dropped before it has ended, its time was over, or nobody waits for it any more.
pub(super) struct Exchanged {
    span: Open,
    /// When its time is over; `None` once it has ended.
    until: Option<Instant>,
}

impl Exchanged {
    pub(super) fn begin(call: &Call<'_>, step: &Step<'_>, method: &reqwest::Method, turn: Turn) -> Self {
        let operation = &call.question.operation;
        let exchange = || Exchange {
            source: operation.source.clone(),
            operation: operation.operation.clone(),
            peer: Arc::clone(&call.source.peer),
            method: Method::of(method.as_str()),
            step: match step {
                Step::Query => telemetry::Step::Query,
                Step::Apply(_) => telemetry::Step::Apply,
                Step::Fetch(..) => telemetry::Step::Fetch,
            },
            attempt: turn.attempt,
            is_hedge: turn.is_hedge,
            status: None,
            version: None,
            end: ExchangeEnd::Abandoned,
        };
        Self { span: telemetry::open(|| What::Exchange(exchange())), until: Some(turn.end) }
    }

    /// Names it to the department (W3C Trace Context). Where it is recorded nowhere, the caller's name is handed on.
    pub(super) fn name_to(&self, request: RequestBuilder, question: &Question) -> RequestBuilder {
        let own = self.span.parent().map(|parent| parent.to_string());
        let Some(traceparent) = own.as_ref().or(question.occasion.traceparent.as_ref()) else { return request };
        let request = request.header("traceparent", traceparent);
        match self.span.state().or(question.occasion.tracestate.as_deref()) {
            Some(state) => request.header("tracestate", state),
            None => request,
        }
    }

    /// The department has begun to reply.
    pub(super) fn replied(&mut self, reply: &Response) {
        self.say(|exchange| {
            exchange.status = Some(reply.status().as_u16());
            exchange.version = version(reply.version());
        });
    }

    pub(super) fn end(mut self, said: Result<&Said, Cause>) {
        self.until = None;
        let end = said.map_or_else(ExchangeEnd::Failed, |_| ExchangeEnd::Answered);
        self.say(|exchange| exchange.end = end);
    }

    fn say(&mut self, more: impl FnOnce(&mut Exchange)) {
        self.span.say(|what| {
            if let What::Exchange(exchange) = what {
                more(exchange);
            }
        });
    }
}

/// Where a department is.
pub(super) fn peer(address: &Url) -> Peer {
    Peer {
        host: address.host_str().unwrap_or_default().into(),
        port: address.port_or_known_default().unwrap_or_default(),
        is_tls: address.scheme() == "https",
    }
}

/// As the semantic conventions have it.
fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        _ => None,
    }
}

impl Drop for Exchanged {
    fn drop(&mut self) {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            self.say(|exchange| exchange.end = ExchangeEnd::Failed(Cause::Timeout));
        }
    }
}
