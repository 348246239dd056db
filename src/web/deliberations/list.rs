//! The list of records, and the beginning of a checklist.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use uuid::Uuid;

use super::super::demands::{Reader, committee_name, day_shown, matter_name, matters};
use super::super::form::{ID, parse};
use super::super::{App, Draft, Form, Page, PageError, Reply, Web, Worker, html, refused};
use super::now;
use crate::clock::day_of;
use crate::desk::{DeliberationDraft, KnownDeliberation};
use crate::domain::{ClosedList as _, Slug};
use crate::transition::{Answers, Checked, Decision, Verdict};

#[derive(Template)]
#[template(path = "deliberations-list.html", config = "src/web/askama.toml")]
struct List {
    page: Page,
    rows: Vec<Row>,
    found: String,
    earlier: Option<usize>,
    later: Option<usize>,
    is_committee: bool,
    counts_title: String,
    /// Matter, how many may, how many may not.
    counts: Vec<(String, u32, u32)>,
    retention: String,
}

struct Row {
    id: String,
    number: String,
    day: String,
    matter: String,
    may: bool,
    verdict: Option<(String, &'static str)>,
    committee: Option<String>,
}

const MOST: usize = 50;

/// `GET /deliberations`.
pub(super) async fn list(State(web): App, reader: Reader, uri: Uri) -> Reply {
    let fields = parse(uri.query().unwrap_or_default().as_bytes())?;
    let page = fields.iter().find(|(name, _)| name == "page").and_then(|(_, page)| page.parse().ok());
    let page: usize = page.unwrap_or(1).clamp(1, 100_000);
    let (words, catalog, desk) = (reader.words(), &web.api.gateway.catalog, &web.front.desk);
    let (records, count) = desk.deliberations(reader.committee.clone(), (page - 1) * MOST, MOST).await?;
    let pages = count.div_ceil(MOST).max(1);
    let year = day_of(now(&web)).year();
    let counts = desk.counted_deliberations(reader.committee.clone(), year).await?;
    let row = |(known, verdict): &(KnownDeliberation, Option<Verdict>)| Row {
        id: known.id.to_string(),
        number: known.number.to_string(),
        day: day_shown(words, day_of(known.decided)),
        matter: matter_name(catalog, words, known.matter.as_str()),
        may: matches!(known.decision, Decision::May(_)),
        verdict: verdict.map(|verdict| {
            let class = if verdict == Verdict::InOrder { "tag-good" } else { "tag-bad" };
            (words.text(&format!("deliberations.verdict_{}", verdict.as_str())).to_owned(), class)
        }),
        committee: reader.committee.is_none().then(|| committee_name(&web, &known.committee)),
    };
    let count_row =
        |one: &crate::desk::DeliberationCount| (matter_name(catalog, words, one.matter.as_str()), one.may, one.may_not);
    html(&List {
        page: reader.page("deliberations.title"),
        rows: records.iter().map(row).collect(),
        found: words.fill("demands.found", &[("count", &count), ("page", &page), ("pages", &pages)]),
        earlier: (page > 1).then(|| page - 1),
        later: (page < pages).then(|| page + 1),
        is_committee: reader.committee.is_some(),
        counts_title: words.fill("deliberations.counts", &[("year", &year)]),
        counts: counts.iter().map(count_row).collect(),
        retention: words.fill("deliberations.retention", &[("years", &web.records.deliberations_years)]),
    })
}

#[derive(Template)]
#[template(path = "deliberations-new.html", config = "src/web/askama.toml")]
struct New {
    page: Page,
    draft: Draft,
    /// The matter, where it is settled.
    matter: Option<(String, String)>,
    matters: Vec<(String, String)>,
    check: String,
}

/// `GET /deliberations/new?matter=<id>&check=<verification>`.
pub(super) async fn new(State(web): App, worker: Worker, uri: Uri) -> Reply {
    let fields = parse(uri.query().unwrap_or_default().as_bytes())?;
    let value = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let (matter, check) = (value("matter").unwrap_or_default(), value("check").unwrap_or_default());
    html(&page(&web, &worker, Draft::of([("matter", matter), ("check", check)])))
}

fn page(web: &Web, worker: &Worker, draft: Draft) -> New {
    let (words, catalog) = (worker.words(), &web.api.gateway.catalog);
    let matter = catalog.matter(draft.value("matter")).map(|matter| matter.id.to_string());
    let matter = matter.map(|id| (id.clone(), matter_name(catalog, words, &id)));
    // Only an id goes on.
    let check = draft.value("check").parse::<Uuid>().map(|id| id.to_string()).unwrap_or_default();
    let page = worker.page("deliberations.new_title").with(&draft);
    New { page, draft, matter, matters: matters(catalog, words), check }
}

/// `POST /deliberations`: begins a checklist.
pub(super) async fn begin(State(web): App, worker: Worker, form: Form) -> Reply {
    let catalog = &web.api.gateway.catalog;
    let Some(matter) = catalog.matter(form.value("matter")).map(|matter| matter.id.clone()) else {
        let mut draft = form.draft();
        let what = worker.words().text("deliberations.matter_label");
        draft.refuse("matter", worker.words().fill("deliberations.missing", &[("what", &what)]));
        return refused(&page(&web, &worker, draft));
    };
    let check = checked(&web, &worker, &matter, form.value("check")).await?;
    let draft = DeliberationDraft {
        id: Uuid::now_v7(),
        committee: worker.agency.id.clone(),
        worker: worker.account().user.as_str().to_owned(),
        matter,
        answers: Answers { check, ..Answers::default() },
    };
    let id = form.value(ID).to_owned();
    form.once(async move {
        let id = web.front.desk.begin_deliberation(id, draft, now(&web)).await?;
        Ok(super::address(id, crate::transition::Question::Need))
    })
    .await
}

/// What a verification of this committee about this matter came to; `None`: there is none.
async fn checked(web: &Web, worker: &Worker, matter: &Slug, id: &str) -> Result<Option<Checked>, PageError> {
    let Ok(id) = id.parse::<Uuid>() else { return Ok(None) };
    let found = web.api.gateway.find(id, &worker.agency.id).await.map_err(|_| PageError::Unavailable)?;
    let found = found.filter(|verification| verification.claim.matter == *matter);
    Ok(found.map(|verification| Checked { finding: verification.outcome.into(), verification: Some(id) }))
}
