//! The letter to the superior authority of an agency, to print or as a PDF. It holds what the record says of the agency, and no
//! note.

use askama::Template;
use axum::extract::{Path, State};

use super::super::{App, Draft, Form, Page, Reply, Web, html, refused};
use super::{Reader, agency, committee_name, day_shown, find, subject_name, today, write};
use crate::demands::{AgencyName, Demand, Step, standing};
use crate::desk::KnownDemand;
use crate::domain::ClosedList as _;
use crate::words::Words;

#[derive(Template)]
#[template(path = "demands-letter.html", config = "src/web/askama.toml")]
struct LetterPage {
    page: Page,
    draft: Draft,
    id: String,
    /// Whether the authority is known.
    is_addressed: bool,
    /// The authority, which stands in the form that makes the PDF.
    to: String,
    letter: Text,
}

/// What stands in a letter.
struct Text {
    dear: String,
    number: String,
    facts: String,
    articles: Vec<String>,
    committee: String,
    day: String,
}

/// `GET /demands/{id}/letter`.
pub(super) async fn show(State(web): App, reader: Reader, Path(id): Path<String>) -> Reply {
    let known = find(&web, &reader, &id).await?;
    let to = addressee(&known);
    html(&page(&web, &reader, &known, to.as_ref(), Draft::default()))
}

/// `POST /demands/{id}/letter`: the same, to an authority that the record does not name. It stands in no address.
pub(super) async fn addressed(State(web): App, reader: Reader, Path(id): Path<String>, form: Form) -> Reply {
    let known = find(&web, &reader, &id).await?;
    let mut draft = form.draft();
    match agency(form.value("to"), "demands.missing_to") {
        Ok(to) => html(&page(&web, &reader, &known, Some(&to), draft)),
        Err(key) => {
            draft.refuse("to", reader.words().text(key));
            refused(&page(&web, &reader, &known, None, draft))
        }
    }
}

/// To whom: the last letter that was sent says it, or the record.
fn addressee(known: &KnownDemand) -> Option<AgencyName> {
    let sent = standing(&known.history).into_iter().rev().find_map(|entry| match &entry.step {
        Step::LetterSent { to } => Some(to.clone()),
        _ => None,
    });
    sent.or_else(|| known.demand.facts.demander.superior.clone())
}

fn page(web: &Web, reader: &Reader, known: &KnownDemand, to: Option<&AgencyName>, draft: Draft) -> LetterPage {
    let words = reader.words();
    let title = words.fill("demands.letter_title", &[("number", &known.demand.number)]);
    LetterPage {
        page: reader.page("demands.title").titled(title).with(&draft),
        draft,
        id: known.demand.id.to_string(),
        is_addressed: to.is_some(),
        to: to.map(ToString::to_string).unwrap_or_default(),
        letter: text(web, words, &known.demand, to),
    }
}

fn text(web: &Web, words: &Words, demand: &Demand, to: Option<&AgencyName>) -> Text {
    let facts = &demand.facts;
    let catalog = &web.api.gateway.catalog;
    let to = to.map_or_else(|| "〔　　　　　　　　〕".to_owned(), ToString::to_string);
    let said = words.text(&format!("demands.said_{}", facts.said.as_str())).to_owned();
    // What else it was stays on the record: the letter says that it was demanded.
    let said = if facts.said == crate::demands::Said::Other {
        words.text("demands.letter_no_reason").to_owned()
    } else {
        said
    };
    let matter = write::route(catalog, words, &facts.subject);
    let law = match matter {
        Some((number, name, route)) => {
            words.fill("demands.letter_law_listed", &[("number", &number), ("matter", &name), ("route", &route)])
        }
        None => words.text("demands.letter_law_unlisted").to_owned(),
    };
    let name = matter.map_or_else(|| subject_name(catalog, words, &facts.subject), |(_, name, _)| name.to_owned());
    let values: [(&str, &dyn std::fmt::Display); 4] =
        [("on", &day_shown(words, facts.on)), ("agency", &facts.demander.name), ("matter", &name), ("said", &said)];
    Text {
        dear: words.fill("demands.letter_dear", &[("to", &to)]),
        number: words.fill("demands.letter_no", &[("number", &demand.number)]),
        facts: words.fill("demands.letter_facts", &values),
        articles: vec![law, words.text("demands.letter_law_correct").to_owned()],
        committee: words.fill("demands.letter_sign", &[("committee", &committee_name(web, &demand.committee))]),
        day: day_shown(words, today(web)),
    }
}
