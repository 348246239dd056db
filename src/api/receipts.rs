use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::context::Context;
use super::openapi::{answer, json_body, operation, problem};
use super::problem::{FieldError, Kind, Problem, Reason};
use super::receipt_code::NotRead;
use super::verification_request::Reader;
use super::{App, body, receipt_code, reply};
use crate::receipt::Invalid;
use crate::telemetry::metrics::Checked;

/// `GET /.well-known/jwks.json`: the keys that check receipts.
pub(super) async fn keys(State(api): App, headers: HeaderMap) -> Response<Body> {
    api.shared.documents.jwks.serve(&headers)
}

/// `POST /v1/receipts/check`: whether a receipt is ours, unaltered and unexpired, itself or by its short code. Whoever has it may
/// ask.
pub(super) async fn check(State(api): App, context: Context, request: Request<Body>) -> Response<Body> {
    let asked = match body::read(&api, request).await {
        Ok((_, value)) => asked(&value).map_err(Problem::Invalid),
        Err(problem) => Err(problem),
    };
    let body = match asked {
        Ok(Asked::Receipt(text)) => match api.shared.checker.check(&text, api.gateway.clock.now()) {
            Ok(receipt) => receipt.shown(),
            Err(why) => why.shown(&words(why, context.english)),
        },
        Ok(Asked::Code(text)) => match receipt_code::check(&api, &text, context.english).await {
            Ok(told) => told,
            Err(NotRead) => return Problem::LedgerUnreadable(1).respond(&context),
        },
        Err(problem) => return problem.respond(&context),
    };
    let came_to = if body["valid"] == true { Checked::Valid } else { Checked::Invalid };
    api.shared.telemetry.metrics().checked(came_to);
    reply(StatusCode::OK, &context, body.to_string())
}

/// What is to be checked.
enum Asked {
    Receipt(String),
    Code(String),
}

/// One of both. Any text may be checked: whatever is none is told so, not refused.
fn asked(body: &Value) -> Result<Asked, Vec<FieldError>> {
    let mut reader = Reader::default();
    let asked = reader.object("", body).and_then(|body| {
        let has_code = body.contains_key("code") && !body.contains_key("receipt");
        // Beside a receipt, a code is one thing too many.
        let name = if has_code { "code" } else { "receipt" };
        let has_both = body.contains_key("code") && body.contains_key("receipt");
        let known = if has_both { std::slice::from_ref(&name) } else { &["receipt", "code"][..] };
        reader.known("", body, known.iter().copied());
        let reason = match body.get(name) {
            Some(Value::String(text)) if has_code => return Some(Asked::Code(text.clone())),
            Some(Value::String(text)) => return Some(Asked::Receipt(text.clone())),
            Some(_) => Reason::Type(Kind::String),
            None => Reason::Missing,
        };
        reader.wrong(format!("/{name}"), reason);
        None
    });
    asked.filter(|_| reader.errors.is_empty()).ok_or(reader.errors)
}

pub(super) fn words(why: Invalid, english: bool) -> String {
    let chinese = match why {
        Invalid::Malformed => "这不是核验回执",
        Invalid::TooLong => "内容过长，不是核验回执",
        Invalid::OtherType => "这是经过签名的其他内容，不是核验回执",
        Invalid::Critical => "回执要求本系统不认识的扩展",
        Invalid::Algorithm => "回执的签名算法与其密钥不符",
        Invalid::UnknownKey => "回执不是用本系统的密钥签发的",
        Invalid::Altered => "回执已被改动",
        Invalid::Expired => "回执已过有效期",
        Invalid::NotYetValid => "回执尚未生效，可能有一方的时钟不准",
    };
    if english { why.to_string() } else { chinese.to_owned() }
}

pub(super) fn documentation() -> [(&'static str, Value); 2] {
    let reasons = Invalid::ALL.into_iter().map(Invalid::as_str);
    let reasons: Vec<&str> = reasons.chain(receipt_code::REASONS).collect();
    let text = json!({"type": "string"});
    let moment = json!({"type": "string", "format": "date-time"});
    let parameters = json!({
        "type": "object", "description": "the particulars of what was asked, such as a status and a day; no free text"
    });
    let outcomes = ["confirmed", "refuted", "no_record", "mismatch", "conflict", "pending", "unavailable", "referred"];
    let valid = json!({
        "title": "valid", "type": "object", "additionalProperties": false,
        "required": ["valid", "verification", "issuer", "agency", "purpose", "matter", "claim", "parameters", "outcome",
                     "as_of", "issued_at", "expires_at", "ledger", "rules"],
        "properties": {
            "valid": {"const": true}, "verification": {"type": "string", "format": "uuid"}, "issuer": text,
            "agency": text, "purpose": text, "matter": text, "claim": text, "parameters": parameters, "outcome": {"enum": outcomes},
            "as_of": moment, "issued_at": moment, "expires_at": moment,
            "ledger": {"type": ["integer", "null"], "minimum": 0, "description": "the number of its entry in the ledger"},
            "rules": text
        }
    });
    let invalid = json!({
        "title": "not valid", "type": "object", "required": ["valid", "reason", "detail"], "additionalProperties": false,
        "properties": {"valid": {"const": false}, "reason": {"enum": reasons}, "detail": text}
    });
    let by_code = json!({
        "title": "valid, by its code", "type": "object", "additionalProperties": false,
        "required": ["valid", "issuer", "matter", "claim", "parameters", "outcome", "as_of", "issued_at", "expires_at"],
        "properties": {
            "valid": {"const": true}, "issuer": text, "matter": text, "claim": text, "parameters": parameters,
            "outcome": {"enum": outcomes}, "as_of": moment, "issued_at": moment, "expires_at": moment
        }
    });
    let answers = [
        answer(
            200,
            "Whether the receipt is ours, unaltered and unexpired",
            &json!({"oneOf": [valid, by_code, invalid]}),
        ),
        problem(400, "The body is not acceptable JSON"),
        problem(408, "The body did not arrive in time"),
        problem(413, "The body is too large"),
        problem(415, "The body is not declared as JSON"),
        problem(422, "The body holds no text to check, or two"),
        problem(503, "The ledger cannot be read now"),
    ];
    let mut check = operation("checkReceipt", "Whether a receipt is ours, unaltered and unexpired", answers);
    let described = json!({"type": "string", "description": "a receipt: a JWS in compact serialization (RFC 7515)"});
    let short = json!({"type": "string", "description": "the short code of a receipt: 32 letters and digits, with hyphens or without"});
    let one = |name: &str, described: &Value| json!({"type": "object", "required": [name], "additionalProperties": false, "properties": {name: described}});
    check["requestBody"] = json_body(&json!({"oneOf": [one("receipt", &described), one("code", &short)]}));
    let set = json!({
        "type": "object", "required": ["keys"],
        "properties": {"keys": {"type": "array", "items": {"type": "object", "required": ["kty", "kid"]}}}
    });
    let kind = "application/jwk-set+json";
    let set = json!({"description": "A JWK Set (RFC 7517)", "content": {kind: {"schema": set}}});
    let mut keys =
        operation("keys", "The keys that check receipts, those of earlier times too", [("200".to_owned(), set)]);
    keys["responses"]["304"] = json!({"description": "It has not changed since the entity tag of If-None-Match"});
    [("/v1/receipts/check", json!({"post": check})), ("/.well-known/jwks.json", json!({"get": keys}))]
}
