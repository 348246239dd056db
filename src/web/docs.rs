//! What programs can ask, for those who write them: the `OpenAPI` document, readable.

use std::sync::OnceLock;

use askama::Template;
use axum::extract::State;
use serde_json::{Map, Value};

use super::{App, Page, PageError, Reply, Visit, Web, html};
use crate::api;
use crate::claims::{Claim, ParameterKind};

#[derive(Template)]
#[template(path = "docs.html", config = "src/web/askama.toml")]
struct DocsPage<'a> {
    page: Page,
    reference: &'a str,
}

/// What is the same for everybody, and in English for everybody.
#[derive(Template)]
#[template(path = "docs-reference.html", config = "src/web/askama.toml")]
struct Reference {
    examples: &'static [Example],
    operations: Vec<Operation>,
    claims: Vec<Asked>,
    purposes: Vec<(String, String)>,
}

/// The reference of one configuration. It is long, and written once, when somebody looks for the first time.
#[derive(Debug, Default)]
pub struct Docs(OnceLock<String>);

/// A call to paste. Those that `curl` sends are the examples that a test sends.
pub(super) struct Example {
    /// What it does.
    pub(super) title: &'static str,
    /// Where to.
    pub(super) path: &'static str,
    /// The body; without one it is a GET.
    pub(super) body: Option<&'static str>,
    /// Whether it needs a credential.
    pub(super) is_secured: bool,
}

/// What anybody can try at once, with the demo's address and token. The person in it is invented.
pub(super) const EXAMPLES: [Example; 5] = [
    Example {
        title: "Which matter is behind a demand?",
        path: "/v1/triage",
        body: Some(r#"{"text": "单身证明", "demanded_by": "住房公积金管理中心"}"#),
        is_secured: false,
    },
    Example { title: "What there is to ask", path: "/v1/matters/marital-status", body: None, is_secured: false },
    Example { title: "Who I am, and what I may ask", path: "/v1/me", body: None, is_secured: true },
    Example {
        title: "One verification",
        path: "/v1/verifications",
        body: Some(
            r#"{"matter": "marital-status", "claim": "status-is", "purpose": "housing-fund-withdrawal",
  "parameters": {"status": "unmarried"}, "officer": "officer-1", "case": "2026-000123",
  "subjects": {"person": {"name": "王小明", "id_number": "210102198001010010"}}}"#,
        ),
        is_secured: true,
    },
    Example {
        title: "Is a receipt genuine?",
        path: "/v1/receipts/check",
        body: Some(r#"{"code": "1000-0000-0000-0000-0000-0000-0000-0000"}"#),
        is_secured: false,
    },
];

impl Example {
    /// The command to paste.
    fn command(&self) -> String {
        let mut command = format!("curl -s \"$HEYAN{}\"", self.path);
        if self.is_secured {
            command.push_str(" -H \"authorization: Bearer $HEYAN_TOKEN\"");
        }
        if let Some(body) = self.body {
            command.push_str(&format!(" -H 'content-type: application/json' \\\n  -d '{body}'"));
        }
        command
    }
}

/// What can be called.
struct Operation {
    anchor: String,
    method: String,
    path: String,
    summary: String,
    is_secured: bool,
    /// Name, place, whether it must be there, and what it is.
    parameters: Vec<(String, String, bool, String)>,
    /// The members of the body: name, whether it must be there, and what it is.
    body: Vec<(String, bool, String)>,
    /// Status, and what it means.
    answers: Vec<(String, String)>,
}

/// What can be asked.
struct Asked {
    claim: String,
    says: String,
    roles: String,
    parameters: String,
}

/// `GET /docs`.
pub(super) async fn show(State(web): App, visit: Visit) -> Reply {
    let reference = match web.docs.0.get() {
        Some(written) => written,
        None => {
            let written = reference(&web)?;
            // Another thread may have written the same meanwhile.
            web.docs.0.get_or_init(|| written)
        }
    };
    html(&DocsPage { page: visit.page("docs.title"), reference })
}

fn reference(web: &Web) -> Result<String, PageError> {
    let (catalog, purposes) = (&web.api.gateway.catalog, &web.api.shared.purposes);
    let document = api::openapi_document(catalog, purposes);
    let operations = operations(&document);
    let entries = catalog.matters().iter().flat_map(|matter| &matter.claims);
    let claims = entries.map(|entry| asked(&entry.claim, &entry.name.english)).collect();
    let purposes = purposes.iter().map(|(id, name)| (id.to_string(), name.clone())).collect();
    let reference = Reference { examples: &EXAMPLES, operations, claims, purposes };
    reference.render().map_err(|error| {
        tracing::error!(%error, "the reference cannot be written");
        PageError::Broken
    })
}

fn operations(document: &Value) -> Vec<Operation> {
    let none = Map::new();
    let paths = document["paths"].as_object().unwrap_or(&none);
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(|(method, described)| operation(document, method, path, described)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

fn operation(document: &Value, method: &str, path: &str, described: &Value) -> Operation {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parameter = |one: &Value| {
        let must = one["required"].as_bool().unwrap_or_default();
        (text(&one["name"]), text(&one["in"]), must, text(&one["description"]))
    };
    let answers = described["responses"].as_object().into_iter().flatten();
    let schema = &described["requestBody"]["content"]["application/json"]["schema"];
    Operation {
        anchor: text(&described["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&described["summary"]),
        is_secured: described["security"].is_array(),
        parameters: described["parameters"].as_array().into_iter().flatten().map(parameter).collect(),
        body: members(document, schema),
        answers: answers.map(|(status, answer)| (status.clone(), text(&answer["description"]))).collect(),
    }
}

/// The members of an object; of several kinds of objects, of all of them.
fn members(document: &Value, schema: &Value) -> Vec<(String, bool, String)> {
    let schema = resolved(document, schema);
    let kinds: Vec<&Value> = schema["oneOf"].as_array().map_or_else(|| vec![schema], |kinds| kinds.iter().collect());
    let mut members: Vec<(String, bool, String)> = Vec::new();
    for kind in &kinds {
        let kind = resolved(document, kind);
        for (name, described) in kind["properties"].as_object().into_iter().flatten() {
            if members.iter().any(|(known, ..)| known == name) {
                continue;
            }
            let is_demanded = |kind: &&Value| {
                let required = resolved(document, kind)["required"].as_array().into_iter().flatten();
                required.into_iter().any(|one| one == name)
            };
            let described = resolved(document, described)["description"].as_str().unwrap_or_default();
            members.push((name.clone(), kinds.iter().all(is_demanded), described.to_owned()));
        }
    }
    members
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let place = schema["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
    place.and_then(|place| document.pointer(place)).unwrap_or(schema)
}

fn asked(claim: &Claim, says: &str) -> Asked {
    let parameter = |one: &crate::claims::Parameter| {
        let kind = match &one.kind {
            ParameterKind::Choice { values } => values.join(" | "),
            ParameterKind::Date => "date".to_owned(),
            ParameterKind::Division => "2, 4, 6, 9 or 12 digits".to_owned(),
            ParameterKind::Integer { min, max } => format!("{min} to {max}"),
            ParameterKind::Text { shape: Some(shape), .. } => format!("such as {}", shape.example()),
            ParameterKind::Text { max, shape: None } => format!("text of at most {max} characters"),
        };
        let optional = if one.default.is_some() { ", optional" } else { "" };
        format!("{} ({kind}{optional})", one.name)
    };
    Asked {
        claim: claim.reference().to_string(),
        says: says.to_owned(),
        roles: claim.roles().join(", "),
        parameters: claim.parameters().iter().map(parameter).collect::<Vec<_>>().join(", "),
    }
}
