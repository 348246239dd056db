use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};

use super::context::{Context, Segment};
use super::openapi::{answer, operation, parameter, problem};
use super::problem::Problem;
use super::reply;

/// `GET /problems/{code}`: what the `type` of a problem means.
pub(super) async fn describe(Segment(code): Segment, context: Context) -> Response<Body> {
    let Some(problem) = every().into_iter().find(|problem| problem.code() == code) else {
        return Problem::NotFound.respond(&context);
    };
    let [chinese, english] = problem.words();
    let (title, detail) = if context.english { english } else { chinese };
    let body = json!({
        "code": code, "status": problem.status().as_u16(), "title": title, "detail": detail,
        "origin": problem.origin().as_str(), "retryable": problem.is_retryable(),
    });
    reply(StatusCode::OK, &context, body.to_string())
}

/// One of each kind that a code stands for.
pub(super) fn every() -> [Problem; 15] {
    [
        Problem::Malformed(Vec::new()),
        Problem::Unauthorized,
        Problem::ClaimNotGranted,
        Problem::NotFound,
        Problem::MethodNotAllowed(""),
        Problem::PayloadTooLarge,
        Problem::UnsupportedMediaType,
        Problem::RequestTimeout,
        Problem::IdempotencyConflict,
        Problem::Invalid(Vec::new()),
        Problem::RateLimited { limit: 1, seconds: 1 },
        Problem::ProbingSuspected(1),
        Problem::Overloaded(1),
        Problem::InternalError,
        Problem::LedgerUnavailable(1),
    ]
}

pub(super) fn documentation() -> (&'static str, Value) {
    let schema = json!({
        "type": "object", "required": ["code", "status", "title", "detail", "origin", "retryable"], "additionalProperties": false,
        "properties": {
            "code": {"type": "string"}, "status": {"type": "integer"},
            "title": {"type": "string"}, "detail": {"type": "string"},
            "origin": {"enum": ["client", "gateway", "source"]}, "retryable": {"type": "boolean"}
        }
    });
    let answers = [answer(200, "What it means", &schema), problem(404, "There is no such problem")];
    let mut describe = operation("describeProblem", "What the type of a problem means", answers);
    describe["parameters"] = json!([parameter("path", "code", true, &json!({"type": "string"}), "The problem's code")]);
    ("/problems/{code}", json!({"get": describe}))
}
