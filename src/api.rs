//! Layer 4: the REST contract (v1), one file an endpoint group. Each file holds its handler and its part of the `OpenAPI`
//! document.

mod admission;
mod body;
mod bounds;
mod context;
mod events;
mod guidance;
mod health;
mod idempotency;
mod json;
mod ledger;
mod matters;
mod max_age;
mod me;
mod metrics;
mod openapi;
mod problem;
mod problems;
mod question;
mod receipt_code;
mod receipts;
mod sources;
mod triage;
mod turned_away;
mod unread;
mod verification_request;
mod verifications;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use axum::middleware::Next;
use axum::routing::{MethodRouter, get, post};

use crate::access::{Access, Peer, TokenRefusal, Unauthenticated};
use crate::cache::Facts;
use crate::callers::Caller;
use crate::config::AgencyLimits;
use crate::domain::{AgencyId, Slug, TokenHash};
use crate::gateway::Gateway;
use crate::keys::Keys;
use crate::matters::triage::Triage;
use crate::receipt::{Checker, Issuer, jwks};
use crate::signing::PublicKey;
use crate::sources::{Description, States};
use crate::telemetry::{self, Telemetry};
use crate::watch::Policy;

pub use admission::Allowances;
pub use bounds::Bounds;
use bounds::Counted;
pub(crate) use context::Context;
pub use idempotency::Replies;
pub use openapi::document as openapi_document;
pub(crate) use problem::Problem;
pub(crate) use question::Question;
pub use receipt_code::{NoCode, NotRead, Opened, open as open_code};
pub use sources::SourceSummary;
pub use triage::answer as triage_answer;
pub use turned_away::TurnedAway;
pub(crate) use verification_request::{Contract, VerificationRequest};

/// What the endpoints work with. Everything but the gateway is shared by all threads.
#[derive(Clone)]
pub struct Api {
    /// This thread's gateway.
    pub gateway: Arc<Gateway>,
    /// What all threads share.
    pub shared: Arc<Shared>,
}

/// What the endpoints of all threads share.
pub struct Shared {
    /// Who may call, and by what that is known.
    pub access: Access,
    /// How often agencies may ask.
    pub limits: BTreeMap<AgencyId, AgencyLimits>,
    /// How often they have asked.
    pub bounds: Arc<Bounds>,
    /// Who is told of callers whom nobody knows.
    pub turned_away: TurnedAway,
    /// How much of their grants is used.
    pub allowances: Arc<Allowances>,
    /// When guessing is slowed and stopped.
    pub watch: Policy,
    /// By which token each source tells of events.
    pub event_tokens: BTreeMap<Slug, TokenHash>,
    /// What is remembered.
    pub facts: Facts,
    /// What facts may be needed for, each with its name.
    pub purposes: BTreeMap<Slug, String>,
    /// The purposes' ids.
    pub purpose_ids: BTreeSet<Slug>,
    /// The departments' systems, as agencies may know them.
    pub sources: Vec<SourceSummary>,
    /// Those of them that are connected.
    pub descriptions: Arc<[Description]>,
    /// How those are doing.
    pub states: Arc<States>,
    /// Finds the matter behind a demand.
    pub triage: Triage,
    /// Replies to requests with an `Idempotency-Key`.
    pub replies: Arc<Replies>,
    /// Until a request's body must be there.
    pub request_timeout: Duration,
    /// How long a reply waits before it says `pending`.
    pub answer_within: Duration,
    /// Checks receipts.
    pub checker: Checker,
    /// Issues them.
    pub issuer: Arc<Issuer>,
    /// The keys.
    pub keys: Arc<Keys>,
    /// What operators are told.
    pub telemetry: Arc<Telemetry>,
    /// Whether the metrics may be read without a token.
    pub metrics_are_open: bool,
    /// By which tokens they may.
    pub metrics_tokens: Vec<TokenHash>,
    /// Whether requests are to go elsewhere: an operator drains the gateway.
    pub draining: Arc<AtomicBool>,
    /// Public documents that never change while the program runs.
    pub documents: Documents,
}

/// Public documents, each ready to be sent.
pub struct Documents {
    matters: matters::Documents,
    openapi: Document,
    jwks: Document,
}

impl Documents {
    /// Writes them.
    #[must_use]
    pub fn new<'a>(
        catalog: &crate::matters::Catalog,
        purposes: &BTreeMap<Slug, String>,
        keys: impl IntoIterator<Item = &'a PublicKey>,
    ) -> Self {
        let openapi = openapi::document(catalog, purposes);
        let jwks = Document { kind: JWK_SET, ..Document::new(&jwks(keys)) };
        Self { matters: matters::Documents::new(catalog), openapi: Document::new(&openapi), jwks }
    }
}

/// All routes.
pub fn router(api: Api) -> Router {
    public()
        .merge(of_sources())
        .merge(of_agencies(&api))
        .fallback(async |context: Context| Problem::NotFound.respond(&context))
        .layer(axum::middleware::from_fn(unread::settle))
        .with_state(api)
}

/// What anybody may call: this, and nothing else.
fn public() -> Router<Api> {
    Router::new()
        .route("/v1/matters", only("GET, HEAD", get(matters::list)))
        .route("/v1/matters/{id}", only("GET, HEAD", get(matters::one)))
        .route("/v1/triage", only("POST", post(triage::triage)))
        .route("/v1/ledger/checkpoint", only("GET, HEAD", get(ledger::checkpoint)))
        .route("/v1/ledger/proof/{index}", only("GET, HEAD", get(ledger::proof)))
        .route("/v1/ledger/consistency", only("GET, HEAD", get(ledger::consistency)))
        .route("/v1/receipts/check", only("POST", post(receipts::check)))
        .route("/.well-known/jwks.json", only("GET, HEAD", get(receipts::keys)))
        .route("/problems/{code}", only("GET, HEAD", get(problems::describe)))
        .route("/openapi.json", only("GET, HEAD", get(openapi::serve)))
        .route("/livez", only("GET, HEAD", get(health::live)))
        .route("/readyz", only("GET, HEAD", get(health::ready)))
        .route("/metrics", only("GET, HEAD", get(metrics::show)))
}

/// What a source calls, with a token of its own that opens nothing else.
fn of_sources() -> Router<Api> {
    Router::new().route("/v1/sources/{id}/events", only("POST", post(events::create)))
}

/// What agencies call. [`admit`] stands before each of its methods; handlers take the [`Caller`] whom it has found.
fn of_agencies(api: &Api) -> Router<Api> {
    let admit = axum::middleware::from_fn_with_state(api.clone(), admit);
    let only = |allowed, methods: MethodRouter<Api>| only(allowed, methods.route_layer(admit.clone()));
    Router::new()
        .route("/v1/verifications", only("POST", post(verifications::create)))
        .route("/v1/verifications/{id}", only("GET, HEAD", get(verifications::show)))
        .route("/v1/me", only("GET, HEAD", get(me::me)))
        .route("/v1/sources", only("GET, HEAD", get(sources::list)))
}

/// A route that says which methods it takes when it is called with another.
fn only(allowed: &'static str, methods: MethodRouter<Api>) -> MethodRouter<Api> {
    methods.fallback(async move |context: Context| Problem::MethodNotAllowed(allowed).respond(&context))
}

/// Lets agencies through, within how often they may call, and says once who calls. The request is counted until its reply is
/// there.
async fn admit(State(api): App, request: Request<Body>, next: Next) -> Response<Body> {
    let (mut head, body) = request.into_parts();
    match authenticate(&api, &head).await {
        Ok((caller, _counted)) => {
            telemetry::request(|told| told.agency = Some(caller.agency.id.clone()));
            head.extensions.insert(caller);
            next.run(Request::from_parts(head, body)).await
        }
        Err(problem) => problem.respond(&Context::new(&head.headers)),
    }
}

async fn authenticate(api: &Api, head: &Parts) -> Result<(Caller, Counted), Problem> {
    let now = api.gateway.clock.now();
    let fields = head.headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    let peer = head.extensions.get::<Arc<Peer>>();
    let caller = match api.shared.access.authenticate(fields, peer.map(AsRef::as_ref), now).await {
        Ok(caller) => caller,
        Err(why) => {
            api.shared.turned_away.one(why, now);
            return Err(why.into());
        }
    };
    let limits = api.shared.limits.get(&caller.agency.id).copied().unwrap_or_default();
    let counted = api.shared.bounds.enter(&caller.agency.id, limits, now)?;
    Ok((caller, counted))
}

/// Where nobody has been let in, nobody is there.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let missing = || Problem::Unauthorized.respond(&Context::new(&parts.headers));
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

impl From<Unauthenticated> for Problem {
    fn from(why: Unauthenticated) -> Self {
        match why {
            Unauthenticated::Nothing | Unauthenticated::Token(TokenRefusal::NotBearer) => Self::Unauthorized,
            Unauthenticated::Token(_) => Self::InvalidToken,
            Unauthenticated::Certificate(_) => Self::InvalidCertificate,
            Unauthenticated::TwoAgencies => Self::TwoAgencies,
        }
    }
}

/// What becomes of a body that nobody has read, for pages too.
pub(crate) use unread::settle;

/// Whether a path is one of those that programs call: whatever is wrong there, they are told as a problem.
pub(crate) fn is_of_programs(path: &str) -> bool {
    ["/v1/", "/problems/", "/.well-known/", "/openapi.json"].iter().any(|place| path.starts_with(place))
        || is_health(path)
}

/// The reply where nothing is.
pub(crate) fn not_found(headers: &HeaderMap) -> Response<Body> {
    Problem::NotFound.respond(&Context::new(headers))
}

/// Whether a path is one that is answered however many requests there are, and of which nobody needs to be told.
pub(crate) fn is_health(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/metrics")
}

/// The reply to a request that is turned away.
pub(crate) fn overloaded(headers: &HeaderMap) -> Response<Body> {
    Problem::Overloaded(1).respond(&Context::new(headers))
}

/// The reply where the program has a mistake.
pub(crate) fn broken(headers: &HeaderMap) -> Response<Body> {
    Problem::InternalError.respond(&Context::new(headers))
}

/// A JSON reply. What agencies are told is for them alone: it is never stored on the way (RFC 9111).
fn reply(status: StatusCode, context: &Context, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(context.language()));
    response
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// RFC 7517 section 8.5.2.
const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");

/// A public document with its entity tag.
struct Document {
    body: bytes::Bytes,
    tag: HeaderValue,
    kind: HeaderValue,
}

impl Document {
    fn new(value: &serde_json::Value) -> Self {
        use std::fmt::Write as _;

        use sha2::Digest as _;

        let body = value.to_string();
        let digest = sha2::Sha256::digest(body.as_bytes());
        let mut tag = digest.iter().take(12).fold("\"".to_owned(), |mut tag, byte| {
            let _ = write!(tag, "{byte:02x}");
            tag
        });
        tag.push('"');
        let tag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
        Self { body: body.into(), tag, kind: JSON }
    }

    /// The document, or that it has not changed (RFC 9110 section 13.1.2).
    fn serve(&self, request: &HeaderMap) -> Response<Body> {
        let is_known = |tag: &str| matches!(tag.trim(), "*") || tag.trim().trim_start_matches("W/") == self.tag;
        let known = request.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
        let unchanged = known.is_some_and(|tags| tags.split(',').any(is_known));
        let body = if unchanged { Body::empty() } else { Body::from(self.body.clone()) };
        let mut response = Response::new(body);
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.kind.clone());
        headers.insert(header::ETAG, self.tag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        response
    }
}

/// The state that handlers take.
type App = State<Api>;
