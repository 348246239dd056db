//! Layer 1: what must survive a restart, whoever keeps it.

mod tally;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::departments::Question;
use crate::domain::{AgencyId, Slug};

pub use tally::{NotCounted, Tally, window_end};

/// What is kept where the process may end at any moment.
///
/// # Contract
///
/// - When a future of this trait says `Ok`, what it wrote is on the disk: a process that is killed then, and a machine that
///   loses its power then, find it again.
/// - When it says [`NotSaved`], either nothing of it is on the disk, or all of it. Whoever is told so acts as if nothing were.
/// - What names a person (an open question, a department's number for an application) is on the disk encrypted alone, and is
///   gone when it is answered. A reply that is kept is encrypted too, with the digest of its request: who knows the file must
///   not find out by trying whom a request was about.
/// - Calls may come from several threads at once. Those that come together may be written together; each of them all or
///   nothing, and none fails because another one does that cannot be written for a reason of its own.
/// - A future that is dropped may have written all of it, or nothing.
/// - To do a thing again that was done is no error, so whoever was told [`NotSaved`] may simply try again.
/// - A store that could not write recovers by itself when the disk does.
pub trait Durable: Send + Sync {
    /// Keeps an open question, or keeps it anew.
    fn keep<'a>(&'a self, question: &'a OpenQuestion) -> Kept<'a, ()>;

    /// Keeps an outcome until `until`, and forgets its open question and the applications for it, in one step: no crash leaves
    /// a question open whose application is forgotten. With `notify`, its agency is to be told of it, from now on.
    fn close<'a>(
        &'a self,
        closed: &'a ClosedQuestion,
        applications: &'a [Question],
        until: Timestamp,
        notify: bool,
    ) -> Kept<'a, ()>;

    /// All open questions, oldest first: what a process that ended left behind.
    fn open_questions(&self) -> Kept<'_, Vec<OpenQuestion>>;

    /// An open question by its id. Which agency asked is for the caller to compare.
    fn open_question(&self, id: Uuid) -> Kept<'_, Option<OpenQuestion>>;

    /// An outcome by its id, until its time is over. Which agency asked is for the caller to compare.
    fn closed_question(&self, id: Uuid) -> Kept<'_, Option<ClosedQuestion>>;

    /// Notes that an application is about to be sent to a department. Nothing is sent before this is on the disk. If there is
    /// one for an equal question already, it is forgotten: whoever applies anew has done with it.
    fn applying<'a>(&'a self, question: &'a Question) -> Kept<'a, ()>;

    /// Notes what the department answered, under which the feedback can be fetched.
    fn applied<'a>(&'a self, question: &'a Question, captured: &'a [(String, String)]) -> Kept<'a, ()>;

    /// The application for an equal question, if one is under way. Questions are equal here in their operation, their person
    /// and all their parameters; who asks, and what for, does not matter. Where nothing is under way this costs no disk.
    fn application<'a>(&'a self, question: &'a Question) -> Kept<'a, Option<Application>>;

    /// Forgets an application: it is answered, was refused, or nobody waits for it any more.
    fn application_ended<'a>(&'a self, question: &'a Question) -> Kept<'a, ()>;

    /// Keeps the reply to a request that an agency named with this key, until `until`.
    fn keep_reply<'a>(&'a self, agency: &'a str, key: &'a str, reply: &'a KeptReply, until: Timestamp) -> Kept<'a, ()>;

    /// The reply to the request that an agency named with this key, with the moment until which it is kept.
    fn kept_reply<'a>(&'a self, agency: &'a str, key: &'a str) -> Kept<'a, Option<(KeptReply, Timestamp)>>;

    /// Reserves calls of a registration or a grant: until a further reservation no more than `up_to` calls are made in this window. The
    /// largest reservation of a window stands.
    fn reserve<'a>(&'a self, quota: &'a Quota, up_to: u32) -> Kept<'a, ()>;

    /// How many calls of a window are reserved; what a process that ended reserved counts as made. Windows that are past are
    /// forgotten, each a window's length after its end at the earliest, and not before there are eight later ones.
    fn reserved<'a>(&'a self, quota: &'a Quota) -> Kept<'a, u32>;

    /// Notes how far the ledger has come. Whoever opens it next sees whether it continues that.
    fn mark_ledger(&self, mark: LedgerMark) -> Kept<'_, ()>;

    /// Outcomes that agencies are to be told of by `now`, each with how often that was tried. Longest due first, and perhaps
    /// not all of them: when these are noted, there may be more. An outcome stays until its agency is told, past its time too.
    fn notices(&self, now: Timestamp) -> Kept<'_, Vec<(ClosedQuestion, u32)>>;

    /// How much waits. It is asked every now and then, by those who look after the gateway.
    fn waiting(&self) -> Kept<'_, Waiting>;

    /// Notes that an agency has been told (`again` is `None`), or when it is to be told again.
    fn noticed(&self, id: Uuid, again: Option<Timestamp>) -> Kept<'_, ()>;
}

/// Something that the store does.
pub type Kept<'a, T> = Pin<Box<dyn Future<Output = Result<T, NotSaved>> + Send + 'a>>;

/// It could not be kept, or not be read: the disk is full, read-only or broken, or the key is another one. The store has
/// logged why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot be used")]
pub struct NotSaved;

/// A question that is not answered yet, with everything that asking it again needs. Personal.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenQuestion {
    /// The verification's id.
    pub id: Uuid,
    /// Who asked.
    pub agency: String,
    /// What is asked, `matter/claim`.
    pub claim: String,
    /// The people, one for each role of the claim, in its order: ID number and name.
    pub people: Vec<(String, String)>,
    /// The parameters.
    pub parameters: Map<String, Value>,
    /// What the fact is needed for.
    pub purpose: String,
    /// On whose behalf.
    pub officer: String,
    /// The agency's own case number.
    pub case: Option<String>,
    /// The legal basis of the demand. Questions that were kept before it was have none.
    #[serde(default)]
    pub legal_basis: Option<String>,
    /// Identifies the request.
    pub request_id: String,
    /// The caller's trace context.
    pub traceparent: Option<String>,
    /// What goes with that. Questions that were kept before it was have none.
    #[serde(default)]
    pub tracestate: Option<String>,
    /// A fact that was got before this moment will not do.
    pub not_before: Option<Timestamp>,
    /// When it was asked.
    pub asked: Timestamp,
    /// When it ends without an answer.
    pub expires: Timestamp,
    /// When it is asked again, because the department is closed until then.
    pub again: Option<Timestamp>,
    /// Whether it is asked again while a department cannot be asked.
    pub patient: bool,
    /// Whether the agency is to be told of the outcome.
    pub notify: bool,
}

impl std::fmt::Debug for OpenQuestion {
    /// It is personal: only which one it is is shown.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OpenQuestion").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What came of a question. Nothing personal.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedQuestion {
    /// The verification's id.
    pub id: Uuid,
    /// Who asked.
    pub agency: String,
    /// The verification, as JSON.
    pub verification: Value,
}

/// A reply that is sent again when its request comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptReply {
    /// The digest of the request's body.
    pub request: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// Of one that is pending: where to ask for the outcome, and after how many seconds.
    pub later: Option<(String, i64)>,
    /// The body.
    pub body: String,
}

/// How far the ledger had come at some moment: what is there later continues that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerMark {
    /// How many entries it had.
    pub entries: u64,
    /// The hash of their tree.
    pub root: [u8; 32],
}

/// How much waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Questions that are open.
    pub questions: u64,
    /// When the oldest of them was asked.
    pub oldest: Option<Timestamp>,
    /// Outcomes that agencies are still to be told of, due or not.
    pub notices: u64,
}

/// An application to a department that answers later.
#[derive(Clone, PartialEq, Eq)]
pub enum Application {
    /// It is being sent; or a process ended while it was, and nobody knows whether the department has it.
    Unknown,
    /// The department has it: what it answered, by name.
    Made(Vec<(String, String)>),
}

/// A number of calls that a registration or a grant allows in a window of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Quota {
    /// Who allows them.
    pub of: Allower,
    /// The length of the window in seconds: 3600 or 86400.
    pub seconds: u32,
    /// The window's number, counted from the beginning of 1970 in Asia/Shanghai.
    pub window: i64,
}

/// Who allows a number of calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Allower {
    /// A department, to us, by our registration with this source.
    Source(Slug),
    /// We, to an agency, by the grant with this key.
    Grant {
        /// The agency.
        agency: AgencyId,
        /// The grant's key in it.
        grant: u128,
    },
}

impl fmt::Display for Allower {
    /// One name each: a slug holds no slash.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(source) => source.fmt(formatter),
            Self::Grant { agency, grant } => write!(formatter, "{agency}/{grant:032x}"),
        }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! For tests of what needs something durable and is not about that.

    use std::collections::HashMap;
    use std::sync::Mutex;

    use super::*;

    /// Keeps reservations in memory, and nothing else.
    #[derive(Default)]
    pub(crate) struct Volatile(Mutex<HashMap<Quota, u32>>);

    fn done<'a, T: Send + 'a>(value: T) -> Kept<'a, T> {
        Box::pin(std::future::ready(Ok(value)))
    }

    impl Durable for Volatile {
        fn keep<'a>(&'a self, _: &'a OpenQuestion) -> Kept<'a, ()> {
            done(())
        }

        fn close<'a>(&'a self, _: &'a ClosedQuestion, _: &'a [Question], _: Timestamp, _: bool) -> Kept<'a, ()> {
            done(())
        }

        fn open_questions(&self) -> Kept<'_, Vec<OpenQuestion>> {
            done(Vec::new())
        }

        fn open_question(&self, _: Uuid) -> Kept<'_, Option<OpenQuestion>> {
            done(None)
        }

        fn closed_question(&self, _: Uuid) -> Kept<'_, Option<ClosedQuestion>> {
            done(None)
        }

        fn applying<'a>(&'a self, _: &'a Question) -> Kept<'a, ()> {
            done(())
        }

        fn applied<'a>(&'a self, _: &'a Question, _: &'a [(String, String)]) -> Kept<'a, ()> {
            done(())
        }

        fn application<'a>(&'a self, _: &'a Question) -> Kept<'a, Option<Application>> {
            done(None)
        }

        fn application_ended<'a>(&'a self, _: &'a Question) -> Kept<'a, ()> {
            done(())
        }

        fn keep_reply<'a>(&'a self, _: &'a str, _: &'a str, _: &'a KeptReply, _: Timestamp) -> Kept<'a, ()> {
            done(())
        }

        fn kept_reply<'a>(&'a self, _: &'a str, _: &'a str) -> Kept<'a, Option<(KeptReply, Timestamp)>> {
            done(None)
        }

        fn reserve<'a>(&'a self, quota: &'a Quota, up_to: u32) -> Kept<'a, ()> {
            self.0.lock().unwrap().insert(quota.clone(), up_to);
            done(())
        }

        fn reserved<'a>(&'a self, quota: &'a Quota) -> Kept<'a, u32> {
            done(self.0.lock().unwrap().get(quota).copied().unwrap_or_default())
        }

        fn mark_ledger(&self, _: LedgerMark) -> Kept<'_, ()> {
            done(())
        }

        fn notices(&self, _: Timestamp) -> Kept<'_, Vec<(ClosedQuestion, u32)>> {
            done(Vec::new())
        }

        fn waiting(&self) -> Kept<'_, Waiting> {
            done(Waiting::default())
        }

        fn noticed(&self, _: Uuid, _: Option<Timestamp>) -> Kept<'_, ()> {
            done(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_was_kept_before_it_had_a_legal_basis_is_read() {
        let text = r#"{
            "id": "00000000-0000-0000-0000-000000000001", "agency": "fund", "claim": "alive/alive", "people": [],
            "parameters": {}, "purpose": "pension", "officer": "o", "case": null, "request_id": "r", "traceparent": null,
            "not_before": null, "asked": "2026-11-25T08:00:00Z", "expires": "2026-12-25T08:00:00Z", "again": null,
            "patient": false, "notify": false
        }"#;
        let question: OpenQuestion = serde_json::from_str(text).unwrap();
        assert_eq!(question.legal_basis, None);
        let question = OpenQuestion { legal_basis: Some("条例第三条".to_owned()), ..question };
        assert!(serde_json::from_value::<OpenQuestion>(serde_json::to_value(&question).unwrap()).unwrap() == question);
    }

    #[test]
    fn who_allows_calls_has_one_name_each() {
        let slug = |text: &str| text.parse::<Slug>().unwrap();
        let grant = |agency: &str, grant| Allower::Grant { agency: AgencyId(slug(agency)), grant };
        assert_eq!(Allower::Source(slug("police")).to_string(), "police");
        assert_eq!(grant("police", 1).to_string(), format!("police/{}1", "0".repeat(31)));
        assert_ne!(grant("a", 11).to_string(), grant("a", 1).to_string());
    }
}
