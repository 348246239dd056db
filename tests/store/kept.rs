//! What is kept.

use std::sync::Arc;
use std::time::Duration;

use heyan::departments::{Occasion, OperationRef, Question};
use heyan::domain::{AgencyId, Person};
use heyan::durable::{Allower, ClosedQuestion, OpenQuestion, Quota};
use jiff::Timestamp;
use serde_json::{Map, json};
use uuid::Uuid;

pub(crate) fn open_question(id: Uuid) -> OpenQuestion {
    OpenQuestion {
        id,
        agency: "fund".to_owned(),
        claim: "marital-status/married".to_owned(),
        people: vec![(NUMBER.to_owned(), NAME.to_owned())],
        parameters: Map::new(),
        purpose: "housing".to_owned(),
        officer: OFFICER.to_owned(),
        case: None,
        legal_basis: None,
        request_id: "request".to_owned(),
        traceparent: None,
        tracestate: None,
        not_before: None,
        asked: Timestamp::now(),
        expires: Timestamp::MAX,
        again: None,
        patient: true,
        notify: false,
    }
}

pub(crate) fn closed_question(id: Uuid) -> ClosedQuestion {
    ClosedQuestion { id, agency: "fund".to_owned(), verification: json!({ "id": id.to_string() }) }
}

pub(crate) fn question(number: u64) -> Question {
    let occasion = Occasion {
        agency: AgencyId("fund".parse().unwrap()),
        officer: OFFICER.to_owned(),
        purpose: "housing".parse().unwrap(),
        case: None,
        legal_basis: None,
        request_id: "request".to_owned(),
        traceparent: None,
        tracestate: None,
    };
    Question {
        operation: OperationRef { source: "police".parse().unwrap(), operation: "person".parse().unwrap() },
        about: Person { id_number: NUMBER.parse().unwrap(), name: Some(NAME.parse().unwrap()) },
        parameters: Arc::new(json!({ "number": number }).as_object().unwrap().clone()),
        occasion: Arc::new(occasion),
        not_before: None,
        within: Duration::from_secs(1),
    }
}

pub(crate) fn quota(window: i64) -> Quota {
    Quota { of: Allower::Source("police".parse().unwrap()), seconds: 86400, window }
}

pub(crate) const NUMBER: &str = "11010519491231002X";
pub(crate) const NAME: &str = "欧阳建国";
pub(crate) const OFFICER: &str = "司马相如";
pub(crate) const RECEIPT: &str = "RECEIPT-4711";

pub(crate) fn captured() -> Vec<(String, String)> {
    vec![("receipt".to_owned(), RECEIPT.to_owned())]
}

/// A window that is not past.
pub(crate) const WINDOW: i64 = 40_000;
