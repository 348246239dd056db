use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::context::Context;
use super::openapi::{answer as documented, json_body, operation, problem};
use super::problem::{FieldError, Problem};
use super::verification_request::Reader;
use super::{App, body, guidance, reply};
use crate::domain::Decision;
use crate::matters::triage::Triage;
use crate::matters::{Catalog, Matter};

/// The most characters of a demand.
const MAX_TEXT: usize = 500;

/// The most characters of the name of whoever demands.
const MAX_DEMANDER: usize = 200;

/// `POST /v1/triage`: the matter behind a demand's free text.
pub(super) async fn triage(State(api): App, context: Context, request: Request<Body>) -> Response<Body> {
    let demand = match body::read(&api, request).await {
        Ok((_, value)) => demand(&value).map_err(Problem::Invalid),
        Err(problem) => Err(problem),
    };
    match demand {
        Ok(text) => reply(
            StatusCode::OK,
            &context,
            answer(&api.gateway.catalog, &api.shared.triage, &text, context.english).to_string(),
        ),
        Err(problem) => problem.respond(&context),
    }
}

fn demand(body: &Value) -> Result<String, Vec<FieldError>> {
    let mut reader = Reader::default();
    let text = reader.object("", body).and_then(|body| {
        reader.known("", body, ["text", "demanded_by", "legal_basis"]);
        reader.optional_text(body, "demanded_by", MAX_DEMANDER);
        reader.optional_text(body, "legal_basis", MAX_TEXT);
        reader.required_text(body, "text", MAX_TEXT)
    });
    text.filter(|_| reader.errors.is_empty()).ok_or(reader.errors)
}

/// What triage answers to a text, as JSON.
#[must_use]
pub fn answer(catalog: &Catalog, triage: &Triage, text: &str, english: bool) -> Value {
    let policy = catalog.policy();
    let found = triage.rank(text);
    let item =
        found.first().and_then(|first| policy.retained.iter().find(|item| first.retained && item.id == first.id));
    let matters: Vec<_> = found.iter().filter_map(|one| Some((catalog.matter(&one.id)?, one.score))).collect();
    let (decision, guidance) = match (item, matters.first()) {
        (Some(_), _) => (Decision::Retained, Value::Null),
        (None, Some((matter, _))) => (Decision::Prohibited, guidance::of(matter, &policy.transition, english)),
        (None, None) => (Decision::NoBasis, json!({"steps": policy.no_basis.pick(english)})),
    };
    let matter = |(matter, score): (&Matter, f64)| {
        json!({
            "id": matter.id.as_str(),
            "number": matter.text.number,
            "name": if english { &matter.text.english.name } else { &matter.text.name },
            "score": (score * 100.0).round() / 100.0,
            "disposition": matter.text.disposition,
        })
    };
    let matters: Vec<Value> = matters.into_iter().map(matter).collect();
    json!({"decision": decision, "matters": matters, "retained": item, "guidance": guidance})
}

pub(super) fn documentation() -> (&'static str, Value) {
    let demand = json!({
        "type": "object", "required": ["text"], "additionalProperties": false,
        "properties": {
            "text": super::openapi::text(MAX_TEXT, "what is demanded, in whatever words"),
            "demanded_by": super::openapi::text(MAX_DEMANDER, "who demands it"),
            "legal_basis": super::openapi::text(MAX_TEXT, "the legal basis that the demander names")
        },
        "examples": [{"text": "银行非要我开个证明证明我妈是我妈", "demanded_by": "某银行"}]
    });
    let matter = json!({
        "type": "object", "required": ["id", "number", "name", "score", "disposition"], "additionalProperties": false,
        "properties": {
            "id": {"type": "string"}, "number": {"type": "integer"}, "name": {"type": "string"},
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            "disposition": {"enum": ["verify", "issuer", "own-documents", "abolished"]}
        }
    });
    let result = json!({
        "type": "object", "required": ["decision", "matters", "retained", "guidance"], "additionalProperties": false,
        "properties": {
            "decision": {"enum": ["prohibited", "retained", "no-basis"]},
            "matters": {"type": "array", "items": matter, "description": "best first; empty where none is meant"},
            "retained": {"type": ["object", "null"], "description": "the guide of the item that committees still issue"},
            "guidance": {"type": ["object", "null"], "description": "what to do now"}
        }
    });
    let mut triage = operation(
        "triage",
        "The matter behind a demand for a certificate",
        [
            documented(200, "What is meant, and whether a committee may issue it", &result),
            problem(400, "The body is not acceptable JSON"),
            problem(408, "The body did not arrive in time"),
            problem(413, "The body is too large"),
            problem(415, "The body is not declared as JSON"),
            problem(422, "The body is not a demand"),
        ],
    );
    triage["requestBody"] = json_body(&demand);
    ("/v1/triage", json!({"post": triage}))
}
