use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::context::{Context, Segment};
use super::idempotency::{self, StoredReply};
use super::openapi::{answer, operation, parameter, problem, secured};
use super::problem::Problem;
use super::verification_request::{Contract, VerificationRequest};
use super::{Api, App, authenticate, body, guidance, reply};
use crate::claims::WitnessReport;
use crate::domain::{Answer, Cause, Outcome, Slug};
use crate::gateway::{self, Verification};
use crate::rights::{Agency, Refusal};

/// `POST /v1/verifications`: one verification.
pub(super) async fn create(State(api): App, context: Context, request: Request<Body>) -> Response<Body> {
    match verify(&api, &context, request).await {
        Ok(stored) => send(stored, &context),
        Err(problem) => problem.respond(&context),
    }
}

/// `GET /v1/verifications/{id}`: its present state, for the agency that asked.
pub(super) async fn show(
    State(api): App,
    Segment(id): Segment,
    headers: HeaderMap,
    context: Context,
) -> Response<Body> {
    let agency = match authenticate(&api, &headers) {
        Ok(agency) => agency,
        Err(problem) => return problem.respond(&context),
    };
    let found = match id.parse::<Uuid>() {
        Ok(id) => api.gateway.verifications.find(id, &agency.id).await,
        Err(_) => None,
    };
    match found {
        Some(verification) => send(present(&api, &verification, &context), &context),
        None => Problem::NotFound.respond(&context),
    }
}

async fn verify(api: &Api, context: &Context, request: Request<Body>) -> Result<StoredReply, Problem> {
    let headers = request.headers();
    let agency = authenticate(api, headers)?;
    let key = idempotency::key(headers)?;
    let wait = preferred_wait(headers).unwrap_or(api.shared.answer_within);
    let (bytes, value) = body::read(api, request).await?;
    let today = api.gateway.clock.today();
    let contract = Contract { catalog: &api.gateway.catalog, purposes: &api.shared.purpose_ids, today };
    let question = contract.read(&value).map_err(Problem::Invalid)?;
    api.gateway.authorise(agency, question.claim.reference(), &question.purpose).map_err(refused)?;
    let work = async {
        let verification = api.gateway.verify(agency, gateway_request(question, agency, context), wait).await;
        Ok(present(api, &*verification.map_err(refused)?, context))
    };
    api.shared.replies.once(&agency.id, key, &bytes, work).await
}

fn gateway_request(question: VerificationRequest, agency: &Agency, context: &Context) -> gateway::Request {
    gateway::Request {
        claim: question.claim,
        people: question.people,
        parameters: question.parameters,
        purpose: question.purpose,
        // Departments want somebody to answer for the question; where nobody is named, the agency does.
        officer: question.officer.unwrap_or_else(|| agency.id.to_string()),
        case: question.case,
        max_age: question.max_age,
        request_id: context.request_id.clone(),
        traceparent: Some(context.traceparent.clone()),
    }
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Claim => Problem::ClaimNotGranted,
        Refusal::Purpose => Problem::PurposeNotGranted,
    }
}

/// How long the caller wants to wait (RFC 7240): `respond-async`, or `wait=` seconds, a minute at most.
fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    preferences.flat_map(|value| value.split([',', ';'])).find_map(|preference| {
        match preference.trim().split_once('=') {
            None if preference.trim().eq_ignore_ascii_case("respond-async") => Some(Duration::ZERO),
            Some((name, seconds)) if name.trim().eq_ignore_ascii_case("wait") => {
                let seconds = seconds.trim().trim_matches('"').parse::<u64>().ok()?;
                Some(Duration::from_secs(seconds.min(60)))
            }
            _ => None,
        }
    })
}

/// The reply as it goes onto the wire: written straight to bytes, because every answer goes this way.
#[derive(Serialize)]
struct Reply<'a> {
    id: Uuid,
    matter: &'a str,
    claim: &'a str,
    outcome: Outcome,
    certificate_required: bool,
    as_of: Timestamp,
    witnesses: Vec<Witness<'a>>,
    degraded: Vec<&'a str>,
    guidance: Value,
    rules: &'a str,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct Witness<'a> {
    source: &'a str,
    answer: Answer,
    as_of: Option<Timestamp>,
    cached: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
}

impl<'a> From<&'a WitnessReport> for Witness<'a> {
    fn from(report: &'a WitnessReport) -> Self {
        let WitnessReport { source, answer, cause, as_of, cached } = report;
        Self { source: source.as_str(), answer: *answer, as_of: *as_of, cached: *cached, cause: *cause }
    }
}

fn present(api: &Api, verification: &Verification, context: &Context) -> StoredReply {
    let catalog = &api.gateway.catalog;
    let reply = Reply {
        id: verification.id,
        matter: verification.claim.matter.as_str(),
        claim: verification.claim.claim.as_str(),
        outcome: verification.outcome,
        certificate_required: false,
        as_of: verification.as_of,
        witnesses: verification.witnesses.iter().map(Witness::from).collect(),
        degraded: verification.degraded.iter().map(Slug::as_str).collect(),
        guidance: guidance::after(
            verification.outcome,
            catalog.matter(verification.claim.matter.as_str()),
            &catalog.policy().transition,
            context.english,
        ),
        rules: catalog.digest(),
        trace_id: &context.trace_id,
    };
    let pending = verification.outcome == Outcome::Pending;
    StoredReply {
        status: if pending { StatusCode::ACCEPTED } else { StatusCode::OK },
        location: pending.then(|| format!("/v1/verifications/{}", verification.id)),
        // A structure without maps of unknown keys can always be written.
        body: serde_json::to_vec(&reply).unwrap_or_default().into(),
    }
}

fn send(stored: StoredReply, context: &Context) -> Response<Body> {
    let mut response = reply(stored.status, context, stored.body);
    if let Some(location) = stored.location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        response.headers_mut().insert(header::LOCATION, location);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

pub(super) fn documentation(request: &Value) -> [(&'static str, Value); 2] {
    let verification = json!({"$ref": "#/components/schemas/Verification"});
    let mut create = operation(
        "verify",
        "One verification",
        [
            answer(200, "The outcome", &verification),
            pending(&verification),
            problem(400, "The body is not acceptable JSON"),
            problem(401, "No valid credential"),
            problem(403, "No grant covers the claim for this purpose"),
            problem(408, "The body did not arrive in time"),
            problem(409, "The Idempotency-Key came before with another body"),
            problem(413, "The body is too large"),
            problem(415, "The body is not declared as JSON"),
            problem(422, "The body is not a question"),
        ],
    );
    create["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": request}}});
    let key = json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"});
    create["parameters"] = json!([
        parameter(
            "header",
            "Idempotency-Key",
            false,
            &key,
            "The same key with the same body brings the stored reply for 24 hours"
        ),
        parameter(
            "header",
            "Prefer",
            false,
            &json!({"type": "string"}),
            "respond-async, or wait= and seconds (RFC 7240)"
        ),
        parameter("header", "traceparent", false, &json!({"type": "string"}), "The caller's trace (W3C Trace Context)"),
    ]);
    let mut show = operation(
        "showVerification",
        "The present state of a verification, for the agency that asked",
        [
            answer(200, "The outcome", &verification),
            pending(&verification),
            problem(401, "No valid credential"),
            problem(404, "There is none, or another agency's, or it is too long ago"),
        ],
    );
    show["parameters"] = json!([parameter("path", "id", true, &json!({"type": "string"}), "The verification's id")]);
    [("/v1/verifications", json!({"post": secured(create)})), ("/v1/verifications/{id}", json!({"get": secured(show)}))]
}

fn pending(verification: &Value) -> (String, Value) {
    let (status, mut pending) = answer(202, "A department needs time, or the caller does not wait", verification);
    pending["headers"] = json!({
        "Location": {"schema": {"type": "string"}, "description": "where to ask for the outcome"},
        "Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}
    });
    (status, pending)
}

/// The schema of a verification's reply.
pub(super) fn schema() -> Value {
    let witness = json!({
        "type": "object", "required": ["source", "answer", "as_of", "cached"], "additionalProperties": false,
        "properties": {
            "source": {"type": "string"},
            "answer": {"enum": ["confirms", "refutes", "no-record", "mismatch", "unavailable", "pending"]},
            "as_of": {"type": ["string", "null"], "format": "date-time"},
            "cached": {"type": "boolean"},
            "cause": {"type": "string", "description": "why it is unavailable"}
        }
    });
    json!({
        "type": "object",
        "required": [
            "id", "matter", "claim", "outcome", "certificate_required", "as_of", "witnesses", "degraded", "guidance",
            "rules", "trace_id"
        ],
        "additionalProperties": false,
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "matter": {"type": "string"},
            "claim": {"type": "string"},
            "outcome": {
                "enum": ["confirmed", "refuted", "no_record", "mismatch", "conflict", "pending", "unavailable", "referred"]
            },
            "certificate_required": {"const": false, "description": "nobody is ever sent for a certificate"},
            "as_of": {"type": "string", "format": "date-time"},
            "witnesses": {"type": "array", "items": witness},
            "degraded": {"type": "array", "items": {"type": "string"}},
            "guidance": guidance::schema(),
            "rules": {"type": "string", "description": "digest of the rules that decided"},
            "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"}
        }
    })
}
