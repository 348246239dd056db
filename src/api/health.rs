use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};

use super::context::Context;
use super::openapi::{answer, operation};
use super::{App, reply};

/// `GET /livez`: the process runs.
pub(super) async fn live(context: Context) -> Response<Body> {
    reply(StatusCode::OK, &context, json!({"status": "ok"}).to_string())
}

/// `GET /readyz`: requests are to come here; not while the process is stopping, nor while an operator drains it.
pub(super) async fn ready(State(api): App, context: Context) -> Response<Body> {
    if api.gateway.tasks.is_closed() {
        return reply(StatusCode::SERVICE_UNAVAILABLE, &context, json!({"status": "stopping"}).to_string());
    }
    if api.shared.draining.load(Ordering::Relaxed) {
        return reply(StatusCode::SERVICE_UNAVAILABLE, &context, json!({"status": "draining"}).to_string());
    }
    reply(StatusCode::OK, &context, json!({"status": "ok"}).to_string())
}

pub(super) fn documentation() -> [(&'static str, Value); 2] {
    let status = json!({
        "type": "object", "required": ["status"], "additionalProperties": false,
        "properties": {"status": {"enum": ["ok", "stopping", "draining"]}}
    });
    let mut ready = operation("ready", "Whether requests are taken", [answer(200, "They are", &status)]);
    ready["responses"]["503"] = answer(503, "The process is stopping, or an operator drains it", &status).1;
    let mut live = operation("live", "Whether the process runs", [answer(200, "It does", &status)]);
    // It is answered however many requests there are.
    if let Some(responses) = live["responses"].as_object_mut() {
        responses.remove("503");
    }
    [("/livez", json!({"get": live})), ("/readyz", json!({"get": ready}))]
}
