use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

use super::context::Context;
use super::openapi::{answer, operation, problem, secured};
use super::{App, authenticate, reply};
use crate::domain::Slug;
use crate::rights::{Grant, Purposes};

/// `GET /v1/me`: who the caller is, and what it may ask.
pub(super) async fn me(State(api): App, headers: HeaderMap, context: Context) -> Response<Body> {
    let agency = match authenticate(&api, &headers) {
        Ok(caller) => caller.agency,
        Err(problem) => return problem.respond(&context),
    };
    let purpose = |id: &Slug| json!({"id": id.as_str(), "name": api.shared.purposes.get(id)});
    let grant = |grant: &Grant| {
        let purposes: Vec<Value> = match &grant.purposes {
            Purposes::Every => api.shared.purposes.keys().map(purpose).collect(),
            Purposes::These(purposes) => purposes.iter().map(purpose).collect(),
        };
        json!({"claims": grant.claims.iter().map(ToString::to_string).collect::<Vec<_>>(), "purposes": purposes})
    };
    let grants: Vec<Value> = agency.grants.iter().map(grant).collect();
    let body = json!({"agency": {"id": agency.id.to_string(), "name": agency.name}, "grants": grants});
    reply(StatusCode::OK, &context, body.to_string())
}

pub(super) fn documentation() -> (&'static str, Value) {
    let named = json!({
        "type": "object", "required": ["id", "name"], "additionalProperties": false,
        "properties": {"id": {"type": "string"}, "name": {"type": "string"}}
    });
    let grant = json!({
        "type": "object", "required": ["claims", "purposes"], "additionalProperties": false,
        "properties": {
            "claims": {"type": "array", "items": {"type": "string"}, "description": "matter/claim, matter/* or *"},
            "purposes": {"type": "array", "items": named}
        }
    });
    let me = json!({
        "type": "object", "required": ["agency", "grants"], "additionalProperties": false,
        "properties": {"agency": named, "grants": {"type": "array", "items": grant}}
    });
    let answers = [answer(200, "The caller and its grants", &me), problem(401, "No valid credential")];
    ("/v1/me", json!({"get": secured(operation("me", "Who the caller is, and what it may ask", answers))}))
}
