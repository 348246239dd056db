use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use serde_json::{Value, json};

use super::context::Context;
use super::openapi::{operation, problem};
use super::problem::Problem;
use super::{Api, App};
use crate::access;
use crate::telemetry::metrics::{OPEN_METRICS, PROMETHEUS};

/// `GET /metrics`: everything that is counted, for Prometheus. It holds nothing that is anybody's; but it tells how an
/// installation is doing, so where other machines can reach the gateway it takes a token of its own, which opens nothing else.
pub(super) async fn show(State(api): App, context: Context, headers: HeaderMap) -> Response<Body> {
    if let Err(problem) = admit(&api, &headers) {
        return problem.respond(&context);
    }
    let page = api.shared.telemetry.page();
    let (kind, text) = if prefers_open_metrics(&headers) {
        (OPEN_METRICS, page.open_metrics())
    } else {
        (PROMETHEUS, page.prometheus())
    };
    let mut response = Response::new(Body::from(text));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

fn admit(api: &Api, headers: &HeaderMap) -> Result<(), Problem> {
    if api.shared.metrics_are_open {
        return Ok(());
    }
    let fields = headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    let hash = access::token_hash(fields).map_err(Problem::from)?;
    let is_known = api.shared.metrics_tokens.iter().fold(false, |known, token| known | access::is_same(token, &hash));
    if is_known { Ok(()) } else { Err(Problem::InvalidToken) }
}

/// Whether `OpenMetrics` is named (RFC 9110 section 12.5.1) and not refused: whoever names it prefers it.
fn prefers_open_metrics(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    fields.flat_map(|field| field.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/openmetrics-text"));
        let refused = |part: &str| part.strip_prefix("q=").and_then(|weight| weight.parse().ok()) == Some(0.0_f32);
        is_it && !parts.any(refused)
    })
}

pub(super) fn documentation() -> (&'static str, Value) {
    let text = json!({"schema": {"type": "string"}});
    let page = json!({
        "description": "All metrics",
        "content": {PROMETHEUS: text, OPEN_METRICS: text}
    });
    let refused = problem(401, "Other machines can reach the gateway, and this is not a token for its metrics");
    let mut show = operation("metrics", "What is counted, for Prometheus", [("200".to_owned(), page), refused]);
    show["security"] = json!([{}, {"bearer": []}]);
    // It is answered however many requests there are.
    if let Some(responses) = show["responses"].as_object_mut() {
        responses.remove("503");
    }
    ("/metrics", json!({"get": show}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_those_who_name_it() {
        let prefers = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            prefers_open_metrics(&headers)
        };
        assert!(prefers("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"));
        for other in ["*/*", "text/plain", "", "application/openmetrics-text;q=0", "text/html, application/json"] {
            assert!(!prefers(other), "{other}");
        }
        assert!(!prefers_open_metrics(&HeaderMap::new()));
    }
}
