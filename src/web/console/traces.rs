//! Recent traces: found by what they are about, and one of them drawn step by step. They are in memory alone, and hold no text
//! of a request or a reply.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;

use super::super::form::parse;
use super::super::{App, Draft, Operator, Page, PageError, Reply, Web, html, refused};
use super::Frame;
use super::wording::{self, Moment};
use crate::domain::{AgencyId, Cause, Outcome};
use crate::telemetry::recent::Query;
use crate::telemetry::{AskEnd, ExchangeEnd, Span, SpanId, Trace, TraceId, What};
use crate::words::Words;

/// So many are looked through, and so many of those that fit are shown.
const LOOKED_THROUGH: usize = 2000;
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "console-traces.html", config = "src/web/askama.toml")]
struct TracesPage {
    frame: Frame,
    page: Page,
    draft: Draft,
    choices: Vec<Choice>,
    rows: Vec<Row>,
    /// Why there are none.
    nothing: &'static str,
}

/// A filter that is chosen from a list: its name, what it is called, and its values with their texts.
struct Choice {
    name: &'static str,
    label: String,
    values: Vec<(String, String)>,
}

/// A trace in the list.
struct Row {
    id: String,
    at: Moment,
    claim: String,
    agency: String,
    outcome: String,
    is_bad: bool,
    /// What departments did not answer, and why.
    causes: String,
    took: String,
}

/// What is looked for beside what memory looks for itself.
#[derive(Default)]
struct Wanted {
    query: Query,
    agency: Option<AgencyId>,
    claim: Option<String>,
}

/// `GET /operator/traces`.
pub(super) async fn list(State(web): App, operator: Operator, uri: Uri) -> Reply {
    let words = operator.words();
    let fields = parse(uri.query().unwrap_or_default().as_bytes())?;
    let mut draft = Draft::of(fields.iter().map(|(name, value)| (name.as_str(), value.trim())));
    let wanted = wanted(&mut draft, words);
    let rows = if draft.is_wrong() { Vec::new() } else { rows(&web, words, &wanted) };
    let nothing = if rows.is_empty() && !draft.is_wrong() { nothing(&web, &wanted.query) } else { "" };
    let frame = Frame::new(&web, &operator, "console.traces_title");
    let page = operator.page("console.traces_title").with(&draft);
    let shown = TracesPage { frame, page, choices: choices(&web, words), rows, nothing, draft };
    if shown.draft.is_wrong() { refused(&shown) } else { html(&shown) }
}

/// Why no trace fits, in words: they are in memory alone, and those that are not there any more are not found.
fn nothing(web: &Web, query: &Query) -> &'static str {
    let recent = web.api.shared.telemetry.recent();
    let is_there = |trace| !recent.find(&Query { trace: Some(trace), ..Query::default() }, 1).is_empty();
    match query.trace {
        Some(trace) if is_there(trace) => "console.traces_other_filters",
        Some(_) if recent.has_lost_some() => "console.traces_pushed_out",
        Some(_) => "console.traces_unknown",
        None if recent.has_lost_some() => "console.traces_none_left",
        None => "console.traces_none",
    }
}

fn wanted(draft: &mut Draft, words: &Words) -> Wanted {
    let mut wanted = Wanted::default();
    let of = |draft: &Draft, name: &str| Some(draft.value(name).to_owned()).filter(|value| !value.is_empty());
    let wrong = |name: &'static str, key: &str| draft_errors(name, words.text(key));
    let mut errors = Vec::new();
    if let Some(text) = of(draft, "trace") {
        wanted.query.trace = text.to_lowercase().parse().ok();
        errors.extend(wanted.query.trace.is_none().then(|| wrong("trace", "console.trace_wrong")));
    }
    if let Some(text) = of(draft, "outcome") {
        wanted.query.outcome = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == text);
        errors.extend(wanted.query.outcome.is_none().then(|| wrong("outcome", "console.outcome_wrong")));
    }
    if let Some(text) = of(draft, "cause") {
        wanted.query.cause = Cause::ALL.into_iter().find(|cause| cause.as_str() == text);
        errors.extend(wanted.query.cause.is_none().then(|| wrong("cause", "console.cause_wrong")));
    }
    if let Some(text) = of(draft, "slower") {
        wanted.query.at_least = text.parse().ok().map(Duration::from_millis);
        errors.extend(wanted.query.at_least.is_none().then(|| wrong("slower", "console.slower_wrong")));
    }
    if let Some(text) = of(draft, "agency") {
        wanted.agency = text.parse().ok().map(AgencyId);
        errors.extend(wanted.agency.is_none().then(|| wrong("agency", "console.agency_wrong")));
    }
    wanted.query.source = of(draft, "source");
    wanted.claim = of(draft, "claim");
    for (name, message) in errors {
        draft.refuse(name, message);
    }
    wanted
}

fn draft_errors(name: &'static str, message: &str) -> (&'static str, String) {
    (name, message.to_owned())
}

fn choices(web: &Web, words: &Words) -> Vec<Choice> {
    let any = || (String::new(), words.text("console.any").to_owned());
    let choice = |name, label: &str, values: Vec<(String, String)>| Choice {
        name,
        label: words.text(label).to_owned(),
        values: std::iter::once(any()).chain(values).collect(),
    };
    let shared = &web.api.shared;
    let sources = shared.descriptions.iter().map(|source| (source.id().to_string(), source.name().to_owned()));
    let agencies = shared.limits.keys().map(|id| (id.to_string(), wording::agency(shared, id)));
    let outcomes = Outcome::ALL.iter().map(|outcome| (outcome.as_str().to_owned(), self::outcome(words, *outcome)));
    let causes = Cause::ALL.iter().map(|cause| (cause.as_str().to_owned(), wording::cause(words, *cause)));
    vec![
        choice("outcome", "console.outcome", outcomes.collect()),
        choice("source", "console.department", sources.collect()),
        choice("cause", "console.cause", causes.collect()),
        choice("agency", "console.agency", agencies.collect()),
    ]
}

fn outcome(words: &Words, outcome: Outcome) -> String {
    words.text(&format!("outcomes.{}", outcome.as_str())).to_owned()
}

fn rows(web: &Web, words: &Words, wanted: &Wanted) -> Vec<Row> {
    let now = web.api.gateway.clock.now();
    let found = web.api.shared.telemetry.recent().find(&wanted.query, LOOKED_THROUGH);
    // Whoever has an id finds what it is of, be it no question at all.
    let is_named = wanted.query.trace.is_some() && wanted.agency.is_none() && wanted.claim.is_none();
    let fits = |trace: &Trace| {
        is_named
            || trace.questions().any(|question| {
                wanted.agency.as_ref().is_none_or(|agency| *agency == question.agency)
                    && wanted.claim.as_ref().is_none_or(|claim| *claim == question.claim.to_string())
            })
    };
    let row = |trace: &Trace| {
        let question = trace.questions().last();
        let came_to = question.and_then(|question| question.outcome);
        let failed = trace.asks().filter_map(|(ask, _)| Some((ask, ask.end.cause()?)));
        let failed = failed.map(|(ask, cause)| {
            format!("{} {}", wording::source(&web.api.shared, &ask.source), wording::cause(words, cause))
        });
        let mut causes: Vec<String> = failed.collect();
        causes.dedup();
        Row {
            id: trace.id.to_string(),
            at: Moment::new(trace.started, now),
            claim: question.map_or(String::new(), |question| question.claim.to_string()),
            agency: question.map_or(String::new(), |question| wording::agency(&web.api.shared, &question.agency)),
            outcome: came_to.map_or("–".to_owned(), |came_to| outcome(words, came_to)),
            is_bad: came_to == Some(Outcome::Unavailable),
            causes: wording::list(words, &causes),
            took: wording::latency(Some(trace.length())),
        }
    };
    found.iter().filter(|trace| fits(trace)).take(SHOWN).map(|trace| row(trace)).collect()
}

#[derive(Template)]
#[template(path = "console-trace.html", config = "src/web/askama.toml")]
struct TracePage {
    frame: Frame,
    page: Page,
    id: String,
    at: Moment,
    facts: Vec<(String, String)>,
    steps: Vec<StepRow>,
}

/// A step of a trace: a row of the waterfall.
struct StepRow {
    depth: usize,
    name: String,
    result: String,
    is_bad: bool,
    start: String,
    took: String,
    /// Where its bar begins and how long it is, in thousandths of the whole.
    x: u64,
    width: u64,
}

/// `GET /operator/traces/{id}`: all that is known of a trace, as a waterfall.
pub(super) async fn one(State(web): App, operator: Operator, Path(id): Path<String>) -> Reply {
    let trace: TraceId = id.parse().map_err(|_| PageError::NotFound)?;
    let query = Query { trace: Some(trace), ..Query::default() };
    let parts = web.api.shared.telemetry.recent().find(&query, LOOKED_THROUGH);
    let started = parts.iter().map(|part| part.started).min().ok_or(PageError::NotFound)?;
    let words = operator.words();
    let mut spans: Vec<(Duration, &Span)> = Vec::new();
    for part in &parts {
        let offset = Duration::try_from(part.started.duration_since(started)).unwrap_or_default();
        spans.extend(part.spans.iter().map(|span| (offset + span.start, span)));
    }
    spans.sort_by_key(|(start, span)| (*start, std::cmp::Reverse(span.length)));
    let whole = spans.iter().map(|(start, span)| *start + span.length).max().unwrap_or_default();
    let mut steps = Vec::new();
    for (start, span) in in_order(&spans, None, 0) {
        steps.push(step(&web, words, (start.0, start.1), span, whole));
    }
    let title = words.text("console.trace_title").to_owned();
    let facts = facts(&web, words, &parts, whole);
    html(&TracePage {
        frame: Frame::new(&web, &operator, "console.traces_title").titled(title.clone()),
        page: operator.page("console.trace_title").titled(title),
        id: trace.to_string(),
        at: Moment::dated(started),
        facts,
        steps,
    })
}

/// What is known of the whole: who asked what, and what came of it.
fn facts(web: &Web, words: &Words, parts: &[std::sync::Arc<Trace>], whole: Duration) -> Vec<(String, String)> {
    let fact = |key: &str, value: String| (words.text(key).to_owned(), value);
    let mut facts = Vec::new();
    if let Some(question) = parts.iter().find_map(|part| part.questions().last()) {
        facts.push(fact("console.agency", wording::agency(&web.api.shared, &question.agency)));
        facts.push(fact("console.claim", wording::claim(&web.api.gateway.catalog, &question.claim)));
        if let Some(came_to) = question.outcome {
            facts.push(fact("console.outcome", format!("{} ({})", outcome(words, came_to), came_to.as_str())));
        }
    }
    facts.push(fact("console.took", wording::latency(Some(whole))));
    facts
}

/// The spans, each below what it worked for; those of which that is not known stand on top.
fn in_order<'a>(
    spans: &[(Duration, &'a Span)],
    parent: Option<SpanId>,
    depth: usize,
) -> Vec<((Duration, usize), &'a Span)> {
    if depth > DEEPEST {
        return Vec::new();
    }
    let is_known = |id: SpanId| spans.iter().any(|(_, span)| span.id == id);
    let mut ordered = Vec::new();
    for (start, span) in spans {
        let is_child = match parent {
            Some(_) => span.parent == parent,
            None => span.parent.is_none_or(|parent| !is_known(parent)),
        };
        if is_child {
            ordered.push(((*start, depth), *span));
            ordered.extend(in_order(spans, Some(span.id), depth + 1));
        }
    }
    ordered
}

/// A trace is never as deep.
const DEEPEST: usize = 8;

fn step(web: &Web, words: &Words, (start, depth): (Duration, usize), span: &Span, whole: Duration) -> StepRow {
    let (name, result, is_bad) = told(web, words, span);
    let thousandths = |part: Duration| {
        let part = part.as_micros() * 1000 / whole.as_micros().max(1);
        u64::try_from(part).unwrap_or(1000).min(1000)
    };
    let x = thousandths(start).min(995);
    StepRow {
        depth: depth.min(6),
        name,
        result,
        is_bad,
        start: wording::latency(Some(start)),
        took: wording::latency(Some(span.length)),
        x,
        width: thousandths(span.length).clamp(5, 1000 - x),
    }
}

/// What a span was, how it ended, and whether that is bad.
fn told(web: &Web, words: &Words, span: &Span) -> (String, String, bool) {
    let source = |id: &crate::domain::Slug| wording::source(&web.api.shared, id);
    let failed = |cause: Cause| format!("{} ({})", wording::cause(words, cause), cause.as_str());
    let text = |key: &str| words.text(key).to_owned();
    match &span.what {
        What::Request(request) => {
            let route = request.route.as_deref().unwrap_or("–");
            let status = request.status.map_or("–".to_owned(), |status| status.to_string());
            let problem = request.problem.map(|problem| format!(" {problem}")).unwrap_or_default();
            let is_bad = request.status.is_none_or(|status| status >= 500);
            (format!("{} {route}", request.method.as_str()), format!("{status}{problem}"), is_bad)
        }
        What::Question(question) => {
            let came_to = question.outcome.map_or("–".to_owned(), |came_to| outcome(words, came_to));
            let key = if question.is_behind { "console.step_behind" } else { "console.step_question" };
            (words.fill(key, &[("claim", &question.claim)]), came_to, question.outcome == Some(Outcome::Unavailable))
        }
        What::Ask(ask) => {
            let name = format!("{} {}.{}", source(&ask.source), ask.source, ask.operation);
            let result = match ask.end {
                AskEnd::Failed(cause) => failed(cause),
                AskEnd::Remembered => text("console.step_remembered"),
                AskEnd::Stale => text("console.step_stale"),
                AskEnd::Answered => text("console.key_answered"),
                AskEnd::Abandoned => text("console.step_abandoned"),
            };
            (name, result, ask.end.cause().is_some())
        }
        What::Exchange(exchange) => {
            let name = words.fill(
                "console.step_exchange",
                &[
                    ("attempt", &exchange.attempt),
                    ("operation", &format!("{}.{}", exchange.source, exchange.operation)),
                ],
            );
            let status = exchange.status.map(|status| format!("HTTP {status} ")).unwrap_or_default();
            let result = match exchange.end {
                ExchangeEnd::Failed(cause) => failed(cause),
                ExchangeEnd::Answered => text("console.key_answered"),
                ExchangeEnd::Abandoned => text("console.step_abandoned"),
            };
            (name, format!("{status}{result}"), exchange.end.cause().is_some())
        }
        What::Join(_) => (text("console.step_join"), String::new(), false),
        What::Record(record) => {
            let is_bad = record.is_done == Some(false);
            let result = if is_bad { text("console.step_not_recorded") } else { String::new() };
            (text("console.step_record"), result, is_bad)
        }
        What::Decide(_) => (text("console.step_decide"), String::new(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: SpanId, parent: Option<SpanId>) -> Span {
        Span { id, parent, start: Duration::ZERO, length: Duration::ZERO, what: What::Decide(None) }
    }

    #[test]
    fn each_span_stands_below_what_it_worked_for() {
        let ids: Vec<SpanId> = (0..4).map(|_| SpanId::random()).collect();
        let spans = [
            span(ids[0], Some(SpanId::random())),
            span(ids[1], Some(ids[0])),
            span(ids[2], Some(ids[1])),
            span(ids[3], None),
        ];
        let listed: Vec<_> = spans.iter().map(|span| (Duration::ZERO, span)).collect();
        let depths: Vec<usize> = in_order(&listed, None, 0).iter().map(|((_, depth), _)| *depth).collect();
        assert_eq!(depths, [0, 1, 2, 0]);
        let own = [span(ids[0], Some(ids[0]))];
        assert!(in_order(&[(Duration::ZERO, &own[0])], None, 0).is_empty(), "one that worked for itself leads nowhere");
    }
}
