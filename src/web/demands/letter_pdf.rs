//! The letter as a PDF. What its type cannot hold is not in it: no note, and nobody's name.

use axum::extract::{Path, State};

use super::{Reader, agency, find, is_english};
use crate::demands::Subject;
use crate::papers::{Language, Letter};
use crate::web::{App, Form, PageError, Reply, pdf};

/// `POST /demands/{id}/letter.pdf`: to the authority that the page names.
pub(super) async fn letter(State(web): App, reader: Reader, Path(id): Path<String>, form: Form) -> Reply {
    let known = find(&web, &reader, &id).await?;
    // The page has refused every other name before.
    let to = agency(form.value("to"), "demands.missing_to").map_err(|_| PageError::Malformed)?;
    let committee = web.api.shared.access.agency(&known.demand.committee).ok_or(PageError::NoAgency)?;
    let facts = &known.demand.facts;
    let matter = match &facts.subject {
        Subject::Matter(matter) => web.api.gateway.catalog.matter(matter.as_str()),
        Subject::Unlisted => None,
    };
    let letter = Letter {
        language: if is_english(reader.words()) { Language::English } else { Language::Chinese },
        number: known.demand.number,
        to: &to,
        agency: &facts.demander.name,
        on: facts.on,
        matter,
        said: facts.said,
        committee: &committee,
        at: web.api.gateway.clock.now(),
    };
    pdf(letter.pdf(), "attachment; filename=\"han.pdf\"")
}
