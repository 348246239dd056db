use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::context::Context;
use super::openapi::{answer, json_body, operation, problem};
use super::problem::{FieldError, Kind, Problem, Reason};
use super::verification_request::Reader;
use super::{App, body, reply};
use crate::receipt::Invalid;

/// `GET /.well-known/jwks.json`: the keys that check receipts.
pub(super) async fn keys(State(api): App, headers: HeaderMap) -> Response<Body> {
    api.shared.documents.jwks.serve(&headers)
}

/// `POST /v1/receipts/check`: whether a receipt is ours, unaltered and unexpired. Whoever has it may ask.
pub(super) async fn check(State(api): App, context: Context, request: Request<Body>) -> Response<Body> {
    let text = match body::read(&api, request).await {
        Ok((_, value)) => receipt(&value).map_err(Problem::Invalid),
        Err(problem) => Err(problem),
    };
    let body = match text.map(|text| api.shared.checker.check(&text, api.gateway.clock.now())) {
        Ok(Ok(receipt)) => receipt.shown(),
        Ok(Err(why)) => why.shown(&words(why, context.english)),
        Err(problem) => return problem.respond(&context),
    };
    reply(StatusCode::OK, &context, body.to_string())
}

fn receipt(body: &Value) -> Result<String, Vec<FieldError>> {
    let mut reader = Reader::default();
    let text = reader.object("", body).and_then(|body| {
        reader.known("", body, ["receipt"]);
        // Any text may be checked: whatever is no receipt is told so, not refused.
        let reason = match body.get("receipt") {
            Some(Value::String(text)) => return Some(text.clone()),
            Some(_) => Reason::Type(Kind::String),
            None => Reason::Missing,
        };
        reader.wrong("/receipt", reason);
        None
    });
    text.filter(|_| reader.errors.is_empty()).ok_or(reader.errors)
}

fn words(why: Invalid, english: bool) -> String {
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
    let reasons: Vec<&str> = Invalid::ALL.into_iter().map(Invalid::as_str).collect();
    let text = json!({"type": "string"});
    let moment = json!({"type": "string", "format": "date-time"});
    let outcomes = ["confirmed", "refuted", "no_record", "mismatch", "conflict", "pending", "unavailable", "referred"];
    let valid = json!({
        "title": "valid", "type": "object", "additionalProperties": false,
        "required": ["valid", "verification", "issuer", "agency", "purpose", "matter", "claim", "outcome", "as_of",
                     "issued_at", "expires_at", "ledger", "rules"],
        "properties": {
            "valid": {"const": true}, "verification": {"type": "string", "format": "uuid"}, "issuer": text,
            "agency": text, "purpose": text, "matter": text, "claim": text, "outcome": {"enum": outcomes},
            "as_of": moment, "issued_at": moment, "expires_at": moment,
            "ledger": {"type": ["integer", "null"], "minimum": 0, "description": "the number of its entry in the ledger"},
            "rules": text
        }
    });
    let invalid = json!({
        "title": "not valid", "type": "object", "required": ["valid", "reason", "detail"], "additionalProperties": false,
        "properties": {"valid": {"const": false}, "reason": {"enum": reasons}, "detail": text}
    });
    let answers = [
        answer(200, "Whether the receipt is ours, unaltered and unexpired", &json!({"oneOf": [valid, invalid]})),
        problem(400, "The body is not acceptable JSON"),
        problem(408, "The body did not arrive in time"),
        problem(413, "The body is too large"),
        problem(415, "The body is not declared as JSON"),
        problem(422, "The body holds no text to check"),
    ];
    let mut check = operation("checkReceipt", "Whether a receipt is ours, unaltered and unexpired", answers);
    let described = json!({"type": "string", "description": "a receipt: a JWS in compact serialization (RFC 7515)"});
    check["requestBody"] = json_body(&json!({
        "type": "object", "required": ["receipt"], "additionalProperties": false, "properties": {"receipt": described}
    }));
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
