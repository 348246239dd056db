//! The public page on which anybody checks a receipt, by the code on a notice or by the receipt itself. What is typed travels in
//! the body of a form alone; the QR code's address has the code behind `#`, which browsers send to nobody.

use askama::Template;
use axum::extract::State;
use jiff::Timestamp;
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization as _;

use super::{App, Draft, Form, Page, PageError, Reply, Visit, Web, html, refused};
use crate::api::{self, NoCode, NotRead};
use crate::claims::ParameterKind;
use crate::domain::{ClaimRef, Division, Outcome};
use crate::matters::ClaimEntry;
use crate::papers::{Language, moment};
use crate::receipt::{Invalid, MAX_LENGTH};
use crate::telemetry::metrics::Checked;

#[derive(Template)]
#[template(path = "check.html", config = "src/web/askama.toml")]
struct CheckPage {
    page: Page,
    draft: Draft,
    found: Option<Found>,
}

/// What came of it.
enum Found {
    Valid(Told),
    /// It was valid once.
    Expired,
    /// Its check characters do not fit: somebody mistyped it.
    Mistyped,
    /// It is none of ours, or none at all: the key of what to do.
    NotValid(&'static str),
}

/// What a valid receipt says, in words.
struct Told {
    matter: String,
    claim: String,
    /// Its particulars, each with its label.
    particulars: Vec<(String, String)>,
    outcome: String,
    meaning: String,
    is_confirmed: bool,
    as_of: String,
    issued: String,
    until: String,
}

/// `GET /check`.
pub(super) async fn show(visit: Visit) -> Reply {
    html(&CheckPage { page: visit.page("check.title"), draft: Draft::default(), found: None })
}

/// `POST /check`. It changes nothing: it may be sent again.
pub(super) async fn check(State(web): App, visit: Visit, form: Form) -> Reply {
    let mut draft = form.draft();
    let typed = typed(form.value("code"));
    if typed.is_empty() {
        draft.refuse("code", visit.words().text("check.missing"));
        return refused(&CheckPage { page: visit.page("check.title").with(&draft), draft, found: None });
    }
    let found = find(&web, &visit, &typed).await.map_err(|NotRead| PageError::Unavailable)?;
    let came_to = if matches!(found, Found::Valid(_)) { Checked::Valid } else { Checked::Invalid };
    web.api.shared.telemetry.metrics().checked(came_to);
    // What was found is shown, and not what was typed: the next one may be another's. A code that is mistyped is mended.
    let kept = if matches!(found, Found::Mistyped) { typed.as_str() } else { "" };
    html(&CheckPage { page: visit.page("check.title"), draft: Draft::of([("code", kept)]), found: Some(found) })
}

/// What was meant: without what copying and scanning leave around it, and full-width characters as what they stand for.
fn typed(text: &str) -> String {
    // A receipt has a thousand characters; of more, so many are looked at that it is seen to be too long.
    let folded: String = text.chars().take(MAX_LENGTH * 2).nfkc().filter(|one| !one.is_whitespace()).collect();
    let folded = folded.replace(['‐', '‑', '–', '—', '−'], "-");
    match folded.rsplit_once('#') {
        Some((address, code)) if address.contains("://") => code.to_owned(),
        _ => folded,
    }
}

async fn find(web: &Web, visit: &Visit, typed: &str) -> Result<Found, NotRead> {
    if typed.contains('.') {
        return Ok(match web.api.shared.checker.check(typed, web.api.gateway.clock.now()) {
            Ok(receipt) => {
                let claim = ClaimRef { matter: receipt.matter, claim: receipt.claim };
                let times = [receipt.as_of, receipt.issued, receipt.expires];
                Found::Valid(told(web, visit, (&claim, &receipt.parameters), receipt.outcome, times))
            }
            Err(Invalid::Expired) => Found::Expired,
            Err(Invalid::Altered) => Found::NotValid("check.altered"),
            Err(Invalid::UnknownKey | Invalid::Algorithm | Invalid::NotYetValid) => Found::NotValid("check.unknown"),
            Err(Invalid::Malformed | Invalid::TooLong | Invalid::OtherType | Invalid::Critical) => {
                Found::NotValid("check.malformed")
            }
        });
    }
    Ok(match api::open_code(&web.api, typed).await? {
        Ok(opened) => {
            let times = [opened.validity.as_of, opened.validity.issued, opened.validity.expires];
            Found::Valid(told(web, visit, (&opened.claim, &opened.particulars), opened.outcome, times))
        }
        Err(NoCode::Expired) => Found::Expired,
        Err(NoCode::Unknown | NoCode::NotYetValid) => Found::NotValid("check.unknown"),
        Err(NoCode::Mistyped) => Found::Mistyped,
        Err(NoCode::Malformed) => Found::NotValid("check.malformed"),
    })
}

fn told(
    web: &Web,
    visit: &Visit,
    (claim, particulars): (&ClaimRef, &Map<String, Value>),
    outcome: Outcome,
    times: [Timestamp; 3],
) -> Told {
    let words = visit.words();
    let language = if words.tag().starts_with("zh") { Language::Chinese } else { Language::English };
    let is_english = language == Language::English;
    let matter = web.api.gateway.catalog.matter(claim.matter.as_str());
    // The catalog may have changed since: then their ids have to do.
    let entry = matter.and_then(|matter| matter.claims.iter().find(|entry| entry.claim.reference() == claim));
    let matter = matter.map(|matter| &matter.text);
    let name = matter.map(|text| if is_english { &text.english.name } else { &text.name });
    let [as_of, issued, until] = times.map(|time| moment(time, language));
    let (word, meaning) = keys(outcome);
    Told {
        matter: name.map_or_else(|| claim.matter.to_string(), Clone::clone),
        claim: entry.map_or_else(|| claim.claim.to_string(), |entry| entry.name.pick(is_english).clone()),
        particulars: particulars.iter().map(|(name, value)| particular(entry, name, value, is_english)).collect(),
        outcome: words.text(word).to_owned(),
        meaning: words.text(meaning).to_owned(),
        is_confirmed: outcome == Outcome::Confirmed,
        as_of,
        issued,
        until,
    }
}

/// A particular of what was asked, in the words of the catalog.
fn particular(entry: Option<&ClaimEntry>, name: &str, value: &Value, is_english: bool) -> (String, String) {
    let Some(ClaimEntry { claim, words, .. }) = entry else { return (name.to_owned(), plain(value, None)) };
    let kind = claim.parameters().iter().find(|parameter| parameter.name == name).map(|parameter| &parameter.kind);
    let value = plain(value, kind);
    (words.parameter(name, is_english).to_owned(), words.value(name, &value, is_english).to_owned())
}

/// A value as it is read: a division by its name.
fn plain(value: &Value, kind: Option<&ParameterKind>) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_division = kind == Some(&ParameterKind::Division);
    let named = text.parse::<Division>().ok().filter(|_| is_division).and_then(|division| division.name());
    named.map_or(text, str::to_owned)
}

/// The keys of an outcome's name, and of what it means.
fn keys(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Confirmed => ("check.confirmed", "check.confirmed_means"),
        Outcome::Refuted => ("check.refuted", "check.refuted_means"),
        Outcome::NoRecord => ("check.no_record", "check.no_record_means"),
        Outcome::Mismatch => ("check.mismatch", "check.mismatch_means"),
        Outcome::Conflict => ("check.conflict", "check.conflict_means"),
        Outcome::Pending => ("check.pending", "check.pending_means"),
        Outcome::Unavailable => ("check.unavailable", "check.unavailable_means"),
        Outcome::Referred => ("check.referred", "check.referred_means"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_read() {
        for (text, meant) in [
            (" 1000-03RJ \n", "1000-03RJ"),
            ("１０００－０３ＲＪ", "1000-03RJ"),
            ("1000–03RJ", "1000-03RJ"),
            ("https://heyan.example/check#100003RJ", "100003RJ"),
            ("eyJh\r\n.eyJi\n.c", "eyJh.eyJi.c"),
            ("#1000", "#1000"),
            ("", ""),
        ] {
            assert_eq!(typed(text), meant);
        }
        assert!(typed(&"a".repeat(100_000)).len() > MAX_LENGTH);
    }

    #[test]
    fn a_division_is_named_and_a_number_is_none() {
        let count = ParameterKind::Integer { min: 0, max: 30 };
        for (value, kind, shown) in [
            (Value::from("21"), Some(&ParameterKind::Division), "辽宁省"),
            (Value::from(21), Some(&count), "21"),
            (Value::from("2026-11-23"), Some(&ParameterKind::Date), "2026-11-23"),
            (Value::from("21"), None, "21"),
        ] {
            assert_eq!(plain(&value, kind), shown);
        }
    }

    #[test]
    fn every_outcome_has_its_words() {
        let chinese = include_str!("../../config/words/zh-CN.toml").parse::<toml::Table>().unwrap();
        let keys = Outcome::ALL.into_iter().map(keys).flat_map(|(word, meaning)| [word, meaning]);
        for key in keys.chain(["check.altered", "check.unknown", "check.malformed"]) {
            assert!(chinese["check"].get(key.trim_start_matches("check.")).is_some(), "{key}");
        }
    }
}
