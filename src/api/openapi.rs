//! The `OpenAPI` 3.1 document, put together from what each endpoint's file says of it and from the catalog that is running.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use serde_json::{Map, Value, json};

use super::verification_request::{MAX_CASE, MAX_LEGAL_BASIS, MAX_OFFICER};
use super::{
    App, events, health, ledger, matters, max_age, me, metrics, problems, receipts, sources, triage, verifications,
};
use crate::claims::{Claim, ParameterKind};
use crate::domain::Slug;
use crate::matters::Catalog;

/// `GET /openapi.json`
pub(super) async fn serve(State(api): App, headers: HeaderMap) -> Response<Body> {
    api.shared.documents.openapi.serve(&headers)
}

/// The document for a catalog and its purposes.
#[must_use]
pub fn document(catalog: &Catalog, purposes: &BTreeMap<Slug, String>) -> Value {
    let request = json!({"$ref": "#/components/schemas/VerificationRequest"});
    let mut paths = Map::new();
    let described = matters::documentation()
        .into_iter()
        .chain([triage::documentation()])
        .chain(verifications::documentation(&request))
        .chain([
            me::documentation(),
            sources::documentation(),
            events::documentation(),
            problems::documentation(),
            own_documentation(),
            metrics::documentation(),
        ])
        .chain(receipts::documentation())
        .chain(ledger::documentation())
        .chain(health::documentation());
    for (path, item) in described {
        paths.insert(path.to_owned(), item);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "heyan 核验",
            "summary": "Ask the department that holds a fact, instead of asking a resident for a certificate",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A bearer token, or an access token of an issuer (RFC 9068)"},
                "certificate": {"type": "mutualTLS", "description": "A client certificate that is registered for the agency"}
            },
            "schemas": {
                "Matter": matters::schemas(),
                "VerificationRequest": verification_request(catalog, purposes),
                "Verification": verifications::schema(),
                "Person": person(),
                "Problem": problem_schema()
            }
        }
    })
}

/// One operation with its answers, and the one that any request may get.
pub(super) fn operation(id: &str, summary: &str, answers: impl IntoIterator<Item = (String, Value)>) -> Value {
    let overloaded = problem(503, "More requests than the gateway can do, or a question that it cannot keep");
    let broken = problem(500, "The gateway has a mistake, and came to no answer");
    let responses: Map<String, Value> = answers.into_iter().chain([broken, overloaded]).collect();
    json!({"operationId": id, "summary": summary, "responses": responses})
}

/// An operation that needs a credential.
pub(super) fn secured(mut operation: Value) -> Value {
    operation["security"] = json!([{"bearer": []}, {"certificate": []}]);
    let (status, limited) = problem(429, "More requests than the agency may make");
    operation["responses"][status] = limited;
    operation
}

/// A JSON answer.
pub(super) fn answer(status: u16, description: &str, schema: &Value) -> (String, Value) {
    (status.to_string(), json!({"description": description, "content": {"application/json": {"schema": schema}}}))
}

/// A problem.
pub(super) fn problem(status: u16, description: &str) -> (String, Value) {
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    (
        status.to_string(),
        json!({"description": description, "content": {"application/problem+json": {"schema": schema}}}),
    )
}

/// A JSON body that must be there.
pub(super) fn json_body(schema: &Value) -> Value {
    json!({"required": true, "content": {"application/json": {"schema": schema}}})
}

/// A parameter in the path or a header.
pub(super) fn parameter(place: &str, name: &str, required: bool, schema: &Value, description: &str) -> Value {
    json!({"in": place, "name": name, "required": required, "schema": schema, "description": description})
}

/// A text of 1 to `most` characters, at least one of them no white space, and no control characters.
pub(super) fn text(most: usize, description: &str) -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": most, "description": description,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$"
    })
}

fn own_documentation() -> (&'static str, Value) {
    let mut serve = operation("openapi", "This document", [answer(200, "OpenAPI 3.1", &json!({"type": "object"}))]);
    serve["responses"]["304"] = json!({"description": "It has not changed since the entity tag of If-None-Match"});
    ("/openapi.json", json!({"get": serve}))
}

/// A request is one of the claims, with exactly its roles and parameters.
fn verification_request(catalog: &Catalog, purposes: &BTreeMap<Slug, String>) -> Value {
    let purposes: Vec<&str> = purposes.keys().map(Slug::as_str).collect();
    let claims: Vec<Value> = catalog.claims().map(|claim| claim_request(claim, &purposes)).collect();
    json!({"oneOf": claims})
}

fn claim_request(claim: &Claim, purposes: &[&str]) -> Value {
    let closed = |required: Vec<&str>, properties: Map<String, Value>| json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties});
    let roles: Map<String, Value> =
        claim.roles().iter().map(|role| (role.clone(), json!({"$ref": "#/components/schemas/Person"}))).collect();
    let subjects = closed(claim.roles().iter().map(String::as_str).collect(), roles);
    let parameters = claim.parameters().iter().map(|parameter| (parameter.name.clone(), kind_schema(&parameter.kind)));
    let demanded: Vec<&str> =
        claim.parameters().iter().filter(|one| one.default.is_none()).map(|one| one.name.as_str()).collect();
    let mut required = vec!["matter", "claim", "subjects", "purpose"];
    if !demanded.is_empty() {
        required.push("parameters");
    }
    let fields = json!({
        "matter": {"const": claim.reference().matter.as_str()},
        "claim": {"const": claim.reference().claim.as_str()},
        "subjects": subjects,
        "parameters": closed(demanded, parameters.collect()),
        "purpose": {"enum": purposes},
        "case": text(MAX_CASE, "the agency's own case number"),
        "legal_basis": text(MAX_LEGAL_BASIS, "why the agency may know this"),
        "officer": text(MAX_OFFICER, "on whose behalf"),
        "max_age": {"type": "string", "pattern": max_age::PATTERN,
                    "description": "how old a fact may be at most, up to 24h: such as 10m, 1h30m, 90s or 500ms"},
    });
    json!({
        "title": claim.reference().to_string(), "type": "object", "required": required,
        "additionalProperties": false, "properties": fields, "examples": [example(claim, purposes)]
    })
}

/// Invented people: their numbers are well-formed, and each role has its own.
const EXAMPLES: [(&str, &str); 4] = [
    ("王小明", "210102198001010010"),
    ("李小红", "210102198203030028"),
    ("王小刚", "210102200505050032"),
    ("王大明", "210102195001010017"),
];

fn example(claim: &Claim, purposes: &[&str]) -> Value {
    let person = |(role, (name, id_number)): (&String, &(&str, &str))| {
        (role.clone(), json!({"name": name, "id_number": id_number}))
    };
    let subjects: Map<String, Value> = claim.roles().iter().zip(EXAMPLES.iter().cycle()).map(person).collect();
    let value = |kind: &ParameterKind| match kind {
        ParameterKind::Date => json!("2024-05-01"),
        ParameterKind::Choice { values } => json!(values.first()),
        ParameterKind::Integer { min, .. } => json!(min),
        ParameterKind::Text { shape: Some(shape), .. } => json!(shape.example()),
        ParameterKind::Text { shape: None, .. } => json!("U210012345"),
        ParameterKind::Division => json!("2101"),
    };
    let parameters: Map<String, Value> =
        claim.parameters().iter().map(|parameter| (parameter.name.clone(), value(&parameter.kind))).collect();
    json!({
        "matter": claim.reference().matter.as_str(), "claim": claim.reference().claim.as_str(), "subjects": subjects,
        "parameters": parameters, "purpose": purposes.first()
    })
}

fn kind_schema(kind: &ParameterKind) -> Value {
    match kind {
        ParameterKind::Date => json!({
            "type": "string", "format": "date", "pattern": DAY, "description": "YYYY-MM-DD, today at the latest"
        }),
        ParameterKind::Choice { values } => json!({"enum": values}),
        ParameterKind::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        ParameterKind::Text { shape: Some(shape), .. } => json!({
            "type": "string", "pattern": shape.pattern(), "description": format!("such as {}", shape.example())
        }),
        ParameterKind::Text { max, shape: None } => text(*max, "a text"),
        ParameterKind::Division => json!({
            "type": "string", "pattern": "^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})$",
            "description": "an administrative division (GB/T 2260, GB/T 10114)"
        }),
    }
}

fn person() -> Value {
    json!({
        "type": "object", "required": ["name", "id_number"], "additionalProperties": false,
        "properties": {
            "name": {
                "type": "string", "minLength": 1, "maxLength": 50, "pattern": name(),
                "description": "as the household register has it: letters or Hanzi, with spaces, middle dots, hyphens, apostrophes and full stops between them"
            },
            "id_number": {
                "type": "string", "pattern": "^([0-9]{17}[0-9Xx]|[0-9]{15})$",
                "description": "GB 11643: 18 characters whose check character is right, or the 15 digits of the old form"
            }
        }
    })
}

/// A day from the year 1 on; `format` refuses those that a month doesn't have.
const DAY: &str = "^([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";

/// What names are made of, as closely as it can be said to every dialect of regular expressions, not all of which know Unicode's
/// letters: without the digits, punctuation and symbols that names could be mistyped with.
fn name() -> String {
    const LETTER: &str = concat!(
        r"[^\u0000-\u0040\u005B-\u0060\u007B-\u00A9\u00AB-\u00B4\u00B6-\u00B9\u00BB-\u00BF\u00D7\u00F7\u0660-\u0669",
        r"\u06F0-\u06F9\u2000-\u2070\u2074-\u207E\u2080-\u208E\u20A0-\u20CF\u2190-\u24B5\u24EA-\u2BFF\u2E00-\u2E2E",
        r"\u2E30-\u3004\u3008-\u3020\u3030\u303D-\u3040\uFE10-\uFE6F\uFEFF-\uFF20\uFF3B-\uFF40\uFF5B-\uFF65\uFFE0-\uFFFF]"
    );
    const BETWEEN: &str = r"[ '.\-\u00B7\u2019\u2022\u2024\u2027\u2219\u22C5\u25CF\u2E31\uFF0E\uFF65]";
    format!(r"^[ \u3000]*({LETTER}|{BETWEEN})*{LETTER}({LETTER}|{BETWEEN})*[ \u3000]*$")
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "problem details (RFC 9457)",
        "required": ["type", "title", "status", "detail", "code", "origin", "retryable", "request_id", "trace_id", "errors"],
        "additionalProperties": false,
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string"},
            "origin": {"enum": ["client", "gateway", "source"]},
            "retryable": {"type": "boolean"},
            "request_id": {"type": "string"},
            "trace_id": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object", "required": ["pointer", "reason"], "additionalProperties": false,
                    "properties": {
                        "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901)"},
                        "reason": {"type": "string"}
                    }
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::domain::PersonName;

    #[test]
    fn the_pattern_of_a_name_holds_every_name() {
        let schema = jsonschema::validator_for(&person()["properties"]["name"]).unwrap();
        let matches = |text: &str| schema.is_valid(&json!(text));
        // Every character of the basic plane, and some of each further one.
        let characters =
            (0..0x11_0000_u32).filter(|code| *code < 0x1_0000 || code % 97 == 0).filter_map(char::from_u32);
        for character in characters {
            for text in [format!("{character}"), format!("张{character}三")] {
                assert!(text.parse::<PersonName>().is_err() || matches(&text), "{character:?}");
            }
        }
        for text in ["阿依古丽·买买提", " 张三\u{3000}", "O'Neil", "Zoe\u{308} A. B-C", "𠮷田", "\u{E863}三"]
        {
            assert!(matches(text) && text.parse::<PersonName>().is_ok(), "{text}");
        }
        for text in [
            "",
            "  ",
            "张\0三",
            "张\n三",
            "张\u{202E}三",
            "张\u{200B}三",
            "<b>",
            "张三&",
            "张%三",
            "·",
            "123",
            "张３",
            "张，三",
            "①",
        ] {
            assert!(!matches(text) && text.parse::<PersonName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_pattern_of_a_day_is_what_is_read() {
        let schema = json!({"type": "string", "format": "date", "pattern": DAY});
        let schema = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
        for (text, right) in [
            ("0001-01-01", true),
            ("1800-02-28", true),
            ("9999-12-31", true),
            ("2024-02-29", true),
            ("0000-01-01", false),
            ("-000001-01-01", false),
            ("+002020-01-01", false),
            ("2023-02-29", false),
            ("2023-13-01", false),
            ("20230101", false),
            ("2023-1-1", false),
            ("2023-01-01T00:00:00Z", false),
        ] {
            assert_eq!((clock::day(text).is_some(), schema.is_valid(&json!(text))), (right, right), "{text}");
        }
    }
}
