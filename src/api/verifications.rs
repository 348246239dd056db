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
use super::problem::{Problem, Reason};
use super::question::{self, Question};
use super::verification_request::Contract;
use super::{Api, App, body, guidance, reply};
use crate::callers::{Caller, Officer};
use crate::claims::WitnessReport;
use crate::domain::{Answer, Cause, Outcome, Slug};
use crate::durable::NotSaved;
use crate::gateway::Verification;
use crate::receipt::Code;

/// `POST /v1/verifications`: one verification.
pub(super) async fn create(
    State(api): App,
    caller: Caller,
    context: Context,
    request: Request<Body>,
) -> Response<Body> {
    match verify(&api, &caller, &context, request).await {
        Ok(stored) => send(stored, &context),
        Err(problem @ (Problem::Invalid(_) | Problem::IdempotencyConflict)) => {
            question::refuse(&api, &caller.agency, &context, problem).await.respond(&context)
        }
        Err(problem) => problem.respond(&context),
    }
}

/// `GET /v1/verifications/{id}`: its present state, for the agency that asked.
pub(super) async fn show(State(api): App, Segment(id): Segment, caller: Caller, context: Context) -> Response<Body> {
    let found = match id.parse::<Uuid>() {
        Ok(id) => api.gateway.find(id, &caller.agency.id).await,
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some(verification)) => send(present(&api, &verification, &context), &context),
        Ok(None) => Problem::NotFound.respond(&context),
        Err(NotSaved) => Problem::Overloaded(5).respond(&context),
    }
}

async fn verify(api: &Api, caller: &Caller, context: &Context, request: Request<Body>) -> Result<StoredReply, Problem> {
    let headers = request.headers();
    let agency = &caller.agency;
    let key = idempotency::key(headers)?;
    let preference = Preference::of(headers);
    let wait = preference.wait.unwrap_or(api.shared.answer_within);
    let (bytes, value) = body::read(api, request).await?;
    let today = api.gateway.clock.today();
    let contract = Contract { catalog: &api.gateway.catalog, purposes: &api.shared.purpose_ids, today };
    let mut asked = contract.read(&value).map_err(Problem::Invalid)?;
    asked.officer = officer(asked.officer, caller)?;
    let question = Question::granted(api, agency, asked, context, preference.asynchronous).await?;
    let work = async { Ok(present(api, &*question.verify(wait).await?, context)) };
    api.shared.replies.once(&agency.id, key, &bytes, api.gateway.clock.now(), work).await
}

/// On whose behalf it is asked. Whom the access token names, nobody can replace.
fn officer(named: Option<String>, caller: &Caller) -> Result<Option<String>, Problem> {
    match (named, caller.officer.as_ref().map(Officer::reveal)) {
        (named, None) => Ok(named),
        (Some(named), Some(shown)) if named != shown => Err(Problem::field("/officer", Reason::OfficerOfToken)),
        (_, Some(shown)) => Ok(Some(shown.to_owned())),
    }
}

/// What the caller prefers (RFC 7240).
#[derive(Default)]
struct Preference {
    /// `wait=` seconds, a minute at most; with `respond-async`: not at all.
    wait: Option<Duration>,
    /// `respond-async`: the question may be kept, and asked later.
    asynchronous: bool,
}

impl Preference {
    fn of(headers: &HeaderMap) -> Self {
        let mut preference = Self::default();
        let fields = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        for item in fields.flat_map(|value| value.split([',', ';'])) {
            match item.trim().split_once('=') {
                None if item.trim().eq_ignore_ascii_case("respond-async") => preference.asynchronous = true,
                Some((name, seconds)) if name.trim().eq_ignore_ascii_case("wait") && preference.wait.is_none() => {
                    let seconds = seconds.trim().trim_matches('"').parse::<u64>().ok();
                    preference.wait = seconds.map(|seconds| Duration::from_secs(seconds.min(60)));
                }
                _ => {}
            }
        }
        if preference.asynchronous && preference.wait.is_none() {
            preference.wait = Some(Duration::ZERO);
        }
        preference
    }
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
    receipt: Option<&'a str>,
    /// What stands on paper in the receipt's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt_code: Option<Code>,
    /// When a department is asked again that cannot be asked now.
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<Timestamp>,
    trace_id: &'a str,
}

#[derive(Serialize)]
struct Witness<'a> {
    source: &'a str,
    answer: Answer,
    as_of: Option<Timestamp>,
    cached: bool,
    #[serde(skip_serializing_if = "is_not")]
    stale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
}

impl<'a> From<&'a WitnessReport> for Witness<'a> {
    fn from(report: &'a WitnessReport) -> Self {
        let WitnessReport { source, answer, cause, as_of, cached, stale } = report;
        let source = source.as_str();
        Self { source, answer: *answer, as_of: *as_of, cached: *cached, stale: *stale, cause: *cause }
    }
}

/// What is only said where it is so.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_not(said: &bool) -> bool {
    !said
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
        rules: &verification.rules,
        receipt: verification.receipt.as_deref(),
        receipt_code: verification.receipt_code,
        again: verification.again,
        trace_id: &context.trace_id,
    };
    let pending = verification.outcome == Outcome::Pending;
    let wait = verification.again.map_or(1, |again| again.duration_since(api.gateway.clock.now()).as_secs().max(1));
    StoredReply {
        status: if pending { StatusCode::ACCEPTED } else { StatusCode::OK },
        later: pending.then(|| (format!("/v1/verifications/{}", verification.id), wait)),
        // A structure without maps of unknown keys can always be written.
        body: serde_json::to_vec(&reply).unwrap_or_default().into(),
    }
}

fn send(stored: StoredReply, context: &Context) -> Response<Body> {
    let mut response = reply(stored.status, context, stored.body);
    if let Some((location, wait)) = stored.later
        && let Ok(location) = HeaderValue::from_str(&location)
    {
        response.headers_mut().insert(header::LOCATION, location);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
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
            problem(403, "No grant covers the claim for this purpose today, or it demands more"),
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
            problem(429, "More than the agency may ask, or questions that look like guessing"),
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

fn causes() -> Vec<&'static str> {
    Cause::ALL.iter().map(|cause| cause.as_str()).collect()
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
            "stale": {"const": true, "description": "it is past its lifetime, and serves because the source cannot be asked"},
            "cause": {"enum": causes(), "description": "why it is unavailable"}
        }
    });
    json!({
        "type": "object",
        "required": [
            "id", "matter", "claim", "outcome", "certificate_required", "as_of", "witnesses", "degraded", "guidance",
            "rules", "receipt", "trace_id"
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
            "receipt": {"type": ["string", "null"], "description": "signed proof of the outcome (JWS); null while it is pending"},
            "receipt_code": {"type": "string", "description": "the receipt's short code, for paper: whoever has it can check the outcome while the receipt is valid"},
            "again": {"type": "string", "format": "date-time", "description": "when a department is asked again that cannot be asked now"},
            "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"}
        }
    })
}
