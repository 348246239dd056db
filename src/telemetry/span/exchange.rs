use std::sync::Arc;

use super::Method;
use crate::domain::{Cause, Slug};

/// Where a department is, as the configuration has it.
#[derive(Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its host.
    pub host: Box<str>,
    /// Its port.
    pub port: u16,
    /// Whether it is asked by TLS.
    pub is_tls: bool,
}

/// One HTTP exchange with a department.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The source.
    pub source: Slug,
    /// The operation.
    pub operation: Slug,
    /// Where that is.
    pub peer: Arc<Peer>,
    /// By which method it is asked.
    pub method: Method,
    /// What for.
    pub step: Step,
    /// Which try it is, from 1 on.
    pub attempt: u32,
    /// Whether it is a second one beside a slow one.
    pub is_hedge: bool,
    /// The status of the reply, where there is one.
    pub status: Option<u16>,
    /// The version of HTTP that the reply speaks.
    pub version: Option<&'static str>,
    /// How it ended.
    pub end: ExchangeEnd,
}

/// Steps on the way to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A question that is answered at once.
    Query,
    /// An application.
    Apply,
    /// Asking for the answer to one.
    Fetch,
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExchangeEnd {
    /// The department did its work, also if it needs more time.
    Answered,
    /// It failed.
    Failed(Cause),
    /// Another one was faster, or nobody waited any more.
    Abandoned,
}

impl ExchangeEnd {
    /// Why it failed.
    #[must_use]
    pub fn cause(self) -> Option<Cause> {
        match self {
            Self::Failed(cause) => Some(cause),
            Self::Answered | Self::Abandoned => None,
        }
    }

    /// Its name in metrics and attributes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed(cause) => cause.as_str(),
            Self::Abandoned => "abandoned",
        }
    }
}

impl Step {
    /// Its name in metrics and attributes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Apply => "apply",
            Self::Fetch => "fetch",
        }
    }
}
