//! Layer 1: what the use case needs of the departments' systems, whoever provides it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::{AgencyId, Cause, Person, Slug};

/// An operation (接口) by its full name, `source.operation`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationRef {
    /// The source (数据源).
    pub source: Slug,
    /// The operation of that source.
    pub operation: Slug,
}

impl fmt::Display for OperationRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.source, self.operation)
    }
}

/// What an operation promises: claims are checked against it when they are loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationPromise {
    /// The operation.
    pub operation: OperationRef,
    /// The fact that it answers with: the name of a schema in `schemas/facts/`.
    pub fact: Slug,
    /// The claim's parameters that its request uses, by their names; equal questions are equal in these too.
    pub parameters: Vec<String>,
    /// Whether its request holds the subject's name beside the ID number, or the reply is held against the name, so that an
    /// answer may depend on it.
    pub uses_name: bool,
}

/// On whose behalf, and what for, a department is asked. It travels with the question and is never part of the answer.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// The agency that asks.
    pub agency: AgencyId,
    /// The officer's name or number at that agency.
    pub officer: String,
    /// What the fact is needed for (办事事项).
    pub purpose: Slug,
    /// The agency's own case number.
    pub case: Option<String>,
    /// The legal basis of the demand, as the agency names it.
    pub legal_basis: Option<String>,
    /// Identifies the request in both sides' logs.
    pub request_id: String,
    /// The caller's trace context (W3C Trace Context), handed on.
    pub traceparent: Option<String>,
    /// What goes with it, never looked into.
    pub tracestate: Option<String>,
}

/// One question to one department, about one person.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked.
    pub operation: OperationRef,
    /// Whom it is about.
    pub about: Person,
    /// The claim's parameters, as the request gave them.
    pub parameters: Arc<Map<String, Value>>,
    /// On whose behalf.
    pub occasion: Arc<Occasion>,
    /// A fact that was got before this moment will not do.
    pub not_before: Option<Timestamp>,
    /// How long the answer may take.
    pub within: Duration,
}

/// What a department answered.
#[derive(Clone, PartialEq)]
pub struct Fact {
    /// The fact in its canonical shape (`schemas/facts/`); `None`: the department has no such record of this person.
    pub record: Option<Value>,
    /// When the department was asked.
    pub as_of: Timestamp,
    /// Whether it serves past its lifetime, because the department cannot be asked and its file allows that.
    pub stale: bool,
}

impl fmt::Debug for Fact {
    /// A fact is personal: only whether there is one is shown.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = if self.record.is_some() { "found" } else { "no record" };
        formatter
            .debug_struct("Fact")
            .field("record", &content)
            .field("as_of", &self.as_of)
            .field("stale", &self.stale)
            .finish()
    }
}

/// Why there is no answer. It holds nothing that a department sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", cause.as_str())]
pub struct Failure {
    /// Why.
    pub cause: Cause,
    /// When it may be worth asking again, where that is known.
    pub until: Option<Timestamp>,
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self { cause, until: None }
    }
}

/// An answer on its way.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Arc<Fact>, Failure>> + Send + 'a>>;

/// The departments that are connected.
pub trait Departments: Send + Sync {
    /// The answer, where it is known without asking anybody.
    fn known(&self, question: &Question) -> Option<Arc<Fact>> {
        let _ = question;
        None
    }

    /// Asks one question. An answer is `Ok` only if the department gave it, about this very person, in the shape that was
    /// agreed; everything else is a [`Failure`]. An operation that takes time (apply, then fetch) is one long answer.
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a>;

    /// The question as it is applied with, if its department takes applications and answers later. One that was answered is
    /// ended by whoever asked, once nothing is lost with it.
    fn application(&self, question: &Question) -> Option<Question> {
        let _ = question;
        None
    }
}
