//! Layer 2: departments' systems, each described by a file and asked over HTTP.
//!
//! A question goes down this list, and its answer up: `client`, `call` (with `application`), `stack` (with `state` and `limits`), `request` (with
//! `template`), `authentication`, `decode`, `reply`. `spans` tells operators. `text` is a file as it is written, `load` checks it. `condition` says how
//! the sources are doing, `probe` finds out.

mod application;
mod authentication;
mod call;
mod client;
mod condition;
mod decode;
mod expiry;
mod hand;
mod limits;
mod load;
mod probe;
mod reply;
mod request;
mod spans;
mod stack;
mod state;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jsonschema::Validator;
use reqwest::{Method, Url};
use zeroize::Zeroizing;

use crate::departments::OperationPromise;
use crate::diagnostic::Diagnostic;
use crate::domain::{Slug, TokenHash};
use crate::telemetry::Peer;

pub use authentication::Credential;
pub use client::{ClientError, Sources, install_crypto};
pub use condition::{CircuitStand, Condition, OperationCondition, Room};
pub use load::Surroundings;
pub use probe::{Probed, TlsTrouble, Trouble, probe};
pub use state::States;
pub use usage::{OperationUsage, Usage, Used};

use authentication::Authentication;
use decode::Step;
use limits::Limits;
use reply::{Envelope, Reading};
use request::RequestTemplate;

/// A source as its file describes it, checked.
#[derive(Debug)]
pub struct Description {
    id: Slug,
    /// Where its id is written.
    place: Diagnostic,
    name: String,
    warnings: Vec<Diagnostic>,
    address: Url,
    /// The same, as telemetry has it.
    peer: Arc<Peer>,
    health: Option<Health>,
    proxy: Option<String>,
    ca: Option<Vec<u8>>,
    identity: Option<Zeroizing<Vec<u8>>>,
    authentication: Authentication,
    event_token: Option<TokenHash>,
    limits: Limits,
    planned_outages: Vec<String>,
    operations: BTreeMap<Slug, Operation>,
}

/// How a source is asked whether it is well, without anybody's data.
#[derive(Debug)]
struct Health {
    method: Method,
    address: Url,
    /// What it answers when it is.
    status: u16,
}

/// How long an operation's answers may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Where there was a record.
    pub found: Duration,
    /// Where there was none.
    pub no_record: Duration,
    /// How much longer, while the department cannot be asked.
    pub stale: Duration,
}

/// One thing that can be asked.
#[derive(Debug)]
struct Operation {
    promise: OperationPromise,
    lifetimes: Lifetimes,
    hedge_after: Option<Duration>,
    service: Option<String>,
    exchange: Exchange,
    fetch: Option<Fetch>,
    reading: Reading,
}

/// A request and how its reply is read.
#[derive(Debug)]
struct Exchange {
    request: RequestTemplate,
    steps: Vec<Step>,
    schema: Validator,
    envelope: Envelope,
}

/// How the answer to an application is fetched.
#[derive(Debug)]
struct Fetch {
    exchange: Exchange,
    capture: Vec<(String, String)>,
    /// How long to wait, at first, before asking again.
    every: Duration,
    /// How long the department may take.
    within: Duration,
}

impl Description {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &Slug {
        &self.id
    }

    /// Where its id is written.
    #[must_use]
    pub fn place(&self) -> &Diagnostic {
        &self.place
    }

    /// What its file lets others see without saying that it is meant so.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The department's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hash of the token by which it tells of events, if it does.
    #[must_use]
    pub fn event_token(&self) -> Option<TokenHash> {
        self.event_token
    }

    /// When it is planned to be out of service, in words.
    #[must_use]
    pub fn planned_outages(&self) -> Vec<String> {
        self.planned_outages.clone()
    }

    /// The most times that an exchange is tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.limits.attempts
    }

    /// How long it is left alone before it is probed, when it has failed too often.
    #[must_use]
    pub fn left_alone_for(&self) -> Duration {
        self.limits.breaker.open
    }

    /// What can be asked, and how long the answers may serve.
    pub fn operations(&self) -> impl Iterator<Item = (&OperationPromise, Lifetimes)> {
        self.operations.values().map(|operation| (&operation.promise, operation.lifetimes))
    }
}
