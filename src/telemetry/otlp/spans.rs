use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::{nanos, number, resource, scope, text, truth};
use crate::telemetry::span::{
    self, Ask, AskEnd, Exchange, ExchangeEnd, Question, Record, Request, Trace, What, Witness,
};

/// The spans of these traces.
pub(super) fn request(traces: &[Arc<Trace>], attributes: &[(String, String)]) -> ExportTraceServiceRequest {
    let spans = traces.iter().flat_map(|trace| trace.spans.iter().map(|span| written(trace, span))).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans, ..ScopeSpans::default() }];
    let resource_spans =
        vec![ResourceSpans { resource: Some(resource(attributes)), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

/// Flags of a span: it is sampled; it is known whether its parent was elsewhere; it was.
const SAMPLED: u32 = 1;
const KNOWN_WHERE: u32 = 0x100;
const ELSEWHERE: u32 = 0x200;

fn written(trace: &Trace, span: &span::Span) -> Span {
    let moment = |after: Duration| {
        let after = SignedDuration::try_from(after).unwrap_or_default();
        nanos(trace.started.saturating_add(after).unwrap_or(trace.started))
    };
    let told = told(&span.what);
    let elsewhere = if matches!(span.what, What::Request(_)) && span.parent.is_some() { ELSEWHERE } else { 0 };
    let end = moment(span.start + span.length);
    Span {
        trace_id: trace.id.bytes().to_vec(),
        span_id: span.id.bytes().to_vec(),
        parent_span_id: span.parent.map(|parent| parent.bytes().to_vec()).unwrap_or_default(),
        flags: SAMPLED | KNOWN_WHERE | elsewhere,
        name: told.name,
        kind: told.kind.into(),
        start_time_unix_nano: moment(span.start),
        end_time_unix_nano: end,
        attributes: told.attributes,
        events: events(&span.what, end),
        links: links(&span.what),
        status: told.error.map(|message| Status { message, code: StatusCode::Error.into() }),
        ..Span::default()
    }
}

/// What a span says.
struct Told {
    name: String,
    kind: SpanKind,
    attributes: Vec<KeyValue>,
    error: Option<String>,
}

fn told(what: &What) -> Told {
    match what {
        What::Request(request) => of_request(request),
        What::Question(question) => of_question(question),
        What::Ask(ask) => of_ask(ask),
        What::Join(_) => internal("wait for an equal question", Vec::new(), None),
        What::Exchange(exchange) => of_exchange(exchange),
        What::Record(Record { entry, is_done }) => {
            let error = (*is_done == Some(false)).then(|| "not recorded".to_owned());
            internal("record", vec![text("heyan.ledger.entry", entry.as_str())], error)
        }
        What::Decide(outcome) => {
            internal("decide", outcome.iter().map(|outcome| text("heyan.outcome", outcome.as_str())).collect(), None)
        }
    }
}

fn internal(name: &str, attributes: Vec<KeyValue>, error: Option<String>) -> Told {
    Told { name: name.to_owned(), kind: SpanKind::Internal, attributes, error }
}

fn of_request(request: &Request) -> Told {
    let Request { method, is_tls, route, status, problem, agency, claim, outcome } = request;
    let mut attributes = vec![
        text("http.request.method", method.as_str()),
        text("url.scheme", if *is_tls { "https" } else { "http" }),
        text("network.protocol.version", "1.1"),
    ];
    attributes.extend(route.as_ref().map(|route| text("http.route", route)));
    attributes.extend(status.map(|status| number("http.response.status_code", status)));
    attributes.extend(problem.map(|code| text("heyan.problem", code)));
    attributes.extend(agency.as_ref().map(|agency| text("heyan.agency", agency.0.as_str())));
    if let Some(claim) = claim {
        attributes.push(text("heyan.matter", claim.matter.as_str()));
        attributes.push(text("heyan.claim", claim.claim.as_str()));
    }
    attributes.extend(outcome.map(|outcome| text("heyan.outcome", outcome.as_str())));
    let error = match status {
        Some(status) if *status < 500 => None,
        Some(status) => Some(status.to_string()),
        None => Some("the caller went away".to_owned()),
    };
    attributes.extend(error.as_ref().map(|_| match status {
        Some(status) => text("error.type", &status.to_string()),
        None => text("error.type", "caller-gone"),
    }));
    let method = method.as_str();
    let name = route.as_ref().map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    Told { name, kind: SpanKind::Server, attributes, error }
}

fn of_question(question: &Question) -> Told {
    let Question { claim, agency, is_behind, outcome, .. } = question;
    let mut attributes = vec![
        text("heyan.matter", claim.matter.as_str()),
        text("heyan.claim", claim.claim.as_str()),
        text("heyan.agency", agency.0.as_str()),
    ];
    attributes.extend(outcome.map(|outcome| text("heyan.outcome", outcome.as_str())));
    internal(if *is_behind { "question, behind its reply" } else { "question" }, attributes, None)
}

fn of_ask(ask: &Ask) -> Told {
    let Ask { source, operation, end } = ask;
    let mut attributes = vec![
        text("heyan.source", source.as_str()),
        text("heyan.operation", operation.as_str()),
        truth("heyan.cached", matches!(end, AskEnd::Remembered | AskEnd::Stale)),
        text("heyan.end", end.as_str()),
    ];
    attributes.extend(end.cause().map(|cause| text("heyan.cause", cause.as_str())));
    attributes.extend(end.cause().map(|cause| text("error.type", cause.as_str())));
    internal(&format!("ask {source}"), attributes, end.cause().map(|cause| cause.as_str().to_owned()))
}

fn of_exchange(exchange: &Exchange) -> Told {
    let Exchange { source, operation, peer, method, step, attempt, is_hedge, status, version, end } = exchange;
    // No `url.full`: a path or a query may hold a number.
    let mut attributes = vec![
        text("http.request.method", method.as_str()),
        text("server.address", &peer.host),
        number("server.port", peer.port),
        text("url.scheme", if peer.is_tls { "https" } else { "http" }),
        text("heyan.source", source.as_str()),
        text("heyan.operation", operation.as_str()),
        text("heyan.step", step.as_str()),
        text("heyan.end", end.as_str()),
        number("heyan.attempt", *attempt),
        truth("heyan.hedge", *is_hedge),
        truth("heyan.cached", false),
    ];
    if *attempt > 1 {
        attributes.push(number("http.request.resend_count", attempt - 1));
    }
    attributes.extend(status.map(|status| number("http.response.status_code", status)));
    attributes.extend(version.map(|version| text("network.protocol.version", version)));
    attributes.extend(end.cause().map(|cause| text("heyan.cause", cause.as_str())));
    attributes.extend(end.cause().map(|cause| text("error.type", cause.as_str())));
    let error = match end {
        ExchangeEnd::Failed(cause) => Some(cause.as_str().to_owned()),
        ExchangeEnd::Answered | ExchangeEnd::Abandoned => None,
    };
    Told { name: format!("{} {source}.{operation}", step.as_str()), kind: SpanKind::Client, attributes, error }
}

/// What each witness said.
fn events(what: &What, moment: u64) -> Vec<Event> {
    let What::Question(question) = what else { return Vec::new() };
    let event = |Witness { source, answer, cause, is_cached }: &Witness| {
        let mut attributes = vec![
            text("heyan.source", source.as_str()),
            text("heyan.answer", answer.as_str()),
            truth("heyan.cached", *is_cached),
        ];
        attributes.extend(cause.map(|cause| text("heyan.cause", cause.as_str())));
        Event { time_unix_nano: moment, name: "witness".to_owned(), attributes, ..Event::default() }
    };
    question.witnesses.iter().map(event).collect()
}

/// Whose answer it is that was waited for.
fn links(what: &What) -> Vec<Link> {
    let What::Join(Some((trace, span))) = what else { return Vec::new() };
    vec![Link { trace_id: trace.bytes().to_vec(), span_id: span.bytes().to_vec(), ..Link::default() }]
}
