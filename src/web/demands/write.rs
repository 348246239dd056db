//! A record is made.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;

use super::super::{App, Draft, Form, Page, PageError, Reply, Web, Worker, html, refused};
use super::{agency, note, options, past_day, subject_name, subjects, today};
use crate::demands::{Demander, Facts, Kind, Level, Said, Subject};
use crate::desk::NewDemand;
use crate::domain::{AgencyId, ClosedList};
use crate::matters::Catalog;
use crate::words::Words;

#[derive(Template)]
#[template(path = "demands-new.html", config = "src/web/askama.toml")]
struct New {
    page: Page,
    draft: Draft,
    /// The matter, where it is settled.
    subject: Option<(String, String)>,
    subjects: Vec<(String, String)>,
    kinds: Vec<(String, String)>,
    levels: Vec<(String, String)>,
    said: Vec<(String, String)>,
    /// The exceptions of the matter, where the demand may be one: it is asked whether it is.
    exceptions: Option<String>,
    is_excepted: Vec<(String, String)>,
    agencies: Vec<String>,
    superiors: Vec<String>,
    /// The last day that can be chosen.
    latest: String,
}

/// `GET /demands/new?matter=<id>`: the form, with what is known.
pub(super) async fn new(State(web): App, worker: Worker, uri: Uri) -> Reply {
    let fields = super::super::form::parse(uri.query().unwrap_or_default().as_bytes())?;
    let matter = fields.iter().find(|(name, _)| name == "matter").map(|(_, value)| value.as_str());
    let draft =
        Draft::of([("matter", matter.unwrap_or_default()), ("on", &today(&web).to_string()), ("level", "unknown")]);
    html(&page(&web, &worker, draft).await?)
}

/// `POST /demands/new`: the same, with an agency that was typed before; it stands in no address.
pub(super) async fn prefilled(State(web): App, worker: Worker, form: Form) -> Reply {
    let on = today(&web).to_string();
    let (matter, agency) = (form.value("matter"), form.value("agency"));
    let draft = Draft::of([
        ("matter", matter),
        ("agency", agency),
        ("on", &on),
        ("level", "unknown"),
        ("excepted", form.value("excepted")),
        ("said", form.value("said")),
    ]);
    html(&page(&web, &worker, draft).await?)
}

/// `POST /demands`.
pub(super) async fn record(State(web): App, worker: Worker, form: Form) -> Reply {
    match facts(&web, worker.words(), &form) {
        Err(draft) => refused(&page(&web, &worker, draft).await?),
        Ok(facts) => {
            let new = NewDemand {
                form: form.value(super::super::form::ID).to_owned(),
                committee: worker.agency.id.clone(),
                worker: worker.account().user.as_str().to_owned(),
                facts,
            };
            form.once(async move {
                let now = web.api.gateway.clock.now();
                let id = web.front.desk.record_demand(new, now).await?;
                Ok(format!("/demands/{id}"))
            })
            .await
        }
    }
}

fn facts(web: &Web, words: &Words, form: &Form) -> Result<Facts, Draft> {
    let (form_draft, mut draft) = (form.draft(), form.draft());
    let catalog = &web.api.gateway.catalog;
    let mut wrong = |name: &str, key: &str| draft.refuse(name, words.text(key));
    let subject = known_subject(catalog, form.value("matter"));
    if subject.is_none() {
        wrong("matter", "demands.missing_matter");
    }
    if subject.as_ref().is_some_and(|subject| exceptions(catalog, subject, &form_draft).is_some()) {
        match form.value("excepted") {
            "no" => {}
            "yes" => wrong("excepted", "demands.excepted_is"),
            _ => wrong("excepted", "demands.missing_excepted"),
        }
    }
    let name = agency(form.value("agency"), "demands.missing_agency").map_err(|key| wrong("agency", key)).ok();
    let kind = Kind::named(form.value("kind"));
    if kind.is_none() {
        wrong("kind", "demands.missing_kind");
    }
    let level = Level::named(form.value("level"));
    if level.is_none() {
        wrong("level", "demands.missing_level");
    }
    let superior = match form.value("superior").trim() {
        "" => Some(None),
        typed => agency(typed, "demands.missing_to").map_err(|key| wrong("superior", key)).ok().map(Some),
    };
    let on = past_day(form.value("on"), today(web)).map_err(|key| wrong("on", key)).ok();
    let said = Said::named(form.value("said"));
    if said.is_none() {
        wrong("said", "demands.missing_said");
    }
    let note = note(form.value("note")).map_err(|key| wrong("note", key)).ok();
    if said == Some(Said::Other) && note == Some(None) {
        wrong("note", "demands.missing_note");
    }
    if let (Some(subject), Some(name), Some(kind), Some(level), Some(superior), Some(on), Some(said), Some(note)) =
        (subject, name, kind, level, superior, on, said, note)
        && !draft.is_wrong()
    {
        let basis = basis(catalog, &subject);
        return Ok(Facts { subject, demander: Demander { name, kind, level, superior }, on, said, note, basis });
    }
    Err(draft)
}

/// A matter of the catalog, or what it does not list.
fn known_subject(catalog: &Catalog, text: &str) -> Option<Subject> {
    Subject::named(text).filter(|subject| match subject {
        Subject::Unlisted => true,
        Subject::Matter(matter) => catalog.matter(matter.as_str()).is_some(),
    })
}

/// The exceptions of a matter, where what is known of the demand may mean one.
fn exceptions(catalog: &Catalog, subject: &Subject, typed: &Draft) -> Option<String> {
    let Subject::Matter(matter) = subject else { return None };
    let text = &catalog.matter(matter.as_str())?.text;
    let is_asked = !typed.value("excepted").is_empty() && !text.exceptions.is_empty();
    let may_be = is_asked || text.may_be_excepted(&[typed.value("agency"), typed.value("note")]);
    may_be.then(|| format!("{}（{}）", text.exceptions.join("；"), text.citation))
}

/// The article under which the demand is improper.
fn basis(catalog: &Catalog, subject: &Subject) -> String {
    let listed = match subject {
        Subject::Matter(matter) => catalog.matter(matter.as_str()).map(|matter| matter.text.citation.clone()),
        Subject::Unlisted => None,
    };
    listed.unwrap_or_else(|| "辽民发〔2020〕52号 二（一）".to_owned())
}

async fn page(web: &Web, worker: &Worker, draft: Draft) -> Result<New, PageError> {
    let (words, catalog) = (worker.words(), &web.api.gateway.catalog);
    let own = &worker.agency.id;
    let choices = web.front.desk.demand_choices(Some(own.clone())).await?;
    let recorded = choices.agencies.into_iter().map(|(_, name)| name);
    let agencies: BTreeSet<String> = recorded.chain(registered(web, own)).collect();
    let asked = known_subject(catalog, draft.value("matter"));
    let exceptions = asked.as_ref().and_then(|subject| exceptions(catalog, subject, &draft));
    let settled = asked.filter(|_| draft.error("matter").is_none());
    let subject = settled.map(|subject| (subject.as_str().to_owned(), subject_name(catalog, words, &subject)));
    Ok(New {
        page: worker.page("demands.new_title").with(&draft),
        subject,
        subjects: subjects(catalog, words),
        kinds: options::<Kind>(words, "demands.kind"),
        levels: options::<Level>(words, "demands.level"),
        said: options::<Said>(words, "demands.said"),
        exceptions,
        is_excepted: ["no", "yes"]
            .map(|word| (word.to_owned(), words.text(&format!("demands.excepted_{word}")).to_owned()))
            .into(),
        agencies: agencies.into_iter().collect(),
        superiors: choices.superiors,
        latest: today(web).to_string(),
        draft,
    })
}

/// The names of the agencies that are registered, but for the committee's own.
fn registered<'a>(web: &'a Web, own: &'a AgencyId) -> impl Iterator<Item = String> + 'a {
    let others = web.api.shared.limits.keys().filter(move |id| *id != own);
    others.filter_map(|id| Some(web.api.shared.access.agency(id)?.name.clone()))
}
