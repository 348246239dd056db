//! What a trace is made of. Everything in it is of a closed type: an id of the configuration, an enumeration, a number. There
//! is no field that a name, an ID number or any other text of a request or a reply could stand in.

mod exchange;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ids::{SpanId, TraceId};
use crate::domain::{AgencyId, Answer, Cause, ClaimRef, Outcome, Slug};

pub use exchange::{Exchange, ExchangeEnd, Peer, Step};

/// What is known of one trace: the spans that ended together. A question that goes on behind its `pending` reply makes
/// several of them, under the same id.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// When it began; its spans count from then.
    pub started: Timestamp,
    /// Whether it is exported.
    pub is_sampled: bool,
    /// Its spans, in the order in which they ended: what worked for another comes before that.
    pub spans: Vec<Span>,
}

/// Something that took time.
#[derive(Debug, Clone)]
pub struct Span {
    /// Its id.
    pub id: SpanId,
    /// What it worked for; `None`: nothing that is known. It may be a span of the caller.
    pub parent: Option<SpanId>,
    /// How long after the trace it began.
    pub start: Duration,
    /// How long it took.
    pub length: Duration,
    /// What it was.
    pub what: What,
}

/// What took time.
#[derive(Debug, Clone)]
pub enum What {
    /// A request to the gateway, up to the head of its reply.
    Request(Request),
    /// A question, once it was permitted; or a further stretch of its way behind a reply.
    Question(Question),
    /// What one department is asked, with all that it takes; also what is remembered of its answers.
    Ask(Ask),
    /// Waiting for the answer to an equal question that was being asked already.
    Join(Option<(TraceId, SpanId)>),
    /// One HTTP exchange with a department: each retry, each second one beside a slow one, each step of an application.
    Exchange(Exchange),
    /// Waiting for the ledger's disk.
    Record(Record),
    /// What the answers come to.
    Decide(Option<Outcome>),
}

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Whether it came by TLS.
    pub is_tls: bool,
    /// The route that it took, as the router has it, with no value of its variables; `None`: there is none.
    pub route: Option<Arc<str>>,
    /// The status of the reply; `None`: its caller went away before there was one.
    pub status: Option<u16>,
    /// The code of the problem that the reply tells.
    pub problem: Option<&'static str>,
    /// Who asks.
    pub agency: Option<AgencyId>,
    /// What is asked, if it is a question.
    pub claim: Option<ClaimRef>,
    /// What came of that.
    pub outcome: Option<Outcome>,
}

/// HTTP methods as telemetry knows them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
    /// OPTIONS.
    Options,
    /// Any other text.
    #[default]
    Other,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked.
    pub claim: ClaimRef,
    /// Who asks.
    pub agency: AgencyId,
    /// Whether it goes on behind its reply.
    pub is_behind: bool,
    /// What came of it; `None`: it could not be recorded or kept, or waits to be asked again.
    pub outcome: Option<Outcome>,
    /// What each witness said.
    pub witnesses: Box<[Witness]>,
}

/// What a witness said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The source.
    pub source: Slug,
    /// What it said.
    pub answer: Answer,
    /// Why it is unavailable.
    pub cause: Option<Cause>,
    /// Whether that was remembered.
    pub is_cached: bool,
}

/// What a department is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The source.
    pub source: Slug,
    /// The operation.
    pub operation: Slug,
    /// How that ended.
    pub end: AskEnd,
}

/// How asking a department ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AskEnd {
    /// The answer was remembered.
    Remembered,
    /// A remembered answer that is past its lifetime serves, because the department could not be asked.
    Stale,
    /// The department answered.
    Answered,
    /// There is no answer.
    Failed(Cause),
    /// Nobody waited for it any more.
    Abandoned,
}

/// Something that is recorded in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// What.
    pub entry: Entry,
    /// Whether it is on the disk; `None`: nobody waited for that.
    pub is_done: Option<bool>,
}

/// Entries of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    /// Before a department is asked.
    Asked,
    /// Before an answer leaves.
    Answered,
    /// A question that is turned away.
    Refused,
}

impl Trace {
    /// Its request or its stretch behind a reply: what everything else worked for.
    #[must_use]
    pub fn root(&self) -> Option<&Span> {
        self.spans.last()
    }

    /// The request, if it is one.
    #[must_use]
    pub fn request(&self) -> Option<&Request> {
        self.spans.iter().rev().find_map(|span| match &span.what {
            What::Request(request) => Some(request),
            _ => None,
        })
    }

    /// The questions in it.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.spans.iter().filter_map(|span| match &span.what {
            What::Question(question) => Some(question),
            _ => None,
        })
    }

    /// What departments were asked in it, each with how long that took.
    pub fn asks(&self) -> impl Iterator<Item = (&Ask, Duration)> {
        self.spans.iter().filter_map(|span| match &span.what {
            What::Ask(ask) => Some((ask, span.length)),
            _ => None,
        })
    }

    /// The exchanges with departments in it, each with how long it took.
    pub fn exchanges(&self) -> impl Iterator<Item = (&Exchange, Duration)> {
        self.spans.iter().filter_map(|span| match &span.what {
            What::Exchange(exchange) => Some((exchange, span.length)),
            _ => None,
        })
    }

    /// How long its longest span took.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.spans.iter().map(|span| span.length).max().unwrap_or_default()
    }

    /// When its last span ended.
    #[must_use]
    pub fn ended(&self) -> Timestamp {
        let end = self.spans.iter().map(|span| span.start + span.length).max().unwrap_or_default();
        self.started.saturating_add(SignedDuration::try_from(end).unwrap_or_default()).unwrap_or(Timestamp::MAX)
    }

    /// Whether something failed that the caller is not to blame for: a status of 5xx, an outcome that departments could not
    /// give, or an exchange.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.spans.iter().any(|span| match &span.what {
            What::Request(request) => request.status.is_none_or(|status| status >= 500),
            What::Question(question) => question.outcome == Some(Outcome::Unavailable),
            What::Ask(Ask { end, .. }) => matches!(end, AskEnd::Failed(_) | AskEnd::Stale),
            What::Exchange(exchange) => matches!(exchange.end, ExchangeEnd::Failed(_)),
            What::Record(record) => record.is_done == Some(false),
            What::Join(_) | What::Decide(_) => false,
        })
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let witnesses: usize = self.questions().map(|question| question.witnesses.len()).sum();
        size_of::<Self>() + self.spans.capacity() * size_of::<Span>() + witnesses * size_of::<Witness>()
    }
}

impl Method {
    /// By its name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }

    /// Its name, by the semantic conventions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "_OTHER",
        }
    }
}

impl AskEnd {
    /// Why there is no answer.
    #[must_use]
    pub fn cause(self) -> Option<Cause> {
        match self {
            Self::Failed(cause) => Some(cause),
            Self::Remembered | Self::Stale | Self::Answered | Self::Abandoned => None,
        }
    }

    /// Its name in metrics and attributes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Remembered => "remembered",
            Self::Stale => "stale",
            Self::Answered => "answered",
            Self::Failed(cause) => cause.as_str(),
            Self::Abandoned => "abandoned",
        }
    }
}

impl Entry {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Asked, Self::Answered, Self::Refused];

    /// Its name in metrics and attributes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Answered => "answered",
            Self::Refused => "refused",
        }
    }
}
