//! The letter to the superior authority of an agency, to print or as a PDF. It holds what the record says of the agency, and no
//! note: its type has no room for one.

use askama::Template;
use axum::extract::{Path, State};

use super::super::paper::{Sheet, language};
use super::super::{App, Draft, Form, Page, PageError, Reply, Web, html, pdf, refused};
use super::{Reader, agency, find, is_english};
use crate::demands::{AgencyName, Step, Subject, standing};
use crate::desk::KnownDemand;
use crate::papers::{Letter, Paper};

#[derive(Template)]
#[template(path = "demands-letter.html", config = "src/web/askama.toml")]
struct LetterPage {
    page: Page,
    draft: Draft,
    id: String,
    /// The authority, which stands in the form that makes the PDF; `None`: nobody has said which it is.
    to: Option<String>,
    sheet: Sheet,
}

/// `GET /demands/{id}/letter`.
pub(super) async fn show(State(web): App, reader: Reader, Path(id): Path<String>) -> Reply {
    let known = find(&web, &reader, &id).await?;
    let to = addressee(&known);
    html(&page(&web, &reader, &known, to.as_ref(), Draft::default())?)
}

/// `POST /demands/{id}/letter`: the same, to an authority that the record does not name. It stands in no address.
pub(super) async fn addressed(State(web): App, reader: Reader, Path(id): Path<String>, form: Form) -> Reply {
    let known = find(&web, &reader, &id).await?;
    let mut draft = form.draft();
    match agency(form.value("to"), "demands.missing_to") {
        Ok(to) => html(&page(&web, &reader, &known, Some(&to), draft)?),
        Err(key) => {
            draft.refuse("to", reader.words().text(key));
            refused(&page(&web, &reader, &known, None, draft)?)
        }
    }
}

/// `POST /demands/{id}/letter.pdf`: to the authority that the page names.
pub(super) async fn printed(State(web): App, reader: Reader, Path(id): Path<String>, form: Form) -> Reply {
    let known = find(&web, &reader, &id).await?;
    // The page has refused every other name before.
    let to = agency(form.value("to"), "demands.missing_to").map_err(|_| PageError::Malformed)?;
    pdf(paper(&web, &reader, &known, Some(&to))?.pdf(), "attachment; filename=\"han.pdf\"")
}

/// To whom: the last letter that was sent says it, or the record.
fn addressee(known: &KnownDemand) -> Option<AgencyName> {
    let sent = standing(&known.history).into_iter().rev().find_map(|entry| match &entry.step {
        Step::LetterSent { to } => Some(to.clone()),
        _ => None,
    });
    sent.or_else(|| known.demand.facts.demander.superior.clone())
}

fn page(
    web: &Web,
    reader: &Reader,
    known: &KnownDemand,
    to: Option<&AgencyName>,
    draft: Draft,
) -> Result<LetterPage, PageError> {
    let title = reader.words().fill("demands.letter_title", &[("number", &known.demand.number)]);
    Ok(LetterPage {
        page: reader.page("demands.title").titled(title).with(&draft),
        draft,
        id: known.demand.id.to_string(),
        to: to.map(ToString::to_string),
        sheet: paper(web, reader, known, to)?.into(),
    })
}

fn paper(web: &Web, reader: &Reader, known: &KnownDemand, to: Option<&AgencyName>) -> Result<Paper, PageError> {
    let committee = web.api.shared.access.agency(&known.demand.committee).ok_or(PageError::NoAgency)?;
    let facts = &known.demand.facts;
    let matter = match &facts.subject {
        Subject::Matter(matter) => web.api.gateway.catalog.matter(matter.as_str()),
        Subject::Unlisted => None,
    };
    let letter = Letter {
        language: language(is_english(reader.words())),
        number: known.demand.number,
        to,
        agency: &facts.demander.name,
        on: facts.on,
        matter,
        said: facts.said,
        committee: &committee,
        at: web.api.gateway.clock.now(),
    };
    Ok(letter.paper())
}
