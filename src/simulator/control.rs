//! The endpoint over which tests drive the departments. It is never on a department's address.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use hyper::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::calls;
use super::desk::Shared;
use super::events::{self, Event};
use super::faults::Setting;
use super::wire::{Answering, Body, Reply, Request, pieces, respond};
use super::world::PersonId;

/// The control endpoint.
#[derive(Debug)]
pub(super) struct Control(pub(super) Arc<Shared>);

impl Answering for Control {
    fn refuses_connections(&self) -> bool {
        false
    }

    async fn answer(&self, request: Request) -> Option<Response<Body>> {
        let reply = match (&request.method, request.path.as_str()) {
            (&Method::GET, "/control/population") => return Some(self.population()),
            (&Method::POST, "/control/events") => self.happen(&request).await,
            (&Method::PUT, "/control/faults") => self.set_fault(&request),
            (&Method::GET, "/control/faults") => Reply::json(&self.0.faults.list()),
            (&Method::DELETE, "/control/faults") => {
                self.0.faults.clear();
                Reply::new(StatusCode::NO_CONTENT, "application/json", Bytes::new())
            }
            (&Method::GET, "/control/calls") => Reply::json(&self.0.calls.report()),
            (_, path) if PATHS.contains(&path) => {
                refusal(StatusCode::METHOD_NOT_ALLOWED, "this address does not take that method")
            }
            _ => refusal(StatusCode::NOT_FOUND, "there is no such address on the control endpoint"),
        };
        Some(reply.into_response())
    }
}

impl Control {
    /// The truth, a block of lines at a time, so that a million lines never stand in memory at once.
    fn population(&self) -> Response<Body> {
        let shared = Arc::clone(&self.0);
        let stream = futures_util::stream::unfold(0, move |start: usize| {
            let block = block(&shared, start);
            async move { (!block.is_empty()).then(|| (Ok(Bytes::from(block)), start + BLOCK)) }
        });
        respond(StatusCode::OK, "application/x-ndjson", None, pieces(stream))
    }

    fn set_fault(&self, request: &Request) -> Reply {
        let setting: Setting = match serde_json::from_slice(&request.body) {
            Ok(setting) => setting,
            Err(error) => return refusal(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
        };
        match self.0.faults.set(setting) {
            Ok(()) => Reply::json(&self.0.faults.list()),
            Err(reason) => refusal(StatusCode::UNPROCESSABLE_ENTITY, &reason),
        }
    }

    async fn happen(&self, request: &Request) -> Reply {
        let event: Event = match serde_json::from_slice(&request.body) {
            Ok(event) => event,
            Err(error) => return refusal(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
        };
        let happened = {
            let mut world = self.0.world.write().unwrap_or_else(PoisonError::into_inner);
            events::happen(&mut world, &event).map(|people| {
                let subjects: Vec<String> = people.iter().map(|id| world.id_number(*id)).collect();
                (people.into_iter().map(|id| world.truth(id)).collect::<Vec<_>>(), subjects)
            })
        };
        let (lines, subjects) = match happened {
            Ok(happened) => happened,
            Err(reason) => return refusal(StatusCode::UNPROCESSABLE_ENTITY, &reason),
        };
        let mut reply = json!({ "event": event, "persons": lines });
        if event.notify
            && let Some(reply) = reply.as_object_mut()
        {
            reply.insert("notified".to_owned(), Value::Object(self.notify(&event, &subjects).await));
        }
        Reply::json(&reply)
    }

    /// Each department that knows of the event tells the gateway.
    async fn notify(&self, event: &Event, subjects: &[String]) -> Map<String, Value> {
        let mut results = Map::new();
        for source in calls::sources().filter(|source| event.is_known_to(source)) {
            let told = self.0.notices.send(source, event.kind.word(), &event.on, subjects).await;
            let told = told.map_or_else(|error| json!({ "error": error }), |status| json!(status));
            results.insert(source.to_owned(), told);
        }
        results
    }
}

fn block(shared: &Shared, start: usize) -> Vec<u8> {
    let world = shared.world.read().unwrap_or_else(PoisonError::into_inner);
    let mut block = Vec::with_capacity(BLOCK * 500);
    for index in start..world.humans.len().min(start + BLOCK) {
        if serde_json::to_writer(&mut block, &world.truth(PersonId::at(index))).is_ok() {
            block.push(b'\n');
        }
    }
    block
}

fn refusal(status: StatusCode, reason: &str) -> Reply {
    Reply::json(&json!({ "error": reason })).with_status(status)
}

const BLOCK: usize = 256;
const PATHS: [&str; 4] = ["/control/population", "/control/events", "/control/faults", "/control/calls"];
