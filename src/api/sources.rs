use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

use super::context::Context;
use super::openapi::{answer, operation, problem, secured};
use super::{App, authenticate, reply};
use crate::domain::Slug;
use crate::gateway::SourceState;

/// A department's system, as agencies may know it: no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSummary {
    /// Its id.
    pub id: Slug,
    /// Its name; `None` for one that is not connected.
    pub name: Option<String>,
    /// When it is planned to be out of service, in words.
    pub planned_outages: Vec<String>,
}

/// `GET /v1/sources`: each source's state and freshness.
pub(super) async fn list(State(api): App, headers: HeaderMap, context: Context) -> Response<Body> {
    if let Err(problem) = authenticate(&api, &headers) {
        return problem.respond(&context);
    }
    let states = api.gateway.freshness.sources();
    let source = |source: &SourceSummary| {
        let state = states.get(&source.id).copied().unwrap_or_default();
        json!({
            "id": source.id.as_str(),
            "name": source.name,
            "state": state_name(source, state),
            "answered": state.answered.map(|moment| moment.to_string()),
            "failed": state.failed.map(|(moment, _)| moment.to_string()),
            "cause": state.failed.map(|(_, cause)| cause.as_str()),
            "planned_outages": source.planned_outages,
        })
    };
    let sources: Vec<Value> = api.shared.sources.iter().map(source).collect();
    reply(StatusCode::OK, &context, json!({"sources": sources}).to_string())
}

fn state_name(source: &SourceSummary, state: SourceState) -> &'static str {
    match (state.answered, state.failed) {
        _ if source.name.is_none() => "not-connected",
        (None, None) => "not-asked-yet",
        (answered, Some((failed, _))) if answered.is_none_or(|answered| answered < failed) => "failing",
        _ => "answering",
    }
}

pub(super) fn documentation() -> (&'static str, Value) {
    let moment = json!({"type": ["string", "null"], "format": "date-time"});
    let source = json!({
        "type": "object", "additionalProperties": false,
        "required": ["id", "name", "state", "answered", "failed", "cause", "planned_outages"],
        "properties": {
            "id": {"type": "string"},
            "name": {"type": ["string", "null"]},
            "state": {"enum": ["answering", "failing", "not-asked-yet", "not-connected"]},
            "answered": moment, "failed": moment,
            "cause": {"type": ["string", "null"], "description": "why it last failed"},
            "planned_outages": {"type": "array", "items": {"type": "string"}}
        }
    });
    let list = json!({
        "type": "object", "required": ["sources"], "additionalProperties": false,
        "properties": {"sources": {"type": "array", "items": source}}
    });
    let answers = [answer(200, "All sources", &list), problem(401, "No valid credential")];
    (
        "/v1/sources",
        json!({"get": secured(operation("listSources", "The departments' systems and their state", answers))}),
    )
}
