use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};

use super::admission::Left;
use super::context::Context;
use super::openapi::{answer, operation, problem, secured};
use super::problem::Problem;
use super::{Api, App, reply};
use crate::callers::Caller;
use crate::domain::Slug;
use crate::durable::NotSaved;
use crate::rights::{Grant, Purposes};

/// `GET /v1/me`: who the caller is, what it may ask, and what is left of that.
pub(super) async fn me(State(api): App, caller: Caller, context: Context) -> Response<Body> {
    let (agency, now) = (caller.agency, api.gateway.clock.now());
    let mut grants = Vec::new();
    for one in &agency.grants {
        match api.shared.allowances.left(&agency.id, one, now, &*api.gateway.durable).await {
            Ok(left) => grants.push(grant(&api, one, &left)),
            Err(NotSaved) => return Problem::Overloaded(5).respond(&context),
        }
    }
    let body = json!({"agency": {"id": agency.id.to_string(), "name": agency.name}, "grants": grants});
    reply(StatusCode::OK, &context, body.to_string())
}

fn grant(api: &Api, grant: &Grant, left: &Left) -> Value {
    let purpose = |id: &Slug| json!({"id": id.as_str(), "name": api.shared.purposes.get(id)});
    let purposes: Vec<Value> = match &grant.purposes {
        Purposes::Every => api.shared.purposes.keys().map(purpose).collect(),
        Purposes::These(purposes) => purposes.iter().map(purpose).collect(),
    };
    let terms = &grant.terms;
    let minute = terms.per_minute.map(|limit| json!({"limit": limit, "left": left.minute}));
    let day = terms.per_day.map(|limit| json!({"limit": limit, "left": left.day, "until": left.day_ends}));
    json!({
        "claims": grant.claims.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "purposes": purposes,
        "valid_from": terms.valid_from,
        "valid_until": terms.valid_until,
        "valid_today": terms.is_valid_on(api.gateway.clock.today()),
        "demands": terms.demands.words().collect::<Vec<_>>(),
        "per_minute": minute,
        "per_day": day,
    })
}

pub(super) fn documentation() -> (&'static str, Value) {
    let named = json!({
        "type": "object", "required": ["id", "name"], "additionalProperties": false,
        "properties": {"id": {"type": "string"}, "name": {"type": "string"}}
    });
    let day = |said: &str| json!({"type": ["string", "null"], "format": "date", "description": said});
    let count = json!({"type": "integer", "minimum": 0});
    let minute = json!({
        "type": ["object", "null"], "required": ["limit", "left"], "additionalProperties": false,
        "properties": {"limit": count, "left": count}, "description": "questions in any minute; null: without limit"
    });
    let per_day = json!({
        "type": ["object", "null"], "required": ["limit", "left", "until"], "additionalProperties": false,
        "properties": {"limit": count, "left": count, "until": {"type": "string", "format": "date-time"}},
        "description": "questions in a day of Asia/Shanghai, which ends at `until`; null: without limit"
    });
    let grant = json!({
        "type": "object",
        "required": ["claims", "purposes", "valid_from", "valid_until", "valid_today", "demands", "per_minute", "per_day"],
        "additionalProperties": false,
        "properties": {
            "claims": {"type": "array", "items": {"type": "string"}, "description": "matter/claim, matter/* or *"},
            "purposes": {"type": "array", "items": named},
            "valid_from": day("the first day on which it is valid, in Asia/Shanghai"),
            "valid_until": day("the last day on which it is valid, in Asia/Shanghai"),
            "valid_today": {"type": "boolean"},
            "demands": {
                "type": "array", "items": {"enum": ["officer", "case", "legal-basis"]},
                "description": "what a question must name beside what every question names"
            },
            "per_minute": minute,
            "per_day": per_day
        }
    });
    let me = json!({
        "type": "object", "required": ["agency", "grants"], "additionalProperties": false,
        "properties": {"agency": named, "grants": {"type": "array", "items": grant}}
    });
    let answers = [
        answer(200, "The caller, its grants, and what is left of them", &me),
        problem(401, "No valid credential"),
        problem(503, "What is left cannot be read at present"),
    ];
    ("/v1/me", json!({"get": secured(operation("me", "Who the caller is, and what it may ask", answers))}))
}
