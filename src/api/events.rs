use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::context::{Context, Segment};
use super::openapi::{json_body, operation, parameter, problem, secured, text};
use super::problem::{FieldError, Kind, Problem, Reason};
use super::verification_request::Reader;
use super::{Api, App, body};
use crate::access;
use crate::domain::{IdNumber, Slug};

/// The most persons of an event.
const MAX_SUBJECTS: usize = 1000;

/// The most characters of an event's kind.
const MAX_KIND: usize = 64;

/// `POST /v1/sources/{id}/events`: a source says that its records of some persons have changed. What is remembered of what it
/// said about them serves nobody any more, before the reply. Whether anything was remembered is not said.
pub(super) async fn create(
    State(api): App,
    Segment(id): Segment,
    context: Context,
    request: Request<Body>,
) -> Response<Body> {
    match forget(&api, &id, request).await {
        Ok(()) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        Err(problem) => problem.respond(&context),
    }
}

async fn forget(api: &Api, id: &str, request: Request<Body>) -> Result<(), Problem> {
    let source = authenticate(api, id, request.headers())?;
    let (_, value) = body::read(api, request).await?;
    api.shared.states.situation().event(&source, api.gateway.clock.now());
    let persons = subjects(&value).map_err(Problem::Invalid)?;
    for person in &persons {
        api.shared.facts.forget(&source, person);
    }
    api.shared.telemetry.metrics().event(&source, persons.len() as u64);
    Ok(())
}

/// A source has a token of its own, which opens nothing else. Whether there is such a source is not said to others.
fn authenticate(api: &Api, id: &str, headers: &HeaderMap) -> Result<Slug, Problem> {
    let fields = headers.get_all(header::AUTHORIZATION).iter().map(header::HeaderValue::as_bytes);
    let hash = access::token_hash(fields).map_err(Problem::from)?;
    let source = id
        .parse::<Slug>()
        .ok()
        .filter(|source| api.shared.event_tokens.get(source).is_some_and(|known| access::is_same(known, &hash)));
    source.ok_or(Problem::InvalidToken)
}

fn subjects(body: &Value) -> Result<Vec<IdNumber>, Vec<FieldError>> {
    let mut reader = Reader::default();
    let mut persons = Vec::new();
    if let Some(body) = reader.object("", body) {
        reader.known("", body, ["subjects", "kind", "on"]);
        reader.optional_text(body, "kind", MAX_KIND);
        reader.optional_text(body, "on", MAX_KIND);
        match body.get("subjects") {
            None => reader.wrong("/subjects", Reason::Missing),
            Some(Value::Array(items)) if (1..=MAX_SUBJECTS).contains(&items.len()) => {
                for (index, item) in items.iter().enumerate() {
                    let pointer = format!("/subjects/{index}");
                    let Some(text) = reader.string(&pointer, item) else { continue };
                    match text.parse() {
                        Ok(person) => persons.push(person),
                        Err(error) => reader.wrong(pointer, Reason::IdNumber(error)),
                    }
                }
            }
            Some(Value::Array(_)) => reader.wrong("/subjects", Reason::Items(1, MAX_SUBJECTS)),
            Some(_) => reader.wrong("/subjects", Reason::Type(Kind::Array)),
        }
    }
    if reader.errors.is_empty() { Ok(persons) } else { Err(reader.errors) }
}

pub(super) fn documentation() -> (&'static str, Value) {
    let event = json!({
        "type": "object", "required": ["subjects"], "additionalProperties": false,
        "properties": {
            "subjects": {
                "type": "array", "minItems": 1, "maxItems": MAX_SUBJECTS,
                "items": {"$ref": "#/components/schemas/Person/properties/id_number"},
                "description": "whose records have changed"
            },
            "kind": text(MAX_KIND, "what happened"),
            "on": text(MAX_KIND, "when")
        },
        "examples": [{"subjects": ["210102198001010010"], "kind": "marriage", "on": "2026-11-25"}]
    });
    let mut create = operation(
        "tellEvent",
        "A source says that its records of some persons have changed",
        [
            ("204".to_owned(), json!({"description": "What was remembered of them serves nobody any more"})),
            problem(400, "The body is not acceptable JSON"),
            problem(401, "Not this source's credential"),
            problem(408, "The body did not arrive in time"),
            problem(413, "The body is too large"),
            problem(415, "The body is not declared as JSON"),
            problem(422, "The body is not an event"),
        ],
    );
    create["parameters"] = json!([parameter("path", "id", true, &json!({"type": "string"}), "The source's id")]);
    create["requestBody"] = json_body(&event);
    let mut create = secured(create);
    // Sources have no certificates.
    create["security"] = json!([{"bearer": []}]);
    ("/v1/sources/{id}/events", json!({"post": create}))
}
