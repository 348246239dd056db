use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};

use super::context::{Context, Segment};
use super::openapi::{answer, operation, parameter, problem};
use super::problem::Problem;
use super::{App, Document};
use crate::claims::{Parameter, ParameterDefault, ParameterKind};
use crate::matters::{Catalog, ClaimEntry, Matter};

/// The catalog as it is sent.
pub(super) struct Documents {
    list: Document,
    each: BTreeMap<String, Document>,
}

impl Documents {
    pub(super) fn new(catalog: &Catalog) -> Self {
        let matters: Vec<Value> = catalog.matters().iter().map(matter_json).collect();
        let each = catalog.matters().iter().zip(&matters);
        let each = each.map(|(matter, value)| (matter.id.to_string(), Document::new(value))).collect();
        Self { list: Document::new(&json!({"rules": &**catalog.digest(), "matters": matters})), each }
    }
}

/// `GET /v1/matters`
pub(super) async fn list(State(api): App, headers: HeaderMap) -> Response<Body> {
    api.shared.documents.matters.list.serve(&headers)
}

/// `GET /v1/matters/{id}`
pub(super) async fn one(State(api): App, Segment(id): Segment, headers: HeaderMap, context: Context) -> Response<Body> {
    match api.shared.documents.matters.each.get(&id) {
        Some(document) => document.serve(&headers),
        None => Problem::NotFound.respond(&context),
    }
}

fn matter_json(matter: &Matter) -> Value {
    let text = &matter.text;
    json!({
        "id": matter.id.as_str(),
        "number": text.number,
        "name": text.name,
        "bracketed": text.bracketed,
        "everyday": text.everyday,
        "disposition": text.disposition,
        "authorities": text.authorities,
        "route": text.route,
        "citation": text.citation,
        "exceptions": text.exceptions,
        "guidance": text.guidance,
        "documents": text.documents,
        "english": {"name": text.english.name, "guidance": text.english.guidance},
        "claims": matter.claims.iter().map(claim_json).collect::<Vec<_>>(),
    })
}

fn claim_json(entry: &ClaimEntry) -> Value {
    json!({
        "id": entry.claim.reference().claim.as_str(),
        "name": entry.name.chinese,
        "english": entry.name.english,
        "roles": entry.claim.roles(),
        "parameters": entry.claim.parameters().iter().map(parameter_json).collect::<Vec<_>>(),
        "sources": entry.claim.sources().iter().map(|source| source.as_str()).collect::<Vec<_>>(),
        "connected": entry.claim.is_connected(),
    })
}

fn parameter_json(parameter: &Parameter) -> Value {
    let mut value = json!({"name": parameter.name, "required": parameter.default.is_none()});
    let (kind, more) = match &parameter.kind {
        ParameterKind::Date => ("date", None),
        ParameterKind::Choice { values } => ("choice", Some(("values", json!(values)))),
        ParameterKind::Integer { min, max } => ("integer", Some(("range", json!([min, max])))),
        ParameterKind::Text { shape: Some(shape), .. } => ("text", Some(("pattern", json!(shape.pattern())))),
        ParameterKind::Text { max, shape: None } => ("text", Some(("max_length", json!(max)))),
        ParameterKind::Division => ("division", None),
    };
    value["kind"] = json!(kind);
    if let Some((name, more)) = more {
        value[name] = more;
    }
    match &parameter.default {
        Some(ParameterDefault::Today) => value["default"] = json!("today"),
        Some(ParameterDefault::Value(default)) => value["default"] = default.clone(),
        None => {}
    }
    value
}

pub(super) fn documentation() -> [(&'static str, Value); 2] {
    let matter = json!({"$ref": "#/components/schemas/Matter"});
    let list = json!({
        "type": "object", "required": ["rules", "matters"], "additionalProperties": false,
        "properties": {"rules": {"type": "string"}, "matters": {"type": "array", "items": matter}}
    });
    let mut all = operation("listMatters", "The catalog of matters", [answer(200, "All matters, by number", &list)]);
    let mut one = operation(
        "showMatter",
        "One matter",
        [answer(200, "The matter", &matter), problem(404, "There is no such matter")],
    );
    for operation in [&mut all, &mut one] {
        operation["responses"]["304"] =
            json!({"description": "It has not changed since the entity tag of If-None-Match"});
    }
    one["parameters"] = json!([parameter("path", "id", true, &json!({"type": "string"}), "The matter's id")]);
    [("/v1/matters", json!({"get": all})), ("/v1/matters/{id}", json!({"get": one}))]
}

/// The schemas of the catalog.
pub(super) fn schemas() -> Value {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let object = |required: &[&str], properties: Value| json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties});
    let document =
        object(&["name", "reissued_by"], json!({"name": {"type": "string"}, "reissued_by": {"type": "string"}}));
    let english = object(&["name", "guidance"], json!({"name": {"type": "string"}, "guidance": texts}));
    let parameter = object(
        &["name", "required", "kind"],
        json!({
            "name": {"type": "string"}, "required": {"type": "boolean"},
            "kind": {"enum": ["date", "choice", "integer", "text", "division"]},
            "values": texts, "range": {"type": "array", "items": {"type": "integer"}},
            "max_length": {"type": "integer"}, "pattern": {"type": "string"}, "default": {}
        }),
    );
    let claim = object(
        &["id", "name", "english", "roles", "parameters", "sources", "connected"],
        json!({
            "id": {"type": "string"}, "name": {"type": "string"}, "english": {"type": "string"}, "roles": texts,
            "parameters": {"type": "array", "items": parameter}, "sources": texts, "connected": {"type": "boolean"}
        }),
    );
    object(
        &[
            "id",
            "number",
            "name",
            "bracketed",
            "everyday",
            "disposition",
            "authorities",
            "route",
            "citation",
            "exceptions",
            "guidance",
            "documents",
            "english",
            "claims",
        ],
        json!({
            "id": {"type": "string"}, "number": {"type": "integer"}, "name": {"type": "string"},
            "bracketed": texts, "everyday": texts,
            "disposition": {"enum": ["verify", "issuer", "own-documents", "abolished"]},
            "authorities": texts, "route": {"type": "string"}, "citation": {"type": "string"},
            "exceptions": texts, "guidance": texts, "documents": {"type": "array", "items": document},
            "english": english, "claims": {"type": "array", "items": claim}
        }),
    )
}
