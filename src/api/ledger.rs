use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::context::{Context, Segment};
use super::openapi::{answer, operation, parameter, problem};
use super::problem::{FieldError, Problem, Reason};
use super::{App, reply};
use crate::ledger::{Hash, NotProved};

/// `GET /v1/ledger/checkpoint`: the signed head of the ledger's tree.
pub(super) async fn checkpoint(State(api): App, context: Context) -> Response<Body> {
    let note = api.gateway.ledger.checkpoint().note.clone();
    let mut response = reply(StatusCode::OK, &context, note);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().remove(header::CONTENT_LANGUAGE);
    response
}

/// `GET /v1/ledger/proof/{index}`: that an entry is in that tree.
pub(super) async fn proof(State(api): App, Segment(index): Segment, context: Context) -> Response<Body> {
    let Some(index) = number(&index) else {
        return Problem::field("/index", Reason::EntryIndex).respond(&context);
    };
    let proof = match api.gateway.ledger.inclusion(index).await {
        Ok(proof) => proof,
        Err(NotProved::Outside(_)) => return Problem::NotFound.respond(&context),
        Err(NotProved::Unreadable) => return Problem::LedgerUnreadable(1).respond(&context),
    };
    let body = json!({
        "index": proof.index,
        "tree_size": proof.checkpoint.checkpoint.size,
        "leaf_hash": STANDARD.encode(proof.leaf),
        "hashes": base64(&proof.hashes),
        "checkpoint": proof.checkpoint.note,
    });
    reply(StatusCode::OK, &context, body.to_string())
}

/// `GET /v1/ledger/consistency?first=&second=`: that one tree continues another.
pub(super) async fn consistency(State(api): App, RawQuery(query): RawQuery, context: Context) -> Response<Body> {
    let size = api.gateway.ledger.checkpoint().checkpoint.size;
    let (first, second) = match sizes(query.as_deref().unwrap_or_default(), size) {
        Ok(sizes) => sizes,
        Err(errors) => return Problem::Invalid(errors).respond(&context),
    };
    let proof = match api.gateway.ledger.consistency(first, Some(second)).await {
        Ok(proof) => proof,
        Err(NotProved::Outside(size)) => return Problem::field("/first", Reason::TreeSize(size)).respond(&context),
        Err(NotProved::Unreadable) => return Problem::LedgerUnreadable(1).respond(&context),
    };
    let body = json!({"first": proof.first, "second": proof.second, "hashes": base64(&proof.hashes)});
    reply(StatusCode::OK, &context, body.to_string())
}

fn base64(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| STANDARD.encode(hash)).collect()
}

/// A whole number, written in digits and nothing else.
fn number(text: &str) -> Option<u64> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

/// The sizes of two trees, of which the second is the present one unless it is said; or every error in them.
fn sizes(query: &str, present: u64) -> Result<(u64, u64), Vec<FieldError>> {
    let (mut sizes, mut errors) = ([None; 2], Vec::new());
    let names = ["first", "second"];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let mut wrong = |name: &str, reason| errors.push(FieldError { pointer: format!("/{name}"), reason });
        match names.iter().position(|known| *known == name) {
            // Its name may be anything: it is not sent back.
            None => wrong("", Reason::UnknownField(names.map(str::to_owned).to_vec())),
            Some(at) if sizes[at].is_some() => wrong(name, Reason::DuplicateKey),
            Some(at) => match number(value).filter(|size| (1..=present).contains(size)) {
                Some(size) => sizes[at] = Some(size),
                None => wrong(name, Reason::TreeSize(present)),
            },
        }
    }
    if sizes[0].is_none() && !errors.iter().any(|error| error.pointer == "/first") {
        errors.push(FieldError { pointer: "/first".to_owned(), reason: Reason::Missing });
    }
    let second = sizes[1].unwrap_or(present);
    match sizes[0] {
        Some(first) if errors.is_empty() && first <= second => Ok((first, second)),
        Some(_) if errors.is_empty() => {
            Err(vec![FieldError { pointer: "/first".to_owned(), reason: Reason::TreeSize(second) }])
        }
        _ => Err(errors),
    }
}

pub(super) fn documentation() -> [(&'static str, Value); 3] {
    let size = json!({"type": "integer", "minimum": 0});
    let hash = json!({"type": "string", "description": "SHA-256, as Base64"});
    let hashes = json!({"type": "array", "items": hash});
    let note = json!({"type": "string", "description": "a signed note (C2SP signed-note) of a tree's head (C2SP tlog-checkpoint)"});
    let mut checkpoint = operation("checkpoint", "The signed head of the ledger's tree", []);
    checkpoint["responses"]["200"] =
        json!({"description": "The last checkpoint", "content": {"text/plain": {"schema": note}}});
    let inclusion = json!({
        "type": "object", "required": ["index", "tree_size", "leaf_hash", "hashes", "checkpoint"],
        "additionalProperties": false,
        "properties": {"index": size, "tree_size": size, "leaf_hash": hash, "hashes": hashes, "checkpoint": note}
    });
    let answers = [
        answer(200, "The proof (RFC 9162 section 2.1.3), in the tree of the checkpoint beside it", &inclusion),
        problem(404, "The tree has no such entry"),
        problem(422, "This is no index"),
        problem(503, "The ledger cannot be read now"),
    ];
    let mut proof = operation("proveInclusion", "Proves that an entry is in the ledger", answers);
    let index = json!({"type": "string", "pattern": "^[0-9]+$"});
    proof["parameters"] = json!([parameter("path", "index", true, &index, "The entry's index, counted from 0")]);
    let consistent = json!({
        "type": "object", "required": ["first", "second", "hashes"], "additionalProperties": false,
        "properties": {"first": size, "second": size, "hashes": hashes}
    });
    let answers = [
        answer(200, "The proof (RFC 9162 section 2.1.4)", &consistent),
        problem(422, "The ledger has, or had, no such trees"),
        problem(503, "The ledger cannot be read now"),
    ];
    let mut consistency =
        operation("proveConsistency", "Proves that one tree of the ledger continues another", answers);
    let of = json!({"type": "integer", "minimum": 1});
    consistency["parameters"] = json!([
        parameter("query", "first", true, &of, "How many entries the first tree has"),
        parameter("query", "second", false, &of, "How many the second one has; by default, the present one"),
    ]);
    [
        ("/v1/ledger/checkpoint", json!({"get": checkpoint})),
        ("/v1/ledger/proof/{index}", json!({"get": proof})),
        ("/v1/ledger/consistency", json!({"get": consistency})),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_or_every_error_is_told() {
        assert_eq!(sizes("first=1&second=3", 5), Ok((1, 3)));
        assert_eq!(sizes("second=5&first=5", 5), Ok((5, 5)));
        assert_eq!(sizes("first=2", 5), Ok((2, 5)));
        for (query, pointers) in [
            ("", &["/first"][..]),
            ("second=2", &["/first"]),
            ("first=0", &["/first"]),
            ("first=6", &["/first"]),
            ("first=3&second=2", &["/first"]),
            ("first=1&first=1", &["/first"]),
            ("first=+1&second=x", &["/first", "/second"]),
            ("first=1&second=18446744073709551616", &["/second"]),
            ("first=1&third=1", &["/"]),
            ("first", &["/first"]),
        ] {
            let errors = sizes(query, 5).unwrap_err();
            let found: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{query}");
        }
    }
}
