use askama::Template;
use axum::extract::{Path, State};

use super::super::{App, Operator, Page, PageError, Reply, Web, html};
use super::Frame;
use super::view::{Card, Hit, Writer, picture};
use super::wording::{self, Moment};
use crate::sources::{Description, Used};
use crate::words::Words;

#[derive(Template)]
#[template(path = "console-department.html", config = "src/web/askama.toml")]
struct DepartmentPage {
    frame: Frame,
    page: Page,
    body: Body,
}

/// What is shown of a department.
pub(super) struct Body {
    pub(super) card: Card,
    pub(super) said: String,
    pub(super) since: Option<Moment>,
    pub(super) until: Option<Moment>,
    pub(super) closure: Option<String>,
    /// Whether a breaker of it is open.
    pub(super) is_left_alone: bool,
    pub(super) hits: Hit,
    pub(super) operations: Vec<Operation>,
    pub(super) limits: Vec<(String, String)>,
    pub(super) causes: Vec<Reason>,
    pub(super) outages: Vec<String>,
    pub(super) certificates: Vec<(String, String)>,
    pub(super) at: Moment,
}

/// An operation.
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) tone: &'static str,
    pub(super) state: String,
    pub(super) since: String,
    pub(super) cause: String,
    pub(super) calls: u32,
    pub(super) failed: u32,
    pub(super) p50: String,
    pub(super) p99: String,
    pub(super) retries: u32,
    pub(super) answered: String,
    pub(super) last_failed: String,
}

/// Why calls of the last hour failed or were not made.
pub(super) struct Reason {
    pub(super) name: String,
    pub(super) count: u32,
    pub(super) percent: u32,
    pub(super) meaning: String,
    pub(super) advice: String,
}

/// `GET /operator/departments/{id}`.
pub(super) async fn show(State(web): App, operator: Operator, Path(id): Path<String>) -> Reply {
    let body = Body::new(&web, operator.words(), &id).await?;
    let title = body.card.name.clone();
    let frame = Frame::new(&web, &operator, "console.title").titled(title.clone());
    html(&DepartmentPage { page: operator.page("console.title").titled(title), frame, body })
}

/// The department with this id.
pub(super) fn find<'a>(web: &'a Web, id: &str) -> Result<&'a Description, PageError> {
    web.api.shared.descriptions.iter().find(|source| source.id().as_str() == id).ok_or(PageError::NotFound)
}

impl Body {
    pub(super) async fn new(web: &Web, words: &Words, id: &str) -> Result<Self, PageError> {
        let source = find(web, id)?;
        let picture = picture(web);
        let now = picture.at;
        let department = picture.departments.iter().find(|one| one.source == *source.id());
        let department = department.ok_or(PageError::NotFound)?;
        let writer = Writer { web, words, now };
        let usage = web.api.shared.states.usage(source, now, &*web.api.gateway.durable).await;
        let usage = usage.map_err(|_| PageError::Unavailable)?;
        let ago = |moment: Option<jiff::Timestamp>| {
            moment.map_or_else(
                || words.text("console.never").to_owned(),
                |moment| words.fill("console.ago", &[("span", &wording::since(words, moment, now))]),
            )
        };
        let operation = |one: &crate::situation::OperationPicture| {
            let usage = usage.operations.iter().find(|known| known.id == one.id);
            let (failed_at, cause) = one.last_failed.unzip();
            let last_failed = ago(failed_at);
            Operation {
                id: one.id.to_string(),
                tone: wording::tone(one.state),
                state: wording::state(words, one.state),
                since: one.since.map(|since| wording::since(words, since, now)).unwrap_or_default(),
                cause: wording::shares(words, &one.causes),
                calls: one.calls,
                failed: one.failed,
                p50: wording::latency(one.p50),
                p99: wording::latency(one.p99),
                retries: usage.map_or(0, |usage| usage.retries),
                answered: ago(one.last_answered),
                last_failed: match cause {
                    Some(cause) => format!("{last_failed} ({})", wording::cause(words, cause)),
                    None => last_failed,
                },
            }
        };
        let circumstances = web.api.shared.states.condition(source, now).circumstances(source.id());
        let card = writer.card(department);
        let said = words.fill("console.department_said", &[("name", &card.name), ("state", &card.state)]);
        Ok(Self {
            said,
            since: department.since.map(|since| Moment::new(since, now)),
            until: department.until.map(|until| Moment::new(until, now)),
            closure: department
                .closure
                .as_ref()
                .map(|closure| words.fill("console.closed_why", &[("by", &closure.by), ("reason", &closure.reason)])),
            is_left_alone: circumstances.operations.iter().any(|one| one.left_alone),
            hits: writer.hits(&department.hits),
            operations: department.operations.iter().map(operation).collect(),
            limits: limits(words, &usage, now, web.api.shared.states.situation().last_event(source.id())),
            causes: causes(&writer, department),
            outages: source.planned_outages(),
            certificates: certificates(words, source, now),
            card,
            at: Moment::new(now, now),
        })
    }
}

fn causes(writer: &Writer<'_>, department: &crate::situation::Department) -> Vec<Reason> {
    let all = department.operations.iter().flat_map(|one| &one.hour);
    let reason = |share: crate::situation::CauseShare| {
        let (name, meaning, advice) = writer.cause(share.cause);
        Reason { name, count: share.count, percent: share.percent, meaning, advice }
    };
    crate::situation::CauseShare::merged(all).into_iter().map(reason).collect()
}

fn limits(
    words: &Words,
    usage: &crate::sources::Usage,
    now: jiff::Timestamp,
    event: Option<jiff::Timestamp>,
) -> Vec<(String, String)> {
    let of = |made: &dyn std::fmt::Display, most: &dyn std::fmt::Display| {
        words.fill("console.used_of", &[("made", made), ("most", most)])
    };
    let used = |used: Option<Used>| match used {
        Some(used) => of(&used.made, &used.most),
        None => words.text("console.unlimited").to_owned(),
    };
    let fact = |key: &str, value: String| (words.text(key).to_owned(), value);
    let never = || words.text("console.never").to_owned();
    let event = event.map_or_else(never, |at| words.fill("console.ago", &[("span", &wording::since(words, at, now))]));
    vec![
        fact("console.limit_at_once", of(&usage.under_way, &usage.at_once)),
        fact("console.limit_waiting", usage.waiting.to_string()),
        fact("console.limit_second", used(usage.second)),
        fact("console.limit_hour", used(usage.hour)),
        fact("console.limit_day", used(usage.day)),
        fact("console.limit_response", wording::latency(Some(usage.response_timeout))),
        fact("console.limit_deadline", wording::latency(Some(usage.deadline))),
        fact("console.limit_attempts", usage.attempts.to_string()),
        fact("console.last_event", event),
    ]
}

/// Each of its certificates, and until when it is good.
pub(super) fn certificates(words: &Words, source: &Description, now: jiff::Timestamp) -> Vec<(String, String)> {
    let expiry = |(kind, until): (&str, jiff::Timestamp)| {
        let name = words.text(&format!("certificates.{kind}")).to_owned();
        let left = until.duration_since(now).as_hours() / 24;
        let until = Moment::new(until, now).shown;
        (name, words.fill("console.certificate_until", &[("until", &until), ("days", &left)]))
    };
    source.expiries().into_iter().map(expiry).collect()
}
