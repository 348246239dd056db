use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::context::Context;
use super::openapi::{answer, operation, problem, secured};
use super::{App, reply};
use crate::callers::Caller;
use crate::domain::{Cause, Slug};
use crate::sources::{CircuitStand, Condition, OperationCondition};

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

/// `GET /v1/sources`: how each source is doing, as far as it is known without asking anybody.
pub(super) async fn list(State(api): App, _: Caller, context: Context) -> Response<Body> {
    let now = api.gateway.clock.now();
    let source = |summary: &SourceSummary| {
        let description = api.shared.descriptions.iter().find(|source| *source.id() == summary.id);
        describe(summary, description.map(|source| api.shared.states.condition(source, now)).as_ref())
    };
    let sources: Vec<Value> = api.shared.sources.iter().map(source).collect();
    reply(StatusCode::OK, &context, json!({"sources": sources}).to_string())
}

/// `None`: it is not connected.
fn describe(summary: &SourceSummary, condition: Option<&Condition>) -> Value {
    let operations = condition.map(|condition| condition.operations.as_slice()).unwrap_or_default();
    let answered = operations.iter().filter_map(|operation| operation.answered).max();
    let failed = operations.iter().filter_map(|operation| operation.failed).max_by_key(|(moment, _)| *moment);
    let state = condition.map_or(Standing::NotConnected, |condition| Standing::of(condition, answered, failed));
    json!({
        "id": summary.id.as_str(),
        "name": summary.name,
        "state": state.as_str(),
        "until": state.until().as_ref().map(Timestamp::to_string),
        "answered": answered.as_ref().map(Timestamp::to_string),
        "failed": failed.map(|(moment, _)| moment.to_string()),
        "cause": failed.map(|(_, cause)| cause.as_str()),
        "planned_outages": summary.planned_outages,
        "operations": operations.iter().map(operation_state).collect::<Vec<_>>(),
    })
}

fn operation_state(operation: &OperationCondition) -> Value {
    json!({
        "id": operation.id.as_str(),
        "state": match operation.circuit {
            CircuitStand::Closed => "closed",
            CircuitStand::Open { .. } => "open",
            CircuitStand::Probing => "probing",
        },
        "answered": operation.answered.as_ref().map(Timestamp::to_string),
        "failed": operation.failed.map(|(moment, _)| moment.to_string()),
        "cause": operation.failed.map(|(_, cause)| cause.as_str()),
    })
}

/// How a source is doing, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    NotConnected,
    /// By an operator, by hand.
    Closed {
        until: Option<Timestamp>,
    },
    PlannedOutage {
        until: Timestamp,
    },
    /// Some operation has failed too often of late.
    LeftAlone {
        until: Timestamp,
    },
    Failing,
    Answering,
    NotAskedYet,
}

impl Standing {
    fn of(condition: &Condition, answered: Option<Timestamp>, failed: Option<(Timestamp, Cause)>) -> Self {
        if let Some(closure) = &condition.closure {
            return Self::Closed { until: closure.until };
        }
        if let Some(until) = condition.closed_until {
            return Self::PlannedOutage { until };
        }
        let open = |operation: &OperationCondition| match operation.circuit {
            CircuitStand::Open { until } => Some(until),
            CircuitStand::Closed | CircuitStand::Probing => None,
        };
        if let Some(until) = condition.operations.iter().filter_map(open).min() {
            return Self::LeftAlone { until };
        }
        match (answered, failed) {
            (None, None) => Self::NotAskedYet,
            (answered, Some((failed, _))) if answered.is_none_or(|answered| answered < failed) => Self::Failing,
            _ => Self::Answering,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::NotConnected => "not-connected",
            Self::Closed { .. } => "closed-by-operator",
            Self::PlannedOutage { .. } => "planned-outage",
            Self::LeftAlone { .. } => "left-alone",
            Self::Failing => "failing",
            Self::Answering => "answering",
            Self::NotAskedYet => "not-asked-yet",
        }
    }

    fn until(self) -> Option<Timestamp> {
        match self {
            Self::Closed { until } => until,
            Self::PlannedOutage { until } | Self::LeftAlone { until } => Some(until),
            Self::NotConnected | Self::Failing | Self::Answering | Self::NotAskedYet => None,
        }
    }
}

pub(super) fn documentation() -> (&'static str, Value) {
    let moment = |what: &str| json!({"type": ["string", "null"], "format": "date-time", "description": what});
    let causes: Vec<Value> = Cause::ALL.iter().map(|cause| cause.as_str().into()).chain([Value::Null]).collect();
    let operation_state = json!({
        "type": "object", "additionalProperties": false,
        "required": ["id", "state", "answered", "failed", "cause"],
        "properties": {
            "id": {"type": "string"},
            "state": {
                "enum": ["closed", "open", "probing"],
                "description": "of its circuit breaker: calls go through; none does for a moment, because it has failed too often of late; one call finds out whether it is well again"
            },
            "answered": moment("its last answer to a call"),
            "failed": moment("when a call of it last failed"),
            "cause": {"enum": causes, "description": "why it last failed"}
        }
    });
    let source = json!({
        "type": "object", "additionalProperties": false,
        "required": ["id", "name", "state", "until", "answered", "failed", "cause", "planned_outages", "operations"],
        "properties": {
            "id": {"type": "string"},
            "name": {"type": ["string", "null"]},
            "state": {
                "enum": [
                    "answering", "failing", "left-alone", "planned-outage", "closed-by-operator", "not-asked-yet",
                    "not-connected"
                ],
                "description": "left-alone: some operation's breaker is open; closed-by-operator: closed by hand"
            },
            "until": moment("until when a planned outage or a closure by hand lasts, if that is known; or when an operation that is left alone may be tried again"),
            "answered": moment("the last answer to a call; what was remembered does not count"),
            "failed": moment("when a call last failed"),
            "cause": {"enum": causes, "description": "why it last failed"},
            "planned_outages": {"type": "array", "items": {"type": "string"}},
            "operations": {"type": "array", "items": operation_state}
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
