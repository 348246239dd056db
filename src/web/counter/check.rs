//! One question after another. What is typed is kept as it was typed; what is wrong is told beside the field and above the form.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use jiff::Timestamp;
use uuid::Uuid;

use super::answer::offer;
use super::drafts::{Check, Demand, Draft};
use super::search::{draft, gone};
use super::{is_english, kept, now, view};
use crate::claims::ParameterKind;
use crate::clock;
use crate::counter::{self, Basis, Field, Step, Typed, Wrong};
use crate::domain::{ClaimRef, Division};
use crate::matters::{Bilingual, ClaimWords};
use crate::web::memory::User;
use crate::web::{App, Draft as Fields, Form, Page, PageError, Reply, Web, Worker, html, refused, see_other};

/// Why a question was not asked, and until when that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// No grant covers it.
    NotGranted,
    /// The grant demands a particular that the pages do not ask for.
    Demanded,
    /// As many were asked as the grants allow.
    TooMany(Timestamp),
    /// The questions look like guessing.
    Watched(Timestamp),
    /// It cannot be recorded, so nobody was asked.
    Ledger,
    /// There is too much to do.
    Busy,
}

/// A check that is being filled in, with everything that its pages need.
pub(super) struct Open {
    pub(super) id: Uuid,
    pub(super) demand: Demand,
    pub(super) check: Check,
    pub(super) form: counter::Form,
    pub(super) words: ClaimWords,
    pub(super) name: Bilingual<String>,
}

/// What becomes of a request for a page of a check.
pub(super) enum Found {
    Open(Box<Open>),
    /// It is another page that is wanted.
    Elsewhere(String),
    Gone,
}

#[derive(Template)]
#[template(path = "counter-step.html", config = "src/web/askama.toml")]
struct StepPage {
    page: Page,
    draft: Fields,
    action: String,
    back: String,
    progress: String,
    heading: Option<String>,
    lead: Option<String>,
    asks: Vec<Ask>,
    kept: String,
    submit: String,
}

impl Ask {
    fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Number)
    }

    fn is_listed(&self) -> bool {
        matches!(self.kind, Kind::Listed(_))
    }
}

/// A field as a page shows it.
struct Ask {
    name: &'static str,
    label: String,
    hint: String,
    kind: Kind,
}

enum Kind {
    Line,
    Number,
    /// One of these: value, and words.
    Choice(Vec<(String, String)>),
    /// A line, with these to pick from.
    Listed(Vec<String>),
}

/// `POST /checks`: begins to check a claim, for the demand of a draft if there is one. Each time it is a check of its own: the
/// same button, in a window that stays open, is pressed for one resident after another.
pub(in crate::web) async fn begin(State(web): App, worker: Worker, form: Form) -> Reply {
    let claim = form.value("claim").parse::<ClaimRef>().map_err(|_| PageError::Malformed)?;
    web.api.gateway.catalog.claim(&claim).ok_or(PageError::NotFound)?;
    let demand = draft(&web, &worker, form.value("draft")).map(|(_, draft)| draft.demand).unwrap_or_default();
    see_other(&start(&web, &worker, demand, Check::new(claim, Typed::default(), BTreeSet::new()), "1"))
}

/// `POST /checks/{draft}/again`: the same once more, as a question of its own, with what was typed.
pub(in crate::web) async fn again(State(web): App, worker: Worker, Path(id): Path<String>, _form: Form) -> Reply {
    let Some((_, Draft { demand, check: Some(check) })) = draft(&web, &worker, &id) else { return gone(&worker) };
    see_other(&start(&web, &worker, demand, Check::new(check.claim, check.typed, check.seen), "review"))
}

/// `POST /next`: forgets what was typed for this resident.
pub(in crate::web) async fn next_resident(State(web): App, worker: Worker, form: Form) -> Reply {
    let user = User::of(&worker);
    for id in form.values("draft").filter_map(|id| id.parse::<Uuid>().ok()) {
        web.front.counter.drafts.forget(id, &user);
        web.front.replies.forget_below(&format!("/checks/{id}/"), &user);
    }
    see_other("/")
}

fn start(web: &Web, worker: &Worker, demand: Demand, check: Check, page: &str) -> String {
    let id = Uuid::now_v7();
    web.front.counter.drafts.keep(web, &User::of(worker), id, Draft { demand, check: Some(check) });
    format!("/checks/{id}/{page}")
}

/// `GET /checks/{draft}/{page}`.
pub(in crate::web) async fn show(State(web): App, worker: Worker, Path((id, page)): Path<(String, String)>) -> Reply {
    let open = match find(&web, &worker, &id, None) {
        Found::Open(open) => open,
        Found::Elsewhere(place) => return see_other(&place),
        Found::Gone => return gone(&worker),
    };
    let place = place(&page, &open.form)?;
    html(&step_page(&web, &worker, &open, place, &[]))
}

/// `POST /checks/{draft}/{page}`.
pub(in crate::web) async fn answer(
    State(web): App,
    worker: Worker,
    Path((id, page)): Path<(String, String)>,
    form: Form,
) -> Reply {
    let mut open = match find(&web, &worker, &id, Some(&form)) {
        Found::Open(open) => open,
        Found::Elsewhere(place) => return see_other(&place),
        Found::Gone => return gone(&worker),
    };
    let place = place(&page, &open.form)?;
    let step = open.form.steps()[place];
    for field in open.form.fields(step) {
        open.check.typed.put(field, form.value(field_name(field)));
    }
    let wrong = open.form.check(step, &open.check.typed, today(&web));
    if wrong.is_empty() {
        open.check.seen.insert(place);
    } else {
        open.check.seen.remove(&place);
    }
    let (typed, seen) = (open.check.typed.clone(), open.check.seen.clone());
    web.front.counter.drafts.change(open.id, &User::of(&worker), now(&web), |draft| {
        if let Some(check) = &mut draft.check {
            (check.typed, check.seen) = (typed, seen);
        }
    });
    if wrong.is_empty() {
        see_other(&open.next(&web))
    } else {
        refused(&step_page(&web, &worker, &open, place, &wrong))
    }
}

/// The check of an address, also one that only the form still has which was sent.
pub(super) fn find(web: &Web, worker: &Worker, id: &str, sent: Option<&Form>) -> Found {
    let Ok(id) = id.parse::<Uuid>() else { return Found::Gone };
    let here = web.front.counter.drafts.find(id, &User::of(worker), now(web));
    let Some(draft) = here.or_else(|| kept::restore(web, worker, id, sent?.value("kept"))) else { return Found::Gone };
    let Some(check) = &draft.check else { return Found::Elsewhere(format!("/found/{id}")) };
    if let Some(verification) = check.done {
        return Found::Elsewhere(format!("/results/{verification}"));
    }
    let matter = check.claim.matter.clone();
    match Open::of(web, worker, id, draft) {
        Some(open) => Found::Open(Box::new(open)),
        // Not granted any more, or not in the catalog: the matter says what else there is to do.
        None => Found::Elsewhere(format!("/matters/{matter}?draft={id}")),
    }
}

impl Open {
    /// The check of a draft, if the catalog has its claim and the agency may ask it.
    pub(super) fn of(web: &Web, worker: &Worker, id: Uuid, draft: Draft) -> Option<Self> {
        let check = draft.check?;
        let matter = web.api.gateway.catalog.matter(check.claim.matter.as_str())?;
        let entry = matter.claims.iter().find(|entry| *entry.claim.reference() == check.claim)?;
        let form = counter::Form::new(Arc::clone(&entry.claim), offer(web, &worker.agency, &entry.claim)?);
        Some(Self { id, demand: draft.demand, check, form, words: entry.words.clone(), name: entry.name.clone() })
    }

    /// Whether a field need not be told: a law that is not why, a case number that nobody has given.
    pub(super) fn is_idle(&self, field: Field) -> bool {
        let typed = &self.check.typed;
        match field {
            Field::Law => typed.text(Field::Basis) != Basis::Law.as_str(),
            Field::Case => counter::line(typed.text(field)).is_empty(),
            Field::Name(_) | Field::Number(_) | Field::Value(_) | Field::Purpose | Field::Basis => false,
        }
    }

    /// The page that comes next: the first that was not sent, or on which something is wrong; then everything once more.
    pub(super) fn next(&self, web: &Web) -> String {
        let wrong = self.form.first_wrong(&self.check.typed, today(web)).unwrap_or(usize::MAX);
        let open = (0..self.form.steps().len()).find(|place| !self.check.seen.contains(place) || *place == wrong);
        match open {
            Some(place) => format!("/checks/{}/{}", self.id, place + 1),
            None => format!("/checks/{}/review", self.id),
        }
    }

    /// What is asked in a field.
    pub(super) fn label(&self, field: Field, worker: &Worker) -> String {
        let (words, english) = (worker.words(), is_english(worker));
        let role =
            |role: usize| self.words.role(self.form.claim().roles().get(role).map_or("", String::as_str), english);
        match field {
            Field::Name(place) => words.fill("counter.name_of", &[("who", &role(place))]),
            Field::Number(place) => words.fill("counter.number_of", &[("who", &role(place))]),
            Field::Value(place) => self.words.parameter(self.parameter(place), english).to_owned(),
            Field::Purpose => words.text("counter.purpose").to_owned(),
            Field::Case => words.text("counter.case").to_owned(),
            Field::Basis => words.text("counter.basis").to_owned(),
            Field::Law => words.text("counter.law").to_owned(),
        }
    }

    /// What stands in a field, in words.
    pub(super) fn value(&self, field: Field, web: &Web, worker: &Worker) -> String {
        let shown = self.form.shown(field, &self.check.typed, today(web));
        let english = is_english(worker);
        match field {
            Field::Value(place) if shown.is_empty() => match self.form.claim().parameters().get(place) {
                Some(parameter) if parameter.default == Some(crate::claims::ParameterDefault::Today) => {
                    worker.words().text("counter.today").to_owned()
                }
                _ => worker.words().text("counter.not_given").to_owned(),
            },
            Field::Value(place) => self.words.value(self.parameter(place), &shown, english).to_owned(),
            Field::Purpose => {
                let name = |id: crate::domain::Slug| web.api.shared.purposes.get(&id).cloned();
                shown.parse().ok().and_then(name).unwrap_or_default()
            }
            Field::Basis => {
                Basis::named(&shown).map_or(String::new(), |basis| worker.words().text(view::basis(basis)).to_owned())
            }
            Field::Name(_) | Field::Number(_) | Field::Case | Field::Law => shown,
        }
    }

    /// What was typed, with the day on which it is asked where that was left out: what is asked today is a date tomorrow.
    pub(super) fn dated(&self, today: jiff::civil::Date) -> Typed {
        let mut typed = self.check.typed.clone();
        for (place, parameter) in self.form.claim().parameters().iter().enumerate() {
            let field = Field::Value(place);
            let is_today = parameter.default == Some(crate::claims::ParameterDefault::Today);
            if is_today && counter::line(typed.text(field)).is_empty() {
                typed.put(field, &today.to_string());
            }
        }
        typed
    }

    fn parameter(&self, place: usize) -> &str {
        self.form.claim().parameters().get(place).map_or("", |parameter| &parameter.name)
    }
}

/// The place of a page; pages are counted from 1.
fn place(page: &str, form: &counter::Form) -> Result<usize, PageError> {
    let number = page.parse::<usize>().ok().filter(|_| !page.starts_with(['0', '+']));
    number
        .and_then(|number| number.checked_sub(1))
        .filter(|place| *place < form.steps().len())
        .ok_or(PageError::NotFound)
}

/// Today, by the gateway's clock.
pub(super) fn today(web: &Web) -> jiff::civil::Date {
    clock::day_of(now(web))
}

/// What a field is called in forms.
pub(super) fn field_name(field: Field) -> &'static str {
    match field {
        Field::Name(_) => "name",
        Field::Number(_) => "number",
        Field::Value(_) => "value",
        Field::Purpose => "purpose",
        Field::Case => "case",
        Field::Basis => "basis",
        Field::Law => "law",
    }
}

fn step_page(web: &Web, worker: &Worker, open: &Open, place: usize, wrong: &[(Field, Wrong)]) -> StepPage {
    let words = worker.words();
    let step = open.form.steps()[place];
    let fields = open.form.fields(step);
    let shown: Vec<(&str, String)> = fields
        .iter()
        .map(|field| (field_name(*field), open.form.shown(*field, &open.check.typed, today(web))))
        .collect();
    let mut draft = Fields::of(shown.iter().map(|(name, text)| (*name, text.as_str())));
    for (field, what) in wrong {
        draft.refuse(field_name(*field), view::wrong(*field, *what, &open.label(*field, worker), words));
    }
    let asks: Vec<Ask> = fields.iter().map(|field| ask(web, worker, open, *field)).collect();
    let (heading, lead) = match step {
        Step::Person(role) => {
            let role = open.form.claim().roles().get(role).map_or("", String::as_str);
            let who = open.words.role(role, is_english(worker));
            (
                Some(words.fill("counter.person_heading", &[("who", &who)])),
                Some(words.text("counter.person_lead").to_owned()),
            )
        }
        Step::Parameter(_) | Step::Purpose | Step::Basis => (None, None),
    };
    let title = heading.clone().or_else(|| asks.first().map(|ask| ask.label.clone())).unwrap_or_default();
    let back = match place {
        0 => format!("/matters/{}?draft={}", open.check.claim.matter, open.id),
        _ => format!("/checks/{}/{place}", open.id),
    };
    let is_complete = (0..open.form.steps().len()).all(|other| other == place || open.check.seen.contains(&other));
    let submit = if is_complete { "counter.to_review" } else { "counter.go_on" };
    StepPage {
        page: worker.page("counter.home_title").titled(title).with(&draft),
        draft,
        action: format!("/checks/{}/{}", open.id, place + 1),
        back,
        progress: words.fill("counter.progress", &[("number", &(place + 1)), ("count", &open.form.steps().len())]),
        heading,
        lead,
        asks,
        kept: kept::seal(web, worker, open),
        submit: words.text(submit).to_owned(),
    }
}

fn ask(web: &Web, worker: &Worker, open: &Open, field: Field) -> Ask {
    let (words, english) = (worker.words(), is_english(worker));
    let text = |key: &str| words.text(key).to_owned();
    let (hint, kind) = match field {
        Field::Name(_) => (text("counter.name_hint"), Kind::Line),
        Field::Number(_) => (text("counter.number_hint"), Kind::Number),
        Field::Value(place) => {
            let name = open.parameter(place);
            let hint = open.words.hint(name, english).unwrap_or_default().to_owned();
            let kind = match open.form.claim().parameters().get(place).map(|parameter| &parameter.kind) {
                Some(ParameterKind::Choice { values }) => {
                    let words = |value: &String| (value.clone(), open.words.value(name, value, english).to_owned());
                    Kind::Choice(values.iter().map(words).collect())
                }
                Some(ParameterKind::Division) => {
                    Kind::Listed(Division::of_liaoning().map(counter::written_division).collect())
                }
                _ => Kind::Line,
            };
            (hint, kind)
        }
        Field::Purpose => {
            let name = |(id, _): &(crate::domain::Slug, counter::CaseNumber)| {
                (id.to_string(), web.api.shared.purposes.get(id).cloned().unwrap_or_default())
            };
            (text("counter.purpose_hint"), Kind::Choice(open.form.offer().purposes.iter().map(name).collect()))
        }
        Field::Case => (text("counter.case_hint"), Kind::Line),
        Field::Basis => {
            let word = |basis: Basis| (basis.as_str().to_owned(), text(view::basis(basis)));
            (text("counter.basis_hint"), Kind::Choice(Basis::ALL.into_iter().map(word).collect()))
        }
        Field::Law => (text("counter.law_hint"), Kind::Line),
    };
    let label = match field {
        Field::Name(_) => text("counter.name"),
        Field::Number(_) => text("counter.number"),
        _ => open.label(field, worker),
    };
    Ask { name: field_name(field), label, hint, kind }
}
